"""Pair: a transaction of a new Patient with a Consent, and a first Observation, from 1 to 128 clients; beside how often the disk can flush.

The three lie in one MongoDB transaction with their audit records. The Consent is there because without one nobody may write of the Patient.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from bench import floors
from bench.create import bodies
from bench.data import Person, consent_of
from bench.figures import Figure, clients_named, percentile
from bench.load import request
from bench.rig import Rig, observed
from bench.world import FHIR, World

CLIENTS = (1, 4, 16, 64, 128)
PATIENT, CONSENT = "urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:00000000-0000-4000-8000-000000000002"
BODIES = 50
FLUSH = "fsync"


def pair(rig: Rig) -> list[Figure]:
    world, seconds = rig.few().world, rig.sizes.seconds
    figures = [Figure(benchmark="pair", name=clients_named(clients), unit=" transactions/s") for clients in CLIENTS]
    for _ in range(rig.sizes.rounds):
        for clients, figure in zip(CLIENTS, figures, strict=True):
            flushes = rig.aside.submit(floors.fsync, world.data_dir, seconds).result()
            measured = observed(world, world.during(_transactions(world), clients, seconds), figure)
            figure.add(measured.per_second, **{FLUSH: flushes.per_second})
            figure.note = (
                f"p50 {percentile(measured.latencies_s, 0.5) * 1e3:.1f} ms, p99 {percentile(measured.latencies_s, 0.99) * 1e3:.1f} ms"
            )
    return figures


def _transactions(world: World) -> list[bytes]:
    token = world.token()
    patient = Person(PATIENT, b"")
    readings = [orjson.loads(body) for body in bodies(patient)[:BODIES]]
    return [request("POST", "/fhir", token=token, body=_bundle(number, one), headers=[FHIR]) for number, one in enumerate(readings)]


def _bundle(number: int, reading: Mapping[str, Any]) -> bytes:
    patient = {"resourceType": "Patient", "name": [{"family": f"Banc{number}", "given": ["Essai"]}]}
    consent = {**consent_of(""), "patient": {"reference": PATIENT}}
    entries = [
        {"fullUrl": PATIENT, "resource": patient, "request": {"method": "POST", "url": "Patient"}},
        {"fullUrl": CONSENT, "resource": consent, "request": {"method": "POST", "url": "Consent"}},
        {"resource": {**reading, "subject": {"reference": PATIENT}}, "request": {"method": "POST", "url": "Observation"}},
    ]
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
