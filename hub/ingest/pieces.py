"""A recording that lies in pieces, read as it is asked for: one piece is held, however long it is.

docs/adr/0014-recordings.md. Adapters and hashes read in threads, the database is asked in the event loop: so each piece is fetched from
there. Whoever reads in the loop itself would wait for ever, and is told so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from adapters.contract import Adapter, Context, Streaming
from adapters.limits import PAYLOAD_BYTES_MAX
from adapters.reading import Item
from hub.ingest.spool import Reader
from hub.ingest.weighed import weighed
from hub.repository.content import CONTENT_PIECE_BYTES
from hub.store.protocol import Unavailable

PIECE_WAIT_S: Final = 60.0
"""The database has its own, shorter patience; this is for a loop that is not there any more."""

Fetch = Callable[[int], Awaitable[bytes | None]]
"""The piece of this number as it lies there; None where it is missing."""
Open = Callable[[int, bytes], bytes]
"""The piece of this number, opened: in the thread that reads, for all other threads may be waiting for pieces, too."""


class ContentMissing(Exception):
    """A piece is not there."""


class ContentTooLong(Exception):
    """Only an adapter that reads in pieces can read it."""


class Pieces:
    """Bytes with a length that can be sliced (`hub.ingest.weighed.Content`). Reading raises ContentMissing; Unavailable."""

    def __init__(self, fetch: Fetch, open: Open, size: int) -> None:
        """In the event loop, which is the one that fetches."""
        self._fetch, self._open, self.size, self._loop = fetch, open, size, asyncio.get_running_loop()
        self._opened: tuple[int, bytes] = (-1, b"")

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: slice, /) -> bytes:
        start, end, _ = place.indices(self.size)
        return self.read_at(start, end - start)

    def read_at(self, start: int, length: int) -> bytes:
        """A stretch, shorter at the end. In a thread."""
        parts, end = [], min(start + length, self.size)
        while start < end:
            number, place = divmod(start, CONTENT_PIECE_BYTES)
            part = self._piece(number)[place : place + end - start]
            if not part:
                raise ContentMissing
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def reader(self) -> Reader:
        """As a file opened for reading bytes."""
        return Reader(self)

    def _piece(self, number: int) -> bytes:
        held, opened = self._opened
        if held != number:
            opened = self._fetched(number)
            self._opened = number, opened
        return opened

    def _fetched(self, number: int) -> bytes:
        async def fetched() -> bytes | None:
            return await self._fetch(number)

        if _is_in_loop():
            raise RuntimeError("pieces are read in a thread")
        try:
            found = asyncio.run_coroutine_threadsafe(fetched(), self._loop).result(PIECE_WAIT_S)
        except TimeoutError as error:
            raise Unavailable("no piece came") from error
        if found is None:
            raise ContentMissing
        return self._open(number, found)


def read_pieces(adapter: Adapter, pieces: Pieces, context: Context, head: bytes = b"") -> Sequence[Item]:
    """What the adapter makes of a recording; it is read whole only where the adapter knows no other way, and is short enough.

    `head`: what stands before it in the item's own bytes (`Document.start`); it is no file of its own, and is read whole, too.
    In a thread. Raises Unreadable and whatever else the adapter trips over; ContentMissing, ContentTooLong.
    """
    if isinstance(adapter, Streaming) and not head:
        return [weighed(item, pieces.read_at) for item in adapter.decode_stream(pieces.reader(), context)]
    if len(head) + len(pieces) > PAYLOAD_BYTES_MAX:
        raise ContentTooLong
    return list(adapter.decode(head + pieces[:], context))


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
