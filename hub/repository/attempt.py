"""One try at a write: what it does to one resource, step by step, and how all its steps become durable at once.

https://hl7.org/fhir/R4/http.html#create, #update, #cond-update. The same steps serve a single interaction, which has one,
and a transaction, which has many. Nothing of an attempt that was refused or came second is left behind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub import numbers, outcomes
from hub.errors import Deleted, FhirError
from hub.recording import Recording, Touched
from hub.repository.matching import Matching, Unclaimed
from hub.repository.pending import Made, Pending
from hub.repository.precondition import ANY, Precondition
from hub.repository.preparing import Means, Preparing, require_recorder, with_meta
from hub.repository.reading import Opened, Resource
from hub.repository.reserved import refuse_reserved
from hub.repository.searching import Match
from hub.search.parse import Search
from hub.store.protocol import Claim, Conflict, Stored

IF_MATCH = "http.If-Match"
Apply = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Carries a patch out. Raises FhirError."""
Elements = frozenset[str]
ALL: Elements = frozenset()
"""What an update speaks of: of all that a resource says, unless elements are named. Then the others stay as they are."""
How = Literal["created", "updated", "unchanged", "found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one step. `made` is None where nothing had to be written.

    shown  the caller may read what was written: a patch may take a resource to where no scope of its caller reads it
    """

    how: How
    resource: Resource
    touched: Touched
    made: Made | None = None
    shown: bool = True

    @classmethod
    def of(cls, made: Made) -> "Done":
        return cls(how="created" if made.old is None else "updated", resource=made.resource, touched=made.touched, made=made)


class Attempt:
    """Steps that become one unit."""

    def __init__(self, means: Means, matching: Matching, recording: Recording) -> None:
        self._means = means
        self._matching = matching
        self._recording = recording
        self.pending = Pending(means.services, means.rights.visibility, means.standing)
        self._preparing = Preparing(means, self.pending, recording)

    async def create(self, type: str, content: Mapping[str, Any], *, id: str | None = None) -> Done:
        """`id`: the one it gets, if it has been said already."""
        return Done.of(await self._preparing.create(type, id or self._means.services.new_id(), content))

    async def create_unless(self, type: str, content: Mapping[str, Any], search: Search) -> Done:
        """https://hl7.org/fhir/R4/http.html#ccreate: a match that this caller may see is answered instead."""
        found = await self._matching.claimed(search, self._recording)
        if isinstance(found, Match):
            await self.settle(type)
            self._recording.becomes("read")
            return Done(how="found", resource=found.resource, touched=found.touched)
        done = await self.create(type, content)
        self.claim(found, done)
        return done

    async def update(self, type: str, id: str, content: Mapping[str, Any], on: Precondition, elements: Elements = ALL) -> Done:
        """A new version of what the caller may see. Only importers may bring an id that does not exist yet."""
        if content.get("id") != id:
            raise FhirError("invalid", "The id in the body must be the id in the URL.", expression=f"{type}.id")
        refuse_reserved(type, id)
        current = await self._means.services.resolve(type, id, deleted=True)
        if current is None:
            return await self._update_as_create(type, id, content, on)
        opened = await self._open(type, current)
        content = _completed(content, opened, elements)
        if current.deleted:
            return await self._bring_back(type, id, content, opened, on)
        on.check(current.version)
        return await self._new_version(type, id, content, opened)

    async def patch(self, type: str, id: str, apply: Apply, on: Precondition) -> Done:
        """https://hl7.org/fhir/R4/http.html#patch: a new version that differs from the current one by the patch."""
        refuse_reserved(type, id)
        current = await self._means.services.resolve(type, id, deleted=True)
        if current is None:
            await self._means.reading.as_if_hidden(type, id, self._recording)
            raise outcomes.absent()
        opened = await self._open(type, current)
        if type == "Consent":  # a patch can ask what a Consent says, which only those may know who may see it
            await self._means.reading.open(current, "access", "u")
        if not self._means.rights.readable(type, opened.content, current):
            raise outcomes.absent()
        if current.deleted:
            raise Deleted(current.version)
        on.check(current.version)
        content = apply(numbers.loads(opened.json))
        if content.get("resourceType") != type or content.get("id") != id:
            raise FhirError("invalid", "A patch cannot change the type or the id of a resource.", expression=f"{type}.id")
        done = await self._new_version(type, id, content, opened)
        return replace(done, shown=self._means.rights.readable(type, content, current if done.made is None else done.made.stored))

    async def update_matching(
        self, type: str, content: Mapping[str, Any], search: Search, on: Precondition, elements: Elements = ALL
    ) -> Done:
        """https://hl7.org/fhir/R4/http.html#cond-update: none creates, one is updated, many are refused."""
        found = await self._matching.claimed(search, self._recording)
        if isinstance(found, Unclaimed):
            return await self.create_unmatched(type, content, found, on)
        return await self.update_match(type, content, found, on, elements)

    async def update_match(self, type: str, content: Mapping[str, Any], found: Match, on: Precondition, elements: Elements = ALL) -> Done:
        """A new version of the one resource that matches the criteria."""
        id = found.resource.id
        if content.get("id", id) != id:
            raise FhirError("invalid", "The id in the body is not that of the match; leave it out.", expression=f"{type}.id")
        refuse_reserved(type, id)
        opened = await self._open(type, found.stored)
        on.check(found.stored.version)
        return await self._new_version(type, id, _completed(content, opened, elements), opened)

    async def settle(self, type: str) -> None:
        """A Consent that is there already was never acknowledged, perhaps, when it was written: now it is."""
        if type == "Consent":
            await self._means.services.store.settled()

    async def tell_of(self, provenance: Mapping[str, Any]) -> None:
        """A Provenance of what is written, in the same unit. https://hl7.org/fhir/R4/provenance.html#header"""
        made = [one for one in self.pending.made if not one.stored.deleted]
        names = [f"{one.stored.type}/{one.id}/_history/{one.stored.version}" for one in made]
        if names:
            await self.create("Provenance", {**provenance, "target": [{"reference": name} for name in names]})

    async def commit(self) -> None:
        """Everything that was prepared, and its record. Raises Conflict: nothing is written, and nothing noted."""
        for one in self.pending.made:
            self._recording.touch(one.touched)
        await self.commit_all(())

    async def commit_all(self, beside: Sequence[Recording]) -> None:
        """`beside`: further records of the same request, which say what was written."""
        writes = tuple(one.write for one in self.pending.made)
        try:
            await self._recording.commit(self.pending.unit(), writes=writes, beside=beside)
        except Conflict:
            self._recording.forget()
            raise

    async def _open(self, type: str, current: Stored) -> Opened:
        self._recording.aim(current)
        reading = self._means.reading
        opened = await (reading.open_for_recorder(current) if type == "Consent" else reading.open(current, "collect"))
        self.pending.rest_on(opened.rules)
        return opened

    async def _new_version(self, type: str, id: str, content: Mapping[str, Any], opened: Opened) -> Done:
        """What changes nothing makes no version: the current one is answered."""
        if is_unchanged(content, opened):
            if type == "Patient" and opened.stored.version > 1:  # who manages it, and its identifiers, are decided by too
                await self._means.services.store.settled()
            await self.settle(type)
            stored = opened.stored
            resource = Resource(type=type, id=id, version=stored.version, updated_us=stored.updated_us, json=opened.json)
            return Done(how="unchanged", resource=resource, touched=opened.touched)
        return Done.of(await self._preparing.update(type, id, content, opened))

    async def _bring_back(self, type: str, id: str, content: Mapping[str, Any], opened: Opened, on: Precondition) -> Done:
        """https://hl7.org/fhir/R4/http.html#delete: an update brings back what was deleted; its versions go on."""
        if on.exists:
            raise FhirError("precondition", "The resource is deleted, and If-Match asks for a version that is not.", expression=IF_MATCH)
        self._require_create(type)
        return replace(Done.of(await self._preparing.update(type, id, content, opened)), how="created")

    async def _update_as_create(self, type: str, id: str, content: Mapping[str, Any], on: Precondition) -> Done:
        """https://hl7.org/fhir/R4/http.html#upsert"""
        caller, services = self._means.caller, self._means.services
        if not caller.importer or on.exists:
            await self._means.reading.as_if_hidden(type, id, self._recording)
            raise outcomes.absent()
        self._require_create(type)
        return Done.of(await self._preparing.create(type, id, content, row_id=services.brought_id(type, id)))

    async def create_unmatched(
        self, type: str, content: Mapping[str, Any], found: Unclaimed, on: Precondition, *, id: str | None = None
    ) -> Done:
        """A new resource where nothing matched. `id`: the one it gets, if it has been said already."""
        if on.exists:
            raise FhirError("precondition", "Nothing matches the criteria, and If-Match asks for a version.", expression=IF_MATCH)
        self._require_create(type)
        brought = content.get("id")
        if brought is None:
            done = await self.create(type, content, id=id)
        elif self._means.caller.importer:
            done = await self._bring(type, str(brought), content)
        else:
            raise FhirError("invalid", "Nothing matches the criteria, and this client may not bring an id.", expression=f"{type}.id")
        self.claim(found, done)
        return done

    async def _bring(self, type: str, id: str, content: Mapping[str, Any]) -> Done:
        """An importer's own id, which nothing may have yet."""
        refuse_reserved(type, id)
        current = await self._means.services.resolve(type, id, deleted=True)
        if current is not None:
            opened = await self._open(type, current)
            if current.deleted:
                return await self._bring_back(type, id, content, opened, ANY)
            raise FhirError("conflict", "A resource has this id, and it does not match the criteria.", expression=f"{type}.id")
        return Done.of(await self._preparing.create(type, id, content, row_id=self._means.services.brought_id(type, id)))

    def _require_create(self, type: str) -> None:
        self._means.rights.require(type, "c")
        require_recorder(self._means.caller, type)

    def claim(self, found: Unclaimed, done: Done) -> None:
        """The criteria are taken by what was made for them."""
        if done.made is not None:
            self.pending.claims.append(Claim(key=found.key, value=done.made.stored.row, holder=found.holder))


def _completed(content: Mapping[str, Any], opened: Opened, elements: Elements) -> Mapping[str, Any]:
    """What was sent, and of the current version what it does not speak of."""
    if not elements:
        return content
    return {**{name: value for name, value in numbers.loads(opened.json).items() if name not in elements}, **content}


def is_unchanged(content: Mapping[str, Any], opened: Opened) -> bool:
    """Would the new version say what the current one says, to the digit? Version and time of it are the hub's."""
    stored = opened.stored
    given = with_meta(content, str(opened.content["id"]), stored.version, stored.updated_us)
    # Floats hide digits (74.10 is more precise than 74.1), but what differs as floats differs.
    return given == opened.content and numbers.canonical(given) == numbers.canonical(numbers.loads(opened.json))
