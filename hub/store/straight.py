"""How the driver waits for an answer: in the task that asked, instead of in two more of its own.

PyMongo makes two tasks for each command: one reads, the other looks twice a second whether the pool wants its connections back, because
the server went silent. Making, waking and ending them was a fifth of what a small command costs the hub (docs/performance.md). Here the
task that asks reads by itself, and a timer looks as often.

This takes the place of a function inside the driver, so it does so only in the one it was written for; any other waits as it always did.
"""

import asyncio
from typing import Final

import pymongo
from pymongo import _csot
from pymongo.asynchronous import pool
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.common import MAX_MESSAGE_SIZE
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY, _OpMsg

KNOWN: Final = "4.20.0"
LOOK_S: Final = 0.5
"""As often as the driver looks."""
_drivers_own: Final = pool.async_receive_message  # type: ignore[attr-defined] # imported there, and called by that name


def wait_straight() -> None:
    """From now on, for all clients of this process."""
    if pymongo.version == KNOWN:
        pool.async_receive_message = received  # type: ignore[attr-defined]


async def received(conn: AsyncConnection, request_id: int | None, max_message_size: int = MAX_MESSAGE_SIZE) -> _OpMsg:
    """The next answer on this connection, which the caller closes whatever is raised. Raises OSError, ProtocolError, _OperationCancelled.

    request_id  the question; None for an answer that nobody asked for
    """
    protocol = conn.conn.get_conn
    if protocol.gettimeout is not None or _csot.get_timeout() is not None:  # while a connection is made
        return await _drivers_own(conn, request_id, max_message_size)
    look = _Look(conn)
    try:
        data, code = await protocol.read(request_id, max_message_size)
    finally:
        look.timer.cancel()
    unpack = _UNPACK_REPLY.get(code)
    if unpack is None:
        raise ProtocolError(f"an answer of a kind that is not known: {code!r}")
    return unpack(data)


class _Look:
    """Ends the waiting of a connection that was cancelled."""

    __slots__ = ("_conn", "_loop", "timer")

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._loop = asyncio.get_running_loop()
        self.timer = self._loop.call_later(LOOK_S, self)

    def __call__(self) -> None:
        if self._conn.cancel_context.cancelled:
            self._conn.conn.get_conn.close(_OperationCancelled("operation cancelled"))
        else:
            self.timer = self._loop.call_later(LOOK_S, self)
