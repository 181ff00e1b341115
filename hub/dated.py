"""Date, and no Last-Modified after it.

https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.1: an origin server must not say that something was changed after it answered.
uvicorn tells the time of its last tick, which is a second ago or more on a busy machine, so the hub tells the time itself; and where a
clock was set back, what was written before that still lies ahead.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.instants import from_http_date, http_date

DATE, MODIFIED = b"date", b"last-modified"


class Dated:
    """Goes around the whole application, in place of the server's own Date."""

    def __init__(self, app: ASGIApp, clock: Callable[[], int]) -> None:
        """`clock`: microseconds since 1970."""
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._dated(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, sending)

    def _dated(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        now_us = self._clock()
        date = http_date(now_us).encode()
        made = [(name, date if name == MODIFIED and _seconds(value) > now_us // 1_000_000 else value) for name, value in headers]
        return [*made, (DATE, date)]


@lru_cache(1_024)
def _seconds(value: bytes) -> int:
    return from_http_date(value.decode("latin-1")) or 0
