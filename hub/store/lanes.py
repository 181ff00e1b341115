"""Which round of group commit a unit goes into: the lane of writes, or one where nothing but the log grows.

A round is a wait for the disk, and who comes while it is written waits for two. Most requests only read, and their records
need no transaction; they take whichever lane is free. Writes stay in one lane: of two that want the same, the second is told
within the process and no transaction is begun in vain (docs/adr/0005-group-commit.md).
"""

from collections.abc import Sequence

from hub.store.committer import Committer
from hub.store.protocol import Unit


class Lanes:
    """`await commit(unit)` returns when the unit and its audit records are durable."""

    def __init__(self, writes: Committer, *records: Committer) -> None:
        """`writes` takes everything; `records` units with audit records alone. Each has a chain of its own."""
        self._writes = writes
        self._records = (writes, *records)

    async def commit(self, unit: Unit) -> None:
        """Raises Conflict (nothing written, redo) or Unavailable (not acknowledged)."""
        await (self._freest() if unit.audit_only else self._writes).commit(unit)

    async def drain(self) -> None:
        """Wait until nothing is under way (used before the process ends)."""
        for lane in self._records:
            await lane.drain()

    @property
    def each(self) -> Sequence[Committer]:
        return self._records

    def _freest(self) -> Committer:
        return min(self._records, key=lambda lane: lane.waiting)
