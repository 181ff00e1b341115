"""The keeper of the signed heads: about once a second, only when something happened, the last one at the end (DESIGN 6)."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.chain import Head, genesis
from audit.checkpoint import HeadKeeper, read_heads
from audit.finding import Finding
from tests.spec.audit.given import NOW_US, OTHER_WRITER, WRITER, chain

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NEVER_S = 3_600.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "heads"


def keeper(directory: Path, interval_s: float = NEVER_S) -> HeadKeeper:
    return HeadKeeper(directory, KEY, lambda: NOW_US, interval_s=interval_s)


def kept(directory: Path) -> list[Head | Finding]:
    return read_heads(directory, KEY.public_key())


async def until(holds: Callable[[], bool]) -> None:
    """The keeper writes in a thread, which no event of the loop announces."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


def put_away(directory: Path) -> Path:
    return directory.rename(directory.with_name("away"))


def put_back(moved: Path, directory: Path) -> None:
    moved.rename(directory)


async def test_a_chain_has_a_head_before_its_first_record(directory: Path) -> None:
    """A chain without a head is always a finding, even when its process was killed in its first second."""
    await keeper(directory).begin(genesis(WRITER, ()))
    assert kept(directory) == [genesis(WRITER, ())]


async def test_the_first_advance_is_written_at_once(directory: Path) -> None:
    one = keeper(directory)
    await one.begin(genesis(WRITER, ()))
    one.start()
    one.advance(chain(1)[1])
    await until(lambda: one.written >= 2)
    assert kept(directory) == [chain(1)[1]]
    await one.close()


async def test_within_the_interval_only_the_last_head_is_written(directory: Path) -> None:
    """DESIGN 6: about once a second; thousands of records in between cost nothing."""
    one = keeper(directory)
    await one.begin(genesis(WRITER, ()))
    one.start()
    one.advance(chain(1)[1])
    await until(lambda: one.written >= 2)
    for length in range(2, 9):
        one.advance(chain(length)[1])
        await asyncio.to_thread(int)  # time enough for a keeper that would write now
    await one.close()
    assert one.written == 3
    assert kept(directory) == [chain(8)[1]]


async def test_nothing_is_written_when_nothing_happened(directory: Path) -> None:
    one = keeper(directory, interval_s=0.0)
    await one.begin(genesis(WRITER, ()))
    one.start()
    await one.close()
    assert one.written == 1


async def test_after_the_interval_the_next_head_is_written(directory: Path) -> None:
    one = keeper(directory, interval_s=0.0)
    await one.begin(genesis(WRITER, ()))
    one.start()
    for length in (1, 2, 3):
        one.advance(chain(length)[1])
        await until(lambda length=length: one.written > length)
    assert kept(directory) == [chain(3)[1]]
    await one.close()


async def test_closing_writes_the_last_head(directory: Path) -> None:
    one = keeper(directory)
    await one.begin(genesis(WRITER, ()))
    one.advance(chain(5)[1])
    await one.close()
    assert kept(directory) == [chain(5)[1]]


async def test_a_process_that_begins_a_second_chain_keeps_both_heads(directory: Path) -> None:
    """DESIGN 6: after a round whose fate is unknown a new chain begins; the old one keeps its head."""
    one = keeper(directory)
    await one.begin(genesis(WRITER, ()))
    one.advance(chain(2)[1])
    await one.begin(genesis(OTHER_WRITER, ()))
    one.advance(chain(3, OTHER_WRITER)[1])
    await one.close()
    assert {head.writer: head.sequence for head in kept(directory) if isinstance(head, Head)} == {WRITER: 2, OTHER_WRITER: 3}


async def test_a_head_that_cannot_be_written_is_a_fault_until_it_can(directory: Path) -> None:
    """SECURITY 3.4, faults: disk full. Readiness asks for `fault`; the head is tried again."""
    one = keeper(directory, interval_s=0.0)
    await one.begin(genesis(WRITER, ()))
    moved = put_away(directory)
    one.start()
    one.advance(chain(1)[1])
    await until(lambda: one.fault is not None)
    put_back(moved, directory)
    await until(lambda: one.written >= 2)
    await one.close()
    assert one.fault is None
    assert kept(directory) == [chain(1)[1]]


async def test_closing_says_so_when_the_last_head_cannot_be_written(directory: Path) -> None:
    one = keeper(directory)
    await one.begin(genesis(WRITER, ()))
    put_away(directory)
    one.advance(chain(1)[1])
    with pytest.raises(FileNotFoundError):
        await one.close()


async def test_a_chain_whose_beginning_cannot_be_signed_must_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "heads").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(FileExistsError):
        await keeper(tmp_path / "heads").begin(genesis(WRITER, ()))
