"""Group commit: what runs at the same time is made durable together, and each request keeps its own fate.

One lane per process. A round takes every waiting unit, chains their audit records and writes all of it in one
transaction (majority + journal). That costs one disk flush however many units wait: measured with a transaction for
each write the same machine gives a tenth (docs/adr/0005-group-commit.md). The round is also what gives this process's
audit chain its gap-free numbers: a number is used only when the transaction that carries it has committed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from audit.chain import Head, link
from audit.record import Record
from hub.store.protocol import Conflict, Locked, Statistics, Unavailable, Unit, Unsure

ROUND_UNITS_MAX = 256
ROUND_ROWS_MAX = 20_000
ROUND_RETRIES_MAX = 5
HELD_MAX = 10_000
RETRY_WAIT_S = 0.004
"""Two processes that want the same rows must not meet again at once."""


class UnitsInConflict(Exception):
    """Raised by the writer: these units of the round cannot be written; nothing of the round was."""

    def __init__(self, indices: frozenset[int]) -> None:
        super().__init__("units in conflict")
        self.indices = indices


class Contended(Exception):
    """Another process touched the same rows at the same time; nothing was written, try the round again."""


class Uncertain(Exception):
    """The store went away; it is not known whether the round was written."""


class Unreached(Exception):
    """The store takes nothing at this moment; nothing of the round was written, so the chain can go on where it is."""


class Unwritable(Exception):
    """Something in the round cannot be written (a document too large, no room left); nothing of the round was."""


class RoundWriter(Protocol):
    """Writes a round, or nothing of it. The only part of group commit that knows a database."""

    async def write(self, units: Sequence[Unit], records: Sequence[Record]) -> None:
        """Raises UnitsInConflict, Contended, Unwritable, Unreached (nothing was written) or Uncertain."""
        ...


@dataclass(slots=True)
class _Waiting:
    """`keys`: claims, rows, rules of patients and notes that only one can have."""

    unit: Unit
    done: asyncio.Future[None]
    keys: frozenset[bytes | str] = field(init=False)

    def __post_init__(self) -> None:
        unit = self.unit
        rows, patients = (one.old.row for one in unit.replaces), (one.new.patient for one in unit.grants)
        notes = (one.new.key for one in unit.notes)
        self.keys = frozenset((*(one.key for one in unit.claims), *rows, *patients, *notes, *unit.forgotten))

    @property
    def rows(self) -> int:
        return len(self.unit.inserts) + len(self.unit.replaces) + len(self.unit.drafts)


class Committer:
    """`await commit(unit)` returns when the unit and its audit records are durable."""

    def __init__(
        self,
        writer: RoundWriter,
        new_head: Callable[[], Awaitable[Head]],
        advanced: Callable[[Head], None],
        statistics: Statistics | None = None,
    ) -> None:
        self._writer = writer
        self._new_head = new_head
        self._advanced = advanced
        self.statistics = statistics or Statistics()
        self._head: Head | None = None
        self._queue: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._writing = 0
        self._held: set[bytes | str] = set()
        """Keys that a transaction which has not ended was found to hold: who wants them goes alone, and does not hold up a round."""

    async def commit(self, unit: Unit) -> None:
        """Raises Conflict or Locked (nothing written, redo), Unavailable (nothing written) or Unsure (nobody knows)."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(unit, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        # A caller that goes away must not pull its unit out of a round that is being written.
        await asyncio.shield(done)

    @property
    def waiting(self) -> int:
        """How many units have to be made durable before one that comes now would be looked at, and those of its round."""
        return len(self._queue) + self._writing

    async def drain(self) -> None:
        """Wait until nothing is under way (used before the process ends)."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        while self._queue:
            await asyncio.sleep(0)  # whoever is about to commit in this turn of the loop comes along
            round_, second = _without_second(self._take())
            self._writing = len(round_)
            try:
                await self._settle([waiting for waiting in round_ if self._held.isdisjoint(waiting.keys)])
                await self._one_by_one([waiting for waiting in round_ if not waiting.done.done()])
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
                self._head = None
                _fail(round_, Unsure(str(error)))
            self._writing = 0
            # Told only now: when they look again, they find what came first.
            self.statistics.conflicts += len(second)
            _fail(second, Conflict())

    def _take(self) -> list[_Waiting]:
        rows = taken = 0
        for waiting in self._queue[:ROUND_UNITS_MAX]:
            if taken and rows + waiting.rows > ROUND_ROWS_MAX:
                break
            rows += waiting.rows
            taken += 1
        round_, self._queue = self._queue[:taken], self._queue[taken:]
        return round_

    async def _settle(self, round_: list[_Waiting]) -> None:
        """Write the round; throw out who conflicts and write the rest, so that a neighbour's failure stays its own."""
        attempts = 0
        while round_:
            try:
                await self._write(round_)
            except UnitsInConflict as conflict:
                self.statistics.conflicts += len(conflict.indices)
                _fail([waiting for index, waiting in enumerate(round_) if index in conflict.indices], Conflict())
                round_ = [waiting for index, waiting in enumerate(round_) if index not in conflict.indices]
            except Contended:
                attempts += 1
                self.statistics.retries += 1
                if attempts > ROUND_RETRIES_MAX:
                    await self._one_by_one(round_)
                    return
                await asyncio.sleep(random.uniform(0, attempts * RETRY_WAIT_S))  # noqa: S311 (nothing secret)
            except Unwritable:
                await self._one_by_one(round_)
                return
            except (Unreached, Uncertain) as error:
                self._give_up(round_, error)
                return
            else:
                for waiting in round_:
                    if not waiting.done.done():
                        waiting.done.set_result(None)
                return

    async def _one_by_one(self, round_: list[_Waiting]) -> None:
        for waiting in round_:
            self._held -= waiting.keys
            try:
                await self._write([waiting])
            except UnitsInConflict:
                _fail([waiting], Conflict())
            except Contended:
                # Alone, and mostly after many tries: whoever holds the row is not about to commit.
                if len(self._held) < HELD_MAX:
                    self._held |= waiting.keys
                _fail([waiting], Locked())
            except (Unwritable, Unreached, Uncertain) as error:
                self._give_up([waiting], error)
            else:
                if not waiting.done.done():
                    waiting.done.set_result(None)

    def _give_up(self, round_: Sequence[_Waiting], error: Exception) -> None:
        unsure = isinstance(error, Uncertain)
        if unsure:
            # Whether the old chain carries this round is unknown, so it gets no further record: a new one begins.
            self._head = None
        self.statistics.failures += 1
        _fail(round_, (Unsure if unsure else Unavailable)(str(error)))

    async def _write(self, round_: Sequence[_Waiting]) -> None:
        if self._head is None:
            self._head = await self._new_head()
        drafts = [draft for waiting in round_ for draft in waiting.unit.drafts]
        records, head = link(self._head, drafts)
        await self._writer.write([waiting.unit for waiting in round_], records)
        self._head = head
        self._advanced(head)
        self.statistics.rounds += 1
        self.statistics.units += len(round_)
        self.statistics.largest_round = max(self.statistics.largest_round, len(round_))


def _without_second(round_: Sequence[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """Those who can be written together, and those who want a claim, a row or a grant that another one of the round wants as well.

    What is written about a patient stands in the way of who changes the grant, and not of what else is written.
    """
    wanted: set[bytes | str] = set()
    entered: set[bytes | str] = set()
    first: list[_Waiting] = []
    second: list[_Waiting] = []
    for waiting in round_:
        alone = wanted.isdisjoint(waiting.keys | waiting.unit.about) and entered.isdisjoint(waiting.keys)
        (first if alone else second).append(waiting)
        wanted |= waiting.keys
        entered |= waiting.unit.about
    return first, second


def _fail(round_: Sequence[_Waiting], error: Exception) -> None:
    for waiting in round_:
        if not waiting.done.done():
            waiting.done.set_exception(error)
            waiting.done.exception()  # a caller that went away must not leave a warning behind
