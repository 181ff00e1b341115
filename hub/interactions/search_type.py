"""FHIR search on one type, by GET and by POST _search. https://hl7.org/fhir/R4/http.html#search"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import json_response, preferences, read_body
from hub.repository import Found, Repository
from hub.search.bundle import ignored_issues, searchset
from hub.search.page import Cursor, decode, encode
from hub.search.parse import Search, parse_search
from hub.search.resolve import pending
from security.pages import open_page, seal_page

PARAMETERS_MAX = 100
FORM = "application/x-www-form-urlencoded"

Pairs = Sequence[tuple[str, str]]


async def search_type(request: Request, repository: Repository) -> Response:
    type, services = request.path_params["type"], repository.services
    lenient = preferences(request.headers).lenient
    search = parse_search(type, await parameters(request), lenient=lenient, base=services.base_url)
    cursor = None
    if search.page is not None:
        cursor = _cursor(type, search.page, repository)
        search = parse_search(type, cursor.pairs, lenient=True, base=services.base_url)
    _refuse_what_does_not_run(search)
    found = await repository.search(search, cursor)
    return json_response(_bundle(search, found, cursor, repository))


def _refuse_what_does_not_run(search: Search) -> None:
    if search.includes or search.elements or search.summary not in (None, "count") or pending(search):
        raise FhirError("not-supported", "Chains, _has, _include, _revinclude, _elements and this _summary are not offered yet.")


def _bundle(search: Search, found: Found, cursor: Cursor | None, repository: Repository) -> bytes:
    base, ignored = repository.services.base_url, ignored_issues(search)
    return searchset(
        base=base,
        search=search,
        entries=[(f"{base}/{search.type}/{one.resource.id}", one.resource.json) for one in found.matches],
        total=found.total,
        next_page=_next_page(search, found, cursor, repository),
        outcome=outcomes.warnings(ignored) if ignored else None,
    )


async def parameters(request: Request) -> Pairs:
    """Of the URL and, for POST, of the form, together. https://hl7.org/fhir/R4/http.html#search"""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
                raise FhirError("media-type", f"Send search parameters as {FORM}.")
            body = await read_body(request, 65_536)
            pairs += parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise FhirError("invalid", f"The parameters are not valid UTF-8, or more than {PARAMETERS_MAX}.") from None
    return pairs


def caller_binding(repository: Repository) -> str:
    """A page link works for the client and the purpose it was made for, and for nobody else."""
    return f"{repository.caller.client_id} {repository.caller.purpose}"


def _cursor(type: str, page: str, repository: Repository) -> Cursor:
    services = repository.services
    return decode(
        page,
        lambda sealed: open_page(services.page_key, sealed),
        type=type,
        caller=caller_binding(repository),
        now_us=services.clock(),
    )


def _next_page(search: Search, found: Found, cursor: Cursor | None, repository: Repository) -> str | None:
    """Where to go on, and nothing more: whoever follows the link is asked for everything again."""
    if found.more is None:
        return None
    services, now_us = repository.services, repository.services.clock()
    made = Cursor(
        type=search.type,
        pairs=search.used,
        position=found.more,
        caller=caller_binding(repository),
        started_us=found.started_us if cursor is None else cursor.started_us,
        expires_us=now_us + services.settings.page_link_lifetime_s * 1_000_000,
    )
    return encode(made, lambda plain: seal_page(services.page_key, plain))
