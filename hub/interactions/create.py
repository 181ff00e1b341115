"""FHIR create and conditional create. https://hl7.org/fhir/R4/http.html#create, #ccreate"""

from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import Preferences, parse_resource, preferences, read_body, resource_response
from hub.native import sent_resource
from hub.rendering import FHIR_JSON
from hub.repository import Done, Repository
from hub.search.conditional import criteria


async def create(request: Request, repository: Repository) -> Response:
    """201 with Location; a client's id is ignored. With If-None-Exist 200 and the match, where there is one."""
    type, services = request.path_params["type"], repository.services
    body = await read_body(request, services.settings.max_body_bytes)
    content, _ = sent_resource(request, type, body)
    unless = request.headers.get("if-none-exist")
    search = None if unless is None else criteria(type, unless, base=services.base_url, where="If-None-Exist", creates=True)
    with_provenance(request, repository)
    return written(await repository.create(type, content, search), preferences(request.headers), repository)


def with_provenance(request: Request, repository: Repository) -> None:
    """X-Provenance: what is written has it beside it, or nothing is written. https://hl7.org/fhir/R4/provenance.html#header"""
    header = request.headers.get("x-provenance")
    if header is None:
        return
    content = parse_resource("Provenance", FHIR_JSON, header.encode("latin-1"))
    if "target" in content:
        raise FhirError("invalid", "X-Provenance has no target: it is what this request writes.", expression="Provenance.target")
    repository.with_provenance(content)


def written(done: Done, prefer: Preferences, repository: Repository) -> Response:
    """What a write answers; the client may prefer less. https://hl7.org/fhir/R4/http.html#ops

    Location also where nothing was created: a client that asked by criteria learns the id.
    """
    made, created = done.resource, done.how == "created"
    version = f"{repository.services.base_url}/{made.type}/{made.id}/_history/{made.version}"
    headers = {"Content-Location": version}
    if created or done.how == "found":
        headers["Location"] = version
    bodies = {"minimal": b"", "OperationOutcome": outcomes.done(done.how), "representation": None}
    returning = prefer.returning if done.shown or prefer.returning != "representation" else "minimal"
    return resource_response(made, status=201 if created else 200, headers=headers, body=bodies[returning])
