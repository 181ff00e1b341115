"""FHIR batch and transaction on the base. https://hl7.org/fhir/R4/http.html#transaction"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import etag, is_known, json_response, parse_resource, precondition, preferences, read_body
from hub.interactions.batch import answered, batch
from hub.interactions.create import with_provenance
from hub.interactions.entries import Entry, body_of, entries_of, response
from hub.interactions.patch import patch_of
from hub.interactions.vread import version_of_text
from hub.repository import Outcome, Repository, Resource, Step
from hub.repository.attempt import Apply
from hub.repository.steps import Method, at_entry
from hub.search.conditional import criteria
from hub.search.parameters import resource_type
from hub.search.parse import Search, parse_search
from hub.search.references import ID

STATUS: Mapping[str, int] = {"created": 201, "deleted": 204}
HISTORY = "_history"


async def bundle(request: Request, repository: Repository) -> Response:
    """200 with a Bundle of answers in the order of the entries; a transaction that cannot be done whole is an error instead."""
    services = repository.services
    body = await read_body(request, services.settings.max_body_bytes)
    content = parse_resource("Bundle", request.headers.get("content-type", ""), body)
    entries = entries_of(content, services.base_url)
    match content.get("type"):
        case "batch":
            if "x-provenance" in request.headers:
                raise FhirError("not-supported", "X-Provenance goes with a transaction or a single write; a batch is neither.")
            return await batch(request, repository, entries)
        case "transaction":
            return await _transaction(request, repository, entries)
        case _:
            raise FhirError(
                "not-supported",
                "On the base a Bundle has the type batch or transaction; one of another type is stored by POST Bundle.",
                expression="Bundle.type",
            )


async def _transaction(request: Request, repository: Repository, given: Sequence[Entry | FhirError]) -> Response:
    entries = [_readable(one) for one in given]
    base = repository.services.base_url
    searches = {entry.place for entry in entries if _is_search(entry)}
    steps = [_step(entry, base) for entry in entries if entry.place not in searches]
    lenient = preferences(request.headers).lenient
    for place in searches:
        _check_search(entries[place], repository, lenient=lenient)
    with_provenance(request, repository)
    done = await repository.transaction(steps)
    returning = preferences(request.headers, otherwise="minimal").returning
    made = [
        await answered(request, repository, entry) if entry.place in searches else _answer(entry, done[entry.place], base, returning)
        for entry in entries
    ]
    return json_response(orjson.dumps({"resourceType": "Bundle", "type": "transaction-response", **({"entry": made} if made else {})}))


def _readable(entry: Entry | FhirError) -> Entry:
    if isinstance(entry, FhirError):
        raise entry
    return entry


def _is_search(entry: Entry) -> bool:
    return entry.method in ("GET", "HEAD") and "/" not in entry.path


OFFERED = (
    "A transaction takes create, read, vread, update, patch, delete and searches of one type; send histories, compartments, operations "
    "and searches of several types in a batch."
)


def _check_search(entry: Entry, repository: Repository, *, lenient: bool) -> None:
    """Read and allowed before anything is written; it runs when everything is. Raises FhirError."""
    if entry.path in ("", HISTORY):
        raise entry.error("not-supported", OFFERED, ".request.url")
    if resource_type(entry.path) is None:
        raise entry.error("not-found", "The hub does not offer this resource type.", ".request.url")
    try:
        pairs = parse_qsl(entry.query, keep_blank_values=True)
        search = parse_search(entry.path, pairs, lenient=lenient, base=repository.services.base_url)
        repository.require(search)
    except FhirError as error:
        raise at_entry(error, entry.place) from error
    if search.page is not None:  # whether it still holds would be known when everything is written
        raise entry.error("not-supported", "A page link is followed by itself and not in a transaction.", ".request.url")


def _step(entry: Entry, base: str) -> Step:
    type, _, rest = entry.path.partition("/")
    if resource_type(type) is None:
        raise entry.error("not-found", "The hub does not offer this resource type.", ".request.url")
    id, version = _named(entry, rest)
    apply = _apply(entry)
    try:
        headers = Headers(dict(entry.headers))
        content = _content(entry, type)
        return Step(
            place=entry.place,
            method=cast("Method", entry.method),
            type=type,
            id=id,
            version=version,
            content=content,
            apply=apply,
            search=_search(entry, type, base, id),
            on=precondition(headers),
            full_url=entry.full_url,
        )
    except FhirError as error:
        raise at_entry(error, entry.place, creates=entry.method == "POST") from error


def _named(entry: Entry, rest: str) -> tuple[str | None, int | None]:
    """The id and the version that the url names. Raises FhirError for what a transaction does not offer."""
    parts = rest.split("/") if rest else []
    reads = entry.method in ("GET", "HEAD")
    if not parts and entry.method != "GET":
        if entry.method == "POST" or entry.query:
            return None, None
        raise entry.error("invalid", "The url needs an id, or criteria.", ".request.url")
    if entry.method == "POST" or ID.fullmatch(parts[0]) is None or len(parts) not in (1, 3) or (len(parts) == 3 and not reads):  # noqa: PLR2004
        raise entry.error("not-supported", OFFERED, ".request.url")
    if len(parts) == 1:
        return parts[0], None
    if parts[1] != HISTORY:
        raise entry.error("not-supported", OFFERED, ".request.url")
    return parts[0], version_of_text(parts[2])


def _content(entry: Entry, type: str) -> Mapping[str, Any] | None:
    if entry.method in ("POST", "PUT") and (entry.content or {}).get("resourceType") != type:
        raise FhirError("structure", f"The resource must be of the type in the url, {type}.")
    return entry.content if entry.method in ("POST", "PUT") else None


def _apply(entry: Entry) -> Apply | None:
    if entry.method != "PATCH":
        return None
    content_type, body = body_of(entry)
    try:
        return patch_of(content_type, body)
    except FhirError as error:
        raise at_entry(error, entry.place) from error


def _search(entry: Entry, type: str, base: str, id: str | None) -> Search | None:
    """If-None-Exist of a create; the criteria in the url of the others."""
    unless = entry.headers.get("if-none-exist")
    if entry.method == "POST":
        return None if unless is None else criteria(type, unless, base=base, where="ifNoneExist", creates=True)
    if id is not None or entry.method in ("GET", "HEAD"):
        return None
    return criteria(type, entry.query, base=base, where="The criteria of the url", creates=entry.method == "PUT")


def _answer(entry: Entry, outcome: Outcome, base: str, returning: str) -> dict[str, Any]:
    resource = outcome.resource
    if resource is None:
        return {"response": response(204, {"etag": etag(outcome.version or 0)})}
    headers = {"etag": etag(resource.version)}
    if outcome.how == "read" and is_known(Headers(dict(entry.headers)), resource):
        return {"response": response(304, headers, resource.updated_us)}
    if outcome.how != "read":
        headers["location"] = f"{base}/{resource.type}/{resource.id}/{HISTORY}/{resource.version}"
    answered = response(STATUS.get(outcome.how, 200), headers, resource.updated_us)
    if outcome.how != "read" and returning == "OperationOutcome":
        answered["outcome"] = orjson.Fragment(outcomes.done(outcome.how))
    return {**_shown(entry, resource, outcome, base, returning), "response": answered}


def _shown(entry: Entry, resource: Resource, outcome: Outcome, base: str, returning: str) -> dict[str, Any]:
    if entry.method == "HEAD" or not outcome.shown or (outcome.how != "read" and returning != "representation"):
        return {}
    return {"fullUrl": f"{base}/{resource.type}/{resource.id}", "resource": orjson.Fragment(resource.json)}
