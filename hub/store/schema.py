"""Collections and indexes, made at start and not inside transactions, where two makers would hinder each other.

The rows are the documentation: every index says which question it answers. Fields: docs/adr/0004-stored-form.md.
https://www.mongodb.com/docs/v6.0/core/transactions-in-applications/#transactions-and-operations
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from hub.store.documents import LASTING_US

NAMESPACE_EXISTS = 48
INDEX_NOT_FOUND = 27

Client = AsyncMongoClient[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection. `audit` ones are made by the administrator: the hub's user may only insert and find there."""

    database: str
    name: str
    holds: str

    @property
    def audit(self) -> bool:
        return self.database == "hub_audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index and the question it is there for.

    present  only rows that have this field are indexed (a partial index)
    expires  rows go when the date in the field is past (TTL)
    fill     (which, update): what earlier versions stored gets the field before the index is made
    """

    collection: str
    keys: tuple[tuple[str, int], ...]
    why: str
    unique: bool = False
    present: str | None = None
    expires: bool = False
    fill: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """Says everything that makes it what it is, so that a changed row is another index."""
        kinds = [("unique", self.unique), (f"present_{self.present}", bool(self.present)), ("ttl", self.expires)]
        return "_".join([*(f"{field}_{direction}" for field, direction in self.keys), *(kind for kind, holds in kinds if holds)])

    def options(self) -> Mapping[str, Any]:
        made: dict[str, Any] = {"name": self.name}
        if self.unique:
            made["unique"] = True
        if self.present:
            made["partialFilterExpression"] = {self.present: {"$exists": True}}
        if self.expires:
            made["expireAfterSeconds"] = 0
        return made


COLLECTIONS = (
    Collection(database="hub", name="resources", holds="current versions, and tombstones of what is deleted"),
    Collection(database="hub", name="history", holds="versions that were current once"),
    Collection(database="hub", name="claims", holds="unique keys, `_id` = the key"),
    Collection(database="hub", name="grants", holds="what the consents of a patient come to, `_id` = patient token"),
    Collection(database="hub", name="fences", holds="one for each writer: where writes and the deletion of a Patient meet"),
    Collection(database="hub", name="pairings", holds="which patient wears a device, and when"),
    Collection(database="hub", name="contents", holds="pieces of recordings too long for a row"),
    Collection(database="hub", name="outbox", holds="notifications that wait to be sent"),
    Collection(database="hub", name="quarantine", holds="items that wait for a decision or a repair"),
    Collection(database="hub", name="notes", holds="what transports remember (answers given, cursors, links to clouds), and how units do"),
    Collection(database="hub", name="quotas", holds="what a client may still send at this moment, `_id` = client_id"),
    Collection(database="hub", name="oauth_clients", holds="registered clients, `_id` = client_id"),
    Collection(database="hub", name="oauth_jtis", holds="assertion ids seen, so that each is good once (RFC 7523 section 3)"),
    Collection(database="hub_keys", name="keys", holds="wrapped data keys"),
    Collection(database="hub_audit", name="records", holds="the log"),
)

LASTING_MARK: tuple[Mapping[str, Any], Mapping[str, Any]] = (
    {"z": None, "t": {"$exists": True}, "$expr": {"$gt": [{"$subtract": ["$e", "$d"]}, LASTING_US]}},
    {"$set": {"z": True}},
)

INDEXES = (
    Index(
        collection="resources",
        keys=(("k", 1), ("p", 1), ("d", -1), ("_id", 1)),
        why="one patient's data by code, category or device, latest first: the hub's main search; any token across patients",
    ),
    Index(collection="resources", keys=(("p", 1),), why="everything of one patient, for access and erasure"),
    Index(collection="resources", keys=(("t", 1), ("d", -1), ("_id", 1)), why="a type across patients, latest first"),
    Index(collection="resources", keys=(("t", 1), ("lu", 1), ("_id", 1)), why="_lastUpdated and _sort=_lastUpdated"),
    Index(
        collection="resources",
        keys=(("g", 1), ("t", 1)),
        present="g",
        why="look-up across patients: identifier, name, birth date; most rows (Observations) have none",
    ),
    Index(collection="resources", keys=(("q", 1),), present="q", why="resources that name a patient besides their own"),
    Index(
        collection="resources",
        keys=(("p", 1), ("t", 1), ("e", 1)),
        present="z",
        why="what of one patient lasts longer than a day and ends after some moment",
        fill=LASTING_MARK,
    ),
    Index(collection="resources", keys=(("t", 1), ("e", 1)), present="z", why="the same across patients"),
    Index(collection="resources", keys=(("x", 1), ("lu", 1), ("_id", 1)), present="x", why="what was deleted, for the history of a type"),
    Index(collection="history", keys=(("t", 1), ("lu", 1), ("_id", 1)), why="the history of a type and of all types, latest first"),
    Index(collection="history", keys=(("p", 1),), why="everything of one patient, for access and erasure; versions by `_id`"),
    Index(collection="contents", keys=(("p", 1),), why="everything of one patient, for erasure; pieces by `_id`"),
    Index(
        collection="contents",
        keys=(("t", 1), ("_id", 1)),
        why="pieces on which nobody has relied for an hour, by their names alone: each has a quarter of a megabyte",
    ),
    Index(collection="grants", keys=(("a", 1),), why="which patients permit one of these actors"),
    Index(collection="grants", keys=(("o", 1),), why="which patients fall under this organisation's own policy"),
    Index(collection="pairings", keys=(("dv", 1), ("from", 1)), why="who wore this device at that time: asked for each reading"),
    Index(collection="pairings", keys=(("p", 1),), why="the devices of one patient"),
    Index(collection="quarantine", keys=(("cl", 1), ("t", -1)), why="a client's own waiting items"),
    Index(collection="quarantine", keys=(("cl", 1), ("n", 1)), present="n", why="how long a client's waiting recordings are together"),
    Index(collection="quarantine", keys=(("cf", 1), ("t", 1), ("_id", 1)), present="cf", why="what waits for a person to say whose it is"),
    Index(collection="quarantine", keys=(("t", 1), ("_id", 1)), why="all that waits, oldest first, page by page"),
    Index(collection="quarantine", keys=(("x", 1), ("_id", 1)), why="what nobody repaired goes after HUB_QUARANTINE_DAYS, and is recorded"),
    Index(collection="notes", keys=(("kd", 1), ("_id", 1)), why="all links that are polled"),
    Index(collection="notes", keys=(("x", 1),), expires=True, why="an answer is kept for a while, then its key is free again"),
    Index(collection="oauth_clients", keys=(("unit.device", 1),), present="unit.device", why="the credentials of one unit"),
    Index(collection="oauth_clients", keys=(("app.origins", 1),), present="app.origins", why="may pages of this origin call? (CORS)"),
    Index(collection="oauth_jtis", keys=(("x", 1),), expires=True, why="an expired assertion is refused anyway"),
    Index(collection="records", keys=(("w", 1), ("s", 1)), unique=True, why="the chain of a writer: one record for each number"),
    Index(collection="records", keys=(("p", 1), ("t", -1), ("_id", 1)), why="who read this patient's data, latest first"),
    Index(collection="records", keys=(("k", 1), ("t", -1), ("_id", 1)), why="what this actor or client did, latest first"),
    Index(collection="records", keys=(("t", -1), ("_id", 1)), why="the log in time, latest first"),
)

MAIN_INDEX = "k_1_p_1_d_-1__id_1"
"""The index of the main search, by its name."""
RETIRED = (("resources", "p_1_k_1_d_-1__id_1"), ("quarantine", "x_1_ttl"))
"""Indexes of earlier versions (collection, name): dropped once what took their place is there."""


async def ensure_indexes(client: Client, admin: Client | None = None, keys: Client | None = None) -> None:
    """Make what is missing, then drop what was replaced; idempotent, safe when several hubs start at once.

    admin  who may make things in `hub_audit` (None: `client`; enough where the operator has made them)
    keys   where `hub_keys` lies if it has a server of its own (None: `client`)
    """
    servers = {"hub": client, "hub_keys": keys or client, "hub_audit": admin or client}
    for database in servers:
        await _ensure(servers[database][database], [one for one in COLLECTIONS if one.database == database])


async def _ensure(database: AsyncDatabase[dict[str, Any]], wanted: list[Collection]) -> None:
    known = set(await database.list_collection_names())
    for collection in wanted:
        rows = [one for one in INDEXES if one.collection == collection.name]
        if collection.name not in known and not rows:
            await _make(database, collection.name)
        elif rows:
            await _ensure_of(database, collection.name, rows, is_new=collection.name not in known)


async def _make(database: AsyncDatabase[dict[str, Any]], name: str) -> None:
    try:
        await database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:  # another hub made it just now
            raise


async def _ensure_of(database: AsyncDatabase[dict[str, Any]], collection: str, rows: Sequence[Index], *, is_new: bool) -> None:
    """Only what is missing is asked for: the hub's user may look at the log's indexes but not make any.

    All of a collection at once, and the collection with them if there is none: a command each was most of what a first start asks for.
    """
    known = {} if is_new else await database[collection].index_information()
    missing = [index for index in rows if index.name not in known]
    for index in missing:
        if index.fill is not None and not is_new:
            await database[collection].update_many(*index.fill)
    if missing:
        await database[collection].create_indexes([IndexModel(list(index.keys), **index.options()) for index in missing])
    for retired in RETIRED:
        if retired[0] == collection and retired[1] in known:
            await _drop(database, *retired)


async def _drop(database: AsyncDatabase[dict[str, Any]], collection: str, name: str) -> None:
    try:
        await database[collection].drop_index(name)
    except OperationFailure as error:
        if error.code != INDEX_NOT_FOUND:  # another hub dropped it just now
            raise
