"""Somebody else was first, or is about to be: how an attempt at a write is made again (DESIGN 6)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import TypeVar

from hub import outcomes
from hub.errors import FhirError
from hub.repository.standing import Standing
from hub.store.protocol import Conflict, Locked
from hub.turns import Turns

T = TypeVar("T")

REDO_MAX = 16
WAIT_S, WAIT_MAX_S = 0.002, 0.1
"""How long an attempt that came second waits before the next: at random, up to twice as long each time."""
LOCKED_WAIT_S, LOCKED_MAX_S = 0.25, 5.0
"""How long between two attempts at what another transaction holds, and how long in all: it may be that of a hub that was killed, which
the database gives up only after a while, and a client that is told so can wait better than its request."""
CHANGED = "The resource is being changed by others; read it again and repeat."


async def redoing(
    attempt: Callable[[], Awaitable[T]],
    about: Callable[[], Collection[str]],
    turns: Turns,
    *,
    changed: str = CHANGED,
    standings: Sequence[Standing] = (),
) -> T:
    """Somebody else was first: read again, decide again, do it again; give up as a conflict, or as a lock that stays.

    about    what those who met may have met over: inside this process they take turns from then on, and with those of other
             processes they shall not meet again; besides, a snapshot lags a little behind the commit that won.
             Asked only then: most meet nobody
    changed  what is said after so many conflicts
    standings  of those for whom it is done: what they met may have been that one of them was revoked

    Raises FhirError conflict or lock-error, and what a standing raises.
    """
    until = monotonic() + LOCKED_MAX_S
    try:
        for standing in standings:
            await standing.still()
        return await attempt()
    except Conflict:
        async with turns.of(*about()):
            return await _again(attempt, until, changed, standings)


async def _again(attempt: Callable[[], Awaitable[T]], until: float, changed: str, standings: Sequence[Standing]) -> T:
    conflicts = 0
    while conflicts < REDO_MAX:
        try:
            for standing in standings:
                await standing.look()
            return await attempt()
        except Locked as error:
            if monotonic() > until:
                raise outcomes.locked() from error
            await asyncio.sleep(random.uniform(0, LOCKED_WAIT_S))  # noqa: S311 (nothing secret)
        except Conflict:
            await asyncio.sleep(random.uniform(0, min(WAIT_S * 2**conflicts, WAIT_MAX_S)))  # noqa: S311 (nothing secret)
            conflicts += 1
    raise FhirError("conflict", changed)
