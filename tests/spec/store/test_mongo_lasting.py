"""What must end after some moment is found without reading what ended long before (docs/adr/0013), in every order.

https://hl7.org/fhir/R4/search.html#date: `ge`, `gt` and `ap` ask for the end of a period, and an index in the order of starts does
not know ends.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from audit.chain import Head, genesis
from hub.search.predicate import EVERYTHING, AllOf, Between, HasToken, PatientIs, Predicate
from hub.store.documents import LASTING_US
from hub.store.embedded import Endpoint
from hub.store.mongo import MongoStore
from hub.store.mongo_find import LASTING, LASTING_OF_PATIENT, parts
from hub.store.protocol import Finding, Order, SortField, Stored, Unit
from hub.store.schema import ensure_indexes
from tests.spec.store.given import draft, stored

DAY = LASTING_US
ME, CODE = b"patient-0001", b"code-0000001"
MINE: Predicate = AllOf((PatientIs(frozenset({ME})), HasToken(frozenset({CODE}))))


def row(id: str, start: int | None, lasts: int = 1, *, patient: bytes = ME) -> Stored:
    end = None if start is None else start + lasts
    return stored(id)._replace(patient=patient, tokens=(CODE,), start_us=start, end_us=end)


@pytest.fixture
async def store(clean_database: Endpoint) -> AsyncIterator[MongoStore]:
    async def new_head() -> Head:
        return genesis(os.urandom(8), [])

    async with AsyncMongoClient[dict[str, Any]](clean_database.url) as client:
        yield MongoStore(client, new_head, lambda _: None)


def finding(predicate: Predicate, *more: Predicate) -> Finding:
    return Finding(type="Organization", predicate=AllOf((predicate, *more)), restriction=EVERYTHING)


@pytest.mark.parametrize("field", ["d", "lu", "id"])
@pytest.mark.parametrize("descending", [False, True])
async def test_the_same_rows_in_the_same_order_as_by_looking_at_all(store: MongoStore, field: SortField, descending: bool) -> None:
    """DESIGN 6: pages are full and totals exact, whichever way the rows are read, from wherever."""
    rows = [
        row(f"{n:02d}", None if n % 7 == 6 else (n % 9) * DAY, (n % 4) * DAY * 2 + 1)._replace(updated_us=n % 5, others=())
        for n in range(36)
    ]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    order = Order(field=field, descending=descending)
    async with store.snapshot() as snapshot:
        everything = [one async for batch in snapshot.find(finding(MINE), order) for one in batch]
        for ends in (1, 3 * DAY, 7 * DAY + 1, 14 * DAY, 40 * DAY):
            asked = finding(MINE, Between("e", low=ends))
            expected = [one for one in everything if one.end_us is not None and one.end_us >= ends]
            assert [one async for batch in snapshot.find(asked, order) for one in batch] == expected
            assert [one async for batch in snapshot.find(asked, order, 3) for one in batch] == expected[:3]
            assert await snapshot.count(asked) == len(expected)
            assert await snapshot.patients(asked, 9) == frozenset([ME] if expected else [])
            for place, one in enumerate(expected):
                here = replace(order, after=({"d": one.start_us, "lu": one.updated_us, "id": None}[field], one.id))
                assert [found async for batch in snapshot.find(asked, here) for found in batch] == expected[place + 1 :]
                back = replace(here, backwards=True)
                assert [found async for batch in snapshot.find(asked, back) for found in batch] == expected[:place][::-1]


@pytest.mark.parametrize("predicate", [MINE, HasToken(frozenset({CODE}))])
async def test_a_page_of_what_is_recent_does_not_read_a_long_history(
    store: MongoStore, clean_database: Endpoint, predicate: Predicate
) -> None:
    """DESIGN 5: a search by patient, code and date does not grow with the store, though little or nothing is recent."""
    rows = [row(f"{n:05d}", n * DAY // 10) for n in range(3_000)]
    rows += [row(f"long{n}", n * DAY, DAY * 20 if n % 2 else DAY + 1) for n in range(20)]
    rows += [row(f"open{n}", 5, DAY * 10_000, patient=b"patient-%04d" % (n + 2)) for n in range(10)]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    asked = finding(predicate, Between("e", low=299 * DAY))
    with MongoClient[dict[str, Any]](clean_database.url) as client:
        keys = 0
        for part in parts(asked, Order(field="d", descending=True)):
            find = {"find": "resources", "filter": part.asked, "sort": {"d": -1, "_id": 1}, "limit": 51}
            told = client.hub.command("explain", {**find, **({"hint": part.hint} if part.hint else {})}, verbosity="executionStats")
            keys += told["executionStats"]["totalKeysExamined"]
    async with store.snapshot() as snapshot:
        found = len([one async for batch in snapshot.find(asked, Order(field="d", descending=True), 51) for one in batch])
    assert found in (10, 20)
    assert keys <= found + 30


async def test_what_earlier_versions_stored_is_marked_at_the_next_start(
    store: MongoStore, clean_database: Endpoint, admin: MongoClient[dict[str, Any]]
) -> None:
    """What is stored stays readable: the mark follows from what the row shows."""
    await store.commit(Unit(inserts=[row("long", 0, 3 * DAY), row("short", 0, 1), row("undated", None)], drafts=[draft("0")]))
    resources = admin.hub.resources
    resources.update_many({}, {"$unset": {"z": ""}})
    resources.drop_index(LASTING)
    resources.drop_index(LASTING_OF_PATIENT)
    async with AsyncMongoClient[dict[str, Any]](clean_database.url) as one, AsyncMongoClient[dict[str, Any]](clean_database.url) as other:
        await asyncio.gather(ensure_indexes(one), ensure_indexes(other))
    assert [found["_id"] for found in resources.find({"z": True})] == ["Organization/long"]
    asked = finding(MINE, Between("e", low=2 * DAY))
    async with store.snapshot() as snapshot:
        assert [one.id async for batch in snapshot.find(asked, Order(field="d")) for one in batch] == ["long"]
