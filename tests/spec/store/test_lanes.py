"""Lanes of group commit (docs/adr/0005): records of reads take the lane that is free, writes stay in one."""

import asyncio

from audit.chain import genesis, is_whole
from hub.store.committer import Committer
from hub.store.lanes import Lanes
from hub.store.protocol import Unit
from tests.spec.store.given import draft, stored, unit
from tests.spec.store.test_committer import Told


def lanes() -> tuple[Lanes, Told, Told]:
    """Two lanes, each with a writer of its own that can be held up."""
    made = []
    for number in range(2):
        writer = Told()

        async def new_head(number: int = number) -> object:
            return genesis(bytes([number]), [])

        made.append((Committer(writer, new_head, lambda _: None), writer))  # type: ignore[arg-type]
    (first, one), (second, other) = made
    return Lanes(first, second), one, other


def write(id: str) -> Unit:
    return unit(id, inserts=[stored(id)])


def read(id: str) -> Unit:
    """What a read leaves: a record and nothing else."""
    return Unit(drafts=[draft(id)])


async def test_the_record_of_a_read_does_not_wait_for_a_write() -> None:
    """DESIGN 6: while a transaction is written, what only has to be recorded goes on."""
    committing, writes, records = lanes()
    writes.gate.clear()
    task = asyncio.create_task(committing.commit(write("a")))
    await writes.entered.wait()
    await committing.commit(read("b"))
    assert not task.done()
    assert [len(one) for one in records.rounds] == [1]
    writes.gate.set()
    await task


async def test_writes_stay_in_one_lane() -> None:
    """Of two that want the same, the second is told within the process."""
    committing, writes, records = lanes()
    writes.gate.clear()
    tasks = [asyncio.create_task(committing.commit(write(id))) for id in "abc"]
    await writes.entered.wait()
    writes.gate.set()
    await asyncio.gather(*tasks)
    assert sum(len(one) for one in writes.rounds) == 3
    assert records.rounds == []


async def test_one_reader_alone_needs_one_chain() -> None:
    """A chain that is not needed is not begun."""
    committing, writes, records = lanes()
    for id in "abc":
        await committing.commit(read(id))
    assert len(writes.records) == 3
    assert all(is_whole(record) for record in writes.records)
    assert records.records == []


async def test_draining_waits_for_every_lane() -> None:
    """A process ends when nothing is under way."""
    committing, writes, records = lanes()
    for writer in (writes, records):
        writer.gate.clear()
    tasks = [asyncio.create_task(committing.commit(one)) for one in (write("a"), read("b"))]
    await asyncio.gather(writes.entered.wait(), records.entered.wait())
    drained = asyncio.create_task(committing.drain())
    writes.gate.set()
    await asyncio.gather(tasks[0])
    assert not drained.done()
    records.gate.set()
    await drained
    assert all(task.done() for task in tasks)
