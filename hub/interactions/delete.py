"""FHIR delete. https://hl7.org/fhir/R4/http.html#delete"""

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.http import PRIVATE, etag, json_response, precondition, preferences
from hub.repository import Repository


async def delete(request: Request, repository: Repository) -> Response:
    """204 with the version of the deletion, now or before; 200 if an OperationOutcome is preferred.

    404 for what the caller may not see as for what does not exist, where R4 would rather have 204 for the latter: nobody is
    to be told that something is gone which is still there.
    """
    path = request.path_params
    deletion = await repository.delete(path["type"], path["id"], precondition(request.headers))
    headers = {"ETag": etag(deletion.version)}
    if preferences(request.headers).returning == "OperationOutcome":
        return json_response(outcomes.deleted(), headers=headers)
    return Response(status_code=204, headers={**PRIVATE, **headers})
