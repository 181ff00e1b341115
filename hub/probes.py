"""Is the process alive, is it ready. Nothing about data, no token needed."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.store.protocol import Unavailable


async def livez(_: Request) -> Response:
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """200 when a write could be made durable now."""
    try:
        await request.app.state.services.store.ping()
    except Unavailable:
        return PlainTextResponse("the database does not answer", status_code=503)
    return PlainTextResponse("ready")
