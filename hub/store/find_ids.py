"""Documents by their ids, by the plainest command there is.

It runs several times in each request. A cursor would cost a fifth more of the client's time for nothing: a batch of ids
is answered in one piece (measured: 155 against 125 us; docs/adr/0002).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect

MAJORITY = {"level": "majority"}
IN_ONE_PIECE_MAX = 1_000
Document = dict[str, Any]


async def find_ids(
    database: AsyncDatabase[Document],
    collection: str,
    ids: Sequence[Any],
    session: AsyncClientSession | None = None,
    there: Mapping[str, Any] = MappingProxyType({}),
    projection: Document | None = None,
) -> list[Document]:
    """Those that exist, in no order. Many, or large ones, come by cursor. Raises PyMongoError.

    there  what must hold of them besides
    """
    asked = {"_id": {"$in": list(ids)}, **there}
    if len(ids) > IN_ONE_PIECE_MAX:
        return await database[collection].find(asked, projection, session=session).to_list()
    command = {"find": collection, "filter": asked, "batchSize": IN_ONE_PIECE_MAX, **({"projection": projection} if projection else {})}
    return await _find(database, command, session)


async def find_some(database: AsyncDatabase[Document], collection: str, filter: Document, limit: int) -> list[Document]:
    """At most `limit` (not above IN_ONE_PIECE_MAX * 8) of those for which the filter holds. Raises PyMongoError."""
    return await _find(database, {"find": collection, "filter": filter, "limit": limit, "batchSize": limit})


async def find_sorted(
    database: AsyncDatabase[Document], collection: str, session: AsyncClientSession, filter: Document, *, limit: int, **options: Any
) -> list[Document]:
    """The first `limit` (not above IN_ONE_PIECE_MAX), in the moment of a snapshot.

    `options`: `sort` as a list; a `hint` and a `projection`, or None.

    Raises PyMongoError.
    """
    sort, rest = options.pop("sort"), {name: value for name, value in options.items() if value is not None}
    # One more than is wanted, or the server would keep the cursor open.
    command = {"find": collection, "filter": filter, "sort": dict(sort), "limit": limit, "batchSize": limit + 1, **rest}
    return await _find(database, command, session)


async def _find(database: AsyncDatabase[Document], command: Document, session: AsyncClientSession | None = None) -> list[Document]:
    """A session that is a snapshot says itself how recent its reads are."""
    if session is None:
        command["readConcern"] = MAJORITY
    asked = {name: command[name] for name in ("filter", "projection", "limit", "sort", "hint") if name in command}
    try:
        answer = await database.command(command, session=session)
    except AutoReconnect:
        answer = await database.command(command, session=session)  # a primary that changed is found at the second try
    found: list[Document] = answer["cursor"]["firstBatch"]
    if answer["cursor"]["id"]:
        # Together they were larger than one answer may be: rare enough to ask again.
        return await database[command["find"]].find(session=session, **asked).to_list()
    return found
