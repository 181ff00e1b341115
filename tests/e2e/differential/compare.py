"""One search put to the hub and to the naive evaluator, page by page, and what differs.

Compared: whether it is answered, ids and their order, totals, that pages forwards and back are the same and hold each
resource once, what comes along, and that each resource is as it was stored: nothing else is in the answer.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request

from hub.errors import FhirError
from hub.interactions.search_compartment import search_compartment
from hub.interactions.search_system import search_system
from hub.interactions.search_type import search_type
from tests.e2e.differential.questions import Question
from tests.e2e.differential.store import BASE, Store
from tests.e2e.differential.world import Asker, Forbidden, World

Json = dict[str, Any]
Ask = Callable[[Asker, str, str], Awaitable[tuple[int, Json]]]
"""(who, path below the base, query) -> (status, Bundle or OperationOutcome)"""
INTERACTIONS = {0: (search_system, ()), 1: (search_type, ("type",)), 3: (search_compartment, ("compartment", "id", "within"))}
"""By the number of names in the path."""
FORBIDDEN = 403


def query_of(question: Question) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in question.asked.pairs)


def in_process(store: Store) -> Ask:
    """The interaction itself, with a caller's repository: everything but the network and the token."""

    async def ask(asker: Asker, path: str, query: str) -> tuple[int, Json]:
        parts = [part for part in path.split("/") if part]
        interaction, names = INTERACTIONS[len(parts)]
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/fhir/{path}",
            "query_string": query.encode(),
            "headers": [],
            "path_params": dict(zip(names, parts, strict=True)),
        }
        try:
            response = await interaction(Request(scope), store.repository(asker))
        except FhirError as error:
            return (FORBIDDEN if error.code == "forbidden" else 400), {"code": error.code, "text": str(error)}
        except Exception as error:  # noqa: BLE001 (what over HTTP is an answer 500 is a difference like any other)
            return 500, {"code": type(error).__name__, "text": str(error)}
        return response.status_code, orjson.loads(bytes(response.body))

    return ask


def of_mode(bundle: Json, mode: str) -> list[Json]:
    return [one["resource"] for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


def name_of(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def link(bundle: Json, relation: str) -> str | None:
    """The query of the link."""
    found = next((str(one["url"]) for one in bundle["link"] if one["relation"] == relation), None)
    return None if found is None else found.partition("?")[2]


async def difference(question: Question, world: World, ask: Ask) -> str | None:
    """What is not as it must be, in words; None if nothing."""
    try:
        expected = world.search(question.asker, question.asked)
    except Forbidden:
        expected = None
    status, bundle = await ask(question.asker, question.asked.path, query_of(question))
    if expected is None or status != 200:
        right = expected is None and status == FORBIDDEN
        return (
            None
            if right
            else f"answered {status} {bundle.get('code')} {bundle.get('text')}, expected {'403' if expected is None else 'an answer'}"
        )
    pages = [bundle]
    while (following := link(pages[-1], "next")) is not None and len(pages) <= len(expected.orders[0]):
        status, bundle = await ask(question.asker, question.asked.path, following)
        if status != 200:
            return f"page {len(pages) + 1} answered {status}"
        pages.append(bundle)
    problems = [
        *_content(world, question, pages),
        *_order(expected.orders, expected.size, pages),
        *_totals(expected.total, pages),
        *_along(world, question, pages),
        *[problem async for problem in _back(question, pages, ask)],
    ]
    return "; ".join(problems) or None


def _order(orders: Sequence[Sequence[str]], size: int, pages: Sequence[Json]) -> list[str]:
    ids = orders[0]
    told = [name_of(one) for bundle in pages for one in of_mode(bundle, "match")]
    if sorted(told) != sorted(ids):
        return [f"too many: {sorted(set(told) - set(ids))}, missing: {sorted(set(ids) - set(told))}, {len(told)} told, {len(ids)} expected"]
    if tuple(told) not in orders:
        return [f"in another order: told {told}, expected {list(ids)} or another way"]
    sizes = [len(of_mode(bundle, "match")) for bundle in pages]
    full = [size] * (len(ids) // size) + ([len(ids) % size] if len(ids) % size else []) if size else []
    return [] if sizes == (full or [0]) else [f"pages of {sizes}"]


def _totals(total: int | None, pages: Sequence[Json]) -> list[str]:
    told = {bundle.get("total") for bundle in pages}
    return [] if told == {total} else [f"totals {told}, expected {total}"]


def _content(world: World, question: Question, pages: Sequence[Json]) -> list[str]:
    wrong = []
    for bundle in pages:
        for entry in bundle.get("entry", ()):
            resource = entry["resource"]
            name = name_of(resource)
            if world.versions.get((name, int(resource["meta"]["versionId"]))) != resource or entry["fullUrl"] != f"{BASE}/{name}":
                wrong.append(f"{name} is not as it was stored")
    selves = {link(bundle, "self") for bundle in pages}
    return wrong + ([f"self links {selves}"] if len(selves) != 1 else [])


def _along(world: World, question: Question, pages: Sequence[Json]) -> list[str]:
    wrong = []
    for place, bundle in enumerate(pages, start=1):
        there = [(name_of(one), int(one["meta"]["versionId"])) for one in of_mode(bundle, "include")]
        expected = world.along(question.asker, question.asked, [name_of(one) for one in of_mode(bundle, "match")])
        if len(there) != len(set(there)) or set(there) != expected:
            wrong.append(f"page {place} brings along too many: {sorted(set(there) - expected)}, missing: {sorted(expected - set(there))}")
    return wrong


async def _back(question: Question, pages: Sequence[Json], ask: Ask) -> Any:
    """From the last page by previous links to the first: the same pages."""
    here = pages[-1]
    for before in reversed(pages[:-1]):
        previous = link(here, "previous")
        if previous is None:
            yield "a page has no previous link"
            return
        _, here = await ask(question.asker, question.asked.path, previous)
        if of_mode(here, "match") != of_mode(before, "match"):
            yield f"back: {list(map(name_of, of_mode(here, 'match')))}, forwards {list(map(name_of, of_mode(before, 'match')))}"
            return
    if pages[1:] and link(here, "previous") is not None:
        yield "the first page, reached from behind, has a previous link"
