"""A payload that is too long for memory, on disk until it is taken in: sealed piece by piece, never a clear file.

The key is made for this one payload and exists in this process alone, and the file has no name: whoever ends the process, nothing is
left that anybody could read, not even with the hub's own keys. docs/adr/0020-uploads.md
"""

import asyncio
import os
import tempfile
import threading
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from hub.store.protocol import Unavailable
from hub.vault import SPOOL_TYPE, Vault
from security.envelope import DATA_KEY_BYTES, data_key

PIECE_BYTES: Final = 1024 * 1024
MODE: Final = 0o700


class Spool:
    """Written from the beginning to the end, then read at any place. Several may read, one after the other.

    prefix  is hashed before the payload: `digest` is of both
    """

    def __init__(self, directory: Path, vault: Vault, *, prefix: bytes = b"") -> None:
        self._vault, self._key = vault, data_key(b"spool", 0, os.urandom(DATA_KEY_BYTES))
        self._hash = sha256(prefix)
        self._places: list[tuple[int, int]] = []
        self._pending = bytearray()
        self._opened: tuple[int, bytes] = (-1, b"")
        self._lock = threading.Lock()
        self._end = self.size = 0
        directory.mkdir(mode=MODE, parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed by `close`

    async def write(self, part: bytes) -> None:
        """Raises Unavailable where there is no space."""
        self._pending += part
        self.size += len(part)
        while len(self._pending) >= PIECE_BYTES:
            piece = bytes(self._pending[:PIECE_BYTES])
            del self._pending[:PIECE_BYTES]
            await asyncio.to_thread(self._seal, piece)

    async def end(self) -> None:
        """Everything is written. Raises Unavailable."""
        await asyncio.to_thread(self._seal, bytes(self._pending))
        self._pending.clear()

    @property
    def digest(self) -> str:
        """SHA-256 of prefix and payload."""
        return self._hash.hexdigest()

    def read_at(self, start: int, length: int) -> bytes:
        """A stretch of the payload, shorter at its end. Raises ValueError once it is closed."""
        parts = []
        end = min(start + length, self.size)
        while start < end:
            piece, place = divmod(start, PIECE_BYTES)
            part = self._piece(piece)[place : place + end - start]
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def reader(self) -> "Reader":
        return Reader(self)

    def close(self) -> None:
        """The file goes with its last handle; what a thread still reads, it reads to the end."""
        with self._lock:
            self._file.close()

    def _seal(self, piece: bytes) -> None:
        self._hash.update(piece)
        number = len(self._places)
        sealed = self._vault.seal(self._key, SPOOL_TYPE, "", number, None, piece, purpose="content")
        try:
            with self._lock:
                self._file.write(sealed)
                self._file.flush()
        except OSError as error:
            raise Unavailable(type(error).__name__) from error
        self._places.append((self._end, len(sealed)))
        self._end += len(sealed)

    def _piece(self, number: int) -> bytes:
        with self._lock:
            if self._opened[0] != number:
                start, length = self._places[number]
                self._file.seek(start)
                sealed = self._file.read(length)
                self._opened = number, self._vault.open_sealed(self._key, SPOOL_TYPE, "", number, None, sealed, purpose="content")
            return self._opened[1]


class Stretched(Protocol):
    """What can be read at any place. `size`: in bytes."""

    size: int

    def read_at(self, start: int, length: int) -> bytes: ...


class Reader:
    """It as a file opened for reading bytes (`adapters.contract.Source`)."""

    def __init__(self, of: Stretched) -> None:
        self._of, self._place = of, 0

    def read(self, size: int, /) -> bytes:
        part = self._of.read_at(self._place, self._of.size if size < 0 else size)
        self._place += len(part)
        return part
