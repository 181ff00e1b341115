"""FHIR read: the current version of one resource. https://hl7.org/fhir/R4/http.html#read"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import resource_response
from hub.interactions.shaping import shape_of
from hub.repository import Repository


async def read(request: Request, repository: Repository) -> Response:
    path, shape = request.path_params, shape_of(request)
    found = await repository.read(path["type"], path["id"])
    return resource_response(found, body=shape(found.json) if shape else None)
