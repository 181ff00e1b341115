"""FHIR read: the current version of one resource. https://hl7.org/fhir/R4/http.html#read"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import resource_response
from hub.repository import Repository


async def read(request: Request, repository: Repository) -> Response:
    path = request.path_params
    return resource_response(await repository.read(path["type"], path["id"]))
