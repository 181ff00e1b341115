"""What transports remember (`notes`), and what a client may still send (`quotas`).

Notes are written by the committer, with the readings they belong to; here they are only read. Quotas are counters that
may be lost with the machine: nobody was promised anything by them.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.write_concern import WriteConcern

from hub.store import documents
from hub.store.find_ids import find_ids
from hub.store.gather import Gather
from hub.store.protocol import Allowance, Note, Spent, Unavailable

T = TypeVar("T")
Document = dict[str, Any]
MINUTE_US = 60_000_000


class Notes:
    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database
        self._notes = database["notes"]
        self._find: Gather[bytes, Note] = Gather(self._fetch)

    def ask(self, key: bytes) -> Awaitable[Note | None]:
        """For what is asked at each request: those that ask at once are one question, and nobody has to wait for it yet. `answer` waits."""
        return self._find.ask(key)

    async def answer(self, asked: Awaitable[Note | None]) -> Note | None:
        """Raises Unavailable."""
        return await _answered(asyncio.shield(asked))

    async def _fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, Note]:
        return {one["_id"]: documents.note(one) for one in await find_ids(self._database, "notes", keys)}

    async def get(self, key: bytes) -> Note | None:
        found = await _answered(self._notes.find_one({"_id": key}))
        return documents.note(found) if found else None

    async def of_keys(self, keys: Sequence[bytes]) -> Mapping[bytes, Note]:
        found = await _answered(find_ids(self._database, "notes", keys))
        return {one["_id"]: documents.note(one) for one in found}

    async def of_kind(self, kind: str, limit: int) -> Sequence[Note]:
        """In an order that stays."""
        found = await _answered(self._notes.find({"kd": kind}).sort("_id", 1).limit(limit).to_list())
        return [documents.note(one) for one in found]


class Quotas:
    """A bucket for requests and one for items, for each client, refilled with time. One document, changed in one step."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._quotas = database.get_collection("quotas", write_concern=WriteConcern(w=1))

    async def ask(self, client: str, allowance: Allowance, now_us: int) -> Spent:
        """Take one request, if there is one left and no items are owed."""
        admitted = {"$and": [{"$gte": ["$r", 1]}, {"$gt": ["$n", 0]}]}
        taken = {"r": {"$cond": ["$ok", {"$subtract": ["$r", 1]}, "$r"]}}
        found = await self._changed(client, [_filled(allowance, now_us), {"$set": {"ok": admitted}}, {"$set": taken}])
        return Spent(admitted=found["ok"], requests=found["r"], items=found["n"])

    async def owe(self, client: str, items: int) -> None:
        """Items that came with a request that was let in. There may be more than there were left: that is owed."""
        await _answered(self._quotas.update_one({"_id": client}, {"$inc": {"n": -items}}))

    async def look(self, client: str, allowance: Allowance, now_us: int) -> Spent:
        """What is left at this moment; nothing is taken."""
        found = await _answered(self._quotas.aggregate([{"$match": {"_id": client}}, _filled(allowance, now_us)]))
        rows = await _answered(found.to_list())
        left = rows[0] if rows else {"r": allowance.requests, "n": allowance.items}
        return Spent(admitted=left["r"] >= 1 and left["n"] > 0, requests=left["r"], items=left["n"])

    async def _changed(self, client: str, stages: Sequence[Mapping[str, Any]]) -> Document:
        change = self._quotas.find_one_and_update
        for _ in range(2):
            try:
                found = await _answered(change({"_id": client}, list(stages), upsert=True, return_document=ReturnDocument.AFTER))
            except DuplicateKeyError:  # two made the bucket at once; it is there now
                continue
            if found is not None:
                return found
        raise Unavailable("DuplicateKeyError")


def _filled(allowance: Allowance, now_us: int) -> Mapping[str, Any]:
    """What a bucket holds now: what was left and what came in since, at most the allowance of a minute."""
    since = {"$max": [0, {"$subtract": [now_us, {"$ifNull": ["$t", now_us]}]}]}

    def level(field: str, most: int) -> Mapping[str, Any]:
        come = {"$multiply": [since, most / MINUTE_US]}
        return {"$min": [most, {"$add": [{"$ifNull": [f"${field}", most]}, come]}]}

    latest = {"$max": [now_us, {"$ifNull": ["$t", now_us]}]}
    return {"$set": {"r": level("r", allowance.requests), "n": level("n", allowance.items), "t": latest}}


async def _answered(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
