"""A page of a search as an answer: what was asked, entries, and links that are opaque and for this caller alone.

https://hl7.org/fhir/R4/http.html#search and #paging. Links say where to go on and nothing more: whoever follows one is
asked for everything again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import json_response, preferences, read_body
from hub.interactions.shaping import part
from hub.rendering import wanted_in_form
from hub.repository import Found, Match, Repository
from hub.search.asked import Pair, Search
from hub.search.bundle import Entry, Mode, ignored_issues, searchset
from hub.search.page import Cursor, Direction, Placed, Position, decode, encode
from security.pages import open_page, seal_page

PARAMETERS_MAX = 100
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 65_536
EXPLAIN = "_explain"
"""Ours: how the search runs, for administrators (docs/search.md)."""

Pairs = Sequence[Pair]
Parse = Callable[[Pairs, bool], Search]
"""(pairs, lenient) -> what they ask"""
Run = Callable[[Search, Cursor | None], Awaitable[Found]]


async def answered(request: Request, repository: Repository, target: str, parse: Parse, run: Run) -> Response:
    """The page that the request asks for. `target`: what is searched, as it stands in the URL behind the base."""
    asked = await parameters(request)
    if request.method == "POST":  # the log has the question, wherever it stood
        repository.facts.query = urlencode(asked)
    pairs, explained = explain_asked(asked)
    if explained:
        repository.require_administrator()
    search = parse(pairs, preferences(request.headers).lenient)
    if explained and not search.type:
        raise FhirError("not-supported", "_explain is offered for one type at a time.", expression=f"http.{EXPLAIN}")
    cursor = None
    if search.page is not None:
        cursor = cursor_of(target, search.page, repository)
        search = parse(cursor.pairs, True)
    found = await run(search, cursor)
    base, ignored = repository.services.base_url, ignored_issues(search)
    bundle = searchset(
        url=f"{base}/{target}" if target else base,
        used=[*search.used, (EXPLAIN, "true")] if explained else search.used,
        entries=[*_entries(base, found.matches, "match", search), *_entries(base, found.included, "include", search)],
        total=found.total,
        pages=pages(target, search.used, found, cursor, repository),
        outcome=outcomes.warnings(ignored, repository.explained(found) if explained else ()),
    )
    return json_response(bundle)


def explain_asked(pairs: Pairs) -> tuple[Pairs, bool]:
    """The pairs without `_explain`, and whether it is asked for. Raises FhirError invalid for what says neither."""
    said = {value for name, value in pairs if name == EXPLAIN}
    if not said <= {"true", "false"} or len(said) > 1:
        raise FhirError("invalid", "The search parameter '_explain' must be true or false.", expression=f"http.{EXPLAIN}")
    return [pair for pair in pairs if pair[0] != EXPLAIN], said == {"true"}


def _entries(base: str, found: Iterable[Match], mode: Mode, search: Search) -> Iterator[Entry]:
    """As stored, or the part that `_summary` or `_elements` asks for; of what comes along only `_summary` takes anything away."""
    elements = search.elements if mode == "match" else ()
    if search.summary is None and not elements:
        return (Entry(f"{base}/{one.resource.type}/{one.resource.id}", one.resource.json, mode) for one in found)
    return (
        Entry(f"{base}/{one.resource.type}/{one.resource.id}", part(one.resource.json, search.summary, elements), mode) for one in found
    )


async def parameters(request: Request) -> Pairs:
    """Of the URL and, for POST, of the form, together. https://hl7.org/fhir/R4/http.html#search"""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        if request.method == "POST":
            body = await read_body(request, FORM_BYTES_MAX)
            content_type = request.headers.get("content-type", "" if body else FORM)  # all of it may stand in the URL
            if content_type.partition(";")[0].strip().lower() != FORM:
                raise FhirError("media-type", f"Send search parameters as {FORM}.", expression="http.Content-Type")
            pairs += parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
            request.state.wanted = wanted_in_form(request, pairs)
    except ValueError:
        raise FhirError("invalid", f"The parameters are not valid UTF-8, or more than {PARAMETERS_MAX}.") from None
    return pairs


def caller_binding(repository: Repository) -> str:
    """A page link works for the client, the purpose, and the person with the patient in context it was made for, and for nobody else."""
    caller = repository.caller
    bound = f"{caller.client_id} {caller.purpose}"
    return bound if caller.person is None else f"{bound} {caller.person.account} {caller.patient or ''}"


def cursor_of(target: str, page: str, repository: Repository) -> Cursor:
    """What the link says, if it was given for `target`, what the URL searches. Raises FhirError `not-found`."""
    services = repository.services
    return decode(
        page,
        lambda sealed: open_page(services.page_key, sealed),
        type=target,
        caller=caller_binding(repository),
        now_us=services.clock(),
    )


def pages(target: str, used: Sequence[Pair], found: Placed, cursor: Cursor | None, repository: Repository) -> list[tuple[str, str]]:
    """Relations and texts of the pages that there are besides this one."""
    services = repository.services
    expires_us = services.clock() + services.settings.page_link_lifetime_s * 1_000_000
    places: list[tuple[str, Position | None, Direction]] = [
        ("first", None if cursor is None else (), "next"),
        ("previous", found.before, "previous"),
        ("next", found.after, "next"),
    ]
    made = []
    for relation, position, direction in places:
        if position is not None:
            link = Cursor(
                type=target,
                pairs=tuple(used),
                position=position,
                caller=caller_binding(repository),
                started_us=found.started_us,
                expires_us=expires_us,
                direction=direction,
            )
            made.append((relation, encode(link, lambda plain: seal_page(services.page_key, plain))))
    return made
