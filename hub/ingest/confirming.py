"""Readings of which the device does not say whose they are: what is remembered of them, and what a person's word does to them.

docs/guides/units.md. To the sender such a reading has the fate, code and text of one
of an unpaired device, whoever may have measured and whatever they permit (law 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.reading import Reading
from fhir_profiles.building import resource_type
from fhir_profiles.measurement import Measurement
from hub.errors import FhirError
from hub.ingest.fates import NOT_PAIRED, TIME_CONFLICT, WHOSE_CONTRADICTS, Answer
from hub.ingest.normalise import reading_key
from hub.ingest.waiting import Waiting
from hub.ingest.wearing import Binding
from hub.repository.standing import Standing
from hub.services import Services

GONE = "There is no item of this id to confirm; somebody may have done it already."
TOLD_ALIKE = frozenset({NOT_PAIRED, WHOSE_CONTRADICTS, TIME_CONFLICT})
"""Each follows from what one patient permits or has: the last two are only found of somebody who permits."""
NOT_ASSIGNABLE = (
    "not-assignable: the reading cannot be stored for this patient, who did not have the device then or for whom it may not be "
    "collected; or it contradicts what it says itself or what is stored already."
)
"""One text, so that whoever confirms does not learn from it what a patient permits (law 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """A reading with those who had the device then. `period`: its start and end, in microseconds since 1970 UTC."""

    reading: Reading
    measured: Measurement
    device: str
    period: tuple[int, int]
    among: tuple[Binding, ...]

    def row(self, services: Services, patient: bytes) -> str:
        """Where it lies if it is this patient's (docs/adr/0006-reading-identity.md)."""
        key = f"{patient.hex()}|{reading_key(self.reading, self.device)}"
        return f"{resource_type(self.measured)}/{services.blind.id('reading', key)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A person's word: the quarantined item `id` is of this patient.

    by  through which client it was given; None for an operator, who has a session of the hub's own
    """

    id: str
    patient: bytes
    by: Standing | None = None

    async def require_waiting(self, services: Services) -> None:
        """Raises FhirError not-found where somebody else was first."""
        found = await services.store.quarantine.items([self.id])
        if not any(one.to_confirm for one in found):
            raise FhirError("not-found", GONE)


async def remembered(services: Services, unclear: Mapping[int, Unclear], assigned: Assigned | None) -> dict[int, Binding | None]:
    """Whose each one is: as it is said now, or as it was once: then a live row of that one patient is there."""
    rows = {(index, one.patient): each.row(services, one.patient) for index, each in unclear.items() for one in each.among}
    there = await services.store.currents(sorted(set(rows.values())))
    owners: dict[int, Binding | None] = {}
    for index, each in unclear.items():
        holders = {one.patient: one for one in each.among if rows[index, one.patient] in there}
        if assigned is None:
            owners[index] = next(iter(holders.values())) if len(holders) == 1 else None
        else:
            owners[index] = _chosen(each, assigned.patient) if holders.keys() <= {assigned.patient} else None
    return owners


def _chosen(unclear: Unclear, patient: bytes) -> Binding | None:
    return next((one for one in unclear.among if one.patient == patient), None)


def only_whole(waits: Sequence[Answer | Waiting]) -> None:
    """Raises FhirError business-rule where what somebody assigned would wait again or be refused: then nothing is done."""
    for one in waits:
        raise FhirError("business-rule", NOT_ASSIGNABLE if one.code in TOLD_ALIKE else f"{one.code}: {one.hint}")
