"""The MongoDB store on a real mongod: all or nothing, exactly the version that was read, pages in one order."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from pymongo import AsyncMongoClient, MongoClient

from audit.chain import Head, genesis
from hub.search.predicate import EVERYTHING, AnyOf, HasToken
from hub.store.embedded import Endpoint
from hub.store.mongo import MongoStore
from hub.store.protocol import Claim, Conflict, Finding, Grant, GrantWrite, Order, Replace, SortField, Stored, Unit
from tests.spec.store.given import draft, stored


@pytest.fixture
async def store(clean_database: Endpoint) -> AsyncIterator[MongoStore]:
    async def new_head() -> Head:
        return genesis(os.urandom(8), [])

    async with AsyncMongoClient[dict[str, Any]](clean_database.url) as client:
        yield MongoStore(client, new_head, lambda _: None)


async def test_a_unit_and_its_record_are_there_together(store: MongoStore, admin: MongoClient[dict[str, Any]]) -> None:
    """Law 2: a write and its record commit in one transaction."""
    await store.commit(Unit(inserts=[stored("a")], drafts=[draft("event")]))
    assert (await store.current("Organization/a")) is not None
    assert [found["_id"] for found in admin["hub_audit"]["records"].find()] == ["event"]


async def test_nothing_of_a_conflicting_unit_is_left_behind(store: MongoStore, admin: MongoClient[dict[str, Any]]) -> None:
    """Law 5: none is half there."""
    await store.commit(Unit(inserts=[stored("a")], drafts=[draft("first")]))
    with pytest.raises(Conflict):
        await store.commit(Unit(inserts=[stored("b"), stored("a")], claims=[Claim(key=b"k", value="x")], drafts=[draft("second")]))
    assert await store.current("Organization/b") is None
    assert await store.claim(b"k") is None
    assert admin["hub_audit"]["records"].count_documents({}) == 1


async def test_a_neighbour_in_the_same_round_is_written(store: MongoStore) -> None:
    """DESIGN 6: one request's duplicate key must not fail its neighbours."""
    await store.commit(Unit(inserts=[stored("a")], drafts=[draft("0")]))
    units = [Unit(inserts=[stored(id)], drafts=[draft(f"e-{id}")]) for id in ("b", "a", "c", "d")]
    results = await asyncio.gather(*(store.commit(one) for one in units), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), Conflict, type(None), type(None)]
    assert set(await store.currents([f"Organization/{id}" for id in "abcd"])) == {f"Organization/{id}" for id in "abcd"}


async def test_of_two_updates_of_one_version_one_wins(store: MongoStore) -> None:
    """https://hl7.org/fhir/R4/http.html#concurrency: no update is lost unseen; versions are never reused."""
    old = stored("a", sealed=b"old")
    await store.commit(Unit(inserts=[old], drafts=[draft("0")]))
    rivals = [stored("a", 2, sealed=content) for content in (b"one", b"two", b"three")]
    results = await asyncio.gather(
        *(store.commit(Unit(replaces=[Replace(new=new, old=old)], drafts=[draft(f"u{place}")])) for place, new in enumerate(rivals)),
        return_exceptions=True,
    )
    winners = [new for new, result in zip(rivals, results, strict=True) if result is None]
    assert len(winners) == 1
    current = await store.current("Organization/a")
    assert current is not None
    assert current.sealed == winners[0].sealed
    past = await store.version("Organization/a", 1)
    assert past is not None
    assert past.sealed == b"old"


async def test_a_row_that_another_process_moved_on_fails_alone(store: MongoStore, admin: MongoClient[dict[str, Any]]) -> None:
    old = stored("a", sealed=b"old")
    await store.commit(Unit(inserts=[old], drafts=[draft("0")]))
    admin["hub"]["resources"].update_one({"_id": "Organization/a"}, {"$set": {"v": 2, "c": b"somebody else"}})
    results = await asyncio.gather(
        store.commit(Unit(replaces=[Replace(new=stored("a", 2, sealed=b"mine"), old=old)], drafts=[draft("1")])),
        store.commit(Unit(inserts=[stored("b")], drafts=[draft("2")])),
        return_exceptions=True,
    )
    assert [type(one) for one in results] == [Conflict, type(None)]


async def test_two_grants_of_one_patient_do_not_overwrite_each_other(store: MongoStore) -> None:
    """Consents written at the same time: each must be part of what they come to."""

    def write(content: bytes) -> Unit:
        grant = Grant(patient=b"p", version=1, sealed=content, key_version=1, actors=(), organization=None, shape=b"s")
        return Unit(grants=[GrantWrite(new=grant, expected_version=0)], drafts=[draft(content.decode())])

    results = await asyncio.gather(store.commit(write(b"one")), store.commit(write(b"two")), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["Conflict", "NoneType"]


async def test_what_is_deleted_is_there_for_whom_asks_for_it_alone(store: MongoStore, admin: MongoClient[dict[str, Any]]) -> None:
    """https://hl7.org/fhir/R4/http.html#delete: no read and no search shows it; its place and its versions stay taken."""
    live = stored("a", tokens=(b"k",), global_tokens=(b"g",), start_us=1, end_us=2, patient=b"p", others=(b"q",))
    gone = live._replace(version=2, updated_us=2, sealed=b"nothing", deleted=b"what was there")
    await store.commit(Unit(inserts=[live], drafts=[draft("0")]))
    await store.commit(Unit(replaces=[Replace(new=gone, old=live)], drafts=[draft("1")]))
    assert await store.current(live.row) is None
    assert await store.currents([live.row]) == {}
    assert await store.current(live.row, deleted=True) == gone._replace(tokens=(b"k", b"g"), global_tokens=())
    assert await store.currents([live.row], deleted=True) == {live.row: await store.current(live.row, deleted=True)}
    async with store.snapshot() as snapshot:
        finding = Finding(type="Organization", predicate=EVERYTHING, restriction=EVERYTHING)
        for field in ("d", "lu", "id"):
            assert [one async for batch in snapshot.find(finding, Order(field=cast("SortField", field))) for one in batch] == []
        assert await snapshot.count(finding) == 0
    row = admin["hub"]["resources"].find_one({})
    assert row is not None
    assert not {"t", "k", "g"} & row.keys()


async def test_a_page_reads_what_shows_a_row_and_a_writer_all_of_it(store: MongoStore) -> None:
    """DESIGN 5: tokens are for finding. What is written again must have them, what is shown need not be read with them."""
    whole = stored("a", tokens=(b"k",), global_tokens=(b"g",), raw=b"r", start_us=1, end_us=2, patient=b"p", others=(b"q",))
    await store.commit(Unit(inserts=[whole], drafts=[draft("0")]))
    finding = Finding(type="Organization", predicate=HasToken(frozenset({b"k"})), restriction=EVERYTHING)
    async with store.snapshot() as snapshot:
        for limit in (None, 1):  # by cursor, and in one piece
            shown, written = [
                [one async for batch in snapshot.find(finding, Order(field="id"), limit, lean=lean) for one in batch]
                for lean in (True, False)
            ]
            assert (shown, written) == ([whole._replace(tokens=(), global_tokens=(), raw=None)], [whole])


async def test_what_was_deleted_comes_back_as_the_next_version(store: MongoStore) -> None:
    """http.html#versioning: a version id is never used twice; the history has the deletion as it has every version."""
    first = stored("a", sealed=b"first")
    gone = first._replace(version=2, updated_us=2, sealed=b"nothing", deleted=b"first")
    back = stored("a", 3, sealed=b"back")
    await store.commit(Unit(inserts=[first], drafts=[draft("0")]))
    await store.commit(Unit(replaces=[Replace(new=gone, old=first)], drafts=[draft("1")]))
    with pytest.raises(Conflict):
        await store.commit(Unit(inserts=[stored("a")], drafts=[draft("2")]))
    read = await store.current(first.row, deleted=True)
    assert read is not None
    await store.commit(Unit(replaces=[Replace(new=back, old=read)], drafts=[draft("3")]))
    assert await store.current(first.row) == back
    assert [await store.version(first.row, number) for number in (1, 2, 3)] == [first, gone, None]


@pytest.mark.parametrize("ids_descending", [True, False, None])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("field", ["d", "lu", "id"])
async def test_pages_have_neither_gaps_nor_doubles(store: MongoStore, field: Any, descending: bool, ids_descending: bool | None) -> None:
    """https://hl7.org/fhir/R4/http.html#paging; what has no date comes last, up or down (docs/search.md)."""
    rows = [
        stored(f"{number:02d}", start_us=number % 3 if number % 4 else None, end_us=number % 3 + 1 if number % 4 else None)._replace(
            updated_us=number % 5,
        )
        for number in range(20)
    ]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    finding = Finding(type="Organization", predicate=EVERYTHING, restriction=EVERYTHING)
    seen: list[Stored] = []
    after = None
    async with store.snapshot() as snapshot:
        while True:
            order = Order(field=field, descending=descending, after=after, ids_descending=ids_descending)
            page = [one async for batch in snapshot.find(finding, order, 3) for one in batch]
            if not page:
                break
            seen += page
            value = {"d": page[-1].start_us, "lu": page[-1].updated_us, "id": None}[field]
            after = (value, page[-1].id)
    assert len(seen) == len({one.id for one in seen}) == 20
    values = [{"d": one.start_us, "lu": one.updated_us, "id": one.id}[field] for one in seen]
    present = [value for value in values if value is not None]
    assert values == present + [None] * (20 - len(present))
    assert present == sorted(present, reverse=descending)


@pytest.mark.parametrize("ids_descending", [True, False, None])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("field", ["d", "lu", "id"])
async def test_backwards_is_the_reverse_from_any_place(
    store: MongoStore, field: Any, descending: bool, ids_descending: bool | None
) -> None:
    """https://hl7.org/fhir/R4/http.html#paging: what was before a place in the order comes nearest first."""
    rows = [
        stored(f"{number:02d}", start_us=number % 3 if number % 4 else None, end_us=9 if number % 4 else None)._replace(
            updated_us=number % 5
        )
        for number in range(20)
    ]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    finding = Finding(type="Organization", predicate=EVERYTHING, restriction=EVERYTHING)
    order = Order(field=field, descending=descending, ids_descending=ids_descending)
    async with store.snapshot() as snapshot:
        forwards = [one async for batch in snapshot.find(finding, order) for one in batch]
        for place, one in enumerate(forwards):
            value = {"d": one.start_us, "lu": one.updated_us, "id": None}[field]
            back = replace(order, after=(value, one.id), backwards=True)
            assert [found.id async for batch in snapshot.find(finding, back) for found in batch] == [
                found.id for found in forwards[:place]
            ][::-1]
        from_the_end = [one async for batch in snapshot.find(finding, replace(order, backwards=True)) for one in batch]
        assert from_the_end == forwards[::-1]


async def test_whom_rows_concern_is_told_up_to_a_bound(store: MongoStore) -> None:
    """Law 3: whose rules to ask for is known before anything may be seen; their own patients and those they name."""
    rows = [stored("a")._replace(patient=b"p1", others=(b"p2",)), stored("b")._replace(patient=b"p3"), stored("c")]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    async with store.snapshot() as snapshot:
        assert await snapshot.concerned("Organization", EVERYTHING, 3) == {b"p1", b"p2", b"p3"}
        assert await snapshot.concerned("Organization", EVERYTHING, 2) is None
        assert await snapshot.concerned("Patient", EVERYTHING, 2) == frozenset()


async def test_who_carries_a_token_is_told_up_to_a_bound(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/adr/0012: patients, however many rows each has; rows of nobody count for nobody."""
    monkeypatch.setattr("hub.store.mongo.CARRIERS_ROWS", 3)
    one = [stored(f"{n:02d}")._replace(patient=b"p%d" % (n % 2), tokens=(b"one",)) for n in range(20)]
    rows = [*one, stored("a")._replace(patient=b"p2", tokens=(b"two",)), stored("b")._replace(tokens=(b"two", b"one"))]
    rows += [stored(f"nobody{n}")._replace(tokens=(b"nobody",)) for n in range(9)]
    rows += [stored(f"many{n}")._replace(patient=b"m%02d" % n, tokens=(b"many",)) for n in range(20)]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    async with store.snapshot() as snapshot:
        assert await snapshot.carriers(frozenset({b"one"}), 2) == {b"p0", b"p1"}
        assert await snapshot.carriers(frozenset({b"one"}), 1) is None
        assert await snapshot.carriers(frozenset({b"two", b"three"}), 1) == {b"p2"}
        assert await snapshot.carriers(frozenset({b"one", b"two", b"nobody"}), 9) == {b"p0", b"p1", b"p2"}
        assert await snapshot.carriers(frozenset({b"nobody"}), 1) == frozenset()
        assert await snapshot.carriers(frozenset({b"three"}), 1) == frozenset()
        assert await snapshot.carriers(frozenset({b"many"}), 30) is None  # not told in so many reads
        assert await snapshot.carriers(frozenset(b"%d" % n for n in range(500)), 30) is None


async def test_without_permission_nothing_is_found(store: MongoStore) -> None:
    """DESIGN 6: an empty restriction matches nothing, for rows and for counts."""
    await store.commit(Unit(inserts=[stored("a")], drafts=[draft("0")]))
    async with store.snapshot() as snapshot:
        finding = Finding(type="Organization", predicate=EVERYTHING, restriction=AnyOf(()))
        assert [one async for batch in snapshot.find(finding, Order(field="id")) for one in batch] == []
        assert await snapshot.count(finding) == 0


async def test_a_row_that_names_somebody_not_permitted_is_not_found(store: MongoStore) -> None:
    """DESIGN 5: all patients that a resource names must permit."""
    rows = [stored("a")._replace(others=(b"p1",)), stored("b")._replace(others=(b"p1", b"p2")), stored("c")]
    await store.commit(Unit(inserts=rows, drafts=[draft("0")]))
    async with store.snapshot() as snapshot:
        finding = Finding(type="Organization", predicate=EVERYTHING, restriction=EVERYTHING, others_within=frozenset({b"p1"}))
        assert [one.id async for batch in snapshot.find(finding, Order(field="id")) for one in batch] == ["a", "c"]
