"""FHIR read and conditional read: the current version of one resource. https://hl7.org/fhir/R4/http.html#read, #cread"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import read_response
from hub.interactions.shaping import shape_of
from hub.native import answered_as_bytes, answered_in_pieces
from hub.repository import Repository


async def read(request: Request, repository: Repository) -> Response:
    path, shape = request.path_params, shape_of(request)
    found = await repository.read(path["type"], path["id"])
    native = await answered_in_pieces(request, found, repository) or answered_as_bytes(request, found)
    return native or read_response(request.headers, found, shape(found.json) if shape else None)
