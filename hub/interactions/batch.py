"""FHIR batch: entries that have nothing to do with each other, each decided, recorded and answered by itself.

https://hl7.org/fhir/R4/http.html#brules.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.guard import names_operation
from hub.http import ResourceResponse, json_response, preferences
from hub.interactions.entries import CARRY, Entry, body_of, response
from hub.repository import Repository
from hub.search.links import mentions

AT_ONCE_MAX = 16
"""Entries that are under way at one time: what commits together costs one flush."""
GOOD = 300


async def batch(request: Request, repository: Repository, entries: Sequence[Entry | FhirError]) -> Response:
    """A batch-response with an entry for each, in the order of the request."""
    _refuse_links([one for one in entries if isinstance(one, Entry)])
    turn = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(entry: Entry | FhirError) -> dict[str, Any]:
        if isinstance(entry, FhirError):
            return _failed(entry)
        async with turn:
            return await answered(request, repository, entry)

    async with repository.recording("batch"):
        made = await asyncio.gather(*(one(entry) for entry in entries))
    return json_response(orjson.dumps({"resourceType": "Bundle", "type": "batch-response", **({"entry": made} if made else {})}))


async def answered(request: Request, repository: Repository, entry: Entry) -> dict[str, Any]:
    """What one entry comes to, whatever it is."""
    try:
        content_type, body = body_of(entry)
        found = await request.app.state.entries(
            _scope(request, entry, content_type), _receive(body), repository.caller, repository.facts.request_id
        )
    except FhirError as error:
        return _failed(error)
    updated_us = found.updated_us if isinstance(found, ResourceResponse) else None
    made: dict[str, Any] = {"response": response(found.status_code, found.headers, updated_us)}
    content = b"" if entry.method == "HEAD" else bytes(found.body)
    if content and (found.status_code >= GOOD or _tells_of_a_write(request, entry)):
        made["response"]["outcome"] = orjson.Fragment(content)
    elif content:
        made = {"resource": orjson.Fragment(content), **made}
    return made


def _tells_of_a_write(request: Request, entry: Entry) -> bool:
    """Is what came back about the write, and not what was written? https://hl7.org/fhir/R4/http.html#ops"""
    written = entry.method not in ("GET", "HEAD") and not names_operation(entry.path) and not entry.path.endswith("_search")
    return written and preferences(request.headers).returning == "OperationOutcome"


def _failed(error: FhirError) -> dict[str, Any]:
    return {"response": {**response(outcomes.status(error), {}), "outcome": orjson.Fragment(outcomes.body(error))}}


def _scope(request: Request, entry: Entry, content_type: str) -> dict[str, Any]:
    """A request of its own, as ASGI has it. https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope"""
    prefer = [*request.headers.getlist("prefer"), *(["return=minimal"] if entry.method in CARRY else [])]  # the first one counts
    said = {"content-type": content_type, "prefer": ",".join(prefer), "accept": "application/fhir+json"}
    # An empty condition stays: it is refused, and must not be taken for none.
    headers = {**entry.headers, **{name: value for name, value in said.items() if value}}
    path = f"/fhir/{entry.path}"
    return {
        **{name: request.scope[name] for name in ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app")},
        "method": entry.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": entry.query.encode(),
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "state": {},
    }


def _receive(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _refuse_links(entries: Sequence[Entry]) -> None:
    """https://hl7.org/fhir/R4/http.html#brules: entries of a batch may not depend on each other."""
    named = frozenset(one.full_url for one in entries if one.full_url is not None and one.full_url.startswith("urn:"))
    for entry in entries:
        if named and mentions(entry.content, named - {entry.full_url or ""}):
            raise entry.error("invalid", "An entry of a batch may not refer to another one; send a transaction.", ".resource")
