"""FHIR create and update behind the one door: prepare, then commit together with the audit record.

https://hl7.org/fhir/R4/http.html#create, #update. Nothing of a refused write is left behind.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from hub import outcomes
from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.pending import Pending
from hub.repository.preparing import Means, Preparing, require_recorder
from hub.repository.reading import Resource
from hub.store.protocol import Conflict

T = TypeVar("T")

REDO_MAX = 16
WAIT_S, WAIT_MAX_S = 0.002, 0.1
"""How long an attempt that came second waits before the next: at random, up to twice as long each time."""


class Attempt:
    """One try at a write: what it has prepared, and how to make that durable."""

    def __init__(self, means: Means, recording: Recording) -> None:
        self.pending = Pending(means.services, means.rights.visibility)
        self.prepare = Preparing(means, self.pending, recording)
        self._recording = recording

    async def commit(self) -> None:
        """Everything that was prepared, and its record. Raises Conflict: nothing is written, and nothing noted."""
        made = self.pending.made
        for one in made:
            self._recording.touch(one.touched)
        try:
            await self._recording.commit(self.pending.unit(), writes=tuple(one.write for one in made))
        except Conflict:
            self._recording.forget()
            raise


class Writing:
    """Writes for one caller."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._caller = means.caller
        self._services = means.services
        self._rights = means.rights
        self._reading = means.reading

    async def create(self, type: str, content: dict[str, Any], recording: Recording) -> Resource:
        """A new resource under an id of ours; whatever id the body brings is ignored."""
        self._rights.require(type, "c")
        require_recorder(self._caller, type)
        return await self._redoing(recording, lambda attempt: self._create(type, self._services.new_id(), None, content, attempt))

    async def update(
        self, type: str, id: str, content: dict[str, Any], if_match: int | None, recording: Recording
    ) -> tuple[Resource, Literal["created", "updated"]]:
        """A new version of what the caller may see. Only importers may bring an id that does not exist yet."""
        self._rights.require(type, "u")
        if type == "Consent":
            require_recorder(self._caller, type)
        if content.get("id") != id:
            raise FhirError("invalid", "The id in the body must be the id in the URL.", expression=f"{type}.id")
        return await self._redoing(recording, lambda attempt: self._update(type, id, content, if_match, attempt, recording))

    async def _redoing(self, recording: Recording, act: Callable[[Attempt], Awaitable[T]]) -> T:
        return await redoing(lambda: act(Attempt(self._means, recording)))

    async def _create(self, type: str, id: str, row_id: str | None, content: dict[str, Any], attempt: Attempt) -> Resource:
        made = await attempt.prepare.create(type, id, content, row_id=row_id)
        await attempt.commit()
        return made.resource

    async def _update(
        self, type: str, id: str, content: dict[str, Any], if_match: int | None, attempt: Attempt, recording: Recording
    ) -> tuple[Resource, Literal["created", "updated"]]:
        current = await self._services.resolve(type, id)
        if current is None:
            return await self._update_as_create(type, id, content, if_match, attempt, recording), "created"
        recording.aim(current)
        opened = await (self._reading.open_for_recorder(current) if type == "Consent" else self._reading.open(current, "collect"))
        if if_match is not None and if_match != current.version:
            raise FhirError("precondition", f"The current version is {current.version}; read it and repeat.")
        made = await attempt.prepare.update(type, id, content, opened)
        await attempt.commit()
        return made.resource, "updated"

    async def _update_as_create(
        self, type: str, id: str, content: dict[str, Any], if_match: int | None, attempt: Attempt, recording: Recording
    ) -> Resource:
        if not self._caller.importer or if_match is not None:
            await self._reading.as_if_hidden(type, id, recording)
            raise outcomes.absent()
        self._rights.require(type, "c")
        require_recorder(self._caller, type)
        return await self._create(type, id, self._services.brought_id(type, id), content, attempt)


async def redoing(attempt: Callable[[], Awaitable[T]]) -> T:
    """Somebody else was first: wait a little, read again, decide again, do it again; give up as a conflict.

    Those who met must not meet again, and a snapshot lags a little behind the commit that won.
    """
    for turn in range(REDO_MAX):
        try:
            return await attempt()
        except Conflict:
            await asyncio.sleep(random.uniform(0, min(WAIT_S * 2**turn, WAIT_MAX_S)))  # noqa: S311 (nothing secret)
    raise FhirError("conflict", "The resource is being changed by others; read it again and repeat.")
