"""What stands between a route and the network: authentication, the caller's repository, the exit for errors.

One wrapper for every row of the table, so that no route can forget it.
"""

from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.authenticate import Authenticator, Unauthenticated
from hub.errors import FhirError
from hub.http import check_acceptable, json_response
from hub.metrics import REQUESTS, SECONDS
from hub.recording import Recording, RequestFacts
from hub.repository import Repository
from hub.search.parameters import resource_type
from hub.services import Services
from hub.store.protocol import Unavailable

log = structlog.get_logger()

Endpoint = Callable[[Request, Repository], Awaitable[Response]]
RETRY_AFTER_S = "1"


def facts_of(request: Request, interaction: str, services: Services) -> RequestFacts:
    client = request.client
    return RequestFacts(
        request_id=services.new_id(),
        interaction=interaction,
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        address=client.host if client else None,
        client_request_id=request.headers.get("x-request-id"),
    )


def guarded(
    interaction: str, endpoint: Endpoint, services: Services, authenticator: Authenticator
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, reached only by an authenticated caller; every way out is an answer with a record behind it."""

    async def answer(request: Request) -> Response:
        began = perf_counter()
        response = await _answer(request)
        SECONDS.labels(interaction).observe(perf_counter() - began)
        REQUESTS.labels(interaction, response.status_code).inc()
        return response

    async def _answer(request: Request) -> Response:
        facts = facts_of(request, interaction, services)
        try:
            try:
                return await _admitted(request, facts)
            except FhirError as error:
                return await _refused(error, facts)
        except Unavailable:
            return error_response(outcomes.unavailable(), facts)
        except FhirError as error:
            return error_response(error, facts)
        except Exception as error:
            log.error(
                "unexpected",
                interaction=interaction,
                error=type(error).__name__,
                request=facts.request_id,
                exc_info=services.settings.debug,
            )
            return error_response(outcomes.unexpected(), facts)

    async def _admitted(request: Request, facts: RequestFacts) -> Response:
        caller = await authenticator(request.headers.get("authorization"), facts.request_id)
        facts.caller = caller
        repository = Repository(caller, services, facts)
        if interaction not in ("ingest", "quarantine-list", "quarantine-replay"):
            check_acceptable(request)
            known_type(request.path_params["type"])
        response = await endpoint(request, repository)
        response.headers["X-Request-Id"] = facts.request_id
        return response

    async def _refused(error: FhirError, facts: RequestFacts) -> Response:
        """A refusal that no interaction recorded (no token, unknown type, a body that is no resource) is recorded here."""
        if not facts.recorded:
            await Recording(interaction, facts.caller, facts, services).refused(error)
        return error_response(error, facts)

    return answer


def known_type(type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#read: a type the server does not support is 404."""
    if resource_type(type) is None:
        raise FhirError("not-found", "The hub does not offer this resource type; see /fhir/metadata.")


def error_response(error: FhirError, facts: RequestFacts) -> Response:
    headers = {"X-Request-Id": facts.request_id}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
    if error.code == "transient":
        headers["Retry-After"] = RETRY_AFTER_S
    return json_response(outcomes.body(error), status=outcomes.status(error), headers=headers)
