"""FHIR create. https://hl7.org/fhir/R4/http.html#create"""

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import Preferences, parse_resource, preferences, read_body, resource_response
from hub.repository import Repository, Resource


async def create(request: Request, repository: Repository) -> Response:
    """201 with Location; a client's id is ignored, If-None-Exist is refused rather than ignored."""
    if "if-none-exist" in request.headers:
        raise FhirError("not-supported", "Conditional create is not offered; leave If-None-Exist out.")
    type = request.path_params["type"]
    body = await read_body(request, repository.services.settings.max_body_bytes)
    content = parse_resource(type, request.headers.get("content-type", ""), body)
    made = await repository.create(type, content)
    return written(made, 201, preferences(request.headers), repository)


def written(made: Resource, status: int, prefer: Preferences, repository: Repository) -> Response:
    """What a write answers; the client may prefer less. https://hl7.org/fhir/R4/http.html#ops"""
    headers = {}
    if status == 201:  # noqa: PLR2004
        headers["Location"] = f"{repository.services.base_url}/{made.type}/{made.id}/_history/{made.version}"
    bodies = {"minimal": b"", "OperationOutcome": outcomes.done(), "representation": None}
    return resource_response(made, status=status, headers=headers, body=bodies[prefer.returning])
