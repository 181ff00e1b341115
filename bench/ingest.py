"""Ingest, from HTTP to durable: LibreView files by POST /ingest/libreview, against bare insert_many.

The floor inserts the documents that the hub's own code makes of the same file: same sizes, same indexes, same write
concern, same number at once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.libreview import adapter
from adapters.reading import Reading
from bench import floors
from bench.data import Person, people
from bench.figures import Figure
from bench.load import request
from bench.rig import Rig, observed
from bench.world import World
from fhir_profiles.derivation import adapter_uri
from fhir_profiles.measurement import Measurement
from hub.ingest.devices import Binding, bind
from hub.ingest.normalise import effective_us, normalise, reading_key, value_text
from hub.ingest.settle import Builder, Candidate
from hub.instants import now_us
from hub.operator import Operator
from hub.store.documents import document
from hub.wiring import Hub

SENDERS = (1, 4)
RATIO_MIN = 0.2
PER_SECOND_MIN = 10_000
WITH, WITHOUT = "insert_many", "insert_many, no secondary index"
PAIRED_FROM_US = 946_684_800_000_000
STARTS = datetime(2010, 1, 1, tzinfo=UTC)
HEADER = (
    "Device,Serial Number,Device Timestamp,Record Type,Historic Glucose mg/dL,Scan Glucose mg/dL,Non-numeric Rapid-Acting Insulin,"
    "Rapid-Acting Insulin (units),Non-numeric Food,Carbohydrates (grams),Carbohydrates (servings),Non-numeric Long-Acting Insulin,"
    "Long-Acting Insulin Value (units),Notes,Strip Glucose mg/dL,Ketone mmol/L,Meal Insulin (units),Correction Insulin (units),"
    "User Change Insulin (units)"
)
STORED = b'"fate":"stored"'
CSV = ("Content-Type", "text/csv")
NDJSON = ("Accept", "application/x-ndjson")


def ingest(rig: Rig) -> list[Figure]:
    world = rig.few().world
    sensors = _sensors(world)
    floor_batches = _sealed(world, sensors, rig)
    figures = [Figure(benchmark="ingest", name=f"{senders} at once", unit=" Obs/s") for senders in SENDERS]
    peaks: list[Figure] = []
    with world.endpoint() as endpoint, rig.peaks(world, "ingest", peaks):
        for round in range(rig.sizes.rounds):
            for place, (senders, figure) in enumerate(zip(SENDERS, figures, strict=True)):
                bare = {
                    name: rig.aside.submit(floors.insert_many, endpoint.url, floor_batches, senders, indexes=name == WITH).result()
                    for name in (WITH, WITHOUT)
                }
                rows = rig.sizes.batches * rig.sizes.batch_rows
                requests = _requests(world, sensors, round * len(SENDERS) + place, rig)
                measured = observed(world, world.once(requests, senders, keep_bodies=True), figure, works=rows)
                assert sum(body.count(STORED) for body in measured.bodies) == rows
                figure.add(rows / measured.seconds, **{name: rows / one.seconds for name, one in bare.items()})
    best = max(figures, key=lambda figure: figure.value)
    best.expect(f"≥ {RATIO_MIN} of {WITH}", met=best.ratio(WITH) >= RATIO_MIN)
    rig.at_least(best, PER_SECOND_MIN)
    return [*figures, *peaks]


def _sensors(world: World) -> list[tuple[Person, str, str]]:
    """Patients who wear a sensor each: patient, serial number, Device."""
    persons = people(world, max(SENDERS))

    async def pair(hub: Hub) -> list[tuple[Person, str, str]]:
        manifest, made = adapter.manifest, []
        for number, person in enumerate(persons):
            serial = f"BENCH-{number}"
            paired = await Operator(hub, "benchmark").pair(
                system=manifest.identifier_system,
                manufacturer=manifest.manufacturer,
                product=manifest.product,
                identifier=serial,
                patient=person.reference,
                from_us=PAIRED_FROM_US,
                to_us=None,
            )
            made.append((person, serial, paired.device))
        return made

    return world.beside(pair)


def _requests(world: World, sensors: Sequence[tuple[Person, str, str]], turn: int, rig: Rig) -> list[bytes]:
    """One file for each batch; no reading comes twice in all rounds."""
    sizes = rig.sizes
    serials = [sensors[number % len(sensors)][1] for number in range(sizes.batches)]
    firsts = [turn * sizes.batches + number for number in range(sizes.batches)]
    return [
        request(
            "POST",
            "/ingest/libreview?timeZone=UTC",
            token=world.token(),
            body=file(serial, first * sizes.batch_rows, sizes.batch_rows),
            headers=[CSV, NDJSON],
        )
        for serial, first in zip(serials, firsts, strict=True)
    ]


def file(serial: str, first: int, rows: int) -> bytes:
    """An export of a sensor that measures each five minutes, from reading number `first` on."""
    lines = ["date-order,day-first", HEADER]
    for number in range(first, first + rows):
        moment = STARTS + timedelta(minutes=5 * number)
        lines.append(f"FreeStyle Libre 3,{serial},{moment:%d-%m-%Y %H:%M},0,{80 + number % 90},,,,,,,,,,,,,,")
    return "\n".join(lines).encode()


def _sealed(world: World, sensors: Sequence[tuple[Person, str, str]], rig: Rig) -> list[list[dict[str, Any]]]:
    """The documents that the hub makes of such files."""
    sizes = rig.sizes

    async def act(hub: Hub) -> list[list[dict[str, Any]]]:
        keys = await hub.services.vault.keys([person.token for person, _, _ in sensors])
        builder = Builder(hub.services, keys, now_us())
        made = []
        for number in range(sizes.batches):
            person, serial, device = sensors[number % len(sensors)]
            items = adapter.decode(file(serial, number * sizes.batch_rows, sizes.batch_rows))
            candidates = [_candidate(hub, person, device, serial, item) for item in items if isinstance(item, Reading)]
            made.append([document(builder.build(one, 1, (one.value,))) for one in candidates])
        return made

    return world.beside(act)


def _candidate(hub: Hub, person: Person, device: str, serial: str, reading: Reading) -> Candidate:
    """As `hub.ingest.pipeline` makes one."""
    measured = normalise(reading, time_zone="UTC", patient="Patient/_", device="Device/_", received_us=now_us())
    assert isinstance(measured, Measurement)
    binding = Binding(patient=person.token, patient_reference=person.reference, device_reference=device, from_us=None, to_us=None)
    blind, manifest = hub.services.blind, adapter.manifest
    bound = bind(measured, binding, adapter_uri(manifest.name, manifest.version), manual=reading.manual)
    start_us, end_us = effective_us(bound.effective)
    return Candidate(
        id=blind.id("reading", f"{person.token.hex()}|{reading_key(reading, serial)}"),
        patient=person.token,
        patient_reference=person.reference,
        measurement=bound,
        basis="consent",
        start_us=start_us,
        end_us=end_us,
        value=blind.token("reading-value", value_text(bound).decode()),
        modified_us=0,
        raw=f"{manifest.name}/{manifest.version}\n".encode() + reading.raw,
        pointer=reading.pointer,
    )
