"""FHIR vread: one version of one resource. https://hl7.org/fhir/R4/http.html#vread"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import read_response
from hub.interactions.shaping import shape_of
from hub.native import answered_as_bytes, answered_in_pieces
from hub.repository import Repository

VERSION_DIGITS_MAX = 9
NO_VERSION = 0


async def vread(request: Request, repository: Repository) -> Response:
    """Version ids are numbers here, from 1; any other text names a version that does not exist."""
    path, shape = request.path_params, shape_of(request)
    found = await repository.vread(path["type"], path["id"], version_of_text(path["version_id"]))
    native = await answered_in_pieces(request, found, repository) or answered_as_bytes(request, found)
    return native or read_response(request.headers, found, shape(found.json) if shape else None)


def version_of_text(text: str) -> int:
    known = text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX and not text.startswith("0")
    return int(text) if known else NO_VERSION
