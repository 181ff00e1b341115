"""A transaction behind the one door: every step decided and prepared, then all of them durable at once, or none.

https://hl7.org/fhir/R4/http.html#trules. One unit, one commit, the records inside (DESIGN 6). Whoever came second does the
whole of it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.attempt import Apply, Attempt, Done
from hub.repository.deleting import Deleting
from hub.repository.matching import Matching, Unclaimed
from hub.repository.naming import Named, Naming, refuse_dangling
from hub.repository.preparing import Means, require_recorder
from hub.repository.redoing import redoing
from hub.repository.searching import Match
from hub.repository.steps import READS, Method, Outcome, Step, at
from hub.search.conditional import canonical
from hub.turns import breath

LETTER: Mapping[Method, str] = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d", "GET": "r", "HEAD": "r"}
KIND: Mapping[str, str] = {"created": "create", "updated": "update", "patched": "patch", "deleted": "delete"}


class Transacting:
    """Transactions of one caller."""

    def __init__(self, means: Means, matching: Matching, deleting: Deleting) -> None:
        self._means = means
        self._matching = matching
        self._deleting = deleting

    async def run(
        self, steps: Sequence[Step], recording: Recording, aside: Callable[[str], Recording], provenance: Mapping[str, Any] | None
    ) -> dict[int, Outcome]:
        """By place. `aside` gives a further record of the same request, of another kind; `provenance` goes along.

        Raises FhirError for the first step that cannot be done; then nothing of the transaction is.
        """
        _refuse_same_urls(steps)
        for step in steps:
            with at(step):
                self._require(step)
        if provenance is not None:
            self._means.rights.require("Provenance", "c")
        return await redoing(
            lambda: _Round(self._means, self._matching, self._deleting, recording, aside).run(steps, provenance),
            lambda: _about(steps),
            self._means.services.turns,
            standings=(self._means.standing,),
        )

    def _require(self, step: Step) -> None:
        self._means.rights.require(step.type, LETTER[step.method])
        if step.method == "PATCH":
            self._means.rights.require_patch(step.type)
        if step.method == "POST" or (step.type == "Consent" and step.method not in READS):
            require_recorder(self._means.caller, step.type)
        if step.method == "DELETE":
            self._deleting.require(step.type)


class _Round:
    """One try at a transaction."""

    def __init__(
        self, means: Means, matching: Matching, deleting: Deleting, recording: Recording, aside: Callable[[str], Recording]
    ) -> None:
        self._means = means
        self._matching = matching
        self._deleting = deleting
        self._recording = recording
        self._aside = aside
        self._attempt = Attempt(means, matching, recording)
        self._named = Named()

    async def run(self, steps: Sequence[Step], provenance: Mapping[str, Any] | None) -> dict[int, Outcome]:
        self._named = await Naming(self._means, self._matching, self._recording).named(steps)
        outcomes: dict[int, Outcome] = {}
        hows: list[str] = []
        for number, step in enumerate(sorted(steps, key=lambda one: one.turn)):
            await breath(number)
            with at(step):
                before = len(self._attempt.pending.made)
                outcomes[step.place] = await self._do(step)
                hows += [outcomes[step.place].how] * (len(self._attempt.pending.made) - before)
        if provenance is not None and hows:
            await self._attempt.tell_of(provenance)
            hows += ["created"] * (len(self._attempt.pending.made) - len(hows))
        await self._commit(hows)
        return outcomes

    async def _do(self, step: Step) -> Outcome:
        match step.method:
            case "DELETE":
                return await self._delete(step)
            case "POST":
                return self._outcome(await self._create(step))
            case "PUT":
                return self._outcome(await self._update(step))
            case "PATCH":
                return await self._patch(step)
            case _:
                return await self._read(step)

    def _outcome(self, done: Done) -> Outcome:
        """What was found and not written is shown all the same, and so it is recorded."""
        if done.made is None:
            self._recording.touch(done.touched)
        return Outcome(how=done.how, resource=done.resource, shown=done.shown)

    async def _create(self, step: Step) -> Done:
        found = self._named.found.get(step.place)
        if isinstance(found, Match):
            await self._attempt.settle(step.type)
            return Done(how="found", resource=found.resource, touched=found.touched)
        done = await self._attempt.create(step.type, self._named.content(step), id=self._named.ids[step.place])
        if found is not None:
            self._attempt.claim(found, done)
        return done

    async def _update(self, step: Step) -> Done:
        content, found = self._named.content(step), self._named.found.get(step.place)
        if step.id is not None:
            return await self._attempt.update(step.type, step.id, content, step.on)
        if isinstance(found, Match):
            return await self._attempt.update_match(step.type, content, found, step.on)
        if not isinstance(found, Unclaimed):
            raise FhirError("invalid", "PUT needs an id or criteria in its url.")
        return await self._attempt.create_unmatched(step.type, content, found, step.on, id=self._named.ids[step.place])

    async def _patch(self, step: Step) -> Outcome:
        if step.apply is None:
            raise FhirError("invalid", "PATCH needs a patch: a Parameters resource, or a Binary with a JSON Patch.")
        done = await self._attempt.patch(step.type, self._named.ids[step.place], self._linking(step, step.apply), step.on)
        return replace(self._outcome(done), how="patched" if done.how == "updated" else done.how)

    def _linking(self, step: Step, apply: Apply) -> Apply:
        """A patch may bring links too."""

        def applied(resource: Mapping[str, Any]) -> dict[str, Any]:
            made = self._named.linked(step, apply(resource))
            refuse_dangling(made, step.type, resource)
            return made

        return applied

    async def _delete(self, step: Step) -> Outcome:
        id = self._named.ids[step.place]
        version = await self._deleting.step(step.type, id, step.on, self._attempt.pending, self._recording)
        return Outcome(how="deleted", version=version)

    async def _read(self, step: Step) -> Outcome:
        """What this transaction has written is read as it will be; everything else as it is."""
        for made in self._attempt.pending.made:
            if (made.stored.type, made.id) == (step.type, step.id) and step.version in (None, made.stored.version):
                if made.stored.deleted:
                    raise FhirError("deleted", "This resource is deleted by the same transaction.")
                return Outcome(how="read", resource=made.resource)
        reading = self._means.reading
        if step.version is not None:
            return Outcome(how="read", resource=await reading.vread(step.type, str(step.id), step.version, self._recording))
        return Outcome(how="read", resource=await reading.read(step.type, str(step.id), self._recording))

    async def _commit(self, hows: Sequence[str]) -> None:
        """Each kind of write has its own record beside that of the transaction."""
        made = self._attempt.pending.made
        if not made:
            return
        beside: dict[str, Recording] = {}
        for one, how in zip(made, hows, strict=True):
            kind = KIND.get(how, "update")
            if kind not in beside:
                beside[kind] = self._aside(kind)
            beside[kind].touch(one.touched)
        await self._attempt.commit_all(tuple(beside.values()))


def _about(steps: Sequence[Step]) -> set[str]:
    """What these may meet others over, named as single writes name it: so nobody waits for a transaction about something else."""
    about: set[str] = set()
    for step in steps:
        if step.method in READS:
            continue
        if step.search is not None:
            about.add(canonical(step.search))
        elif step.id is not None:
            about.add(f"{step.type}/{step.id}")
        elif step.type == "Consent":
            about.add(step.type)  # two that are new may change the rules of one patient
    return about


def _refuse_same_urls(steps: Sequence[Step]) -> None:
    urls: set[str] = set()
    for step in steps:
        if step.full_url is not None and step.full_url in urls and step.method not in READS:
            raise FhirError("invalid", "Two entries have the same fullUrl.", expression=f"Bundle.entry[{step.place}].fullUrl")
        if step.full_url is not None:
            urls.add(step.full_url)
