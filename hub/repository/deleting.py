"""FHIR delete behind the one door: decide on the resource as it is stored, put a tombstone in its place, with the record.

https://hl7.org/fhir/R4/http.html#delete. What may not be seen is not there to be deleted, and is answered like what never
was (law 3). Decisions, not only data, go with a Consent: what the patient's consents come to commits in the same transaction.
"""

from contextlib import aclosing
from dataclasses import dataclass, replace

from hub import outcomes
from hub.errors import FhirError
from hub.recording import Recording, Touched
from hub.repository.matching import Matching
from hub.repository.pairings import is_worn
from hub.repository.pending import Made, Pending
from hub.repository.precondition import Precondition
from hub.repository.preparing import DECIDED_BY, Means, require_recorder
from hub.repository.reading import Opened
from hub.repository.redoing import redoing
from hub.repository.reserved import refuse_reserved
from hub.repository.tombstone import tombstone
from hub.repository.visibility import PatientRules
from hub.search.conditional import canonical
from hub.search.parse import Search
from hub.store.protocol import Closing, Conflict, Stored

NEEDED_TYPES = frozenset({"Patient", "Consent"})
"""Not counted among what a Patient still has: Consents stay and go on deciding about whatever else is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """`version` of the tombstone, whether it was put now or before."""

    version: int


class Deleting:
    """Deletes for one caller."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._services = means.services

    async def delete(self, type: str, id: str, on: Precondition, recording: Recording) -> Deletion:
        """Deleting what is deleted changes nothing and says the same, to those who could see it."""
        self.require(type)
        return await redoing(
            lambda: self._delete(type, id, on, recording),
            lambda: (f"{type}/{id}",),
            self._services.turns,
            standings=(self._means.standing,),
        )

    async def delete_matching(self, type: str, search: Search, matching: Matching, on: Precondition, recording: Recording) -> Deletion:
        """What matches, where one resource does: many are refused. https://hl7.org/fhir/R4/http.html#3.1.0.7.1"""
        self.require(type)

        async def once() -> Deletion:
            found = await matching.one(search, recording)
            if found is None:
                raise FhirError("not-found", "Nothing matches the criteria.")
            return await self._delete(type, found.resource.id, on, recording)

        return await redoing(once, lambda: (canonical(search),), self._services.turns, standings=(self._means.standing,))

    def require(self, type: str) -> None:
        """Scope, and for what decides about access the recorder permission; whatever the target is."""
        self._means.rights.require(type, "d")
        require_recorder(self._means.caller, type)

    async def _delete(self, type: str, id: str, on: Precondition, recording: Recording) -> Deletion:
        pending = Pending(self._services, self._means.rights.visibility, self._means.standing)
        version = await self.step(type, id, on, pending, recording)
        if pending.made:
            (made,) = pending.made
            recording.touch(made.touched)
            try:
                await recording.commit(pending.unit(), writes=(made.write,))
            except Conflict:
                recording.forget()
                raise
        return Deletion(version=version)

    async def step(self, type: str, id: str, on: Precondition, pending: Pending, recording: Recording) -> int:
        """Put the tombstone with the others of the unit, unless there is one already. The version of the tombstone."""
        refuse_reserved(type, id)
        stored = await self._services.resolve(type, id, deleted=True)
        if stored is None:
            await self._means.reading.as_if_hidden(type, id, recording)
            raise outcomes.absent()
        recording.aim(stored)
        reading = self._means.reading
        opened = await (reading.open_for_recorder(stored, "d") if type == "Consent" else reading.open(stored, "collect", "d"))
        if not self._means.rights.reaches(type, "d", stored):  # it is there for this caller, but it is not about this patient alone
            raise outcomes.forbidden()
        pending.rest_on(opened.rules)
        if stored.deleted:
            if type in NEEDED_TYPES:  # it was never acknowledged, perhaps, when it was deleted: now it is
                await self._services.store.settled()
            recording.touch(opened.touched)
            return stored.version
        on.check(stored.version)
        return (await self.prepare(opened, pending)).stored.version

    async def prepare(self, opened: Opened, pending: Pending) -> Made:
        """The tombstone of what was opened, put with the others of its unit. Raises what keeps it from being deleted."""
        stored, content = opened.stored, opened.content
        await self._refuse_while_needed(opened, pending)
        key = await pending.key(stored.patient)
        left = tombstone(opened, now_us=pending.now_us, key=key, vault=self._services.vault)
        if stored.patient is not None and stored.type in ("Patient", "Consent"):
            await pending.change_rules(stored.patient, lambda before: rules_without(before, stored.type, str(content["id"])))
        touched = Touched(
            reference=opened.touched.reference,
            version=left.version,
            patient=stored.patient,
            patient_reference=opened.touched.patient_reference,
            basis=opened.touched.basis,
            others=stored.others,
        )
        made = Made(id=str(content["id"]), stored=left, json=b"", content=content, touched=touched, old=stored)
        pending.made.append(made)
        return made

    async def _refuse_while_needed(self, opened: Opened, pending: Pending) -> None:
        stored = opened.stored
        if stored.type == "Patient" and stored.patient is not None:
            await self._refuse_while_more(stored.patient, pending)
        if stored.type == "Device" and await is_worn(self._services, stored.row, stored.others, pending.now_us):
            raise FhirError("conflict", "The device is paired with a patient; end the pairing first.")
        element = DECIDED_BY.get(stored.type)
        if element is not None and element in opened.content and not self._means.caller.recorder:
            raise FhirError("forbidden", f"This client is not registered as a recorder and may not take away {stored.type}.{element}.")

    async def _refuse_while_more(self, patient: bytes, pending: Pending) -> None:
        """While there is anything else of the patient that this caller can see: what it can't see keeps nothing from being deleted.

        What the same unit deletes is there no more. What is written about the patient later, before the deletion is, makes that
        one come second.
        """
        seen = {one.stored.row for one in pending.made if one.stored.deleted}
        async with self._services.store.snapshot() as snapshot:
            visible = await self._means.rights.visibility.of_patients(snapshot, frozenset({patient}), pending.now_us)
            async with aclosing(snapshot.compartment(patient, visible.predicate, but=NEEDED_TYPES)) as rows:
                async for stored in rows:
                    if stored.row not in seen and await self._can_see(stored):
                        raise FhirError("conflict", "There is more about this patient; delete that first.")
                    seen.add(stored.row)
        pending.closing.append(Closing(patient=patient, restriction=visible.predicate, but=NEEDED_TYPES, seen=frozenset(seen)))

    async def _can_see(self, stored: Stored) -> bool:
        try:
            await self._means.reading.open(stored, "access")
        except FhirError:
            return False
        return True


def rules_without(before: PatientRules, type: str, id: str) -> PatientRules:
    """What a patient's consents come to once this Patient or Consent is deleted.

    Without the Patient they stay as they are, for what is left of it; nothing new is collected any more.
    """
    if type == "Patient":
        return replace(before, deleted=True)
    return replace(before, rules=tuple(rule for rule in before.rules if rule.consent != f"Consent/{id}"))
