"""A body of any length from the network to the spool: unpacked on the way, never whole in memory, and never longer than the limit."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from hub.errors import FhirError
from hub.http import CODINGS, overdue
from hub.ingest.spool import Spool

IDLE_S: Final = 60.0
"""Whoever sends nothing for so long has gone, or holds room that others want."""
WHOLE_S: Final = 3_600.0
"""However steadily it trickles in: room and a place are held as long."""
UNPACKED_BYTES: Final = 1024 * 1024
"""Of what comes out of the gzip at once."""
WBITS: Final = 31


async def receive(request: Request, spool: Spool, limit: int) -> None:
    """Raises FhirError too-long, media-type, structure, and Unavailable where the disk is full."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in CODINGS:
        raise FhirError("media-type", "Content-Encoding may be gzip or absent.", expression="http.Content-Encoding")
    too_long = FhirError("too-long", f"The body, unpacked, is longer than {limit} bytes.")
    if coding != "gzip" and int(request.headers.get("content-length") or 0) > limit:
        raise too_long
    try:
        async with asyncio.timeout(WHOLE_S):
            await _spooled(request, spool, too_long, limit, packed=coding == "gzip")
    except TimeoutError:
        raise overdue(WHOLE_S) from None


async def _spooled(request: Request, spool: Spool, too_long: FhirError, limit: int, *, packed: bool) -> None:
    unpacker = Gunzip() if packed else None
    stream = aiter(request.stream())
    while (part := await _next(stream)) is not None:
        for plain in (part,) if unpacker is None else unpacker.feed(part):
            if spool.size + len(plain) > limit:
                raise too_long
            await spool.write(plain)
    if unpacker is not None:
        unpacker.end()
    await spool.end()


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(IDLE_S):
            return await anext(stream, None)
    except ClientDisconnect:
        raise FhirError("structure", "The body broke off; send it again.") from None
    except TimeoutError:
        raise FhirError("structure", f"Nothing came for {IDLE_S:.0f} seconds, and the body was not at its end; send it again.") from None


class Gunzip:
    """Gives at most UNPACKED_BYTES at once, whatever the input promises."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=WBITS)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Raises FhirError structure."""
        more = False
        while packed or more:
            try:
                plain = self._unpacker.decompress(packed, UNPACKED_BYTES)
            except zlib.error:
                raise FhirError("structure", "The body says gzip and is not.", expression="http.Content-Encoding") from None
            if self._unpacker.unused_data:
                raise FhirError("structure", "Something follows the gzip body.", expression="http.Content-Encoding")
            packed, more = self._unpacker.unconsumed_tail, len(plain) == UNPACKED_BYTES
            if plain:
                yield plain

    def end(self) -> None:
        """Raises FhirError structure."""
        if not self._unpacker.eof:
            raise FhirError("structure", "The gzip body is cut off.", expression="http.Content-Encoding")
