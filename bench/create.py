"""Create: POST /fhir/Observation, validated, decided, sealed and durable with its records, one resource a request."""

from typing import Any

import orjson

from bench import floors
from bench.data import KINDS, Person, at, measurements, sealed
from bench.figures import Figure, clients_named
from bench.load import request
from bench.rig import Rig, observed
from bench.world import World
from hub.wiring import Hub

CLIENTS = (1, 16)
PER_SECOND_MIN = 1_000
BODIES = 2_000
FLOOR_DOCUMENTS = 1_000
BARE, EMPTY = "insert_one", "GET /livez"


def create(rig: Rig) -> list[Figure]:
    store, seconds = rig.few(), rig.sizes.seconds
    world = store.world
    documents = _sealed(world, store.people[0])
    figures = [Figure(benchmark="create", name=clients_named(clients), unit="/s") for clients in CLIENTS]
    with world.endpoint() as endpoint:
        for _ in range(rig.sizes.rounds):
            for clients, figure in zip(CLIENTS, figures, strict=True):
                bare = rig.aside.submit(floors.insert_one, endpoint.url, documents, clients, seconds).result()
                empty = world.send(world.during([request("GET", "/livez")], clients, seconds))
                requests = [world.create("Observation", body) for body in bodies(store.people[0])]
                measured = observed(world, world.during(requests, clients, seconds), figure)
                figure.add(measured.per_second, **{BARE: bare.per_second, EMPTY: empty.per_second})
    rig.at_least(figures[-1], PER_SECOND_MIN)
    return figures


def bodies(person: Person) -> list[bytes]:
    """Observations as an EHR writes them."""
    return [orjson.dumps(_observation(person, number)) for number in range(BODIES)]


def _observation(person: Person, number: int) -> dict[str, Any]:
    _, loinc, unit, low = KINDS[number % len(KINDS)]
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc, "display": "A measurement"}], "text": "A measurement"},
        "subject": {"reference": person.reference},
        "effectiveDateTime": at(number),
        "valueQuantity": {"value": low + number % 10 + 0.5, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def _sealed(world: World, person: Person) -> list[dict[str, Any]]:
    async def act(hub: Hub) -> list[dict[str, Any]]:
        return list(await sealed(hub, [(person, measurements(person, FLOOR_DOCUMENTS))]))

    return world.beside(act)
