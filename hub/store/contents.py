"""Bytes too long for a row, in pieces beside it: sealed like rows, written before the row that makes them visible.

A piece is written once and never changed; one that no row names (the hub ended between the two) is sealed under its patient's key like
the rest, and is written anew when the recording is sent again. docs/adr/0014-recordings.md
"""

from typing import Any, NamedTuple

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from hub.store.protocol import Unavailable


class Piece(NamedTuple):
    """`id` says of what content it is and the how-manieth; `patient` is the token under whose key it is sealed."""

    id: str
    patient: bytes
    key_version: int
    sealed: bytes


class MongoContents:
    """The collection `contents`."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._pieces = database.get_collection("contents", write_concern=WriteConcern("majority", j=True))

    async def put(self, piece: Piece) -> None:
        """Durable when it returns; the same piece again takes its place. Raises Unavailable."""
        row = {"_id": piece.id, "p": piece.patient, "w": piece.key_version, "c": piece.sealed}
        try:
            await self._pieces.replace_one({"_id": piece.id}, row, upsert=True)
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error

    async def get(self, id: str) -> Piece | None:
        try:
            found = await self._pieces.find_one({"_id": id})
        except PyMongoError as error:
            raise Unavailable(type(error).__name__) from error
        return None if found is None else Piece(id=id, patient=found["p"], key_version=found["w"], sealed=found["c"])
