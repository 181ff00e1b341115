"""Reads that arrive together go to the database together.

Sixteen callers who each want one row cost one query instead of sixteen. A key asked for after a query was sent waits
for the next one, so that an answer is never older than its question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

BATCH_KEYS_MAX = 1_000
TURNS_MAX, QUIET_TURNS = 8, 2
"""Turns of the event loop that a question waits for company: until so many brought nobody, and never more than the first."""


class Gather(Generic[Key, Value]):
    """`await gather(key)` gives the value or None; `fetch` gets distinct keys and answers those that exist."""

    def __init__(self, fetch: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[Key, asyncio.Future[Value | None]] = {}
        self._asked = 0
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, key: Key) -> Value | None:
        return await asyncio.shield(self.ask(key))

    def ask(self, key: Key) -> asyncio.Future[Value | None]:
        """The answer to be: for who has other things to do meanwhile. Not to be cancelled, others may wait for the same."""
        self._asked += 1
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting:
            await self._company()
            keys = list(self._waiting)[:BATCH_KEYS_MAX]
            batch = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await self._fetch(keys)
            except Exception as error:  # noqa: BLE001 - each waiting caller gets it
                _fail(batch.values(), error)
            else:
                for key, future in batch.items():
                    if not future.done():
                        future.set_result(found.get(key))

    async def _company(self) -> None:
        """Whoever is about to ask comes along. Requests that were answered together come back one after the other, not in one turn."""
        quiet = 0
        for _ in range(TURNS_MAX):
            asked = self._asked
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._asked == asked else 0
            if quiet == QUIET_TURNS:
                return


def _fail(futures: Iterable[asyncio.Future[Value | None]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # a caller that went away must not leave a warning behind
