"""Somebody else was first: how an attempt at a write is made again (DESIGN 6)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.errors import FhirError
from hub.store.protocol import Conflict
from hub.turns import Turns

T = TypeVar("T")

REDO_MAX = 16
WAIT_S, WAIT_MAX_S = 0.002, 0.1
"""How long an attempt that came second waits before the next: at random, up to twice as long each time."""


async def redoing(attempt: Callable[[], Awaitable[T]], about: str, turns: Turns) -> T:
    """Somebody else was first: read again, decide again, do it again; give up as a conflict.

    about  what those who met have met over: inside this process they take turns from then on, and with those of other
           processes they shall not meet again; besides, a snapshot lags a little behind the commit that won
    """
    try:
        return await attempt()
    except Conflict:
        async with turns.of(about):
            for turn in range(REDO_MAX):
                try:
                    return await attempt()
                except Conflict:
                    await asyncio.sleep(random.uniform(0, min(WAIT_S * 2**turn, WAIT_MAX_S)))  # noqa: S311 (nothing secret)
    raise FhirError("conflict", "The resource is being changed by others; read it again and repeat.")
