"""Taking turns inside this process: a queue for those who met over the same thing, a breath in the middle of long work, room."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from weakref import WeakValueDictionary

BREATH_ITEMS = 16


async def breath(number: int) -> None:
    """To be called for each of many things that are done without waiting: now and then it lets everybody else go on."""
    if number % BREATH_ITEMS == 0:
        await asyncio.sleep(0)


class Turns:
    """`async with turns.of(thing)`: one at a time for each thing, in the order of coming. What nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, *things: str) -> AsyncIterator[None]:
        """Several are waited for in one order, the same for everybody, so that nobody waits in a circle."""
        async with AsyncExitStack() as stack:
            for thing in sorted(set(things)):
                await stack.enter_async_context(self._locks.setdefault(thing, asyncio.Lock()))
            yield


class Full(Exception):
    """There is no room at this moment."""


class Seats:
    """How many things each of several may do at once."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, who: str, most: int) -> Iterator[None]:
        """Raises Full."""
        if self._taken[who] >= most:
            raise Full
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


class Room:
    """Bytes that may be in hand at once. Who finds no room is told so at once: waiting would take room too."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def take(self, size: int, most: int) -> Iterator[None]:
        """Raises Full. Whoever comes first gets in, however much it is."""
        if self._taken and self._taken + size > most:
            raise Full
        self._taken += size
        try:
            yield
        finally:
            self._taken -= size
