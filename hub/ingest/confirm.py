"""The confirm queue: readings of which a person has to say whose they are, listed, assigned, or given to nobody.

docs/guides/units.md. Nothing of a value is shown; what is assigned goes the way of every
reading, decided as if its sender sent it now, and leaves the queue in the transaction that stores it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.discovery import adapters
from adapters.reading import Reading
from hub.errors import FhirError
from hub.ingest.confirming import GONE, Assigned
from hub.ingest.devices import device_token, opened
from hub.ingest.fates import CONTENT_MISSING, CONTENT_MISSING_HINT, Answer
from hub.ingest.normalise import Doubt, last_us, normalise, span_us
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.replay import open_waiting, with_bytes
from hub.ingest.sender import SenderGone
from hub.ingest.waiting import Waiting
from hub.ingest.wearing import UNKNOWN_USER, Binding, holder, user_index
from hub.instants import fhir_instant
from hub.recording import Recording, Touched
from hub.repository import Repository
from hub.services import Services
from hub.store.protocol import Quarantined, Unit

LIST_MAX = 1_000
DISOWNED_BASIS = "confirmed to be nobody's"

SenderOf = Callable[[str], Awaitable[Repository]]
"""The door to data of a client by its id. Raises SenderGone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToConfirm:
    """A reading that waits. `among`: who had the unit then, as the pairings say now."""

    item: Quarantined
    waiting: Waiting
    reading: Reading
    among: tuple[Binding, ...]

    @property
    def patients(self) -> Sequence[str]:
        return sorted({one.patient_reference for one in self.among})

    def to_json(self) -> dict[str, Any]:
        """For whoever confirms: what was measured when, with which unit, of whom it may be. No value."""
        user = user_index(self.reading)
        return {
            "id": self.item.id,
            "adapter": self.item.adapter,
            "client": self.item.client,
            "measure": self.reading.measure,
            "time": None if self.reading.time is None else self.reading.time.text,
            "timeZone": self.waiting.time_zone,
            "device": next((one.device_reference for one in self.among), None),
            "userIndex": "unknown" if user == UNKNOWN_USER else user,
            "candidates": [
                {"patient": patient, "userIndexes": [one.use.user_index for one in self.among if one.patient_reference == patient]}
                for patient in self.patients
            ],
            "received": fhir_instant(self.item.received_us),
            "expires": fhir_instant(self.item.expires_us),
        }


async def to_confirm(services: Services, limit: int = LIST_MAX) -> list[ToConfirm]:
    """All that waits, of whichever client, oldest first."""
    found = await services.store.to_confirm(limit)
    return [one for item in found if (one := await _opened(services, item)) is not None]


async def find(services: Services, id: str) -> ToConfirm:
    """Raises FhirError not-found."""
    items = [item for item in await services.store.quarantine.items([id]) if item.to_confirm]
    found = [one for item in items if (one := await _opened(services, item)) is not None]
    if not found:
        raise FhirError("not-found", GONE)
    return found[0]


async def assign(services: Services, one: ToConfirm, patient: str, recording: Recording, sender_of: SenderOf) -> Answer:
    """Store it for "Patient/id", in the name of the client that sent it; `recording` says who confirmed.

    Raises FhirError: not-found where it waits no more, business-rule where it cannot be stored for this patient.
    """
    try:
        sender = await sender_of(one.item.client)
    except SenderGone as error:
        raise FhirError("business-rule", f"sender-gone: {error}") from error
    waiting = await with_bytes(services, one.item, one.waiting)
    if waiting.beside_bytes and not waiting.item.raw:
        raise FhirError("business-rule", f"{CONTENT_MISSING}: {CONTENT_MISSING_HINT}")
    reading = replace(one.reading, raw=waiting.item.raw)
    sent = Sent(
        manifest=adapters()[waiting.adapter].manifest,
        device=waiting.device,
        time_zone=waiting.time_zone,
        media_type=waiting.media_type,
    )
    token = services.blind.patient(patient.removeprefix("Patient/"))
    assigned = Assigned(id=one.item.id, patient=token)
    (answer,) = await Pipeline(sender, sent, recording, assigned=assigned).run([reading])
    return answer


async def disown(one: ToConfirm, recording: Recording) -> None:
    """It is of nobody whom the unit is paired with: to its sender it goes on waiting, and nobody is asked about it again."""
    for binding in one.among:
        recording.touch(
            Touched(
                reference=binding.device_reference,
                version=None,
                patient=binding.patient,
                patient_reference=binding.patient_reference,
                basis=DISOWNED_BASIS,
            )
        )
    await recording.commit(Unit(disowned=(one.item.id,)), writes=())


async def _opened(services: Services, item: Quarantined) -> ToConfirm | None:
    """None for what concerns nobody any more: it expired, its adapter is gone, or nobody had the unit then after all."""
    if item.expires_us <= services.clock():
        return None
    waiting = await open_waiting(services, item)
    reading, adapter = waiting.item, adapters().get(waiting.adapter)
    if not isinstance(reading, Reading) or adapter is None:
        return None
    measured = normalise(reading, time_zone=waiting.time_zone, patient="Patient/_", device="Device/_", received_us=services.clock())
    unit = reading.device or waiting.device
    if isinstance(measured, Doubt) or unit is None:
        return None
    token = device_token(services, adapter.manifest.identifier_system, unit)
    bindings = [await opened(services, pairing) for pairing in await services.store.pairings(token)]
    held = holder(bindings, user_index(reading), span_us(measured)[0], last_us(measured))
    return ToConfirm(item=item, waiting=waiting, reading=reading, among=held.among) if held.among else None
