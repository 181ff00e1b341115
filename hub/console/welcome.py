"""The first page: what runs here and where to go."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


async def welcome(request: Request) -> Response:
    return HTMLResponse("<h1>HDS hub</h1>")
