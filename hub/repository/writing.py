"""FHIR create and update behind the one door: an attempt, made durable together with the audit record, or made again.

https://hl7.org/fhir/R4/http.html#create, #update, #ccreate, #cond-update.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.attempt import ALL, Apply, Attempt, Done, Elements
from hub.repository.matching import Matching
from hub.repository.precondition import Precondition
from hub.repository.preparing import Means, require_recorder
from hub.repository.redoing import redoing
from hub.search.conditional import canonical
from hub.search.parse import Search


class Writing:
    """Writes for one caller."""

    def __init__(self, means: Means, matching: Matching) -> None:
        self._means = means
        self._matching = matching
        self.provenance: Mapping[str, Any] | None = None
        """What goes along with a write. https://hl7.org/fhir/R4/provenance.html#header"""

    async def create(self, type: str, content: Mapping[str, Any], recording: Recording) -> Done:
        """A new resource under an id of ours; whatever id the body brings is ignored."""
        self._require(type, "c", recorder=True)
        return await self._redoing(lambda: type, recording, lambda attempt: attempt.create(type, content))

    async def create_unless(self, type: str, content: Mapping[str, Any], search: Search, recording: Recording) -> Done:
        """A new resource unless there is one that matches."""
        self._require(type, "c", recorder=True)
        return await self._redoing(lambda: canonical(search), recording, lambda attempt: attempt.create_unless(type, content, search))

    async def update(
        self, type: str, id: str, content: Mapping[str, Any], on: Precondition, recording: Recording, elements: Elements = ALL
    ) -> Done:
        """A new version of one resource."""
        self._require(type, "u", recorder=type == "Consent")
        return await self._redoing(lambda: f"{type}/{id}", recording, lambda attempt: attempt.update(type, id, content, on, elements))

    async def update_matching(
        self, type: str, content: Mapping[str, Any], search: Search, on: Precondition, recording: Recording, elements: Elements = ALL
    ) -> Done:
        """A new version of what matches, or a new resource."""
        self._require(type, "u", recorder=type == "Consent")
        return await self._redoing(
            lambda: canonical(search), recording, lambda attempt: attempt.update_matching(type, content, search, on, elements)
        )

    async def patch(self, type: str, id: str, apply: Apply, on: Precondition, recording: Recording) -> Done:
        """The current version, patched."""
        self._means.rights.require_patch(type)
        self._require(type, "u", recorder=type == "Consent")
        return await self._redoing(lambda: f"{type}/{id}", recording, lambda attempt: attempt.patch(type, id, apply, on))

    async def patch_matching(self, type: str, apply: Apply, search: Search, on: Precondition, recording: Recording) -> Done:
        """What matches, patched: exactly one resource. https://hl7.org/fhir/R4/http.html#patch"""
        self._require(type, "u", recorder=type == "Consent")

        async def step(attempt: Attempt) -> Done:
            found = await self._matching.one(search, recording)
            if found is None:
                raise FhirError("not-found", "Nothing matches the criteria.")
            return await attempt.patch(type, found.resource.id, apply, on)

        return await self._redoing(lambda: canonical(search), recording, step)

    def _require(self, type: str, letter: str, *, recorder: bool) -> None:
        self._means.rights.require(type, letter)
        if self.provenance is not None:
            self._means.rights.require("Provenance", "c")
        if recorder:
            require_recorder(self._means.caller, type)

    async def _redoing(self, about: Callable[[], str], recording: Recording, step: Callable[[Attempt], Awaitable[Done]]) -> Done:
        async def once() -> Done:
            attempt = Attempt(self._means, self._matching, recording)
            done = await step(attempt)
            if done.made is not None and self.provenance is not None:
                await attempt.tell_of(self.provenance)
            if done.made is None:
                recording.touch(done.touched)
            else:
                await attempt.commit()
            return done

        return await redoing(once, lambda: (about(),), self._means.services.turns, standings=(self._means.standing,))
