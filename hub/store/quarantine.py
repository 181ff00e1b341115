"""The collection `quarantine`: asked page by page and counted. What is put into it and let go goes with a unit, by the committer."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from hub.store import documents
from hub.store.protocol import Quarantined, Unavailable

T = TypeVar("T")
Document = dict[str, Any]
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAsked:
    """Which items are meant; None asks nothing. What has expired is not there, whether or not it is swept yet.

    now_us              the present, microseconds since 1970 UTC
    since_us, until_us  received in [since, until)
    after               behind this one in the order of arrival: (received_us, id)
    ids                 only these
    to_confirm          only those of which a person has to say whose they are
    """

    now_us: int
    client: str | None = None
    adapter: str | None = None
    code: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    after: tuple[int, str] | None = None
    ids: tuple[str, ...] | None = None
    to_confirm: bool = False

    def filter(self) -> Document:
        made: Document = {"x": {"$gt": _date(self.now_us)}}
        for field, value in (("cl", self.client), ("ad", self.adapter), ("co", self.code)):
            if value is not None:
                made[field] = value
        if self.to_confirm:
            made["cf"] = documents.TO_CONFIRM
        received = {"$gte": self.since_us, "$lt": self.until_us}
        if limits := {op: value for op, value in received.items() if value is not None}:
            made["t"] = limits
        if self.ids is not None:
            made["_id"] = {"$in": list(self.ids)}
        if self.after is not None:
            at_us, id = self.after
            made["$or"] = [{"t": {"$gt": at_us}}, {"t": at_us, "_id": {"$gt": id}}]
        return made


class WaitingCount(NamedTuple):
    """How many items wait for one cause, the first and the last of them by when they were received."""

    adapter: str
    code: str
    items: int
    oldest_us: int
    newest_us: int


class DayCount(NamedTuple):
    """How many items that came on one day (UTC, days since 1970) still wait for one cause."""

    day: int
    code: str
    items: int


class MongoQuarantine:
    """Reads only."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._items = database["quarantine"]

    async def page(self, asked: WaitingAsked, limit: int) -> Sequence[Quarantined]:
        """Oldest first."""
        cursor = self._items.find(asked.filter()).sort([("t", 1), ("_id", 1)]).limit(limit)
        return [documents.quarantined(one) for one in await _answered(cursor.to_list())]

    async def items(self, ids: Sequence[str]) -> Sequence[Quarantined]:
        """These, expired or not."""
        found = await _answered(self._items.find({"_id": {"$in": list(ids)}}).to_list())
        return [documents.quarantined(one) for one in found]

    async def count(self, asked: WaitingAsked) -> int:
        return await _answered(self._items.count_documents(asked.filter()))

    async def counts(self, asked: WaitingAsked) -> Sequence[WaitingCount]:
        """By adapter and cause, the most frequent first."""
        group = {"_id": {"a": "$ad", "c": "$co"}, "n": {"$sum": 1}, "first": {"$min": "$t"}, "last": {"$max": "$t"}}
        order = {"n": -1, "_id.a": 1, "_id.c": 1}
        found = await self._aggregated([{"$match": asked.filter()}, {"$group": group}, {"$sort": order}])
        return [WaitingCount(one["_id"]["a"], one["_id"]["c"], one["n"], one["first"], one["last"]) for one in found]

    async def days(self, asked: WaitingAsked) -> Sequence[DayCount]:
        """By day of arrival and cause, in time."""
        day = {"$toLong": {"$floor": {"$divide": ["$t", DAY_US]}}}
        group = {"_id": {"d": day, "c": "$co"}, "n": {"$sum": 1}}
        found = await self._aggregated([{"$match": asked.filter()}, {"$group": group}, {"$sort": {"_id.d": 1, "_id.c": 1}}])
        return [DayCount(one["_id"]["d"], one["_id"]["c"], one["n"]) for one in found]

    async def bytes_beside(self, client: str) -> int:
        """How long the recordings are together that wait for this client. From an index alone."""
        match = {"$match": {"cl": client, "n": {"$exists": True}}}
        found = await self._aggregated([match, {"$group": {"_id": None, "n": {"$sum": "$n"}}}])
        return sum(int(one["n"]) for one in found)

    async def expired(self, now_us: int, limit: int) -> Sequence[Quarantined]:
        """What nobody repaired in time, longest expired first."""
        cursor = self._items.find({"x": {"$lte": _date(now_us)}}).sort([("x", 1), ("_id", 1)]).limit(limit)
        return [documents.quarantined(one) for one in await _answered(cursor.to_list())]

    async def waits(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these lie here, expired or not."""
        found = await _answered(self._items.find({"_id": {"$in": list(ids)}}, {"_id": 1}).to_list())
        return frozenset(one["_id"] for one in found)

    async def _aggregated(self, stages: Sequence[Mapping[str, Any]]) -> Sequence[Document]:
        cursor = await _answered(self._items.aggregate(list(stages)))
        return await _answered(cursor.to_list())


def _date(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


async def _answered(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
