"""What comes with the hub is stored at start: once, whoever starts, and anew where another release ships it differently.

DESIGN section 2, laws 2 and 5: each version has its record, and is there whole or not at all.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from audit.checkpoint import read_heads
from audit.record import Record
from audit.verify import records_of, verify
from fhir_profiles import shipped
from hub import conformance
from hub.conformance import store_shipped
from hub.errors import FhirError
from hub.operator import Operator
from hub.store.embedded import Endpoint
from hub.store.mongo_log import log_snapshot
from hub.store.mongo_writer import MongoWriter
from hub.store.protocol import Claim, Unavailable
from hub.wiring import Hub
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process

Json = dict[str, Any]
FEW = 12
LOOKS = 8
AUTHOR = "system/ValueSet.cruds"


class Release:
    """What a release ships, in the test's hand."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.resources: list[Json] = [dict(one) for one in shipped.resources() if one["resourceType"] == "ValueSet"][:FEW]
        self.ships(self.resources)

    def ships(self, resources: list[Json]) -> None:
        self.resources = resources
        self._patch.setattr(shipped, "resources", lambda: iter(resources))
        self._patch.setattr(shipped, "digest", lambda: str(hash(str(resources))))


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Release:
    return Release(monkeypatch)


async def stored(hub: Hub) -> int:
    return await store_shipped(hub.services, lambda: Operator(hub).recording("conformance-load"))


async def read(one: InProcess, account: Account, path: str) -> Mapping[str, Any]:
    answer = await one.http.get(f"/fhir/{path}", headers=one.authorization(account, AUTHOR))
    assert answer.status_code == 200, answer.text
    content: Mapping[str, Any] = answer.json()
    return content


async def test_all_of_it_is_stored_and_every_row_has_its_record(tmp_path: Path, clean_database: Endpoint) -> None:
    """DESIGN 6, the log: `verify` compares what is stored with what was recorded."""
    async with in_process(tmp_path, clean_database) as one:
        wanted = sum(1 for _ in shipped.resources())
        assert await stored(one.hub) == wanted
        public_key = one.hub.head_key.public_key()
    heads = read_heads(one.hub.heads, public_key)
    with log_snapshot(clean_database.url) as log:
        rows = list(log.current())
        assert len(rows) == wanted
        assert verify(records_of(log.documents()), heads, rows) == []


async def test_what_is_stored_already_is_not_stored_again(tmp_path: Path, clean_database: Endpoint, release: Release) -> None:
    async with in_process(tmp_path, clean_database) as one:
        assert [await stored(one.hub), await stored(one.hub)] == [FEW, 0]


async def test_of_two_hubs_that_start_at_once_one_stores(tmp_path: Path, clean_database: Endpoint, release: Release) -> None:
    """Law 5: none is doubled; and whoever comes second has not failed."""
    async with in_process(tmp_path, clean_database) as one, in_process(tmp_path, clean_database) as other:
        assert sorted(await asyncio.gather(stored(one.hub), stored(other.hub))) == [0, FEW]
    with log_snapshot(clean_database.url) as log:
        records = [one for one in records_of(log.documents()) if isinstance(one, Record)]
        failed = one.hub.services.blind.token("outcome", "|8")
        assert [record for record in records if failed in record.draft.tokens] == []


async def test_who_comes_second_waits_for_the_first_and_does_not_do_it_again(
    tmp_path: Path, clean_database: Endpoint, admin: MongoClient[Json], release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 4, `ready`: several that start at once must not keep one another from it by doing all the work again and again."""
    tried: list[Claim] = []
    store = conformance._store

    async def counted(services: Any, record: Any, claim: Claim) -> int:
        tried.append(claim)
        return await store(services, record, claim)

    monkeypatch.setattr(conformance, "_store", counted)
    monkeypatch.setattr(conformance, "WAIT_S", 0)
    monkeypatch.setattr(conformance, "LOOKS_MAX", 1_000_000)
    async with in_process(tmp_path, clean_database) as one:
        key = one.hub.services.blind.once(conformance.SPACE, conformance.NAME)
        looked: list[bytes] = []
        enough = asyncio.Event()
        claim = one.hub.services.store.claim

        async def watched(asked: bytes) -> str | None:
            looked.append(asked)
            if len(looked) == LOOKS:
                enough.set()
            return await claim(asked)

        monkeypatch.setattr(one.hub.services.store, "claim", watched)
        with admin.start_session() as session, session.start_transaction():
            admin["hub"]["claims"].insert_one({"_id": key, "v": shipped.digest()}, session=session)
            starting = asyncio.create_task(stored(one.hub))
            await asyncio.wait({starting, asyncio.create_task(enough.wait())}, return_when=asyncio.FIRST_COMPLETED)
            session.commit_transaction()
        assert await starting == 0
    assert len(tried) == 1


async def test_where_the_database_takes_nothing_nothing_of_it_is_stored(
    tmp_path: Path, clean_database: Endpoint, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 5: it is there whole or not at all, and the next start stores it."""
    async with in_process(tmp_path, clean_database) as one:

        async def refuse(*_: Any) -> None:
            raise Unavailable

        with monkeypatch.context() as broken:
            broken.setattr(MongoWriter, "write", refuse)
            with pytest.raises(FhirError):
                await stored(one.hub)
        with log_snapshot(clean_database.url) as log:
            assert list(log.current()) == []
        assert await stored(one.hub) == FEW


async def test_what_another_release_ships_differently_becomes_a_new_version(
    tmp_path: Path, clean_database: Endpoint, release: Release
) -> None:
    """Versions are never reused; what a release no longer ships stays where it is."""
    first, second, *_, last = release.resources
    async with in_process(tmp_path, clean_database) as one:
        reader = await one.register(new_client("reader", AUTHOR))
        await stored(one.hub)
        new = {**last, "id": "brand-new", "url": "urn:example:new"}
        release.ships([{**first, "title": "Another one"}, *release.resources[1:-1], new])
        assert await stored(one.hub) == 2
        assert (await read(one, reader, f"ValueSet/{first['id']}"))["title"] == "Another one"
        versions = [
            (await read(one, reader, f"ValueSet/{id}"))["meta"]["versionId"] for id in (first["id"], second["id"], last["id"], "brand-new")
        ]
        assert versions == ["2", "1", "1", "1"]
        assert (await read(one, reader, f"ValueSet/{first['id']}/_history/1")).get("title") == first.get("title")


async def test_what_lay_under_a_reserved_id_before_is_in_its_history(
    tmp_path: Path, clean_database: Endpoint, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that a later release ships may have been brought by an importer before, even deleted."""
    mine = {"resourceType": "ValueSet", "url": "urn:example:mine", "status": "draft"}
    taken, gone = (one["id"] for one in release.resources[:2])
    async with in_process(tmp_path, clean_database) as one:
        importer = await one.register(new_client("importer", AUTHOR, importer=True))
        headers = one.authorization(importer, AUTHOR)
        with monkeypatch.context() as before:
            before.setattr(shipped, "is_reserved", lambda *_: False)
            for id in (taken, gone):
                assert (await one.http.put(f"/fhir/ValueSet/{id}", json={**mine, "id": id}, headers=headers)).status_code == 201
            assert (await one.http.delete(f"/fhir/ValueSet/{gone}", headers=headers)).status_code == 204
        assert await stored(one.hub) == FEW
        now = [(await read(one, importer, f"ValueSet/{id}"))["meta"]["versionId"] for id in (taken, gone)]
        assert now == ["2", "3"]
        assert (await read(one, importer, f"ValueSet/{taken}/_history/1"))["url"] == "urn:example:mine"
