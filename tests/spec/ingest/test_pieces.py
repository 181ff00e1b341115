"""A recording that lies in pieces is read as it is asked for. docs/adr/0014-recordings.md"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.pieces import ContentMissing, Pieces
from hub.repository.content import CONTENT_PIECE_BYTES
from hub.store.protocol import Unavailable

SIZE = 2 * CONTENT_PIECE_BYTES + 1_000
CONTENT = bytes(range(256)) * (SIZE // 256 + 1)
PLACES = st.integers(0, SIZE + 10)


def pieces(missing: int | None = None) -> Pieces:
    """ "Sealed" is turned round."""

    async def fetch(number: int) -> bytes | None:
        start = number * CONTENT_PIECE_BYTES
        return None if number == missing else CONTENT[start : min(start + CONTENT_PIECE_BYTES, SIZE)][::-1]

    return Pieces(fetch, lambda _, sealed: sealed[::-1], SIZE)


@given(start=PLACES, end=PLACES)
def test_a_slice_is_that_of_the_whole(start: int, end: int) -> None:
    async def read() -> bytes:
        return await asyncio.to_thread(pieces().__getitem__, slice(start, end))

    assert asyncio.run(read()) == CONTENT[:SIZE][start:end]


async def test_as_a_file_it_is_read_to_its_end() -> None:
    reader = pieces().reader()
    parts = [await asyncio.to_thread(reader.read, 100_000) for _ in range(6)]
    assert b"".join(parts) == CONTENT[:SIZE]
    assert await asyncio.to_thread(reader.read, 1) == b""


async def test_where_a_piece_is_missing_it_says_so_and_gives_nothing() -> None:
    with pytest.raises(ContentMissing):
        await asyncio.to_thread(pieces(missing=1).read_at, 0, SIZE)


async def test_who_would_wait_for_ever_is_told_so() -> None:
    """In the event loop, which would have to bring the piece."""
    with pytest.raises(RuntimeError, match="in a thread"):
        pieces().read_at(0, 1)


async def test_all_threads_may_read_pieces_at_the_same_time() -> None:
    """No piece needs a thread besides the one that reads it, or those that read would wait for each other."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as threads:
        loop.set_default_executor(threads)
        found = await asyncio.wait_for(asyncio.gather(*(asyncio.to_thread(pieces().read_at, 0, SIZE) for _ in range(8))), 120)
    assert found == [CONTENT[:SIZE]] * 8


async def test_a_store_that_is_away_is_no_missing_piece() -> None:
    async def away(_: int) -> bytes | None:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        await asyncio.to_thread(Pieces(away, lambda _, sealed: sealed, SIZE).read_at, 0, 1)
