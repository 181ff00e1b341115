"""How what is written meets what changes meanwhile that it was decided by, whichever processes they come from.

What a patient permits, who has a unit, in whose name it is sent: read before a transaction, and a transaction does not notice what was
read. Nor does it notice that a Patient is deleted because nothing more was found of it. So each writer has a document of its own and
changes it with every round; it says how many such changes there were, and a round looks again at what units were decided by that know of
fewer. Writers do not get in each other's way by it, and pay one small change for a round, however many patients it is about.

- Who has changed something counts it in every writer's document before it is acknowledged. That waits for the transactions that have begun
  before, and those that begin later read what was changed: nothing that was decided before is written after the acknowledgement.
- A deletion counts itself in its own transaction: of two transactions that write the same document one cannot commit, for there the
  writer must not be first either.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.store.committer import Contended, UnitsInConflict
from hub.store.mongo_decided import changed
from hub.store.mongo_filter import compartment_filter
from hub.store.protocol import Unit, Unsettled

Document = dict[str, Any]
ALL = b"all"
"""Changed by whoever joins and by whoever counts something, so that none overlooks who is just joining."""
NOW: Document = {"$currentDate": {"at": True}}
"""By the database's clock, when the writer last wrote."""
START_BYTES = 6
NOT_ENDED = "a transaction that has begun before has not ended"
TOLD_WITHIN_MS = 10_000
"""A transaction that has not ended by then is that of a hub that was killed, most likely, which the database gives up after a minute."""


class Fence:
    """One writer's part."""

    def __init__(self, client: AsyncMongoClient[Document], write_concern: WriteConcern) -> None:
        self._client, self._write_concern = client, write_concern
        self._hub = client.get_database("hub")
        self._own = os.urandom(12)
        self._joined = False
        self._met: int | None = None
        self.changes: int | None = None
        """As many as this writer knows of for sure: what was decided since then has seen them. None before it has joined."""
        self._telling = asyncio.Lock()
        self._asked = self._told = self._untold = 0

    async def join(self, units: Sequence[Unit]) -> None:
        """Before the first round of something that was decided."""
        if self._joined or not any(_is_decided(unit) or unit.closing for unit in units):
            return
        start = int.from_bytes(os.urandom(START_BYTES))  # who joins anew counts from elsewhere: no number is met twice
        seen, durable = ReadConcern("snapshot"), self._write_concern
        async with self._client.start_session() as session, await session.start_transaction(read_concern=seen, write_concern=durable):
            await self._hub["fences"].update_one({"_id": ALL}, {"$inc": {"d": 1}}, upsert=True, session=session)
            await self._hub["fences"].update_one({"_id": self._own}, {"$set": {"d": start}, **NOW}, upsert=True, session=session)
        self._joined, self.changes = True, start

    async def enter(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        """First of all in the transaction. Raises UnitsInConflict for those that a change, or something new, has come before."""
        self._met = None
        if any(unit.closing for unit in units):
            await self._hub["fences"].update_many({}, {"$inc": {"d": 1}}, session=session)
            await self._refuse(await self._overtaken(units, session))
            await self._refuse(await self._too_late(units, range(len(units)), session))
        elif any(_is_decided(unit) for unit in units):
            self._met = await self._passed(session)
            stale = [index for index, unit in enumerate(units) if unit.decided is None or unit.decided.changes != self._met]
            await self._refuse(await self._too_late(units, stale, session))

    def committed(self) -> None:
        """What the round has met is durable, so that whoever reads from now on reads it."""
        if self._met is not None:
            self.changes = self._met

    async def tell(self) -> None:
        """What was changed is durable; when this returns, nothing is written any more that was decided before. One for all who ask at once.

        Raises Unsettled where a transaction that has begun before does not end: to all who asked before it was tried, for to each of them
        it would happen again, one after the other. So nobody waits for more than what is being tried and one try more.
        """
        self._asked += 1
        mine = self._asked
        async with self._telling:
            if self._told >= mine:
                return
            if self._untold >= mine:
                raise Unsettled(NOT_ENDED)
            asked = self._asked
            try:
                await self._tell()
            except Unsettled:
                self._untold = asked
                raise
            self._told = asked

    async def _tell(self) -> None:
        one = {"$inc": {"d": 1}}
        # First whoever is joining, then everybody: each waits for the transaction that has changed the document.
        updates = [{"q": {"_id": ALL}, "u": one}, {"q": {"_id": {"$ne": ALL}}, "u": one, "multi": True}]
        try:
            done = await self._hub.command(
                {"update": "fences", "updates": updates, "writeConcern": self._write_concern.document, "maxTimeMS": TOLD_WITHIN_MS}
            )
        except PyMongoError as error:
            raise Unsettled(type(error).__name__) from error
        if done.get("writeErrors") or done.get("writeConcernError"):
            raise Unsettled(NOT_ENDED)

    async def sweep(self, before_us: int) -> int:
        """Take away the documents of writers that have written nothing since: most are of processes that ended. How many.

        A process that goes on is not hurt: its next round finds its document gone, writes nothing, and joins anew.
        """
        before = datetime.fromtimestamp(before_us / 1e6, UTC)
        await self._hub["fences"].update_many({"_id": {"$ne": ALL}, "at": None}, NOW)  # of earlier versions, which said no time
        return (await self._hub["fences"].delete_many({"_id": {"$ne": ALL}, "at": {"$lt": before}})).deleted_count

    async def _passed(self, session: AsyncClientSession) -> int:
        found = await self._hub["fences"].find_one_and_update({"_id": self._own}, {"$inc": {"n": 1}, **NOW}, {"d": 1}, session=session)
        if found is None:
            self._joined, self.changes = False, None
            raise Contended
        return int(found["d"])

    async def _too_late(self, units: Sequence[Unit], indices: Sequence[int], session: AsyncClientSession) -> frozenset[int]:
        """Of these, those about a patient who has been deleted, and those that have to be decided anew."""
        redecided = await changed(self._hub, units, indices, session)
        asked = {index: units[index].about for index in indices if units[index].about}
        if not asked:
            return frozenset(redecided)
        patients = sorted(frozenset[bytes]().union(*asked.values()))
        cursor = self._hub["grants"].find({"_id": {"$in": patients}, "x": True}, {"_id": 1}, session=session)
        gone = {found["_id"] for found in await cursor.to_list()}
        return frozenset(redecided | {index for index, about in asked.items() if not about.isdisjoint(gone)})

    async def _overtaken(self, units: Sequence[Unit], session: AsyncClientSession) -> frozenset[int]:
        """Deletions for which there is something about the patient that they have not looked at."""
        found = set[int]()
        for index, unit in enumerate(units):
            for one in unit.closing:
                asked = {**compartment_filter(one.patient, one.restriction, one.but), "_id": {"$nin": sorted(one.seen)}}
                if await self._hub["resources"].find_one(asked, {"_id": 1}, session=session):
                    found.add(index)
        return frozenset(found)

    async def _refuse(self, indices: frozenset[int]) -> None:
        if indices:
            raise UnitsInConflict(indices)


def _is_decided(unit: Unit) -> bool:
    return bool(unit.about) or unit.decided is not None
