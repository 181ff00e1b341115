"""Collections and indexes exist from the start, and the hub's main questions are answered by an index."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure

from hub.store.contents import FIRST, IN_TIME, NAMES, UNDATED, Untouched, untouched_filter
from hub.store.embedded import Endpoint
from hub.store.mongo_history import ever
from hub.store.schema import COLLECTIONS, INDEXES, MAIN_INDEX, RETIRED, ensure_indexes

Document = dict[str, Any]
Sort = dict[str, int]

PATIENTS = [f"patient-{n:04}".encode() for n in range(25)]
CODES = [f"code-{n:07}".encode() for n in range(10)]
P, K, OTHER = PATIENTS[0], CODES[0], CODES[1]

QUESTIONS: dict[str, tuple[str, Mapping[str, Any], Sort, str]] = {
    "one patient's values of a code, latest first": (
        "resources",
        {"$and": [{"p": P, "k": K, "d": {"$gte": 1, "$lt": 9}}, {"p": P}, {"t": "Observation"}]},
        {"d": -1, "_id": 1},
        MAIN_INDEX,
    ),
    "the same for several codes": (
        "resources",
        {"p": P, "k": {"$in": [K, OTHER]}, "t": "Observation"},
        {"d": -1, "_id": 1},
        MAIN_INDEX,
    ),
    "what refers to a device, whosoever it is": (
        "resources",
        {"$and": [{"k": OTHER}, {"p": {"$in": [None, P]}}, {"t": "Observation"}]},
        {"d": -1, "_id": 1},
        MAIN_INDEX,
    ),
    "everything of one patient": ("resources", {"p": P}, {}, "p_1"),
    "a type across patients, latest first": ("resources", {"t": "Observation"}, {"d": -1, "_id": 1}, "t_1_d_-1__id_1"),
    "a type by last update": ("resources", {"t": "Patient", "lu": {"$gte": 1}}, {"lu": 1, "_id": 1}, "t_1_lu_1__id_1"),
    "look-up by identifier": ("resources", {"g": b"identifier-007", "t": "Patient"}, {}, "g_1_t_1_present_g"),
    "look-up by one of several": (
        "resources",
        {"g": {"$in": [b"identifier-007", b"identifier-008"]}, "t": "Patient"},
        {},
        "g_1_t_1_present_g",
    ),
    "resources that name another patient": ("resources", {"q": P}, {}, "q_1_present_q"),
    "what was deleted of a type, latest first": ("resources", {"x": "Patient"}, {"lu": -1, "_id": -1}, "x_1_lu_1__id_1_present_x"),
    "the history of a type, latest first": ("history", {"t": "Patient", "lu": {"$gte": 1}}, {"lu": -1, "_id": -1}, "t_1_lu_1__id_1"),
    "one patient's history": ("history", {"p": P}, {}, "p_1"),
    "who wore this device": ("pairings", {"dv": K}, {"from": 1}, "dv_1_from_1"),
    "a patient's devices": ("pairings", {"p": P}, {}, "p_1"),
    "pieces of recordings that bear no time": ("contents", UNDATED, {}, "t_1__id_1"),
    "a client's quarantine": ("quarantine", {"cl": "client"}, {"t": -1}, "cl_1_t_-1"),
    "a writer's chain": ("records", {"w": b"writer"}, {"s": 1}, "w_1_s_1_unique"),
    "the whole log by chain": ("records", {}, {"w": 1, "s": 1}, "w_1_s_1_unique"),
    "who read this patient": ("records", {"p": P}, {"t": -1, "_id": 1}, "p_1_t_-1__id_1"),
    "what this client did": ("records", {"k": K}, {"t": -1, "_id": 1}, "k_1_t_-1__id_1"),
    "the log, latest first": ("records", {"t": {"$gte": 1}}, {"t": -1, "_id": 1}, "t_-1__id_1"),
}

SORTED_IN_MEMORY = {"the same for several codes"}
"""Two codes are two ranges of the index; MongoDB merges them when the rows are few and sorts otherwise."""


@pytest.fixture
def filled(clean_database: Endpoint) -> Endpoint:
    """Enough rows for the planner to tell a good index from a bad one; it tries them out on the data."""
    readings: list[Document] = [
        {"_id": f"Observation/{n}", "t": "Observation", "p": PATIENTS[n % 25], "k": [CODES[n % 10]], "d": n, "e": n + 1, "lu": n}
        for n in range(1_000)
    ]
    patients: list[Document] = [
        {"_id": f"Patient/{n}", "t": "Patient", "p": one, "k": [], "g": [b"identifier-%03d" % n], "q": [one], "lu": n}
        for n, one in enumerate(PATIENTS)
    ]
    records: list[Document] = [
        {"_id": str(n), "w": b"writer", "s": n, "t": n, "p": PATIENTS[n % 25], "k": [CODES[n % 10]]} for n in range(500)
    ]
    with MongoClient[Document](clean_database.url) as hub:
        hub.hub.resources.insert_many(readings + patients)
        hub.hub_audit.records.insert_many(records)
    return clean_database


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_is_answered_by_its_index(filled: Endpoint, question: str) -> None:
    """DESIGN 5: a search by patient + code + date stays at 0.7 ms from 20 thousand to 1 million Observations."""
    collection, filter, sort, index = QUESTIONS[question]
    with MongoClient[Document](filled.url) as hub:
        database = hub["hub_audit" if collection == "records" else "hub"]
        find = {"find": collection, "filter": filter, "sort": sort}
        plan = database.command("explain", find, verbosity="queryPlanner")["queryPlanner"]["winningPlan"]
    stages = list(_stages(plan))
    assert "COLLSCAN" not in {one["stage"] for one in stages}
    assert index in {one.get("indexName") for one in stages}
    if question not in SORTED_IN_MEMORY:
        assert "SORT" not in {one["stage"] for one in stages}


@pytest.mark.parametrize("after", [FIRST, (7, "Orphan.digest.3")])
def test_pieces_that_nobody_relies_on_are_found_without_reading_them(filled: Endpoint, after: Untouched) -> None:
    """docs/adr/0014-recordings.md: the sweep looks at every piece once an hour, and must not read every recording for it."""
    with MongoClient[Document](filled.url) as hub:
        hub.hub.contents.insert_many({"_id": f"Orphan.digest.{n}", "p": P, "w": 1, "c": b"sealed", "t": n // 3 + 1} for n in range(500))
        find = {"find": "contents", "filter": untouched_filter(100, after), "sort": dict(IN_TIME), "projection": NAMES, "limit": 50}
        told = hub.hub.command("explain", find, verbosity="executionStats")
    stages = list(_stages(told["queryPlanner"]["winningPlan"]))
    assert "t_1__id_1" in {one.get("indexName") for one in stages}
    assert not {"COLLSCAN", "SORT", "FETCH"} & {one["stage"] for one in stages}
    assert told["executionStats"]["totalDocsExamined"] == 0
    assert told["executionStats"]["totalKeysExamined"] <= 60


def test_a_patients_consents_of_all_times_are_found_without_a_look_at_those_of_others(filled: Endpoint) -> None:
    """docs/consent.md: asked for each page that is fetched from a cloud."""
    with MongoClient[Document](filled.url) as hub:
        rows: list[Document] = [{"_id": f"Consent/{n}", "t": "Consent", "k": [K], "p": b"%012d" % n, "lu": n} for n in range(200)]
        hub.hub.resources.insert_many(rows)
        hub.hub.history.insert_many({**one, "_id": f"{one['_id']}/000000001"} for one in rows)
        for collection, filter, index in ever("Consent", K, b"%012d" % 7):
            find = {"find": collection, "filter": filter, "hint": index}
            told = hub.hub.command("explain", find, verbosity="executionStats")["executionStats"]
            assert (told["nReturned"], told["totalDocsExamined"]) == (1, 1)


def test_the_consents_that_matter_are_found_by_actor_or_organisation(mongod: Endpoint) -> None:
    """DESIGN 6: across patients the restriction is a join with `grants`, which must not read all of them."""
    filter = {"$or": [{"a": {"$in": [K]}}, {"o": OTHER}]}
    with MongoClient[Document](mongod.url) as hub:
        plan = hub.hub.command("explain", {"find": "grants", "filter": filter}, verbosity="queryPlanner")["queryPlanner"]["winningPlan"]
    assert {one.get("indexName") for one in _stages(plan)} >= {"a_1", "o_1"}


def test_every_collection_exists_before_the_first_transaction(admin: MongoClient[Document]) -> None:
    """Transactions that both make the same collection hinder each other."""
    for collection in COLLECTIONS:
        assert collection.name in admin[collection.database].list_collection_names()


def test_every_index_of_the_table_exists_as_written(admin: MongoClient[Document]) -> None:
    """What the table says about uniqueness, expiry and presence is what the server has."""
    for index in INDEXES:
        database = next(one.database for one in COLLECTIONS if one.name == index.collection)
        found = admin[database][index.collection].index_information()[index.name]
        assert (tuple(found["key"]), found.get("unique", False)) == (index.keys, index.unique)
        assert found.get("expireAfterSeconds") == (0 if index.expires else None)
        assert found.get("partialFilterExpression") == ({index.present: {"$exists": True}} if index.present else None)


def test_every_index_says_which_question_it_answers() -> None:
    assert all(index.why for index in INDEXES)
    assert len({(index.collection, index.name) for index in INDEXES}) == len(INDEXES)


async def test_a_second_start_changes_nothing_and_needs_no_administrator(mongod: Endpoint) -> None:
    """The hub's own user may only look at the log's indexes; at a second start it finds all of them there."""
    async with AsyncMongoClient[Document](mongod.url) as client:
        before = await client.hub.resources.index_information()
        await ensure_indexes(client)
        assert await client.hub.resources.index_information() == before


async def test_what_is_missing_is_made_again(mongod: Endpoint, admin: MongoClient[Document]) -> None:
    """The same start makes what a newer hub needs and an older one did not have."""
    admin.hub.pairings.drop()
    admin.hub_audit.records.drop_index("k_1_t_-1__id_1")
    async with AsyncMongoClient[Document](mongod.url) as client:
        with pytest.raises(OperationFailure):
            await ensure_indexes(client)
        async with AsyncMongoClient[Document](mongod.admin_url) as administrator:
            await ensure_indexes(client, administrator)
    assert "dv_1_from_1" in admin.hub.pairings.index_information()
    assert "k_1_t_-1__id_1" in admin.hub_audit.records.index_information()


async def test_two_hubs_that_start_at_once_do_not_hinder_each_other(mongod: Endpoint, admin: MongoClient[Document]) -> None:
    """Several processes of one deployment start together on an empty database."""
    for collection in COLLECTIONS:
        admin[collection.database][collection.name].drop()
    async with AsyncMongoClient[Document](mongod.admin_url) as one, AsyncMongoClient[Document](mongod.admin_url) as other:
        await asyncio.gather(ensure_indexes(one), ensure_indexes(other))
    assert MAIN_INDEX in admin.hub.resources.index_information()


async def test_an_index_of_an_earlier_version_goes_when_its_successor_is_there(filled: Endpoint, admin: MongoClient[Document]) -> None:
    """What is stored stays as it is and is found as before: the indexes alone change, at the next start."""
    resources = admin.hub.resources
    before = list(resources.find({"p": P, "k": K}))
    resources.drop_index(MAIN_INDEX)
    resources.create_index([("p", 1), ("k", 1), ("d", -1), ("_id", 1)], name=RETIRED[0][1])
    async with AsyncMongoClient[Document](filled.url) as one, AsyncMongoClient[Document](filled.url) as other:
        await asyncio.gather(ensure_indexes(one), ensure_indexes(other))
    assert MAIN_INDEX in resources.index_information()
    assert RETIRED[0][1] not in resources.index_information()
    assert list(resources.find({"p": P, "k": K})) == before != []


def test_a_writer_cannot_use_a_number_of_its_chain_twice(clean_database: Endpoint) -> None:
    """DESIGN 6: each writer process has its gap-free chain."""
    with MongoClient[Document](clean_database.url) as hub:
        hub.hub_audit.records.insert_one({"_id": "a", "w": b"writer", "s": 1})
        hub.hub_audit.records.insert_one({"_id": "b", "w": b"other", "s": 1})
        with pytest.raises(DuplicateKeyError):
            hub.hub_audit.records.insert_one({"_id": "c", "w": b"writer", "s": 1})


def _stages(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    below = [*plan.get("inputStages", ()), *(plan[one] for one in ("inputStage", "queryPlan") if one in plan)]
    here = [plan] if "stage" in plan else []
    return here + [stage for one in below for stage in _stages(one)]
