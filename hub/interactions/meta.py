"""FHIR operations $meta, $meta-add and $meta-delete. https://hl7.org/fhir/R4/resource-operations.html

R4 leaves open whether a change of meta makes a version: here it does, because every change is one that can be looked up.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub import numbers
from hub.http import json_response, precondition
from hub.interactions.operation import bad, given, given_in
from hub.interactions.vread import version_of_text
from hub.repository import Repository
from hub.search.parse import parse_search

KINDS = ("profile", "security", "tag")
Json = dict[str, Any]


async def meta(request: Request, repository: Repository) -> Response:
    """Of an instance or a version: its meta."""
    path = request.path_params
    if "version_id" in path:
        found = await repository.vread(path["type"], path["id"], version_of_text(path["version_id"]))
    else:
        found = await repository.read(path["type"], path["id"])
    return _returned(numbers.loads(found.json).get("meta", {}))


async def meta_of_type(request: Request, repository: Repository) -> Response:
    """Every profile, label and tag that a resource of the type bears, of those that this caller may see."""
    gathered: Json = {}
    given_in(request, None).only()

    def take(content: Mapping[str, Any]) -> bool:
        _add(gathered, content.get("meta", {}))
        return False

    search = parse_search(request.path_params["type"], [], lenient=False, base=repository.services.base_url)
    await repository.gather(search, take)
    return _returned(gathered)


async def meta_add(request: Request, repository: Repository) -> Response:
    return await _changed(request, repository, _add)


async def meta_delete(request: Request, repository: Repository) -> Response:
    return await _changed(request, repository, _remove)


async def _changed(request: Request, repository: Repository, change: Callable[[Json, Mapping[str, Any]], None]) -> Response:
    path, parameters = request.path_params, await given(request, repository)
    parameters.only("meta")
    told = parameters.one("meta")
    if not isinstance(told, dict) or not told:
        bad("meta", "is needed: a Meta with profiles, security labels or tags")
    if not set(told) <= set(KINDS) or not all(isinstance(one, list) for one in told.values()):
        bad("meta", f"has {', '.join(KINDS)} and nothing else")

    def apply(resource: Mapping[str, Any]) -> Json:
        meta = {name: list(value) if isinstance(value, list) else value for name, value in resource.get("meta", {}).items()}
        change(meta, told)
        return {**resource, "meta": meta}

    done = await repository.patch(path["type"], path["id"], apply, precondition(request.headers))
    return _returned(numbers.loads(done.resource.json).get("meta", {}) if done.shown else {})


def _add(meta: Json, more: Mapping[str, Any]) -> None:
    for kind in KINDS:
        known = meta.get(kind, [])
        new = [one for one in more.get(kind, ()) if not any(_same(one, other) for other in known)]
        if known or new:
            meta[kind] = [*known, *new]


def _remove(meta: Json, less: Mapping[str, Any]) -> None:
    for kind in KINDS:
        left = [one for one in meta.get(kind, ()) if not any(_same(one, other) for other in less.get(kind, ()))]
        meta.pop(kind, None)
        if left:
            meta[kind] = left


def _same(one: Any, other: Any) -> bool:
    """Labels and tags are the same by system and code, however they are displayed."""
    if isinstance(one, dict) and isinstance(other, dict):
        return (one.get("system"), one.get("code")) == (other.get("system"), other.get("code"))
    return bool(one == other)


def _returned(meta: Mapping[str, Any]) -> Response:
    told = {"parameter": [{"name": "return", "valueMeta": meta}]} if meta else {}
    return json_response(numbers.dumps({"resourceType": "Parameters", **told}))
