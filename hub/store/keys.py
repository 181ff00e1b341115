"""Wrapped keys in MongoDB: collection `keys` of the database `hub_keys`, which may have a URL and a backup life of its own.

    _id  key id (binary)    v  version    w  wrapped key    kms  which master key wrapped it

Without this separation erasure by destroying keys would not be true for backups (DESIGN 5).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from security.keys import WrappedKey

Document = dict[str, Any]

IDS_PER_QUERY_MAX: Final = 10_000
WRITE_TIMEOUT_MS: Final = 10_000
DUPLICATE_KEY: Final = 11000


class MongoKeys:
    """A `security.keys.WrappedKeyStore`. Raises pymongo's errors when the database does not answer."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        # What is read must never be rolled back: somebody is about to seal with that key.
        self._keys = collection.with_options(
            write_concern=WriteConcern("majority", wtimeout=WRITE_TIMEOUT_MS, j=True),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
        found: dict[bytes, WrappedKey] = {}
        for some in _portions(ids):
            async for document in self._keys.find({"_id": {"$in": some}}):
                found[document["_id"]] = _wrapped_key(document)
        return found

    async def insert(self, keys: Sequence[WrappedKey]) -> Mapping[bytes, WrappedKey]:
        try:
            if keys:
                await self._keys.insert_many([_document(key) for key in keys], ordered=False)
        except BulkWriteError as error:
            _refuse_all_but_duplicates(error)
        else:
            return {key.id: key for key in keys}
        # The failed insert waited for the majority as well, so the key that was there first can be read as such.
        stored = await self.find([key.id for key in keys])
        if len(stored) < len({key.id for key in keys}):
            raise LookupError("a key that was there a moment ago is not there now")
        return stored


def _portions(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(ids), IDS_PER_QUERY_MAX):
        yield ids[start : start + IDS_PER_QUERY_MAX]


def _refuse_all_but_duplicates(error: BulkWriteError) -> None:
    details: Mapping[str, Any] = error.details or {}
    if details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in details["writeErrors"]):
        raise error


def _document(key: WrappedKey) -> Document:
    return {"_id": key.id, "v": key.version, "w": key.wrapped, "kms": key.kms_key}


def _wrapped_key(document: Mapping[str, Any]) -> WrappedKey:
    return WrappedKey(id=document["_id"], version=document["v"], wrapped=document["w"], kms_key=document["kms"])
