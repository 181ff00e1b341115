"""FHIR operation $validate, on a type and on an instance. https://hl7.org/fhir/R4/resource-operation-validate.html

200 with an OperationOutcome whatever is found: errors, warnings, or that all is well. Nothing is stored.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.profiles import SHIPPED, Budget, Finding, asked, findings
from fhir_profiles.r4 import Problem, advise
from hub import outcomes
from hub.errors import FhirError, Issue
from hub.http import json_response, read_body
from hub.interactions.operation import Given, bad, given_in
from hub.recording import Recording
from hub.rendering import resource_of
from hub.repository import Repository

MODES = ("create", "update", "delete", "profile")
OF_INSTANCES = ("update", "delete")
OF_WRITES = ("create", "update")
"""These ask besides whether the hub would take it: https://hl7.org/fhir/R4/valueset-resource-validation-mode.html. What would have
to be looked up, whether references lead somewhere and who permits, is not asked.
"""
ALLOWED = ("c", "u", "r")
STEPS_MAX = 2_000_000
"""Of holding a resource against profiles that are stored: some seconds."""
SIZE_USUAL = 1_000
"""Elements of a resource up to which it may take all of these."""
FINE = "All is well."


async def validate(request: Request, repository: Repository) -> Response:
    """POST on a type, or on an instance: a resource, or Parameters with `resource`, `mode` and `profile`.

    GET on an instance asks about it as it is stored; on a type it is refused, for it brings no resource.
    """
    path = request.path_params
    content, parameters = await _asked(request, repository)
    mode, profile = parameters.text("mode"), parameters.text("profile")
    if mode is not None and mode not in MODES:
        bad("mode", f"must be one of {', '.join(MODES)}")
    if mode == "profile" and profile is None:
        bad("profile", "is needed with the mode profile")
    if mode in OF_INSTANCES and "id" not in path:
        bad("mode", f"{mode} is asked of an instance: of {path['type']}/[id]/$validate")
    if content is None and "id" in path and mode != "delete":
        async with repository.recording("read") as recording:
            content = orjson.loads((await repository.read_within(path["type"], path["id"], recording)).json)
            return _answer(await _issues(content, path, mode, profile, repository, recording))
    if mode == "delete":
        async with repository.recording("operation"):
            repository.rights.require(path["type"], "d")
        return _answer([])
    async with repository.recording("operation") as recording:
        if not any(repository.rights.covers(path["type"], letter) for letter in ALLOWED):
            raise outcomes.forbidden()
        if content is None:
            bad("resource", "is needed: the resource to validate, sent as it is or as one of Parameters", "required")
        return _answer(await _issues(content, path, mode, profile, repository, recording))


async def _asked(request: Request, repository: Repository) -> tuple[Mapping[str, Any] | None, Given]:
    body = await read_body(request, repository.services.settings.max_body_bytes)
    content = resource_of(request.headers.get("content-type", ""), body) if body else None
    if content is not None and content.get("resourceType") == "Parameters" and request.path_params["type"] != "Parameters":
        parameters = given_in(request, content)
        parameters.only("resource", "mode", "profile")
        resource = parameters.one("resource")
        return (resource if isinstance(resource, dict) else None), parameters
    parameters = given_in(request, None)
    parameters.only("mode", "profile")
    return content, parameters


async def _issues(
    content: Mapping[str, Any],
    path: Mapping[str, str],
    mode: str | None,
    profile: str | None,
    repository: Repository,
    recording: Recording,
) -> list[tuple[str, Issue]]:
    if content.get("resourceType") != path["type"]:
        return [("error", Issue(code="invalid", text=f"The resource is no {path['type']}.", expression=path["type"]))]
    if mode == "update" and "id" in path and content.get("id") != path["id"]:
        return [("error", Issue(code="invalid", text="The id of the resource is not that of the URL.", expression=f"{path['type']}.id"))]
    try:
        repository.services.check(content)
        if mode in OF_WRITES:
            repository.refuse_by_content(path["type"], content)
    except FhirError as error:
        return [("error", issue) for issue in error.issues]
    profiles = [*asked(content), *([profile] if profile is not None and profile not in asked(content) else [])]
    library = await repository.profiles.library(profiles, recording)
    budget = None if library is SHIPPED else Budget(_within(content))
    found = findings(content, profiles, library=library, budget=budget)
    return [*map(_told, found), *(("warning", _issue(one)) for one in advise(content))]


def _told(finding: Finding) -> tuple[str, Issue]:
    return finding.severity, _issue(finding)


def _issue(one: Finding | Problem) -> Issue:
    return Issue(code=one.code, text=one.text, expression=one.expression)


def _within(content: Mapping[str, Any]) -> int:
    """The steps for stored profiles; of a resource with many elements each of a profile's costs that many looks."""
    return STEPS_MAX // max(1, _size(content) // SIZE_USUAL)


def _size(content: Any) -> int:
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return 1 + sum(map(_size, inner))


def _answer(found: list[tuple[str, Issue]]) -> Response:
    return json_response(outcomes.found(found or [("information", Issue(code="informational", text=FINE))]))
