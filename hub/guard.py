"""What stands between a route and the network: authentication, the caller's repository, the exit for errors.

One wrapper for every row of the table, so that no route can forget it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from time import perf_counter
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from hub import outcomes
from hub.authenticate import Authenticator
from hub.errors import Deleted, FhirError, IssueCode, Throttled, Unauthenticated
from hub.http import etag, json_response
from hub.metrics import REQUESTS, SECONDS
from hub.native import BINARY, wanted_of_binary
from hub.recording import Recording, RequestFacts
from hub.rendering import Wanted, render, wanted, wanted_of_refused
from hub.repository import Repository
from hub.search.parameters import resource_type
from hub.services import Services
from hub.store.protocol import Unavailable
from security.context import AccessContext

log = structlog.get_logger()

Endpoint = Callable[[Request, Repository], Awaitable[Response]]
RETRY_AFTER_S: Mapping[IssueCode, str] = {"transient": "1", "lock-error": "5"}
OPERATION = "operation"
TOKEN_PARAMETER = b"access_token"
TOKEN_IN_URL = "Send the access token in the Authorization header alone: URLs are written down on their way."  # noqa: S105 (a text)
OF_UNITS = frozenset({"ingest"})
NOT_FOR_UNITS = "A single unit's credential sends that unit's readings to /ingest, and nothing else."
FOR_CLIENTS = ("/ingest", "/quarantine", "/confirm")
NOT_FOR_PEOPLE = "Readings are sent in, and what waits of them is looked after, by clients in their own name."
AHEAD = frozenset({"read", "vread"})
"""Interactions that are about one resource and begin with looking it up."""
FHIR_BASE = "/fhir"
"""Below it a format that the hub cannot give is refused; elsewhere only errors are FHIR."""


CLIENT_ID = re.compile(r"[A-Za-z0-9._:/+=~@-]{1,128}")
"""What of a client's request id is given back: what can be an id, and nothing that a header could be broken by."""


def facts_of(request: Request, interaction: str, services: Services) -> RequestFacts:
    client, scope = request.client, request.scope
    return RequestFacts(
        request_id=services.new_id(),
        interaction=interaction,
        method=scope["method"],
        path=scope["path"].replace("?", "%3F"),
        query=scope["query_string"].decode("latin-1"),
        address=client.host if client else None,
        client_request_id=request.headers.get("x-request-id"),
    )


class Guarded:
    """An endpoint, reached only by an authenticated caller; every way out is an answer with a record behind it."""

    def __init__(self, interaction: str, endpoint: Endpoint, services: Services, authenticator: Authenticator) -> None:
        self._interaction = interaction
        self._endpoint = endpoint
        self._services = services
        self._authenticator = authenticator
        self._seconds = SECONDS.labels(interaction)
        self._answered = cache(partial(REQUESTS.labels, interaction))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application of its own, so that nothing is wrapped around an endpoint that catches everything itself."""
        response = await self._respond(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        began = perf_counter()
        facts = facts_of(request, self._interaction, self._services)
        request.state.wanted = wanted_of_refused(request)
        response = await self._answer(request, facts)
        response = self._rendered(response, request.state.wanted, facts)
        response.headers.update(request_ids(facts))
        self._seconds.observe(perf_counter() - began)
        self._answered(response.status_code).inc()
        return response

    async def entry(self, request: Request, caller: AccessContext, request_id: str) -> Response:
        """One entry of a batch, for a caller who has been authenticated with the whole: decided and recorded by itself."""
        facts = facts_of(request, self._interaction, self._services)
        facts.request_id, facts.caller = request_id, caller
        request.state.wanted = Wanted()
        return await self._answer(request, facts)

    async def _answer(self, request: Request, facts: RequestFacts) -> Response:
        try:
            return await self._admitted(request, facts)
        except FhirError as error:
            return await self._refused(error, facts)
        except Unavailable:
            return error_response(outcomes.unavailable())
        except Exception as error:  # noqa: BLE001 - the last exit: whatever happened, nothing of it is disclosed
            self._log(error, facts)
            return await self._refused(outcomes.unexpected(), facts)

    async def _admitted(self, request: Request, facts: RequestFacts) -> Response:
        caller = facts.caller or await self._authenticator(request, facts.request_id, partial(self._ask_ahead, request, facts))
        facts.caller = caller
        if TOKEN_PARAMETER in request.scope["query_string"] and TOKEN_PARAMETER.decode() in request.query_params:
            raise FhirError("invalid", TOKEN_IN_URL, expression=f"http.{TOKEN_PARAMETER.decode()}")
        if request.scope["path"].startswith(FHIR_BASE):
            request.state.wanted = wanted_of_binary(request) if self._may_be_bytes(request) else wanted(request)
        if caller.unit is not None and self._interaction not in OF_UNITS:
            raise FhirError("forbidden", NOT_FOR_UNITS)
        if caller.person is not None and request.scope["path"].startswith(FOR_CLIENTS):
            raise FhirError("forbidden", NOT_FOR_PEOPLE)
        if self._interaction != OPERATION and names_operation(request.scope["path"]):
            raise outcomes.unknown_operation()
        if "type" in request.path_params:
            known_type(request.path_params["type"])
        return await self._endpoint(request, Repository(caller, self._services, facts))

    def _may_be_bytes(self, request: Request) -> bool:
        """https://hl7.org/fhir/R4/binary.html#rest: a Binary is read in FHIR or in its own format."""
        return self._interaction in AHEAD and request.path_params["type"] == BINARY

    def _ask_ahead(self, request: Request, facts: RequestFacts) -> None:
        """Whoever asks for one resource waits for it and for the look-up of the client together."""
        if self._interaction in AHEAD:
            type, id = request.path_params["type"], request.path_params["id"]
            facts.asked = type, id, self._services.ask(type, id)

    async def _refused(self, error: FhirError, facts: RequestFacts) -> Response:
        """A refusal that no interaction recorded (no token, unknown type, a body that is no resource) is recorded here."""
        if not facts.recorded:
            try:
                await Recording(self._interaction, facts.caller, facts, self._services).refused(error, **_claimed(error))
            except (FhirError, Unavailable):
                return error_response(error if error.code == "transient" else outcomes.unavailable())
        return error_response(error)

    def _rendered(self, response: Response, wanted: Wanted, facts: RequestFacts) -> Response:
        try:
            return render(response, wanted)
        except ValueError as error:  # what is stored was checked, and what the hub makes is tested: this must not happen
            self._log(error, facts)
            return render(error_response(outcomes.unexpected()), wanted)

    def _log(self, error: Exception, facts: RequestFacts) -> None:
        """Only the kind of error: its text may repeat values of a resource (law 4)."""
        traceback = error if self._services.settings.debug else None
        log.error("unexpected", interaction=self._interaction, error=type(error).__name__, request=facts.request_id, exc_info=traceback)


def _claimed(error: FhirError) -> dict[str, Any]:
    """Who a valid token says it was that is not let in (any more): the app, and the person who acted through it."""
    if not isinstance(error, Unauthenticated) or error.claimed is None:
        return {}
    return {"client_id": error.claimed, **error.who}


def request_ids(facts: RequestFacts) -> dict[str, str]:
    """Ours, under which the log has it; the client's own beside it. https://hl7.org/fhir/R4/http.html#custom"""
    theirs = facts.client_request_id
    known = {"X-Correlation-Id": theirs} if theirs and CLIENT_ID.fullmatch(theirs) else {}
    return {"X-Request-Id": facts.request_id, **known}


class Entries:
    """The routes that an entry of a batch may ask for."""

    def __init__(self, routes: Sequence[tuple[Route, Guarded]]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, caller: AccessContext, request_id: str) -> Response:
        """The answer to one entry. `scope`: of the entry alone. Raises FhirError where there is no such route."""
        for route, guarded in self._routes:
            match, more = route.matches(scope)
            if match is Match.FULL:
                return await guarded.entry(Request({**scope, **more}, receive), caller, request_id)
        raise FhirError("not-found", "There is no such interaction; see /fhir/metadata.")


def names_operation(path: str) -> bool:
    """Does a path end in the name of an operation? https://hl7.org/fhir/R4/operations.html: they begin with "$", which no id does."""
    return path.rpartition("/")[2].startswith("$")


def known_type(type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#read: a type the server does not support is 404."""
    if resource_type(type) is None:
        raise FhirError("not-found", "The hub does not offer this resource type; see /fhir/metadata.")


def error_response(error: FhirError) -> Response:
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
        headers |= {} if error.nonce is None else {"DPoP-Nonce": error.nonce}
    if isinstance(error, Deleted):
        headers["ETag"] = etag(error.version)
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.retry_after_s)
    if error.code in RETRY_AFTER_S:
        headers["Retry-After"] = RETRY_AFTER_S[error.code]
    return json_response(outcomes.body(error), status=outcomes.status(error), headers=headers)
