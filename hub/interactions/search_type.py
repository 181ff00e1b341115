"""FHIR search on one type, by GET and by POST _search. https://hl7.org/fhir/R4/http.html#search"""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import json_response, preferences, read_body
from hub.interactions.search_links import cursor_of, pages
from hub.rendering import wanted_in_form
from hub.repository import Match, Repository
from hub.search.asked import Search
from hub.search.bundle import Entry, Mode, ignored_issues, searchset
from hub.search.parse import parse_search

PARAMETERS_MAX = 100
FORM = "application/x-www-form-urlencoded"

Pairs = Sequence[tuple[str, str]]


async def search_type(request: Request, repository: Repository) -> Response:
    type, services = request.path_params["type"], repository.services
    lenient = preferences(request.headers).lenient
    search = parse_search(type, await parameters(request), lenient=lenient, base=services.base_url)
    cursor = None
    if search.page is not None:
        cursor = cursor_of(type, search.page, repository)
        search = parse_search(type, cursor.pairs, lenient=True, base=services.base_url)
    _refuse_what_does_not_run(search)
    found = await repository.search(search, cursor)
    base, ignored = services.base_url, ignored_issues(search)
    bundle = searchset(
        url=f"{base}/{type}",
        used=search.used,
        entries=[*_entries(base, found.matches, "match"), *_entries(base, found.included, "include")],
        total=found.total,
        pages=pages(type, search.used, found, cursor, repository),
        outcome=outcomes.warnings(ignored) if ignored else None,
    )
    return json_response(bundle)


def _entries(base: str, found: Iterable[Match], mode: Mode) -> Iterator[Entry]:
    return (Entry(f"{base}/{one.resource.type}/{one.resource.id}", one.resource.json, mode) for one in found)


def _refuse_what_does_not_run(search: Search) -> None:
    if search.elements or search.summary not in (None, "count"):
        raise FhirError("not-supported", "_elements and this _summary are not offered yet.")


async def parameters(request: Request) -> Pairs:
    """Of the URL and, for POST, of the form, together. https://hl7.org/fhir/R4/http.html#search"""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
                raise FhirError("media-type", f"Send search parameters as {FORM}.")
            body = await read_body(request, 65_536)
            pairs += parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
            request.state.wanted = wanted_in_form(request, pairs)
    except ValueError:
        raise FhirError("invalid", f"The parameters are not valid UTF-8, or more than {PARAMETERS_MAX}.") from None
    return pairs
