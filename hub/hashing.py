"""Passwords hashed and compared beside the event loop: each takes 64 MiB and a tenth of a second, so few are worked on at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from security.people.passwords import hashed, matches

T = TypeVar("T")

AT_ONCE: Final = 2
WAITING_MAX: Final = 64
"""Beyond it somebody only fills the queue; they are told at once."""
DECOY: Final = "$argon2id$v=19$m=65536,t=3,p=4$2J/a8HhkmZjW+7UFniKWjA$WOYwHkKcMGEVUpJG64ZWAQyWWvCK/CsvAv2iI+1rFVs"
"""Of a password that nobody has: what is compared where there is no account, so that the work tells nothing."""


class Busy(Exception):
    """Too many wait already."""


class Hashing:
    """One for each process. Both methods raise Busy."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._waiting = 0

    async def hashed(self, password: str, salt: bytes) -> str:
        return await self._beside(lambda: hashed(password, salt))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Is it this password? With none stored the work is done all the same, and the answer is no."""
        right = await self._beside(lambda: matches(stored or DECOY, password))
        return right and stored is not None

    async def _beside(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
