"""Writes one round of the committer as one MongoDB transaction, or, if only the log grows, as one insert.

https://www.mongodb.com/docs/manual/core/transactions/: majority + journal, so that what was acknowledged survives.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson.errors import BSONError
from pymongo import AsyncMongoClient, DeleteOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from audit.record import Record, to_document
from hub.store import documents
from hub.store.committer import Contended, Uncertain, UnitsInConflict, Unreached, Unwritable
from hub.store.mongo_fence import Fence
from hub.store.protocol import Claim, ClientWrite, Stored, Unit

DURABLE = WriteConcern(w="majority", j=True)
DUPLICATE_KEY = 11000
UNAUTHORIZED = 13
COMMIT_ATTEMPTS_MAX = 10

Document = dict[str, Any]
Owned = tuple[int, Document]
"""A document and the index of the unit that wants it written."""
Replacement = tuple[int, Document, Document]
"""Index of the unit, the row as it was read (a filter), the document that takes its place."""


class MongoWriter:
    """Implements `hub.store.committer.RoundWriter`."""

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        self._client = client
        self._hub = client.get_database("hub")
        self._records = client.get_database("hub_audit", write_concern=DURABLE)["records"]
        self._audit = client.get_database("hub_audit")["records"]
        self.fence = Fence(client, DURABLE)

    async def write(self, units: Sequence[Unit], records: Sequence[Record]) -> None:
        made = [to_document(record) for record in records]
        if all(unit.audit_only for unit in units):
            await self._append(made)
        else:
            await self._transaction(units, made)

    async def _append(self, made: Sequence[Document]) -> None:
        """Only the log grows. Ordered, so that an interruption leaves a gap-free beginning of the round."""
        if not made:
            return
        try:
            await self._records.insert_many(made, ordered=True)
        except PyMongoError as error:
            raise (Unreached if _is_not_taken(error) else Uncertain)(type(error).__name__) from error

    async def _transaction(self, units: Sequence[Unit], made: Sequence[Document]) -> None:
        try:
            await self.fence.join(units)
            async with self._client.start_session() as session:
                await session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=DURABLE)
                try:
                    await self._operations(units, made, session)
                except BaseException:
                    await _abort(session)
                    raise
                await _commit(session)
            self.fence.committed()
        except (UnitsInConflict, Contended, Uncertain, Unwritable):
            raise
        except PyMongoError as error:
            # Raised by an operation, not by the commit: the transaction is gone and nothing of it was written.
            if isinstance(error, ConnectionFailure):
                raise (Unreached if _is_not_taken(error) else Uncertain)(type(error).__name__) from error
            raise (Contended if _is_transient(error) else Unwritable)(type(error).__name__) from error
        except BSONError as error:
            raise Unwritable(type(error).__name__) from error

    async def _operations(self, units: Sequence[Unit], made: Sequence[Document], session: AsyncClientSession) -> None:
        await self.fence.enter(units, session)
        await self._claim(units, session)
        await self._insert("resources", _owned(units, lambda unit: [documents.document(one) for one in unit.inserts]), session)
        await self._insert("history", _owned(units, _past), session)
        await self._replace(units, session)
        await self._remark(units, session)
        await self._grants(units, session)
        await self._pair(units, session)
        await self._quarantine(units, session)
        await self._note(units, session)
        await self._register(units, session)
        if made:
            await self._audit.insert_many(made, ordered=True, session=session)

    async def _claim(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        """Before anything else: who comes second is found out before much has been written in vain.

        One command, whether a key is new or taken over from somebody hidden: nobody is to tell them apart by the time (law 3).
        """
        owned = [(index, one) for index, unit in enumerate(units) for one in unit.claims]
        if not owned:
            return
        fresh = [(index, {"_id": one.key, "v": one.value}) for index, one in owned if one.holder is None]
        try:
            result = await self._hub["claims"].bulk_write([_claimed(one) for _, one in owned], ordered=True, session=session)
        except BulkWriteError as error:
            conflict = _conflict(error, [(index, {"_id": one.key}) for index, one in owned])
            if isinstance(conflict, UnitsInConflict):
                # The first one ended the transaction; whoever else of this round is too late is told at once.
                conflict = UnitsInConflict(conflict.indices | await self._too_late(fresh))
            raise conflict from error
        taken_over = [(index, one) for index, one in owned if one.holder is not None]
        if result.matched_count != len(taken_over):
            cursor = self._hub["claims"].find({"_id": {"$in": [one.key for _, one in taken_over]}}, session=session)
            now = {found["_id"]: found["v"] for found in await cursor.to_list()}
            raise UnitsInConflict(frozenset(index for index, one in taken_over if now.get(one.key) != one.value))

    async def _too_late(self, owned: Sequence[Owned]) -> frozenset[int]:
        cursor = self._hub["claims"].find({"_id": {"$in": [one["_id"] for _, one in owned]}}, {"_id": 1})
        taken = {found["_id"] for found in await cursor.to_list()}
        return frozenset(index for index, one in owned if one["_id"] in taken)

    async def _insert(self, collection: str, owned: Sequence[Owned], session: AsyncClientSession) -> None:
        if not owned:
            return
        try:
            await self._hub[collection].insert_many([one for _, one in owned], ordered=True, session=session)
        except BulkWriteError as error:
            raise _conflict(error, owned) from error

    async def _replace(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        """Put new versions in place of exactly the versions that were read."""
        wanted = [(index, _as_read(one.old), documents.document(one.new)) for index, unit in enumerate(units) for one in unit.replaces]
        await self._versioned("resources", wanted, session)

    async def _remark(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        owned = [(index, one) for index, unit in enumerate(units) for one in unit.remarks]
        if not owned:
            return
        operations = [UpdateOne(_as_read(one.old), {"$max": {"s.m": one.modified_us}}) for _, one in owned]
        result = await self._hub["resources"].bulk_write(operations, ordered=True, session=session)
        if result.matched_count != len(owned):
            raise UnitsInConflict(frozenset(index for index, _ in owned))

    async def _grants(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        owned = [(index, one, documents.grant_document(one.new)) for index, unit in enumerate(units) for one in unit.grants]
        await self._insert("grants", [(index, new) for index, one, new in owned if not one.expected_version], session)
        changed = [(index, {"_id": one.new.patient, "v": one.expected_version}, new) for index, one, new in owned if one.expected_version]
        await self._versioned("grants", changed, session)

    async def _versioned(self, collection: str, wanted: Sequence[Replacement], session: AsyncClientSession) -> None:
        if not wanted:
            return
        operations = [ReplaceOne(as_read, new) for _, as_read, new in wanted]
        result = await self._hub[collection].bulk_write(operations, ordered=True, session=session)
        if result.matched_count != len(wanted):
            raise UnitsInConflict(await self._moved_on(collection, wanted, session))

    async def _moved_on(self, collection: str, wanted: Sequence[Replacement], session: AsyncClientSession) -> frozenset[int]:
        """Whose row is no longer as it was read (seen before this round's own changes are undone).

        Two units of one round that want the same row: the first has it, the later ones conflict.
        """
        cursor = self._hub[collection].find({"_id": {"$in": [as_read["_id"] for _, as_read, _ in wanted]}}, {"c": 1}, session=session)
        now = {found["_id"]: found["c"] for found in await cursor.to_list()}
        # Ciphertexts differ whenever they were sealed apart, so "mine lies there" means "I was first".
        return frozenset(index for index, as_read, new in wanted if now.get(as_read["_id"]) != new["c"])

    async def _pair(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        pairings = [one for unit in units for one in unit.pairings]
        if not pairings:
            return
        await self._hub["pairings"].bulk_write(
            [ReplaceOne({"_id": one.pairing.id}, documents.pairing_document(one.pairing), upsert=True) for one in pairings],
            session=session,
        )
        rows = [(row, one) for one in pairings for row in (one.device_row, *one.parts)]
        await self._hub["resources"].bulk_write(
            [
                *(UpdateOne({"_id": row}, {"$pullAll": {"q": list(one.erased)}}) for row, one in rows if one.erased),
                # Else added, never taken away: the Device may name patients of its own.
                *(UpdateOne({"_id": row}, {"$addToSet": {"q": {"$each": list(one.device_patients)}}}) for row, one in rows),
            ],
            session=session,
        )

    async def _quarantine(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        quarantine = self._hub["quarantine"]
        items = [one for unit in units for one in unit.quarantine]
        released = [id for unit in units for id in unit.released]
        if items:
            await quarantine.bulk_write([_waits(documents.quarantined_document(one)) for one in items], session=session)
        if released:
            await quarantine.delete_many({"_id": {"$in": released}}, session=session)
        for index, unit in enumerate(units):
            for id in (*unit.confirmed, *unit.disowned):
                as_read = {"_id": id, "cf": documents.TO_CONFIRM}
                change = {"$set": {"cf": documents.DISOWNED}}
                found = await (
                    quarantine.find_one_and_delete(as_read, session=session)
                    if id in unit.confirmed
                    else quarantine.find_one_and_update(as_read, change, session=session)
                )
                if found is None:
                    raise UnitsInConflict(frozenset({index}))
        lapsed = [DeleteOne({"_id": one.id, "c": one.sealed}) for unit in units for one in unit.lapsed]
        if lapsed:
            await quarantine.bulk_write(lapsed, session=session)

    async def _note(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        owned = [(index, one, documents.note_document(one.new)) for index, unit in enumerate(units) for one in unit.notes]
        await self._insert("notes", [(index, new) for index, one, new in owned if not one.expected_version], session)
        changed = [(index, {"_id": one.new.key, "v": one.expected_version}, new) for index, one, new in owned if one.expected_version]
        await self._versioned("notes", changed, session)
        forgotten = [key for unit in units for key in unit.forgotten]
        if forgotten:
            await self._hub["notes"].delete_many({"_id": {"$in": forgotten}}, session=session)

    async def _register(self, units: Sequence[Unit], session: AsyncClientSession) -> None:
        owned = [(index, one, documents.client_document(one.new)) for index, unit in enumerate(units) for one in unit.clients]
        await self._insert("oauth_clients", [(index, new) for index, one, new in owned if one.expected_revision is None], session)
        for index, one, new in owned:
            if one.expected_revision is not None:
                result = await self._hub["oauth_clients"].replace_one(_client_as_read(one), new, session=session)
                if not result.matched_count:
                    raise UnitsInConflict(frozenset({index}))


def _claimed(one: Claim) -> UpdateOne:
    """Of a key that somebody has, the insertion fails: it is the same key."""
    change = {"$set": {"v": one.value}}
    if one.holder is None:
        return UpdateOne({"_id": one.key, "v": {"$exists": False}}, change, upsert=True)
    return UpdateOne({"_id": one.key, "v": one.holder}, change)


def _client_as_read(one: ClientWrite) -> Document:
    """Registrations of earlier versions of the hub have no revision."""
    revision = {"$in": [None, 0]} if one.expected_revision == 0 else one.expected_revision
    return {"_id": one.new.client_id, "revision": revision}


def _waits(made: Document) -> ReplaceOne[Document] | UpdateOne:
    """An item in quarantine, in place of the same item sent before. What was said to be nobody's stays so."""
    if "cf" not in made:
        return ReplaceOne({"_id": made["_id"]}, made, upsert=True)
    kept = {"$cond": [{"$eq": ["$cf", documents.DISOWNED]}, documents.DISOWNED, documents.TO_CONFIRM]}
    changed = {name: {"$literal": value} for name, value in made.items() if name not in ("_id", "cf")}
    return UpdateOne({"_id": made["_id"]}, [{"$set": {**changed, "cf": kept}}], upsert=True)


def _past(unit: Unit) -> list[Document]:
    """What goes to the history: the versions replaced, and values that arrived late and never were current."""
    replaced = [documents.history_document(one.old, one.new.updated_us) for one in unit.replaces]
    return [*replaced, *(documents.history_document(one, one.updated_us) for one in unit.past)]


def _as_read(old: Stored) -> Document:
    """The version that was read; and as a pairing gives a Device patients without a new version, those too."""
    return {"_id": old.row, "v": old.version, "q": list(old.others) if old.others else {"$exists": False}}


def _owned(units: Sequence[Unit], made: Callable[[Unit], Sequence[Document]]) -> list[Owned]:
    return [(index, one) for index, unit in enumerate(units) for one in made(unit)]


def _conflict(error: BulkWriteError, owned: Sequence[Owned]) -> Exception:
    details: Mapping[str, Any] = error.details or {}
    failed = [one for one in details.get("writeErrors", ()) if one.get("code") == DUPLICATE_KEY]
    if not failed:
        return Contended() if _is_transient(error) else Unwritable("BulkWriteError")
    return UnitsInConflict(frozenset(owned[one["index"]][0] for one in failed))


def _is_not_taken(error: PyMongoError) -> bool:
    """No server was there to be asked, or it refused the command as a whole: nothing was written."""
    refused = isinstance(error, OperationFailure) and not isinstance(error, BulkWriteError) and error.code == UNAUTHORIZED
    return refused or isinstance(error, ServerSelectionTimeoutError)


def _is_transient(error: PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError")


async def _commit(session: AsyncClientSession) -> None:
    """Ask until the answer is definite: a commit whose outcome is unknown may be repeated, it counts once."""
    for _ in range(COMMIT_ATTEMPTS_MAX):
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if error.has_error_label("UnknownTransactionCommitResult"):
                continue
            if _is_transient(error):
                raise Contended from error
            raise Uncertain(type(error).__name__) from error
        else:
            return
    raise Uncertain("the outcome of the commit is unknown")


async def _abort(session: AsyncClientSession) -> None:
    """Best effort: a transaction that cannot be aborted any more is already gone."""
    try:
        await session.abort_transaction()
    except (ConnectionFailure, OperationFailure, DuplicateKeyError):
        return
