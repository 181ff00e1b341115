"""FHIR update. https://hl7.org/fhir/R4/http.html#update"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import parse_resource, preferences, read_body, version_of
from hub.interactions.create import written
from hub.repository import Repository


async def update(request: Request, repository: Repository) -> Response:
    """200 with the new version; 404 for what the caller may not see as for what does not exist; 412 on a stale If-Match."""
    type, id = request.path_params["type"], request.path_params["id"]
    body = await read_body(request, repository.services.settings.max_body_bytes)
    content = parse_resource(type, request.headers.get("content-type", ""), body)
    made, how = await repository.update(type, id, content, version_of(request.headers.get("if-match")))
    return written(made, 201 if how == "created" else 200, preferences(request.headers), repository)
