"""Back-pressure: how much a client may send, and how much of it may be in hand at once (DEVICES 6.5).

A client that sends more is asked to come back (429 with Retry-After); nothing of its request was looked at, so it can send
the same again. Counted for each client over all processes; a batch that is larger than what is left goes through, and the
next one waits until it is made up for, so that no batch is too large for ever.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from hub.errors import Throttled
from hub.metrics import THROTTLED
from hub.services import Services
from hub.store.protocol import Allowance, Spent
from hub.turns import Full
from security.context import AccessContext

MINUTE_S = 60
WAIT_S_MAX = 600
FULL_WAIT_S = 1
SIZE_MIN = 65_536


def allowance_of(caller: AccessContext, services: Services) -> Allowance:
    """The client's own, or what holds for everybody."""
    settings = services.settings
    return Allowance(
        requests=caller.requests_per_minute or settings.ingest_requests_per_minute,
        items=caller.items_per_minute or settings.ingest_items_per_minute,
    )


async def admit(caller: AccessContext, services: Services) -> None:
    """Raises Throttled with the seconds after which there is something left."""
    allowance = allowance_of(caller, services)
    spent = await services.store.quotas.ask(caller.account, allowance, services.clock())
    if not spent.admitted:
        THROTTLED.labels("quota").inc()
        raise Throttled(
            f"The quota of this client is {allowance.requests} requests and {allowance.items} items a minute; "
            "send the same again after Retry-After.",
            wait_s(allowance, spent),
        )


async def charge(caller: AccessContext, services: Services, items: int) -> None:
    await services.store.quotas.owe(caller.account, items)


def wait_s(allowance: Allowance, spent: Spent) -> int:
    """Until there is a request, and an item, left."""
    lacking = ((1 - spent.requests) / allowance.requests, (1 - spent.items) / allowance.items)
    return min(WAIT_S_MAX, max(1, math.ceil(MINUTE_S * max(lacking))))


@contextmanager
def room_for(request: Request, services: Services) -> Iterator[None]:
    """While a payload is in hand. Raises Throttled where there is no room for it in this process."""
    settings = services.settings
    try:
        with services.room.take(_size(request, settings.max_ingest_bytes), settings.ingest_at_once_bytes):
            yield
    except Full:
        THROTTLED.labels("room").inc()
        raise Throttled("The hub has its hands full with other payloads; send the same again after Retry-After.", FULL_WAIT_S) from None


def _size(request: Request, limit: int) -> int:
    """What it may come to: as announced, or the limit where it is packed or in chunks."""
    announced = request.headers.get("content-length", "")
    packed = request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    return limit if packed or not announced.isdecimal() else min(limit, max(SIZE_MIN, int(announced)))
