"""Wrapped keys in MongoDB. DESIGN 5 (`hub_keys`), DESIGN 2.5 (durable, once)."""

import asyncio

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener

from hub.store.keys import IDS_PER_QUERY_MAX, MongoKeys
from hub.store.protocol import Unavailable
from security.keys import KeyRing, WrappedKey
from security.kms.local import LocalKms


def wrapped(id: bytes, content: bytes = b"first") -> WrappedKey:
    return WrappedKey(id=id, version=1, wrapped=content, kms_key="local/1")


async def test_what_was_inserted_is_found_as_it_was(collection) -> None:
    """DESIGN 5: `_id`, version, wrapped key, master key; the names of the fields are the stored form."""
    key = wrapped(b"patient-1\0\xff")
    assert await MongoKeys(collection).insert([key]) == {key.id: key}
    assert await MongoKeys(collection).find([key.id, b"nobody"]) == {key.id: key}
    assert await collection.find_one() == {"_id": key.id, "v": 1, "w": b"first", "kms": "local/1"}


async def test_of_two_keys_for_one_id_the_first_stays_and_is_returned(collection) -> None:
    """DESIGN 2.5: a key that sealed something is never overwritten; its neighbours in the batch are stored."""
    await MongoKeys(collection).insert([wrapped(b"a")])
    stored = await MongoKeys(collection).insert([wrapped(b"a", b"second"), wrapped(b"b", b"second")])
    assert stored == {b"a": wrapped(b"a"), b"b": wrapped(b"b", b"second")}
    assert await MongoKeys(collection).find([b"a", b"b"]) == stored


async def test_many_processes_on_an_empty_database_end_with_one_key(collection, kms: LocalKms) -> None:
    """DESIGN 2.5: the unique `_id` decides."""
    secrets = await asyncio.gather(*(KeyRing(kms, MongoKeys(collection)).secret("index") for _ in range(8)))
    assert len(set(secrets)) == 1


async def test_no_keys_ask_nothing_of_the_database(collection) -> None:
    """An empty batch is no error."""
    assert await MongoKeys(collection).insert([]) == await MongoKeys(collection).find([]) == {}


async def test_more_ids_than_one_query_takes_are_all_found(collection) -> None:
    """STYLE 7.8: queries have a named limit; nothing beyond it is forgotten."""
    keys = [wrapped(n.to_bytes(12, "big")) for n in range(IDS_PER_QUERY_MAX + 1)]
    await MongoKeys(collection).insert(keys)
    assert len(await MongoKeys(collection).find([key.id for key in keys])) == len(keys)


class Commands(CommandListener):
    """Remembers the commands that were sent."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def started(self, event) -> None:
        self.sent.append(event.command)

    def succeeded(self, event) -> None: ...

    def failed(self, event) -> None: ...


async def test_keys_are_written_and_read_with_majority_and_journal(mongodb_url: str) -> None:
    """DESIGN 2.5: what is answered here is never rolled back, because data are about to be sealed with it."""
    commands = Commands()
    async with AsyncMongoClient(mongodb_url, event_listeners=[commands]) as client:
        keys = MongoKeys(client["hub_keys"]["keys_of_this_test"])
        await keys.insert([wrapped(b"a")])
        await keys.find([b"a"])
    insert, find = (next(command for command in commands.sent if name in command) for name in ("insert", "find"))
    assert (insert["writeConcern"]["w"], insert["writeConcern"]["j"]) == ("majority", True)
    assert find["readConcern"]["level"] == "majority"


async def test_a_database_that_is_away_is_unavailable_and_the_error_names_no_key(unused_url: str) -> None:
    """DESIGN 2.4 and 2.5: nothing is answered as stored, and error texts carry no data."""
    async with AsyncMongoClient(unused_url, serverSelectionTimeoutMS=50) as client:
        keys = MongoKeys(client["hub_keys"]["keys"])
        for call in (keys.find([b"a"]), keys.insert([wrapped(b"a")])):
            with pytest.raises(Unavailable, match=r"^ServerSelectionTimeoutError$"):
                await call
