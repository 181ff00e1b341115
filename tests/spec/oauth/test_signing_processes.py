"""The signing keys of several processes over one note, with time in the test's hand. RFC 7517 section 5.

The running hub: test_signing_keys_rotate.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from hub.notebook import Page
from hub.services import Services
from hub.signing import ASKED_AGAIN_S, KIND, RELOAD_S, Keyring
from hub.store.protocol import Conflict, Note, NoteWrite, Unit
from security.oauth.key_schedule import ANNOUNCED_S, DAY_US, KeySchedule
from security.oauth.signing_keys import SigningAlgorithm, SigningKey
from tests.spec.oauth.world import NOW_US

DAYS = 30
DUE_US = NOW_US + DAYS * DAY_US - ANNOUNCED_S * 1_000_000


@dataclass(slots=True)
class Shared:
    """The database, as far as the keys go, and what was recorded. `reads`, `tried`: how often the note was asked for, and to be written."""

    note: Note | None = None
    content: dict[str, Any] = field(default_factory=dict)
    reads: int = 0
    tried: int = 0
    recorded: list[str] = field(default_factory=list)

    def write(self, unit: Unit) -> None:
        self.tried += 1
        (written,) = unit.notes
        if (0 if self.note is None else self.note.version) != written.expected_version:
            raise Conflict("signing-keys")
        self.note, self.content = written.new, orjson.loads(written.new.sealed)


class Notes:
    """Instead of a Notebook: nothing is sealed."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def read(self, _name: str) -> Page:
        self._shared.reads += 1
        note, content = self._shared.note, dict(self._shared.content)
        await asyncio.sleep(0)  # others have their turn, as with a real store
        return Page(key=b"k", kind=KIND, patient=None, note=note, content=content)

    async def write(self, page: Page, content: dict[str, Any], expires_us: int | None = None) -> NoteWrite:
        expected = 0 if page.note is None else page.note.version
        new = Note(
            key=b"k", kind=KIND, version=expected + 1, sealed=orjson.dumps(content), key_version=1, patient=None, expires_us=expires_us
        )
        return NoteWrite(new=new, expected_version=expected)


@dataclass(slots=True)
class Recorded:
    shared: Shared
    kind: str

    async def commit(self, unit: Unit, writes: object) -> None:  # noqa: ARG002 (as Recording has it)
        self.shared.write(unit)
        self.shared.recorded.append(self.kind)


@dataclass(slots=True)
class Process:
    ring: Keyring
    shared: Shared
    clock: list[int]

    @asynccontextmanager
    async def recorder(self, kind: str) -> AsyncIterator[Any]:
        yield Recorded(self.shared, kind)

    async def serve(self, until: asyncio.Event) -> None:
        """`forever`, until something has happened."""
        task = asyncio.create_task(self.ring.forever(self.recorder))
        await until.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def process(shared: Shared, now_us: int) -> Process:
    clock = [now_us]
    services = SimpleNamespace(settings=SimpleNamespace(signing_key_days=DAYS))
    ring = Keyring(cast("Services", services), lambda: clock[0])
    ring._notes = Notes(shared)  # type: ignore[assignment]
    return Process(ring, shared, clock)


@pytest.fixture(scope="module")
def first() -> KeySchedule:
    return KeySchedule.first(SigningKey.generate, NOW_US)


@pytest.fixture
def shared(first: KeySchedule) -> Shared:
    note = Note(key=b"k", kind=KIND, version=1, sealed=b"", key_version=1, patient=None, expires_us=None)
    return Shared(note=note, content=first.to_document())


@pytest.fixture
async def two(shared: Shared) -> tuple[Process, Process]:
    made = process(shared, NOW_US), process(shared, NOW_US)
    for one in made:
        await one.ring._read()
    return made


def tried(shared: Shared, times: int) -> asyncio.Event:
    """Set when the note was to be written so often, by a look at each turn of the loop."""
    event = asyncio.Event()

    def look() -> None:
        if shared.tried >= times:
            event.set()
        else:
            asyncio.get_running_loop().call_soon(look)

    asyncio.get_running_loop().call_soon(look)
    return event


async def test_of_all_processes_one_rotates_when_the_time_has_come(two: tuple[Process, Process], shared: Shared) -> None:
    """HUB_SIGNING_KEY_DAYS: whoever writes the note first has done it; one change, one record."""
    for one in two:
        one.clock[0] = DUE_US
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.serve(tried(shared, 2)) for one in two))
    for one in two:
        await one.ring._read()
        assert sorted(key.state for key in one.ring.standings()) == ["announced", "announced", "signing", "signing"]
    assert shared.recorded == ["keys-rotate"]


async def test_of_two_who_change_the_keys_at_once_the_second_is_told(two: tuple[Process, Process], shared: Shared) -> None:
    """The note's version decides; nothing is lost and nothing done twice."""
    done = await asyncio.gather(*(one.ring.rotate(cast("Any", Recorded(shared, "by-hand"))) for one in two), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "ValueError"]
    assert shared.recorded == ["by-hand"]


async def test_a_key_that_another_process_made_is_asked_for_at_once(two: tuple[Process, Process], shared: Shared) -> None:
    """A token signed there a moment ago is good here."""
    here, there = two
    here.ring._read_s = float("-inf")
    await there.ring.withdraw(cast("Any", Recorded(shared, "by-hand")), there.ring.now.current.kid)
    made = there.ring.now.current.kid
    assert not here.ring.now.knows(made)
    assert (await here.ring.knowing(made)).knows(made)


async def test_made_up_names_cause_one_reading_in_a_while(
    two: tuple[Process, Process], shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends forged tokens does not make the hub ask its database for each."""
    here, _ = two
    monkeypatch.setattr("hub.signing.ASKED_AGAIN_S", 60.0)  # however slow the machine is
    here.ring._read_s, before = float("-inf"), shared.reads
    for _ in range(3):
        await asyncio.gather(*(here.ring.knowing(f"made-up-{number}") for number in range(50)))
    assert shared.reads == before + 1
    assert 0 < ASKED_AGAIN_S <= RELOAD_S


async def test_a_withdrawn_key_empties_what_is_remembered(two: tuple[Process, Process], shared: Shared) -> None:
    """The number of withdrawals changes with the next reading; the cache of verified tokens is compared with it."""
    here, there = two
    kid, before = here.ring.now.current.kid, here.ring.now.withdrawals
    await there.ring.withdraw(cast("Any", Recorded(shared, "by-hand")), kid)
    await here.ring._read()
    assert here.ring.now.withdrawals == before + 1
    assert here.ring.now.verifying(kid) is None


async def test_a_process_that_cannot_read_goes_on_with_what_it_knows(two: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for a moment ends no process; nobody is let in meanwhile, for clients cannot be looked up."""
    here, _ = two
    asked = asyncio.Event()

    async def away(_name: str) -> Page:
        asked.set()
        raise OSError

    monkeypatch.setattr(here.ring._notes, "read", away)
    async with asyncio.timeout(60):
        await here.serve(asked)
    assert here.ring.now.current


def kinds(ring: Keyring) -> set[SigningAlgorithm]:
    return {key.algorithm for key in ring.standings()}


async def test_both_kinds_are_read(two: tuple[Process, Process]) -> None:
    """Access tokens and id_tokens."""
    assert kinds(two[0].ring) == {"ES256", "RS256"}
