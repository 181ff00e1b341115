"""The shelf of routes finds what the router would find, and leaves to it what there is not."""

import pytest
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from hub.routes import ROUTES
from hub.shelf import CHOSEN, Shelf, Straight

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NAMES = {"type": "Observation", "compartment": "Patient", "within": "Observation", "id": "x", "version_id": "1", "adapter": "withings"}
NAMES |= {"act": "revoke", "provider": "psc"}
PATHS = sorted(
    {row.path.format(**NAMES) for row in ROUTES}
    | {row.path.format(**{**NAMES, "type": "Patient", "id": "$everything"}) for row in ROUTES}
    | {"/fhir/", "/nowhere", "/fhir/a/b/c/d/e/f", "//", "/fhir//x", "/fhir/Observation/"}
)


async def _nothing(_: object) -> Response:
    return Response()


MADE = [Route(row.path, _nothing, methods=[row.method], name=f"{row.method} {row.path}") for row in ROUTES]
SHELF = Shelf(MADE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS)
def test_the_shelf_finds_the_route_that_the_router_finds(method: str, path: str) -> None:
    """https://hl7.org/fhir/R4/http.html#summary: which interaction a method and a path ask for."""
    scope = {"type": "http", "method": method, "path": path}
    first = next((route for route in MADE if route.matches(scope)[0] is Match.FULL), None)
    match, found = SHELF.matches(scope)
    assert (match is Match.FULL) is (first is not None)
    assert found.get(CHOSEN) is first
    if first is not None:
        assert found["path_params"] == first.matches(scope)[1]["path_params"]


class _Safe:
    """An endpoint that lets no exception out, as `hub.guard.Guarded`."""

    async def __call__(self, scope: Scope, _: Receive, __: Send) -> None:
        scope["went"].append(("straight", scope["path_params"]))


@pytest.mark.parametrize(
    ("path", "went"),
    [
        ("/fhir/Observation", [("straight", {"type": "Observation"})]),
        ("/fhir/metadata", [("around", None)]),  # not safe, and not the type "metadata" either
        ("/nowhere", [("around", None)]),
    ],
)
async def test_only_an_endpoint_that_lets_no_exception_out_is_gone_to_straight(path: str, went: list[object]) -> None:
    async def around(scope: Scope, _: Receive, __: Send) -> None:
        scope["went"].append(("around", scope.get("path_params")))

    async def unused(*_: object) -> dict[str, object]:
        raise AssertionError("nothing is sent or received here")

    routes = [Route("/fhir/metadata", _nothing, methods=["GET"]), Route("/fhir/{type}", _Safe(), methods=["GET"])]
    straight = Straight(around, Shelf(routes), lambda endpoint: isinstance(endpoint, _Safe))
    scope: dict[str, object] = {"type": "http", "method": "GET", "path": path, "went": []}
    await straight(scope, unused, unused)
    assert scope["went"] == went
