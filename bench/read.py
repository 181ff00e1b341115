"""Read: GET /fhir/Observation/{id}, decided, opened, and answered when its record is durable."""

from random import Random
from typing import Any

from pymongo import MongoClient

from bench import floors
from bench.figures import Figure, clients_named, percentile
from bench.load import request
from bench.rig import Rig, Store, observed

CLIENTS = (1, 16)
PER_SECOND_MIN = 1_200
IDS_MAX = 10_000
BARE, EMPTY = "find_one", "GET /livez"


def read(rig: Rig) -> list[Figure]:
    store, seconds = rig.few(), rig.sizes.seconds
    world, rows = store.world, _rows(store)
    figures = [Figure(benchmark="read", name=clients_named(clients), unit="/s") for clients in CLIENTS]
    with world.endpoint() as endpoint:
        for _ in range(rig.sizes.rounds):
            for clients, figure in zip(CLIENTS, figures, strict=True):
                bare = rig.aside.submit(floors.find_one, endpoint.url, rows, clients, seconds).result()
                empty = world.send(world.during([request("GET", "/livez")], clients, seconds))
                token = world.token()
                requests = [request("GET", f"/fhir/{row}", token=token) for row in rows]
                measured = observed(world, world.during(requests, clients, seconds), figure)
                figure.add(measured.per_second, **{BARE: bare.per_second, EMPTY: empty.per_second})
                figure.note = (
                    f"p50 {percentile(measured.latencies_s, 0.5) * 1e3:.1f} ms, p99 {percentile(measured.latencies_s, 0.99) * 1e3:.1f} ms"
                )
    rig.at_least(figures[-1], PER_SECOND_MIN)
    return figures


def _rows(store: Store) -> list[str]:
    """Observations of the store as type and id, in an order of chance that is the same each time."""
    with store.world.endpoint() as endpoint, MongoClient[dict[str, Any]](endpoint.url) as client:
        found = client["hub"]["resources"].find({"t": "Observation"}, {"_id": 1}).limit(IDS_MAX)
        rows = [str(one["_id"]) for one in found]
    Random(1).shuffle(rows)
    return rows
