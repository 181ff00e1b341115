"""Is the process alive, is it ready. Nothing about data, no token needed."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.proxied import UNNAMED
from hub.store.protocol import Unavailable

READY_S = 2


async def livez(_: Request) -> Response:
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """200 when a write could be made durable now, and the log's heads signed. A proxy that nobody named is said beside it."""
    try:
        async with asyncio.timeout(READY_S):
            await request.app.state.services.store.ping()
    except (Unavailable, TimeoutError):
        return PlainTextResponse("the database does not answer", status_code=503)
    if request.app.state.heads_fault() is not None:
        return PlainTextResponse("the signed heads of the audit log cannot be written", status_code=503)
    return PlainTextResponse(f"ready; {UNNAMED}" if request.app.state.proxies.unnamed else "ready")
