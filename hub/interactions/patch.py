"""FHIR patch, by JSON Patch and by FHIRPath Patch. https://hl7.org/fhir/R4/http.html#patch"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.patch import PatchError, fhirpath_patch, json_patch
from hub.errors import FhirError, IssueCode
from hub.http import precondition, preferences, read_body
from hub.interactions.create import with_provenance, written
from hub.rendering import FHIR_JSON, FHIR_XML, json_of, resource_of
from hub.repository import Repository
from hub.repository.attempt import Apply
from hub.search.conditional import criteria

JSON_PATCH = "application/json-patch+json"
STEP = re.compile(r"[A-Za-z]{1,64}|[0-9]{1,6}", re.ASCII)
FAULTS: Mapping[str, IssueCode] = {"malformed": "invalid", "target": "business-rule", "test": "business-rule", "limit": "too-long"}


async def patch(request: Request, repository: Repository) -> Response:
    """200 with the new version; 422 where an operation cannot be carried out or a test says no, and nothing is changed."""
    path, apply = request.path_params, await _apply(request, repository)
    with_provenance(request, repository)
    done = await repository.patch(path["type"], path["id"], apply, precondition(request.headers))
    return written(done, preferences(request.headers), repository)


async def conditional_patch(request: Request, repository: Repository) -> Response:
    """404 where nothing matches, 412 for many."""
    type, apply = request.path_params["type"], await _apply(request, repository)
    search = criteria(type, request.url.query, base=repository.services.base_url, where="The query of the URL")
    with_provenance(request, repository)
    done = await repository.patch_matching(type, apply, search, precondition(request.headers))
    return written(done, preferences(request.headers), repository)


async def _apply(request: Request, repository: Repository) -> Apply:
    body = await read_body(request, repository.services.settings.max_body_bytes)
    return patch_of(request.headers.get("content-type", ""), body)


def patch_of(content_type: str, body: bytes) -> Apply:
    """What carries the patch out. Raises FhirError for a body that is no patch."""
    if content_type.partition(";")[0].strip().lower() == JSON_PATCH:
        operations = json_of(body)
        return lambda resource: _carried_out(
            lambda: json_patch(resource, operations), lambda place: pointed_at(resource, operations, place)
        )
    return fhirpath_patch_of(_parameters(content_type, body))


def _parameters(content_type: str, body: bytes) -> Mapping[str, Any]:
    try:
        return resource_of(content_type, body)
    except FhirError as error:
        if error.code != "media-type":
            raise
        text = f"Send a JSON Patch as {JSON_PATCH}, or a FHIRPath Patch as {FHIR_JSON} or {FHIR_XML}."
        raise FhirError("media-type", text, expression="http.Content-Type") from None


def fhirpath_patch_of(parameters: Mapping[str, Any]) -> Apply:
    if parameters.get("resourceType") != "Parameters":
        raise FhirError(
            "structure",
            f"A patch is a Parameters resource (FHIRPath Patch), or a JSON Patch sent as {JSON_PATCH}.",
            expression="Parameters",
        )
    return lambda resource: _carried_out(lambda: fhirpath_patch(resource, parameters), lambda place: f"Parameters.parameter[{place}]")


def pointed_at(resource: Mapping[str, Any], operations: Any, place: int) -> str:
    """FHIRPath of what an operation of a JSON Patch points at: `/category/0/text` is Observation.category[0].text.

    No further than the names of elements go: what else stands there may be a value, and errors repeat none.
    """
    operation = operations[place] if isinstance(operations, list) and place < len(operations) else None
    pointer = operation.get("path") if isinstance(operation, dict) else None
    made = str(resource.get("resourceType"))
    for step in str(pointer or "").split("/")[1:]:
        if not STEP.fullmatch(step):
            break
        made += f"[{step}]" if step.isdigit() else f".{step}"
    return made


def _carried_out(patched: Callable[[], dict[str, Any]], place_of: Callable[[int], str]) -> dict[str, Any]:
    try:
        return patched()
    except PatchError as error:
        place = place_of(error.operation or 0)
        raise FhirError(FAULTS[error.fault], f"The patch cannot be carried out: {error}.", expression=place) from None
