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
    """`find_client` is asked at each request, so a revoked client ends with its next request on every process.

    Written is with `Unit.clients`, in the transaction of the record of it.
    """

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        database = client.get_database("hub", read_concern=ReadConcern("majority"), write_concern=WriteConcern(w="majority", j=True))
        self._database = database
        self._clients = database["oauth_clients"]
        self._jtis = database["oauth_jtis"]
        self._find: Gather[str, Client] = Gather(self._fetch)

    async def find_client(self, client_id: str) -> Client | None:
        """The registration as it counts now: a unit's credential speaks in its owner's name, and ends with its owner."""
        found = await self.registration(client_id)
        if found is None or found.unit is None:
            return found
        owner = await self.registration(found.unit.owner)
        return None if owner is None else found.under(owner)

    async def registration(self, client_id: str) -> Client | None:
        """As it was written, to be changed."""
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

    async def clients(self) -> list[Client]:
        """Of applications, in the order in which they were registered."""
        return await self._listed({"unit": None})

    async def of_units(self, device: bytes | None = None) -> list[Client]:
        """Credentials of single units, all of them or of one."""
        return await self._listed({"unit.device": device} if device is not None else {"unit.device": {"$exists": True}})

    async def has_origin(self, origin: str) -> bool:
        """Is this the origin of pages of an app that is registered, approved and not revoked?"""
        wanted = {"app.origins": origin, "revoked_us": None, "pending": {"$ne": True}}
        try:
            return await self._clients.find_one(wanted, {"_id": 1}) is not None
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error

    async def _listed(self, wanted: Document) -> list[Client]:
        try:
            found = await self._clients.find(wanted).sort("created_us", 1).to_list()
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error
        return [Client.from_document(one) for one in found]

    async def _fetch(self, ids: Sequence[str]) -> Mapping[str, Client]:
        found = await find_ids(self._database, "oauth_clients", ids)
        return {one["_id"]: Client.from_document(one) for one in found}
