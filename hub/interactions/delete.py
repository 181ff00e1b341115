"""FHIR delete. https://hl7.org/fhir/R4/http.html#delete"""

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import PRIVATE, etag, json_response, precondition, preferences
from hub.repository import Deletion, Repository
from hub.search.conditional import criteria


async def delete(request: Request, repository: Repository) -> Response:
    """204 with the version of the deletion, now or before; 200 if an OperationOutcome is preferred.

    404 for what the caller may not see as for what does not exist, where R4 would rather have 204 for the latter: nobody is
    to be told that something is gone which is still there.
    """
    _without_provenance(request)
    path = request.path_params
    return _deleted(request, await repository.delete(path["type"], path["id"], precondition(request.headers)))


async def conditional_delete(request: Request, repository: Repository) -> Response:
    """What matches, where one resource does; 404 where none does, 412 for many. https://hl7.org/fhir/R4/http.html#3.1.0.7.1"""
    _without_provenance(request)
    type = request.path_params["type"]
    search = criteria(type, request.url.query, base=repository.services.base_url, where="The query of the URL")
    return _deleted(request, await repository.delete_matching(type, search, precondition(request.headers)))


def _without_provenance(request: Request) -> None:
    """https://hl7.org/fhir/R4/provenance.html#header: it is of what is written. Passed over, it would be lost without a word."""
    if "x-provenance" in request.headers:
        text = "X-Provenance goes with what is written: of a deletion, create a Provenance of the version before it."
        raise FhirError("not-supported", text, expression="http.X-Provenance")


def _deleted(request: Request, deletion: Deletion) -> Response:
    headers = {"ETag": etag(deletion.version)}
    if preferences(request.headers).returning == "OperationOutcome":
        return json_response(outcomes.deleted(), headers=headers)
    return Response(status_code=204, headers={**PRIVATE, **headers})
