"""Invented data: patients who consent, and Observations made and sealed by the hub's own code.

Each patient has READINGS of each kind, an hour apart, so that a search for one kind on some days finds as many in a
small store as in a large one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pymongo import MongoClient
from rich.progress import Progress

from bench.world import World
from fhir_profiles.measurement import Amount, Measurement
from hub.ingest.effective import effective_us
from hub.ingest.settle import Builder, Candidate
from hub.instants import now_us
from hub.services import Services
from hub.store.documents import document
from hub.wiring import Hub

Document = dict[str, Any]

KINDS: tuple[tuple[str, str, str, int], ...] = (
    ("heart-rate", "8867-4", "/min", 60),
    ("oxygen-saturation", "59408-5", "%", 90),
    ("body-temperature", "8310-5", "Cel", 36),
    ("respiratory-rate", "9279-1", "/min", 12),
    ("body-weight", "29463-7", "kg", 70),
)
"""Measure, LOINC, unit, smallest value."""
READINGS = 200
PER_PATIENT = READINGS * len(KINDS)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
CHUNK = 5_000
SENSOR = KINDS[0]
SENSOR_MINUTES = 5
DEVICE = "Device/2iXYyGkLmTqVwB7RzCdE4f"
RAW = b'bench/1\n{"grpid":12,"deviceid":"892359876fd8805ac45bab078c4828692f0276b1","created":1735689600,"measures":[{"value":65750}]}'
"""About as long as what a vendor sends for one value."""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient by id, and its pseudonym."""

    id: str
    token: bytes

    @property
    def reference(self) -> str:
        return f"Patient/{self.id}"


def people(world: World, count: int, first: int = 0) -> list[Person]:
    """Create patients over HTTP, each with a Consent that permits treatment; their identifiers count from `first`."""
    bodies = [
        orjson.dumps(
            {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:bench", "value": str(number)}],
                "name": [{"family": f"Banc{number}", "given": ["Essai"]}],
            }
        )
        for number in range(first, first + count)
    ]
    ids = world.posted("Patient", bodies)
    world.posted("Consent", [orjson.dumps(consent_of(id)) for id in ids])

    async def tokens(hub: Hub) -> list[Person]:
        return [Person(id, hub.services.blind.patient(id)) for id in ids]

    return world.beside(tokens)


def consent_of(patient: str) -> Mapping[str, Any]:
    terminology = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": f"{terminology}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2024-12-01",
        "policyRule": {"coding": [{"system": f"{terminology}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"type": "permit", "purpose": [{"system": f"{terminology}/v3-ActReason", "code": "TREAT"}]},
    }


def at(number: int) -> str:
    return (FIRST + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def measurements(person: Person, count: int = PER_PATIENT) -> Iterator[Measurement]:
    for number in range(count):
        measure, _, unit, low = KINDS[number % len(KINDS)]
        yield _measurement(person, measure, unit, low, number, at(number // len(KINDS)))


def history(person: Person, count: int) -> Iterator[Measurement]:
    """Of one sensor, every five minutes, without a gap."""
    measure, _, unit, low = SENSOR
    for number in range(count):
        yield _measurement(person, measure, unit, low, number, moment(number))


def moment(number: int) -> str:
    return (FIRST + timedelta(minutes=SENSOR_MINUTES * number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pressures(person: Person, count: int) -> Iterator[Measurement]:
    """Blood pressures, an hour apart; every other one is high."""
    for number in range(count):
        systolic, diastolic = (160, 95) if number % 2 else (120, 80)
        yield Measurement(
            measure="blood-pressure",
            patient=person.reference,
            device=DEVICE,
            effective=at(number),
            components={"systolic": Amount(value=str(systolic), unit="mm[Hg]"), "diastolic": Amount(value=str(diastolic), unit="mm[Hg]")},
        )


def _measurement(person: Person, measure: str, unit: str, low: int, number: int, effective: str) -> Measurement:
    return Measurement(
        measure=measure,
        patient=person.reference,
        device=DEVICE,
        effective=effective,
        value=Amount(value=f"{low + number % 10}.{number % 7 + 1}", unit=unit),
    )


def candidate(services: Services, person: Person, measurement: Measurement) -> Candidate:
    """A reading as the pipeline has it when it asks the builder."""
    start_us, end_us = effective_us(measurement.effective)
    return Candidate(
        id=services.blind.id("reading", f"{person.token.hex()}|{measurement.measure}|{measurement.effective}"),
        patient=person.token,
        patient_reference=person.reference,
        measurement=measurement,
        basis="consent",
        start_us=start_us,
        end_us=end_us,
        value=services.blind.token("reading-value", f"{measurement.measure}|{measurement.effective}"),
        modified_us=0,
        raw=RAW,
        pointer="",
    )


async def sealed(hub: Hub, given: Sequence[tuple[Person, Iterable[Measurement]]]) -> Iterator[Document]:
    """Documents of `resources`, made by the hub's own builder under the patients' keys."""
    services = hub.services
    keys = await services.vault.keys([person.token for person, _ in given])
    builder = Builder(services, keys, now_us())

    def documents() -> Iterator[Document]:
        for person, measured in given:
            for measurement in measured:
                one = candidate(services, person, measurement)
                yield document(builder.build(one, 1, (one.value,)))

    return documents()


def fill(world: World, given: Sequence[tuple[Person, Iterable[Measurement]]], count: int, progress: Progress) -> None:
    """`count` Observations straight into `resources`: sealed as always, but without records in the log."""
    task = progress.add_task(f"{count:,} Observations", total=count)

    async def act(hub: Hub) -> None:
        with world.endpoint() as endpoint, MongoClient[Document](endpoint.url) as client, ThreadPoolExecutor(1) as sending:
            pending: Future[Any] | None = None
            for chunk in chunks(await sealed(hub, given)):
                if pending is not None:
                    pending.result()  # one chunk under way while the next one is made
                pending = sending.submit(client["hub"]["resources"].insert_many, chunk, ordered=False)
                progress.advance(task, len(chunk))
            if pending is not None:
                pending.result()

    world.beside(act)


def chunks(documents: Iterator[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    for one in documents:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
