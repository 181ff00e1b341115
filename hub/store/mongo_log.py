"""The log as a verifier and a compliance officer read it: whole, in order, in one snapshot; or by question.

Synchronous on purpose: `hub audit verify` walks everything and has nobody to share its process with.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import DESCENDING, AsyncMongoClient, MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from audit.queries import AuditQuery
from audit.record import Draft, from_document
from audit.verify import Current
from hub.store.protocol import Unavailable
from security.envelope import fingerprint

Document = dict[str, Any]


class Log:
    """Records and current versions as of one moment."""

    def __init__(self, client: MongoClient[Document], session: ClientSession) -> None:
        self._client = client
        self._session = session

    def documents(self) -> Iterator[Document]:
        """By writer and sequence."""
        yield from self._client["hub_audit"]["records"].find({}, session=self._session).sort([("w", 1), ("s", 1)])

    def current(self) -> Iterator[Current]:
        for found in self._client["hub"]["resources"].find({}, {"v": 1, "c": 1}, session=self._session):
            yield str(found["_id"]), int(found["v"]), fingerprint(found["c"])

    def size(self) -> int:
        """About how many documents a verification reads."""
        records = self._client["hub_audit"]["records"].estimated_document_count()
        return int(records + self._client["hub"]["resources"].estimated_document_count())


@contextmanager
def log_snapshot(url: str) -> Iterator[Log]:
    client: MongoClient[Document] = MongoClient(url, serverSelectionTimeoutMS=5_000)
    try:
        with client, client.start_session(snapshot=True) as session:
            yield Log(client, session)
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error


async def asked(client: AsyncMongoClient[Document], query: AuditQuery) -> list[Draft]:
    """The records that answer a question, newest first."""
    wanted: Document = {}
    if query.patient is not None:
        wanted["p"] = query.patient
    if query.tokens:
        wanted["k"] = {"$all": sorted(query.tokens)}
    period = {operator: value for operator, value in (("$gte", query.from_us), ("$lt", query.to_us)) if value is not None}
    if period:
        wanted["t"] = period
    cursor = client["hub_audit"]["records"].find(wanted).sort([("t", DESCENDING), ("_id", 1)]).limit(query.limit)
    try:
        return [from_document(found).draft for found in await cursor.to_list()]
    except PyMongoError as error:
        raise Unavailable(type(error).__name__) from error
