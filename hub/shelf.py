"""Routes found by the shape of a request: its method, and of how many parts its path is.

There are some eighty routes, and trying them one by one is a noticeable part of a small request. What is not found here is left
to the router, which knows what to say about paths and methods that there are not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

CHOSEN = "hub.route"


class Shelf(BaseRoute):
    """Stands before the routes it was made of, and finds the one that the router would have found."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """`routes`: in their order, none with a parameter that takes in a slash."""
        self._routes: defaultdict[tuple[str, int], list[Route]] = defaultdict(list)
        for route in routes:
            for method in route.methods or ():
                self._routes[method, route.path.count("/")].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            for route in self._routes.get((scope["method"], scope["path"].count("/")), ()):
                match, more = route.matches(scope)
                if match is Match.FULL:
                    return match, {**more, CHOSEN: route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope[CHOSEN].handle(scope, receive, send)


class Straight:
    """The way from the shelf to an endpoint that lets no exception out: nothing that waits for one is put around it.

    Everything else takes the long way, by the router.
    """

    def __init__(self, app: ASGIApp, shelf: Shelf, is_safe: Callable[[Any], bool]) -> None:
        """`is_safe`: does this endpoint answer whatever happens?"""
        self._app = app
        self._shelf = shelf
        self._is_safe = is_safe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, more = self._shelf.matches(scope)
        if match is Match.FULL and self._is_safe(more["endpoint"]):
            scope.update(more)
            await more[CHOSEN].handle(scope, receive, send)
        else:
            await self._app(scope, receive, send)
