"""FHIR history of an instance, of a type, of the whole system. https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import json_response, preferences
from hub.instants import fhir_instant
from hub.interactions.search_page import PARAMETERS_MAX, cursor_of, pages
from hub.repository import Past, Repository, Version
from hub.search.history import Entry, HistoryAsked, history_bundle, ignored_issues, parse_history
from hub.search.page import Cursor

Told = Callable[[HistoryAsked, Cursor | None], Awaitable[Past]]


async def history_instance(request: Request, repository: Repository) -> Response:
    type, id = request.path_params["type"], request.path_params["id"]
    return await _history(request, repository, f"{type}/{id}/", lambda asked, cursor: repository.history_instance(type, id, asked, cursor))


async def history_type(request: Request, repository: Repository) -> Response:
    type = request.path_params["type"]
    return await _history(request, repository, f"{type}/", lambda asked, cursor: repository.history_type(type, asked, cursor))


async def history_system(request: Request, repository: Repository) -> Response:
    return await _history(request, repository, "", repository.history_system)


async def _history(request: Request, repository: Repository, of: str, tell: Told) -> Response:
    target, cursor, base = f"{of}_history", None, repository.services.base_url
    asked = _asked(request, lenient=preferences(request.headers).lenient)
    if asked.page is not None:
        cursor = cursor_of(target, asked.page, repository)
        asked = parse_history(cursor.pairs, lenient=True)
    past = await tell(asked, cursor)
    ignored = ignored_issues(asked)
    bundle = history_bundle(
        url=f"{base}/{target}",
        used=asked.used,
        entries=[_entry(one, base) for one in past.versions],
        total=past.total,
        pages=pages(target, asked.used, past, cursor, repository),
        outcome=outcomes.warnings(ignored),
    )
    return json_response(bundle)


def _asked(request: Request, *, lenient: bool) -> HistoryAsked:
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise FhirError("invalid", f"The parameters are not valid UTF-8, or more than {PARAMETERS_MAX}.") from None
    return parse_history(pairs, lenient=lenient)


def _entry(one: Version, base: str) -> Entry:
    """How the version came to be, as far as that is kept: created, updated or deleted."""
    type, version = one.stored.type, one.stored.version
    created = version == 1 and not one.brought
    name = f"{type}/{one.id}"
    return Entry(
        full_url=f"{base}/{name}",
        json=one.json,
        method="DELETE" if one.json is None else "POST" if created else "PUT",
        url=type if created else name,
        created=version == 1 or one.stored.revived,
        version=version,
        last_modified=fhir_instant(one.stored.updated_us),
    )
