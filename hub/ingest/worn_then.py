"""Whose an item in quarantine may be: what the pairings say now of the unit that it names, at the time of which it speaks."""

from collections.abc import Sequence

from adapters.discovery import adapters
from adapters.reading import Reading
from fhir_profiles.measurement import Measurement
from hub.ingest.devices import Binding, bindings, device_token
from hub.ingest.normalise import Doubt, last_us, normalise, span_us
from hub.ingest.waiting import Waiting
from hub.ingest.wearing import holder, overlap, user_index
from hub.services import Services


def measured_of(services: Services, waiting: Waiting) -> Measurement | None:
    """What the item would become, of nobody yet. None where it cannot be read, or not its time."""
    if not isinstance(waiting.item, Reading):
        return None
    zone, now_us = waiting.time_zone, services.clock()
    made = normalise(waiting.item, time_zone=zone, patient="Patient/_", device="Device/_", received_us=now_us)
    return None if isinstance(made, Doubt) else made


async def pairings_of(services: Services, waiting: Waiting) -> Sequence[Binding]:
    """All that the unit ever had; none where no unit is named, or its adapter is gone."""
    unit, adapter = waiting.item.device or waiting.device, adapters().get(waiting.adapter)
    if unit is None or adapter is None:
        return ()
    token = device_token(services, adapter.manifest.identifier_system, unit)
    return await bindings(services, await services.store.pairings(token))


async def perhaps_of(services: Services, waiting: Waiting) -> frozenset[bytes]:
    """Patients whose the item may be, for the record of who looked at it (law 2).

    Rather one too many: of what lies partly in a pairing that patient is one, and where no time can be told everybody who had the unit.
    """
    bindings, measured = await pairings_of(services, waiting), measured_of(services, waiting)
    if measured is None or not isinstance(waiting.item, Reading):
        return frozenset(one.patient for one in bindings)
    first_us, until_us = span_us(measured)[0], last_us(measured)
    held = holder(bindings, user_index(waiting.item), first_us, until_us).among
    return frozenset(one.patient for one in held or [one for one in bindings if overlap(one, first_us, until_us + 1)])
