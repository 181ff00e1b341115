"""A hub's writes held where a test wants them: decided and not yet begun, or all written and not yet committed."""

import asyncio
from collections.abc import Sequence
from typing import Any

from audit.record import Record
from hub.store.protocol import Unit
from tests.support.inprocess import InProcess

PATIENCE_S = 180


class Held:
    """Stands around a hub's writer: holds it before the database is asked, or after all is written and before it commits."""

    def __init__(self, hub: InProcess) -> None:
        self._writer: Any = hub.hub.services.store.committer.each[0]._writer
        self._write, self._operations = self._writer.write, self._writer._operations
        self.arrived, self.open = asyncio.Event(), asyncio.Event()

    async def _wait(self) -> None:
        self.arrived.set()
        await self.open.wait()

    def before(self) -> None:
        async def write(units: Sequence[Unit], records: Sequence[Record]) -> None:
            if not self.open.is_set() and not all(unit.audit_only for unit in units):
                await self._wait()
            await self._write(units, records)

        self._writer.write = write

    def inside(self) -> None:
        async def operations(units: Sequence[Unit], made: Sequence[Any], session: Any) -> None:
            await self._operations(units, made, session)
            if not self.open.is_set():
                await self._wait()

        self._writer._operations = operations
