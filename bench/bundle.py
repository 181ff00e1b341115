"""Bundles: transactions of 100 Observations, and conditional creates that find their match. Beside the bare inserts of the same run."""

import orjson

from bench import floors
from bench.create import bodies
from bench.data import KINDS, Person, at
from bench.figures import Figure, clients_named
from bench.load import request
from bench.rig import Rig, observed
from bench.world import FHIR, World

CLIENTS = (1, 16)
ENTRIES = 100
BUNDLES = 40
RESOURCES_PER_SECOND_MIN, FOUND_PER_SECOND_MIN = 5_000, 1_500
BARE, EMPTY = "insert_one", "GET /livez"


def bundle(rig: Rig) -> list[Figure]:
    store, seconds = rig.few(), rig.sizes.seconds
    world, person = store.world, store.people[0]
    sent = [
        Figure(benchmark="bundle", name=f"transaction of {ENTRIES}, {clients_named(clients)}", unit=" resources/s") for clients in CLIENTS
    ]
    found = [
        Figure(benchmark="bundle", name=f"conditional create that matches, {clients_named(clients)}", unit="/s") for clients in CLIENTS
    ]
    documents = [{"_id": str(number), "body": body} for number, body in enumerate(bodies(person))]
    _once(world, person)
    with world.endpoint() as endpoint:
        for _ in range(rig.sizes.rounds):
            for clients, one, other in zip(CLIENTS, sent, found, strict=True):
                bare = rig.aside.submit(floors.insert_one, endpoint.url, documents, clients, seconds).result()
                empty = world.send(world.during([request("GET", "/livez")], clients, seconds))
                measured = observed(world, world.during(_transactions(world, person), clients, seconds), one)
                one.add(measured.per_second * ENTRIES, **{BARE: bare.per_second})
                measured = observed(world, world.during([_conditional(world, person)], clients, seconds), other)
                other.add(measured.per_second, **{EMPTY: empty.per_second})
    rig.at_least(sent[-1], RESOURCES_PER_SECOND_MIN)
    rig.at_least(found[-1], FOUND_PER_SECOND_MIN)
    return [*sent, *found]


def _transactions(world: World, person: Person) -> list[bytes]:
    resources = bodies(person)
    token = world.token()
    made = []
    for start in range(0, BUNDLES * ENTRIES, ENTRIES):
        picked = [resources[number % len(resources)] for number in range(start, start + ENTRIES)]
        entries = [{"resource": orjson.Fragment(one), "request": {"method": "POST", "url": "Observation"}} for one in picked]
        body = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        made.append(request("POST", "/fhir", token=token, body=body, headers=[FHIR]))
    return made


def _known(person: Person) -> bytes:
    _, loinc, unit, low = KINDS[0]
    return orjson.dumps(
        {
            "resourceType": "Observation",
            "identifier": [{"system": "urn:bench", "value": "known"}],
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
            "subject": {"reference": person.reference},
            "effectiveDateTime": at(1),
            "valueQuantity": {"value": low, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }
    )


def _conditional(world: World, person: Person) -> bytes:
    return request(
        "POST",
        "/fhir/Observation",
        token=world.token(),
        body=_known(person),
        headers=[FHIR, ("If-None-Exist", "identifier=urn:bench|known"), ("Prefer", "return=minimal")],
    )


def _once(world: World, person: Person) -> None:
    """What the others will find."""
    world.send(world.once([_conditional(world, person)], 1))
