"""Wrapped keys in MongoDB: collection `keys` of the database `hub_keys`, which may have a URL and a backup life of its own.

    _id  key id (binary)    v  version    w  wrapped key    kms  which master key wrapped it

Without this separation erasure by destroying keys would not be true for backups (DESIGN 5).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern

from hub.store.protocol import Unavailable
from security.keys import WrappedKey

Document = dict[str, Any]

IDS_PER_QUERY_MAX: Final = 10_000
WRITE_TIMEOUT_MS: Final = 10_000
DUPLICATE_KEY: Final = 11000


class MongoKeys:
    """A `security.keys.WrappedKeyStore`. Raises Unavailable when the database does not acknowledge."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        # What is read must never be rolled back: somebody is about to seal with that key.
        self._keys = collection.with_options(
            write_concern=WriteConcern("majority", wtimeout=WRITE_TIMEOUT_MS, j=True),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
        found: dict[bytes, WrappedKey] = {}
        try:
            for some in _portions(ids):
                async for document in self._keys.find({"_id": {"$in": some}}):
                    found[document["_id"]] = _wrapped_key(document)
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error
        return found

    async def insert(self, keys: Sequence[WrappedKey]) -> Mapping[bytes, WrappedKey]:
        if not keys or await self._all_inserted(keys):
            return {key.id: key for key in keys}
        # The refused insert waited for the majority as well, so the key that was there first can be read as such.
        stored = await self.find([key.id for key in keys])
        if not stored.keys() >= {key.id for key in keys}:
            raise Unavailable("a key that was there first cannot be read yet")
        return stored

    async def _all_inserted(self, keys: Sequence[WrappedKey]) -> bool:
        """False if some ids were there already; the others are stored all the same."""
        try:
            await self._keys.insert_many([_document(key) for key in keys], ordered=False)
        except BulkWriteError as error:
            if _only_duplicates(error.details or {}):
                return False
            raise Unavailable(type(error).__name__) from error
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error
        return True


def _portions(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(ids), IDS_PER_QUERY_MAX):
        yield ids[start : start + IDS_PER_QUERY_MAX]


def _only_duplicates(details: Mapping[str, Any]) -> bool:
    return not details.get("writeConcernErrors") and all(one["code"] == DUPLICATE_KEY for one in details.get("writeErrors", ()))


def _document(key: WrappedKey) -> Document:
    return {"_id": key.id, "v": key.version, "w": key.wrapped, "kms": key.kms_key}


def _wrapped_key(document: Mapping[str, Any]) -> WrappedKey:
    return WrappedKey(id=document["_id"], version=document["v"], wrapped=document["w"], kms_key=document["kms"])
