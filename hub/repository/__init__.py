"""The one door to data, made for one caller.

A route has no other object to get at a resource, and no way through here leaves without a record: every method runs
inside `Recording.of`, which makes the record durable before the answer exists (laws 1 and 2).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from hub.errors import FhirError
from hub.recording import Recording, RequestFacts
from hub.repository.attempt import ALL, Apply, Done, Elements
from hub.repository.canonicals import Canonicals
from hub.repository.content import StoredContent, pieces
from hub.repository.deleting import Deleting, Deletion
from hub.repository.history import History, Past, Version
from hub.repository.matching import Matching
from hub.repository.measuring import Measured
from hub.repository.observing import Observing, Take
from hub.repository.precondition import ANY, Precondition
from hub.repository.preparing import Means, refuse_by_content
from hub.repository.profiles import Profiles
from hub.repository.reading import Reading, Resource
from hub.repository.rights import Rights
from hub.repository.searching import Found, Match
from hub.repository.standing import Standing
from hub.repository.steps import Outcome, Step
from hub.repository.terminology import Terminology
from hub.repository.transacting import Transacting
from hub.repository.writing import Writing
from hub.search.history import HistoryAsked
from hub.search.page import Cursor
from hub.search.parse import Search
from hub.search.predicate import EVERYTHING, AnyOf, Naming, PatientIs, Predicate
from hub.services import Services
from security.context import AccessContext

NOT_EXPLAINED = "How a search runs is explained to clients registered with --administrator; leave out _explain."

__all__ = ["Deletion", "Done", "Found", "Match", "Measured", "Outcome", "Past", "Precondition", "Repository", "Resource", "Step", "Version"]


class Repository:
    """FHIR interactions for `caller`. Errors are FhirError; what is hidden is absent."""

    def __init__(self, caller: AccessContext, services: Services, facts: RequestFacts) -> None:
        self.caller = caller
        self.services = services
        self.facts = facts
        self.rights = Rights(caller, services)
        self.standing = Standing(caller, services)
        self._reading = Reading(caller, services, self.rights)
        self._searching = Observing(services, self.rights)
        means = Means(caller=caller, services=services, rights=self.rights, reading=self._reading, standing=self.standing)
        self._matching = Matching(services, self.rights, self._reading, self._searching)
        self._writing = Writing(means, self._matching)
        self._deleting = Deleting(means)
        self._transacting = Transacting(means, self._matching, self._deleting)
        self._history = History(services, self.rights, self._reading)
        canonicals = Canonicals(self.rights, self._searching)
        self.terminology, self.profiles = Terminology(canonicals), Profiles(canonicals)

    async def read(self, type: str, id: str) -> Resource:
        async with self.recording("read") as recording:
            return await self._reading.read(type, id, recording)

    async def read_within(self, type: str, id: str, recording: Recording) -> Resource:
        """A read that is part of another interaction, whose record tells of it."""
        return await self._reading.read(type, id, recording)

    def content(self, resource: Resource, stored: StoredContent) -> AsyncIterator[bytes]:
        """The bytes of a Binary that was read, for its record covers them: piece by piece, each decided anew."""
        return pieces(resource.id, stored, self.services, self._reading)

    async def vread(self, type: str, id: str, version: int) -> Resource:
        async with self.recording("vread") as recording:
            return await self._reading.vread(type, id, version, recording)

    async def create(self, type: str, content: Mapping[str, Any], unless: Search | None = None) -> Done:
        """`unless`: something matches that this caller may see, which is then what is answered."""
        async with self.recording("create") as recording:
            if unless is None:
                return await self._writing.create(type, content, recording)
            return await self._writing.create_unless(type, content, unless, recording)

    def refuse_by_content(self, type: str, content: Mapping[str, Any]) -> None:
        """Raises FhirError for what a write would be refused for by its content alone; nothing is looked up, nothing written."""
        refuse_by_content(type, content, self.services)

    async def update(self, type: str, id: str, content: Mapping[str, Any], on: Precondition = ANY, elements: Elements = ALL) -> Done:
        async with self.recording("update") as recording:
            return await self._writing.update(type, id, content, on, recording, elements)

    async def update_matching(
        self, type: str, content: Mapping[str, Any], search: Search, on: Precondition, elements: Elements = ALL
    ) -> Done:
        async with self.recording("update") as recording:
            return await self._writing.update_matching(type, content, search, on, recording, elements)

    def with_provenance(self, provenance: Mapping[str, Any] | None) -> None:
        """What is written from now on has this Provenance beside it, in the same unit."""
        self._writing.provenance = provenance

    async def patch(self, type: str, id: str, apply: Apply, on: Precondition = ANY) -> Done:
        async with self.recording("patch") as recording:
            return await self._writing.patch(type, id, apply, on, recording)

    async def patch_matching(self, type: str, apply: Apply, search: Search, on: Precondition) -> Done:
        async with self.recording("patch") as recording:
            return await self._writing.patch_matching(type, apply, search, on, recording)

    async def delete_matching(self, type: str, search: Search, on: Precondition) -> Deletion:
        async with self.recording("delete") as recording:
            return await self._deleting.delete_matching(type, search, self._matching, on, recording)

    async def transaction(self, steps: Sequence[Step]) -> Mapping[int, Outcome]:
        """All of it or nothing; by the place of the step."""
        async with self.recording("transaction") as recording:
            return await self._transacting.run(steps, recording, self.recording, self._writing.provenance)

    def for_entry(self, facts: RequestFacts) -> "Repository":
        """The same caller's, for one entry of a batch."""
        return Repository(self.caller, self.services, facts)

    async def delete(self, type: str, id: str, on: Precondition = ANY) -> Deletion:
        async with self.recording("delete") as recording:
            return await self._deleting.delete(type, id, on, recording)

    async def search(self, search: Search, cursor: Cursor | None, patient: str | None = None) -> Found:
        """`patient`: in whose compartment everything lies that is asked for."""
        async with self.recording("search") as recording:
            return await self._searching.search(search, cursor, recording, self._of(patient))

    async def search_all(self, search: Search, cursor: Cursor | None, patient: str | None = None) -> Found:
        async with self.recording("search-system") as recording:
            return await self._searching.search_all(search, cursor, recording, self._of(patient))

    def explained(self, found: Found) -> tuple[str, ...]:
        """How the search ran, in words. Raises FhirError forbidden for who is no administrator."""
        self.require_administrator()
        return self._searching.explained(found)

    def require_administrator(self) -> None:
        if not self.caller.administrator:
            raise FhirError("forbidden", NOT_EXPLAINED)

    async def gather(self, search: Search, take: Take) -> None:
        async with self.recording("operation") as recording:
            await self._searching.gather(search, take, recording)

    async def lastn(self, search: Search, most: int) -> list[list[Match]]:
        async with self.recording("operation") as recording:
            return await self._searching.lastn(search, most, recording)

    async def everything(self, id: str, search: Search, cursor: Cursor | None) -> Found:
        """What of these types belongs to the patient, or names the patient. Raises FhirError not-found for a patient not seen."""
        async with self.recording("operation") as recording:
            await self._reading.read("Patient", id, recording)
            return await self._searching.search_all(search, cursor, recording, self._of(id))

    async def measures(self, id: str, search: Search, cursor: Cursor | None, *, seen: bool) -> Measured:
        """A page of the patient's Observations and their devices. `seen`: when each device was heard of last, too."""
        async with self.recording("operation") as recording:
            patient = await self._reading.read("Patient", id, recording)
            found = await self._searching.search(search, cursor, recording, self._of(id))
            devices = sorted({str(one.content["device"]["reference"]) for one in found.matches if "device" in one.content})
            seen_us = await self._searching.heard(id, devices, recording) if seen else {}
            return Measured(patient=patient, found=found, seen_us=seen_us)

    def _of(self, patient: str | None) -> Predicate:
        """Rows that belong to the patient or name the patient; all there are for None."""
        if patient is None:
            return EVERYTHING
        token = frozenset({self.services.blind.patient(patient)})
        return AnyOf((PatientIs(token), Naming(token)))

    async def history_instance(self, type: str, id: str, asked: HistoryAsked, cursor: Cursor | None) -> Past:
        async with self.recording("history-instance") as recording:
            return await self._history.instance(type, id, asked, cursor, recording)

    async def history_type(self, type: str, asked: HistoryAsked, cursor: Cursor | None) -> Past:
        async with self.recording("history-type") as recording:
            return await self._history.of_type(type, asked, cursor, recording)

    async def history_system(self, asked: HistoryAsked, cursor: Cursor | None) -> Past:
        async with self.recording("history-system") as recording:
            return await self._history.of_system(asked, cursor, recording)

    def require(self, search: Search) -> None:
        """Raises FhirError forbidden unless the token covers the search, its chains included. Nothing is looked up."""
        self._searching.require(search)

    def recording(self, kind: str) -> Recording:
        return Recording(kind, self.caller, self.facts, self.services)
