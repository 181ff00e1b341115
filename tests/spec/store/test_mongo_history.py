"""Histories are read in the order of an index, however many types are asked for; nothing is sorted in memory.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pymongo import MongoClient

from hub.search.parameters import RESOURCE_TYPES
from hub.search.predicate import EVERYTHING, AnyOf, PatientIs, Patientless
from hub.store.embedded import Endpoint
from hub.store.mongo_history import sources
from hub.store.protocol import Histories

Document = dict[str, Any]
PATIENTS = frozenset(b"patient-%04d" % number for number in range(20))
VISIBLE = AnyOf((Patientless(), PatientIs(PATIENTS)))
TYPES = [type for type in RESOURCE_TYPES if type != "AuditEvent"]

ASKED = {
    "a type": Histories(types={"Observation": EVERYTHING}, restriction=VISIBLE, others_within=PATIENTS),
    "a type, going on": Histories(
        types={"Observation": EVERYTHING}, restriction=VISIBLE, others_within=PATIENTS, after=(500, "Observation/5", 1), descending=False
    ),
    "the system": Histories(types=dict.fromkeys(TYPES, EVERYTHING), restriction=VISIBLE, others_within=PATIENTS),
    "the system since": Histories(types=dict.fromkeys(TYPES, EVERYTHING), restriction=VISIBLE, others_within=PATIENTS, since_us=500),
    "an instance": Histories(row="Observation/5"),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_history_is_read_by_its_index_in_order(clean_database: Endpoint, what: str) -> None:
    """FHIR.md 2b: no collection scan for anything that is advertised."""
    with MongoClient[Document](clean_database.url) as hub:
        rows = [
            {"_id": f"{type}/{number}", "t": type, "v": 1, "lu": number, "k": [], "p": b"patient-%04d" % (number % 20)}
            for number, type in enumerate(["Observation", "Patient"] * 500)
        ]
        hub.hub.resources.insert_many(rows)
        hub.hub.history.insert_many({**row, "_id": f"{row['_id']}/000000001"} for row in rows)
        for collection, asked, order in sources(ASKED[what]):
            command = {"find": collection, "filter": asked, "sort": dict(order), "limit": 51}
            plan = hub.hub.command("explain", command, verbosity="queryPlanner")["queryPlanner"]["winningPlan"]
            stages = {one["stage"] for one in _stages(plan)}
            assert not {"COLLSCAN", "SORT"} & stages, (collection, stages)


def _stages(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "stage" in plan:
        yield plan
    for below in (*plan.get("inputStages", ()), *(plan[one] for one in ("inputStage", "queryPlan") if one in plan)):
        yield from _stages(below)
