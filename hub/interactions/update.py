"""FHIR update and conditional update. https://hl7.org/fhir/R4/http.html#update, #cond-update"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import precondition, preferences, read_body
from hub.interactions.create import with_provenance, written
from hub.native import sent_resource
from hub.repository import Repository
from hub.search.conditional import criteria

URL = "The query of the URL"


async def update(request: Request, repository: Repository) -> Response:
    """200 with the new version; 404 for what the caller may not see as for what does not exist; 412 on a stale If-Match."""
    type, id = request.path_params["type"], request.path_params["id"]
    body = await read_body(request, repository.services.settings.max_body_bytes)
    content, elements = sent_resource(request, type, body, id)
    with_provenance(request, repository)
    done = await repository.update(type, id, content, precondition(request.headers), elements)
    return written(done, preferences(request.headers), repository)


async def conditional_update(request: Request, repository: Repository) -> Response:
    """201 where nothing matches, 200 where one resource does, 412 for many."""
    type, services = request.path_params["type"], repository.services
    body = await read_body(request, services.settings.max_body_bytes)
    content, elements = sent_resource(request, type, body)
    search = criteria(type, request.url.query, base=services.base_url, where=URL, creates=True)
    with_provenance(request, repository)
    done = await repository.update_matching(type, content, search, precondition(request.headers), elements)
    return written(done, preferences(request.headers), repository)
