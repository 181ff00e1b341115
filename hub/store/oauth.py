"""Registered clients and used-up assertion ids in MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.store.find_ids import find_ids
from hub.store.gather import Gather
from hub.store.protocol import Unavailable
from security.oauth.clients import Client

Document = dict[str, Any]


class OAuthStore:
    """`find_client` is asked at each request, so a revoked client ends with its next request on every process."""

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        database = client.get_database("hub", read_concern=ReadConcern("majority"), write_concern=WriteConcern(w="majority", j=True))
        self._database = database
        self._clients = database["oauth_clients"]
        self._jtis = database["oauth_jtis"]
        self._find: Gather[str, Client] = Gather(self._fetch)

    async def find_client(self, client_id: str) -> Client | None:
        try:
            return await self._find(client_id)
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error

    async def consume_jti(self, key: bytes, exp_us: int) -> bool:
        """True for the first who asks, on whatever process: the unique `_id` decides. Forgotten after it expired."""
        expires = datetime.fromtimestamp(exp_us / 1_000_000, UTC)
        try:
            await self._jtis.insert_one({"_id": key, "x": expires})
        except DuplicateKeyError:
            return False
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error
        return True

    async def add_client(self, client: Client) -> None:
        await self._clients.insert_one({"_id": client.client_id, **client.to_document()})

    async def revoke_client(self, client_id: str, now_us: int) -> bool:
        """False if there is no such client; revoking twice keeps the first time."""
        result = await self._clients.update_one({"_id": client_id}, [{"$set": {"revoked_us": {"$ifNull": ["$revoked_us", now_us]}}}])
        return result.matched_count == 1

    async def clients(self) -> list[Client]:
        found = await self._clients.find({}).sort("created_us", 1).to_list()
        return [Client.from_document(one) for one in found]

    async def _fetch(self, ids: Sequence[str]) -> Mapping[str, Client]:
        found = await find_ids(self._database, "oauth_clients", ids)
        return {one["_id"]: Client.from_document(one) for one in found}
