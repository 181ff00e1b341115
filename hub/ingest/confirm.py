"""The confirm queue: readings of which a person has to say whose they are, listed, assigned, or given to nobody.

docs/guides/units.md. Nothing of a value is shown; what is assigned goes the way of every
reading, decided as if its sender sent it now, and leaves the queue in the transaction that stores it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.discovery import adapters
from adapters.reading import Reading
from fhir_profiles.measurement import Measurement
from hub.errors import FhirError, Unauthenticated
from hub.ingest.confirming import GONE, Assigned
from hub.ingest.fates import CONTENT_MISSING, CONTENT_MISSING_HINT, Answer
from hub.ingest.normalise import last_us, span_us
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.quarantine import wanted
from hub.ingest.replay import open_waiting, with_bytes
from hub.ingest.sender import GONE as GONE_SENDER
from hub.ingest.sender import SenderGone
from hub.ingest.waiting import Waiting
from hub.ingest.wearing import UNKNOWN_USER, Binding, holder, user_index
from hub.ingest.worn_then import measured_of, pairings_of
from hub.instants import fhir_instant
from hub.recording import Recording, Touched
from hub.repository import Repository
from hub.repository.consents_then import ConsentsThen
from hub.repository.redoing import redoing
from hub.repository.standing import Standing
from hub.services import Services
from hub.store.protocol import Decided, Quarantined, Unit

LIST_MAX = 1_000
DISOWNED_BASIS = "confirmed to be nobody's"

SenderOf = Callable[[str], Awaitable[Repository]]
"""The door to data of a client by its id. Raises SenderGone."""
Shown = Callable[["ToConfirm"], Awaitable[bool]]
"""May whoever asks see it?"""
Means = Callable[[], Awaitable[tuple["ToConfirm", Decided]]]
"""What somebody may say it of, and by what that was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToConfirm:
    """A reading that waits. `among`: who had the unit then, as the pairings say now. `measured`: what it would become."""

    item: Quarantined
    waiting: Waiting
    reading: Reading
    measured: Measurement
    among: tuple[Binding, ...]

    @property
    def patients(self) -> Sequence[str]:
        return sorted({one.patient_reference for one in self.among})

    def to_json(self, *, device: bool = True) -> dict[str, Any]:
        """For whoever confirms: what was measured when, with which unit (if `device`), of whom it may be. No value."""
        user = user_index(self.reading)
        return {
            "id": self.item.id,
            "adapter": self.item.adapter,
            "client": self.item.client,
            "measure": self.reading.measure,
            "time": None if self.reading.time is None else self.reading.time.text,
            "timeZone": self.waiting.time_zone,
            "device": self.among[0].device_reference if device else None,
            "userIndex": "unknown" if user == UNKNOWN_USER else user,
            "candidates": [
                {"patient": patient, "userIndexes": [one.use.user_index for one in self.among if one.patient_reference == patient]}
                for patient in self.patients
            ],
            "received": fhir_instant(self.item.received_us),
            "expires": fhir_instant(self.item.expires_us),
        }


async def _everything(_: ToConfirm) -> bool:
    return True


async def to_confirm(services: Services, limit: int = LIST_MAX, *, shown: Shown = _everything) -> list[ToConfirm]:
    """What waits, of whichever client, oldest first: the first `limit` that may be shown, however many lie before them that may not."""
    asked = wanted(now_us=services.clock(), to_confirm=True)
    found: list[ToConfirm] = []
    while items := await services.store.quarantine.page(asked, limit):
        for item in items:
            one = await _opened(services, item)
            if one is not None and await shown(one):
                found.append(one)
            if len(found) == limit:
                return found
        asked = replace(asked, after=(items[-1].received_us, items[-1].id))
    return found


async def find(services: Services, id: str) -> ToConfirm:
    """Raises FhirError not-found."""
    items = [item for item in await services.store.quarantine.items([id]) if item.to_confirm]
    found = [one for item in items if (one := await _opened(services, item)) is not None]
    if not found:
        raise FhirError("not-found", GONE)
    return found[0]


async def assign(
    services: Services, one: ToConfirm, patient: str, recording: Recording, sender_of: SenderOf, *, by: Standing | None = None
) -> Answer:
    """Store it for "Patient/id", in the name of the client that sent it; `recording` says who confirmed, `by` through which client.

    Raises FhirError: not-found where it waits no more, business-rule where it cannot be stored for this patient.
    """
    try:
        sender = await sender_of(one.item.client)
    except SenderGone as error:
        raise FhirError("business-rule", f"sender-gone: {error}") from error
    waiting, reading = one.waiting, await with_bytes(services, one.item, one.waiting)
    if reading is None:
        raise FhirError("business-rule", f"{CONTENT_MISSING}: {CONTENT_MISSING_HINT}")
    sent = Sent(
        manifest=adapters()[waiting.adapter].manifest,
        device=waiting.device,
        time_zone=waiting.time_zone,
        media_type=waiting.media_type,
        read_by=waiting.read_by,
    )
    token = services.blind.patient(patient.removeprefix("Patient/"))
    assigned = Assigned(id=one.item.id, patient=token, by=by)
    then = ConsentsThen(services, sender.rights.visibility) if waiting.fetched else None
    try:
        (answer,) = await Pipeline(sender, sent, recording, assigned=assigned, then=then).run([reading])
    except Unauthenticated as error:
        if error.claimed != sender.caller.client_id:
            raise
        raise FhirError("business-rule", f"sender-gone: {GONE_SENDER}") from error
    return answer


async def disown(services: Services, id: str, recording: Recording, means: Means | None = None, *, by: Standing | None = None) -> None:
    """It is of nobody whom the unit is paired with: to its sender it goes on waiting, and nobody is asked about it again.

    means  finds it, and says what that was decided by, for the client `by`; an operator may see whatever waits
    Raises FhirError: not-found where it does not wait any more.
    """

    async def once() -> None:
        recording.forget()
        one, decided = (await find(services, id), None) if means is None else await means()
        await _disown(one, recording, decided)

    await redoing(once, lambda: (id,), services.turns, standings=() if by is None else (by,))


async def _disown(one: ToConfirm, recording: Recording, decided: Decided | None) -> None:
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
    await recording.commit(Unit(disowned=(one.item.id,), decided=decided), writes=())


async def _opened(services: Services, item: Quarantined) -> ToConfirm | None:
    """None for what concerns nobody any more: it expired, its adapter is gone, or nobody had the unit then after all."""
    if item.expires_us <= services.clock():
        return None
    waiting = await open_waiting(services, item)
    reading, measured = waiting.item, measured_of(services, waiting)
    if not isinstance(reading, Reading) or measured is None:
        return None
    bindings = await pairings_of(services, waiting)
    among = holder(bindings, user_index(reading), span_us(measured)[0], last_us(measured)).among
    return ToConfirm(item=item, waiting=waiting, reading=reading, measured=measured, among=among) if among else None
