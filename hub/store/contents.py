"""Bytes too long for a row, in pieces beside it: sealed like rows, written before the row that makes them visible.

A piece is written once and never changed; one that no row names (the hub ended between the two) is sealed under its patient's key like
the rest, and is written anew when the recording is sent again. docs/adr/0014-recordings.md
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from pymongo import ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from hub.store.protocol import Unavailable

T = TypeVar("T")
Untouched = tuple[int, str]
"""When somebody last relied on a piece (microseconds since 1970 UTC), and its id."""
FIRST: Final[Untouched] = (1, "")
"""Before the first piece that bears a time."""
IN_TIME: Final = [("t", 1), ("_id", 1)]
NAMES: Final = {"t": 1, "_id": 1}
UNDATED: Final[Mapping[str, Any]] = {"t": {"$in": [None, 0]}}


class Piece(NamedTuple):
    """`id` says of what content it is and the how-manieth; `patient` is the token under whose key it is sealed.

    put_us  when somebody last relied on it: it is not swept for a while after (`hub.ingest.sweeping`)
    """

    id: str
    patient: bytes
    key_version: int
    sealed: bytes
    put_us: int = 0


class MongoContents:
    """The collection `contents`."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._pieces = database.get_collection("contents", write_concern=WriteConcern("majority", j=True))

    async def put(self, *pieces: Piece) -> None:
        """Durable when it returns; the same piece again takes its place. Raises Unavailable."""
        rows = [{"_id": one.id, "p": one.patient, "w": one.key_version, "c": one.sealed, "t": one.put_us} for one in pieces]
        await _answered(self._pieces.bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows], ordered=False))

    async def get(self, id: str) -> Piece | None:
        found = await _answered(self._pieces.find_one({"_id": id}))
        return None if found is None else Piece(found["_id"], found["p"], found["w"], found["c"], found.get("t", 0))

    async def touch(self, content: str, now_us: int) -> int:
        """Somebody relies on the pieces of this content from now on; how many there are. Durable when it returns."""
        done = await _answered(self._pieces.update_many(_of(content), {"$set": {"t": now_us}}))
        return int(done.matched_count)

    async def drop(self, content: str, before_us: int) -> int:
        """Take away the pieces of this content that nobody has relied on since; how many there were."""
        wanted = {**_of(content), "t": {"$gt": 0, "$lt": before_us}}
        return int((await _answered(self._pieces.delete_many(wanted, hint={"_id": 1}))).deleted_count)

    async def untouched(self, before_us: int, after: Untouched, limit: int) -> Sequence[Untouched]:
        """Pieces that nobody has relied on since, the longest first, from behind `after` (FIRST at the beginning).

        The index answers it alone: to read the pieces themselves would be to read every recording that there is.
        """
        found = self._pieces.find(untouched_filter(before_us, after), NAMES).sort(IN_TIME).limit(limit)
        return [(one["t"], one["_id"]) for one in await _answered(found.to_list())]

    async def date(self, now_us: int) -> int:
        """Pieces of earlier versions bear no time: they get this one, and so are left alone for a while."""
        return int((await _answered(self._pieces.update_many(UNDATED, {"$set": {"t": now_us}}))).modified_count)

    async def drop_untouched(self, ids: Sequence[str], before_us: int) -> int:
        """Take away those of these pieces that nobody relies on even now: looked at and deleted in one step, piece by piece."""
        wanted = {"_id": {"$in": list(ids)}, "t": {"$lt": before_us}}
        return int((await _answered(self._pieces.delete_many(wanted))).deleted_count)


def untouched_filter(before_us: int, after: Untouched) -> dict[str, Any]:
    """Pieces last relied on before this time, from behind `after` in the order of IN_TIME."""
    at_us, id = after
    return {"$or": [{"t": at_us, "_id": {"$gt": id}}, {"t": {"$gt": at_us, "$lt": before_us}}]}


def _of(content: str) -> dict[str, Any]:
    """Pieces are called as their content, with a dot and a number behind; a slash comes right after the dot."""
    return {"_id": {"$gte": f"{content}.", "$lt": f"{content}/"}}


async def _answered(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
