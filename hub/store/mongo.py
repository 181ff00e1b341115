"""The MongoDB store (PyMongo async; docs/adr/0002-pymongo-async.md). The only file that asks the database for rows.

Reads use read concern majority, so that nothing is answered that a failover could take back; writes go through the
committer. What must be seen at one moment (a search with its grants) runs in a snapshot session.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import islice
from typing import Any, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from audit.chain import Head
from audit.record import from_document
from hub.search.predicate import Predicate
from hub.store import documents
from hub.store.committer import Committer
from hub.store.contents import MongoContents
from hub.store.find_ids import find_ids, find_some, find_sorted
from hub.store.gather import Gather
from hub.store.lanes import Lanes
from hub.store.mongo_filter import RECORDED_PRECISION_US, Filter, compartment_filter, mongo_filter
from hub.store.mongo_find import ANY_ORDER, AUDIT_TYPE, Part, parts, sort
from hub.store.mongo_history import Source, ever, merged, sources
from hub.store.mongo_notes import Notes, Quotas
from hub.store.mongo_writer import MongoWriter
from hub.store.protocol import (
    SYSTEM_KEY,
    Asked,
    Finding,
    Grant,
    GrantGroup,
    Histories,
    Order,
    Pairing,
    Stored,
    Unavailable,
    Unit,
)
from hub.store.quarantine import MongoQuarantine
from hub.store.raws import MongoRaws
from hub.store.schema import MAIN_INDEX

BATCH_ROWS = 200
LANES = 2
"""One for writes, and one more where records of reads need not wait for them."""
CARRIERS_MAX = 8
"""Rows that carry one token: beyond that a search of its own has to look for them."""
MANY_ROWS = 10_000
CARRIERS_ROWS, CARRIERS_READS_MAX = 500, 4
"""Entries of the index that are read at once, and how often, to learn who carries a token."""
RANGES_MAX = 190
"""Ranges of an index that MongoDB merges in order (internalQueryMaxScansToExplode, 200)."""
LEAN = dict.fromkeys(("v", "lu", "w", "c", "p", "q", "d", "e"), 1)
"""What it takes to decide, open and show a row; half of a row are tokens."""
FIRST_PATIENT = b""
"""Before all tokens of patients, behind the rows of nobody."""

Document = dict[str, Any]
T = TypeVar("T")


class MongoStore:
    """Implements `hub.store.protocol.Store`."""

    def __init__(
        self,
        client: AsyncMongoClient[dict[str, Any]],
        new_head: Callable[[], Awaitable[Head]],
        advanced: Callable[[Head], None],
    ) -> None:
        majority = ReadConcern("majority")
        self._client = client
        self._hub = client.get_database("hub", read_concern=majority)
        self._audit = client.get_database("hub_audit", read_concern=majority)
        self._current: Gather[str, Stored] = Gather(self._fetch_current)
        self._grant: Gather[bytes, Grant] = Gather(self._fetch_grants)
        self._carriers: Gather[bytes, Sequence[Stored]] = Gather(self._fetch_carriers)
        self.notes, self.quotas = Notes(self._hub), Quotas(self._hub)
        self._writer = writer = MongoWriter(client)
        self.contents = MongoContents(self._hub)
        self.quarantine, self.raws = MongoQuarantine(self._hub), MongoRaws(self._hub)
        self.committer = Lanes(*(Committer(writer, new_head, advanced) for _ in range(LANES)))

    async def current(self, row: str, *, deleted: bool = False) -> Stored | None:
        return await self.answer(self.ask(row), deleted=deleted)

    def ask(self, row: str) -> Asked:
        """As `current`, for who has other things to do before `answer`."""
        return self._current.ask(row)

    async def answer(self, asked: Asked, *, deleted: bool = False) -> Stored | None:
        found = await _answered(asyncio.shield(asked))
        return found if found is None or deleted or not found.deleted else None

    async def currents(self, rows: Sequence[str], *, deleted: bool = False) -> Mapping[str, Stored]:
        found = await _answered(self._fetch_current(rows))
        return found if deleted else {row: stored for row, stored in found.items() if not stored.deleted}

    async def version(self, row: str, version: int) -> Stored | None:
        found = await _answered(self._hub["history"].find_one({"_id": documents.history_id(row, version)}))
        return documents.stored(found) if found else None

    async def grant(self, patient: bytes, meanwhile: Awaitable[None] | None = None) -> Grant | None:
        """`meanwhile`: something else to wait for, once the question is on its way."""
        asked = self._grant.ask(patient)
        if meanwhile is not None:
            await meanwhile
        return await _answered(asyncio.shield(asked))

    async def claim(self, key: bytes) -> str | None:
        found = await _answered(self._hub["claims"].find_one({"_id": key}))
        return str(found["v"]) if found else None

    async def claims(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        cursor = self._hub["claims"].find({"_id": {"$in": list(keys)}})
        return {found["_id"]: str(found["v"]) for found in await _answered(cursor.to_list())}

    async def carriers(self, token: bytes) -> Sequence[Stored] | None:
        """Current rows of whatever type that can be looked up by this token, if they are few; None if they may be many."""
        return await _answered(self._carriers(token))

    @property
    def changes(self) -> int | None:
        """Of what is decided by, as many as are known of: for `Decided.changes`, to be asked before anything is decided."""
        return self._writer.fence.changes

    async def settled(self) -> None:
        """What was changed of what is decided by holds: nothing that was decided before is written any more. Raises Unsettled."""
        await self._writer.fence.tell()

    async def forget_writers(self, before_us: int) -> int:
        """What is kept of writers that have written nothing since: how many. Raises Unavailable."""
        return await _answered(self._writer.fence.sweep(before_us))

    async def pairings(self, device: bytes) -> Sequence[Pairing]:
        found = await _answered(self._hub["pairings"].find({"dv": device}).sort("from", 1).to_list())
        return [documents.pairing(one) for one in found]

    async def pairings_of(self, patients: Sequence[bytes]) -> Sequence[Pairing]:
        found = await _answered(self._hub["pairings"].find({"p": {"$in": list(patients)}}).to_list())
        return [documents.pairing(one) for one in found]

    async def all_pairings(self, limit: int) -> Sequence[Pairing]:
        found = await _answered(self._hub["pairings"].find({}).sort("_id", 1).limit(limit).to_list())
        return [documents.pairing(one) for one in found]

    async def commit(self, unit: Unit) -> None:
        await self.committer.commit(unit)
        if unit.redecides:
            await self.settled()

    async def record(self, id: str) -> Stored | None:
        """An AuditEvent as a row, by its id."""
        found = await _answered(self._audit["records"].find_one({"_id": id}))
        return _record_row(found) if found else None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["MongoSnapshot"]:
        async with self._client.start_session(snapshot=True) as session:
            yield MongoSnapshot(self._client, session)

    async def ping(self) -> None:
        """Raises Unavailable unless a majority write could be acknowledged now."""
        hello = await _answered(self._client.admin.command("hello"))
        if not hello.get("isWritablePrimary"):
            raise Unavailable("the database has no primary")

    async def _fetch_current(self, rows: Sequence[str]) -> Mapping[str, Stored]:
        found = await find_ids(self._hub, "resources", rows)
        return {one["_id"]: documents.stored(one) for one in found}

    async def _fetch_carriers(self, tokens: Sequence[bytes]) -> Mapping[bytes, Sequence[Stored]]:
        """One question for all of them, cut off where one of them asks for much."""
        limit = CARRIERS_MAX * len(tokens)
        found = await find_some(self._hub, "resources", {"g": {"$in": list(tokens)}}, limit)
        if len(found) == limit:
            return {}
        rows = [documents.stored(one) for one in found]
        return {token: [row for row in rows if token in row.global_tokens] for token in tokens}

    async def _fetch_grants(self, patients: Sequence[bytes]) -> Mapping[bytes, Grant]:
        found = await find_ids(self._hub, "grants", patients)
        return {one["_id"]: documents.grant(one) for one in found}


class MongoSnapshot:
    """Implements `hub.store.protocol.Snapshot`: everything read here is of one moment."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], session: AsyncClientSession) -> None:
        self._hub = client.get_database("hub")
        self._audit = client.get_database("hub_audit")
        self._session = session

    async def grants(self, patients: Sequence[bytes]) -> Mapping[bytes, Grant]:
        found = await _answered(find_ids(self._hub, "grants", patients, self._session))
        return {one["_id"]: documents.grant(one) for one in found}

    async def grant_groups(self, *, actors: frozenset[bytes], organization: bytes | None) -> Sequence[GrantGroup]:
        """Patients whom a permit for one of `actors`, or the organisation's own policy, may open; by like rules."""
        some_reason: list[Filter] = [{"a": {"$in": sorted(actors)}}]
        if organization is not None:
            some_reason.append({"o": organization})
        match: Filter = {"$or": some_reason}
        group = {"_id": {"f": "$f", "o": "$o"}, "patients": {"$push": "$_id"}, "specimen": {"$first": "$$ROOT"}}
        cursor = await _answered(self._hub["grants"].aggregate([{"$match": match}, {"$group": group}], session=self._session))
        return [
            GrantGroup(patients=frozenset(found["patients"]), specimen=documents.grant(found["specimen"]))
            for found in await _answered(cursor.to_list())
        ]

    async def find(
        self, finding: Finding, order: Order, limit: int | None = None, *, lean: bool = False
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """What has no time comes last, whichever way the times go (MongoDB would put it first when ascending)."""
        left = limit
        made = _record_row if finding.type == AUDIT_TYPE else documents.stored
        fields = LEAN if lean and finding.type != AUDIT_TYPE else None
        for part in parts(finding, order):
            async with aclosing(self._batches(finding.type, part, order, left, fields)) as batches:
                async for batch in batches:
                    yield [made(found) for found in batch]
                    left = None if left is None else left - len(batch)
            if left == 0:
                return

    async def _batches(
        self, type: str, part: Part, order: Order, limit: int | None, fields: Document | None
    ) -> AsyncGenerator[Sequence[Document], None]:
        collection, session, by = self._collection(type), self._session, sort(order, type)
        if limit is not None and limit <= BATCH_ROWS:
            options: dict[str, Any] = {"limit": limit, "sort": by, "hint": part.hint, "projection": fields}
            yield await _answered(find_sorted(collection.database, collection.name, session, part.asked, **options))
            return
        cursor = collection.find(part.asked, fields, session=session, batch_size=BATCH_ROWS, hint=part.hint, limit=limit or 0)
        async with cursor.sort(by) as rows:
            while batch := await _answered(rows.to_list(BATCH_ROWS)):
                yield batch

    async def count(self, finding: Finding, limit: int | None = None) -> int:
        counted = 0
        for part in parts(finding, ANY_ORDER):
            options = {name: value for name, value in (("limit", limit), ("hint", part.hint)) if value}
            counted += await _answered(self._collection(finding.type).count_documents(part.asked, session=self._session, **options))
        return counted if limit is None else min(counted, limit)

    async def rows(self, rows: Sequence[str], *, deleted: bool = False, lean: bool = False) -> Sequence[Stored]:
        """Current rows by their names ("Type/id"), hidden or not; what is deleted is not there unless it is asked for."""
        there = {} if deleted else {"t": {"$exists": True}}
        return await self._named("resources", rows, there, LEAN if lean else None)

    async def history(self, asked: Histories, batch: int) -> AsyncGenerator[tuple[Stored, bool], None]:
        async with AsyncExitStack() as stack:
            reading = [await stack.enter_async_context(aclosing(self._read(source, batch))) for source in sources(asked)]
            versions = await stack.enter_async_context(aclosing(merged(asked, reading)))
            async for read in versions:
                yield read

    async def _read(self, source: Source, batch: int) -> AsyncGenerator[tuple[Stored, bool], None]:
        collection, asked, order = source
        cursor = self._hub[collection].find(asked, session=self._session, batch_size=min(batch, BATCH_ROWS)).sort(order)
        async with aclosing(_each(cursor)) as rows:
            async for found in rows:
                yield documents.stored(found), collection == "resources"

    async def versions(self, versions: Sequence[tuple[str, int]]) -> Sequence[Stored]:
        """Versions that were current once, hidden or not; a deletion is none."""
        ids = [documents.history_id(row, version) for row, version in versions]
        return await self._named("history", ids, {"l": {"$exists": False}})

    async def _named(self, collection: str, ids: Sequence[str], there: Filter, fields: Document | None = None) -> Sequence[Stored]:
        found = await _answered(find_ids(self._hub, collection, ids, self._session, there, fields))
        return [documents.stored(one) for one in found]

    async def types(self) -> frozenset[str]:
        """The types of which there are rows, hidden or not."""
        stages: list[Document] = [{"$group": {"_id": "$t"}}]
        cursor = await _answered(self._hub["resources"].aggregate(stages, session=self._session))
        return frozenset(found["_id"] for found in await _answered(cursor.to_list()) if found["_id"])

    async def rows_ever(self, type: str, of_type: bytes, patient: bytes) -> frozenset[str]:
        found: set[str] = set()
        for collection, asked, index in ever(type, of_type, patient):
            rows = self._hub[collection].find(asked, {"_id": 1}, session=self._session, hint=index, batch_size=MANY_ROWS)
            found.update("/".join(one["_id"].split("/")[:2]) for one in await _answered(rows.to_list()))
        return frozenset(found)

    async def patients(self, finding: Finding, limit: int) -> frozenset[bytes]:
        """At most `limit` of the patients in whose compartments the rows lie."""
        found: set[bytes] = set()
        for part in parts(finding, ANY_ORDER):
            stages: list[Document] = [{"$match": part.asked}, {"$group": {"_id": "$p"}}, {"$limit": limit}]
            options = {"hint": part.hint} if part.hint else {}
            cursor = await _answered(self._collection(finding.type).aggregate(stages, session=self._session, **options))
            found.update(one["_id"] for one in await _answered(cursor.to_list()) if one["_id"])
        return frozenset(islice(found, limit))

    async def concerned(self, type: str, predicate: Predicate, rows_max: int) -> frozenset[bytes] | None:
        """Whom the rows concern for which the predicate holds, hidden or not; None if there are more than `rows_max` rows.

        For those who then ask what these patients permit; nothing is answered from this.
        """
        asked = {"$and": [mongo_filter(predicate, type), {"t": type}]}
        cursor = self._hub["resources"].find(asked, {"_id": 0, "p": 1, "q": 1}, session=self._session, batch_size=rows_max + 2)
        rows = await _answered(cursor.limit(rows_max + 1).to_list())
        if len(rows) > rows_max:
            return None
        return frozenset(patient for row in rows for patient in (row.get("p"), *row.get("q", ())) if patient)

    async def carriers(self, tokens: frozenset[bytes], patients_max: int) -> frozenset[bytes] | None:
        """In whose compartments rows lie, of whatever type, that carry one of these tokens; None if that is more than can be told.

        From the index alone, patient by patient: however many rows one has, they are read once and then passed over. For
        those who then ask what these patients permit; nothing is answered from this.
        """
        if len(tokens) > RANGES_MAX:
            return None
        asked: Filter = {"k": {"$in": sorted(tokens)}}
        found: set[bytes] = set()
        for _ in range(CARRIERS_READS_MAX):
            cursor = self._hub["resources"].find(
                asked, {"_id": 0, "p": 1}, session=self._session, hint=MAIN_INDEX, batch_size=CARRIERS_ROWS + 1
            )
            rows = await _answered(cursor.sort("p", 1).limit(CARRIERS_ROWS).to_list())
            found |= {one["p"] for one in rows if one.get("p")}
            if len(found) > patients_max:
                return None
            if len(rows) < CARRIERS_ROWS:
                return frozenset(found)
            asked["p"] = {"$gt": rows[-1].get("p") or FIRST_PATIENT}
        return None

    async def pairings_of_devices(self, devices: Sequence[bytes]) -> Sequence[Pairing]:
        cursor = self._hub["pairings"].find({"dv": {"$in": list(devices)}}, session=self._session)
        return [documents.pairing(found) for found in await _answered(cursor.to_list())]

    async def compartment(self, patient: bytes, restriction: Predicate, but: frozenset[str]) -> AsyncGenerator[Stored, None]:
        cursor = self._hub["resources"].find(compartment_filter(patient, restriction, but), session=self._session, batch_size=BATCH_ROWS)
        async with aclosing(_each(cursor)) as rows:
            async for found in rows:
                yield documents.stored(found)

    def _collection(self, type: str) -> Any:
        return self._audit["records"] if type == AUDIT_TYPE else self._hub["resources"]


async def _each(cursor: AsyncCursor[Document]) -> AsyncGenerator[Document, None]:
    try:
        async for found in cursor:
            yield found
    except PyMongoError as error:
        raise Unavailable(error.__class__.__name__) from error
    finally:
        await cursor.close()


def _record_row(found: Mapping[str, Any]) -> Stored:
    """A record of the log in the shape of a stored resource; AuditEvents have one version."""
    draft = from_document(found).draft
    return Stored(
        type=AUDIT_TYPE,
        id=draft.id,
        version=1,
        updated_us=draft.recorded_us,
        sealed=draft.sealed,
        key_version=draft.key_version,
        patient=None if draft.key_id == SYSTEM_KEY else draft.key_id,
        tokens=tuple(draft.tokens),
        start_us=draft.recorded_us,
        end_us=draft.recorded_us + RECORDED_PRECISION_US,
    )


async def _answered(awaitable: Awaitable[T]) -> T:
    """The database's answer, or Unavailable: callers answer 503 and nothing else."""
    try:
        return await awaitable
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
