"""How the deletion of a Patient and what is written about the patient meet, whichever processes they come from.

Each reads what the other one writes, and a transaction does not notice that. Two transactions that write the same document
cannot both commit; so each writer has a document of its own and changes it with every round, and a deletion changes all of
them. Writers do not get in each other's way by it, and pay one small change for a round, however many patients it is about.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.store.committer import Contended, UnitsInConflict
from hub.store.mongo_filter import compartment_filter
from hub.store.protocol import Unit

Document = dict[str, Any]
ALL = b"all"
"""Changed by whoever joins and by every deletion, so that none overlooks who is just joining."""


class Fence:
    """One writer's part."""

    def __init__(self, client: AsyncMongoClient[Document], write_concern: WriteConcern) -> None:
        self._client, self._write_concern = client, write_concern
        self._hub = client.get_database("hub")
        self._own = os.urandom(12)
        self._joined = False
        self._met: int | None = None
        self.deletions: int | None = None
        """As many as this writer knows of for sure: what was decided since then has seen them. None before it has joined."""

    async def join(self, units: Sequence[Unit]) -> None:
        """Before the first round that is about patients."""
        if self._joined or not any(unit.about or unit.closing for unit in units):
            return
        seen, durable = ReadConcern("snapshot"), self._write_concern
        async with self._client.start_session() as session, await session.start_transaction(read_concern=seen, write_concern=durable):
            await self._hub["fences"].update_one({"_id": ALL}, {"$inc": {"d": 1}}, upsert=True, session=session)
            await self._hub["fences"].update_one({"_id": self._own}, {"$set": {"d": 0}}, upsert=True, session=session)
        self._joined, self.deletions = True, 0

    async def enter(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        """First of all in the transaction. Raises UnitsInConflict for those that a deletion, or something new, has come before."""
        self._met = None
        if any(unit.closing for unit in units):
            await self._hub["fences"].update_many({}, {"$inc": {"d": 1}}, session=session)
            await self._refuse(await self._overtaken(units, session))
            await self._refuse(await self._too_late(units, range(len(units)), session))
        elif any(unit.about for unit in units):
            self._met = await self._passed(session)
            stale = [index for index, unit in enumerate(units) if unit.deletions != self._met]
            await self._refuse(await self._too_late(units, stale, session))

    def committed(self) -> None:
        """What the round has met is durable, so that whoever reads from now on reads it."""
        if self._met is not None:
            self.deletions = self._met

    async def _passed(self, session: AsyncClientSession) -> int:
        found = await self._hub["fences"].find_one_and_update({"_id": self._own}, {"$inc": {"n": 1}}, {"d": 1}, session=session)
        if found is None:
            self._joined, self.deletions = False, None
            raise Contended
        return int(found["d"])

    async def _too_late(self, units: Sequence[Unit], indices: Iterable[int], session: AsyncClientSession) -> frozenset[int]:
        """Of these, those about a patient who has been deleted."""
        asked = {index: units[index].about for index in indices if units[index].about}
        if not asked:
            return frozenset()
        patients = sorted(frozenset[bytes]().union(*asked.values()))
        cursor = self._hub["grants"].find({"_id": {"$in": patients}, "x": True}, {"_id": 1}, session=session)
        gone = {found["_id"] for found in await cursor.to_list()}
        return frozenset(index for index, about in asked.items() if not about.isdisjoint(gone))

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
