"""What is kept of readings as they came: asked for page by page, to derive them anew, and taken away when its time is over."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from hub.store import documents
from hub.store.protocol import Stored, Unavailable

T = TypeVar("T")
Document = dict[str, Any]
STRIPPED_AT_ONCE: Final = 2_000
COLLECTIONS: Final = ("resources", "history")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAsked:
    """Current rows that still have what they were made of.

    since_us, until_us  stored in [since, until), microseconds since 1970 UTC
    """

    type: str
    since_us: int
    until_us: int
    patient: bytes | None = None

    def filter(self) -> Document:
        stored = {"$gte": self.since_us, "$lt": self.until_us}
        return {"t": self.type, "lu": stored, "r": {"$exists": True}, **({} if self.patient is None else {"p": self.patient})}


class MongoRaws:
    """Reads current rows with their raw items; takes raw items away and nothing else."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._of = {name: database.get_collection(name, write_concern=WriteConcern("majority", j=True)) for name in COLLECTIONS}

    async def count(self, asked: RawAsked) -> int:
        return await _answered(self._of["resources"].count_documents(asked.filter()))

    async def page(self, asked: RawAsked, after: tuple[int, str] | None, limit: int) -> Sequence[Stored]:
        """In the order in which they were stored, from behind `after` (stored at, row)."""
        wanted = asked.filter()
        if after is not None:
            at_us, row = after
            wanted["$or"] = [{"lu": {"$gt": at_us}}, {"lu": at_us, "_id": {"$gt": row}}]
        found = self._of["resources"].find(wanted).sort([("lu", 1), ("_id", 1)]).limit(limit)
        return [documents.stored(one) for one in await _answered(found.to_list())]

    async def came(self, types: Sequence[str], since_us: int, until_us: int) -> int:
        """How many rows and older versions came in [since, until) and still have what they were made of."""
        return sum([await _answered(one.count_documents(_came(types, since_us, until_us))) for one in self._of.values()])

    async def strip(self, types: Sequence[str], since_us: int, until_us: int) -> int:
        """Take away what came in [since, until), some of it; how many there were. 0: nothing is left."""
        done = 0
        for collection in self._of.values():
            wanted = _came(types, since_us, until_us)
            ids = [one["_id"] for one in await _answered(collection.find(wanted, {"_id": 1}).limit(STRIPPED_AT_ONCE).to_list())]
            if ids:  # a row that has changed meanwhile is another reading, and its time has not come
                changed = await _answered(collection.update_many({**wanted, "_id": {"$in": ids}}, {"$unset": {"r": 1}}))
                done += changed.modified_count
        return done


def _came(types: Sequence[str], since_us: int, until_us: int) -> Document:
    return {"t": {"$in": list(types)}, "lu": {"$gte": since_us, "$lt": until_us}, "r": {"$exists": True}}


async def _answered(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
