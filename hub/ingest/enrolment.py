"""POST /oauth/register: a unit enrols itself with the public half of its own key and a one-time code.

https://www.rfc-editor.org/rfc/rfc7591#section-3: dynamic client registration with an initial access token, which is the code. The code
says which unit it is and in whose name it will send; the unit says only its key. Whoever has no good code gets one answer,
whatever is wrong with it. Code and credential are written in one transaction, so a code is good once.
"""

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.authenticate import bearer, caller_of
from hub.errors import FhirError
from hub.guard import error_response, facts_of, request_ids
from hub.http import read_body
from hub.ingest.registrar import Registrar
from hub.ingest.units import Invitations
from hub.recording import Recording, RequestFacts
from hub.store.protocol import Unavailable
from security.oauth.clients import Client
from security.oauth.errors import NO_STORE
from security.oauth.jwks import registrable

log = structlog.get_logger()

KIND = "credential-enrol"
BODY_MAX_BYTES = 16_384
HEADERS = {**NO_STORE, "X-Content-Type-Options": "nosniff"}
CHALLENGE = 'Bearer realm="enrolment", error="invalid_token"'
NO_CODE = "the code is not one that is good now; ask for another one"
METHOD, GRANT = "private_key_jwt", "client_credentials"


class Refused(Exception):
    """RFC 7591 section 3.2.2. `error`: its code; 401 for the code, 400 for what was said."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.status = error, status


async def register(request: Request) -> Response:
    """One attempt. Every way out is an answer with a record behind it."""
    facts = facts_of(request, KIND, request.app.state.services)
    try:
        response = await _answer(request, facts)
    except (Refused, FhirError) as error:
        response = await _refused(error, facts, request)
    except Unavailable:
        response = error_response(outcomes.unavailable())
    except Exception as error:  # noqa: BLE001 - the last exit of this route, as hub.guard is of all others
        log.error("unexpected", interaction=KIND, error=type(error).__name__, request=facts.request_id)  # noqa: TRY400
        response = await _refused(outcomes.unexpected(), facts, request)
    response.headers.update(request_ids(facts))
    return response


async def _answer(request: Request, facts: RequestFacts) -> Response:
    services, registrar = request.app.state.services, Registrar(request.app.state.services, request.app.state.oauth)
    body = await read_body(request, BODY_MAX_BYTES)
    try:
        page, invitation = await Invitations(services).find(bearer(request.headers.get("authorization")))
    except FhirError:
        invitation = None
    if invitation is None:
        raise Refused("invalid_token", NO_CODE, 401)
    jwks = _said(body)
    try:
        made = await registrar.enrol(page, invitation, jwks, lambda client: _recording(client, facts, request))
    except ValueError as error:
        raise Refused("invalid_client_metadata", str(error)) from error
    if made is None:
        raise Refused("invalid_token", NO_CODE, 401)
    return _json(_registered(made), 201)


def _recording(client: Client, facts: RequestFacts, request: Request) -> Recording:
    """In the name of the credential that comes of it."""
    facts.caller = caller_of(client, client.granted, client.purpose, facts.request_id)
    return Recording(KIND, facts.caller, facts, request.app.state.services)


def _said(body: bytes) -> dict[str, object]:
    """The keys. What else is said must be what it will be, or is not understood and left aside (RFC 7591 section 2)."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused("invalid_client_metadata", "the body is not JSON") from None
    if not isinstance(said, dict):
        raise Refused("invalid_client_metadata", "the body is not an object")
    if said.get("token_endpoint_auth_method", METHOD) != METHOD or said.get("grant_types", [GRANT]) != [GRANT]:
        raise Refused("invalid_client_metadata", f"a unit proves itself by {METHOD} and asks for tokens by {GRANT}")
    try:
        return registrable(said.get("jwks"))
    except ValueError as error:
        raise Refused("invalid_client_metadata", f"jwks: {error}") from None


def _registered(client: Client) -> dict[str, object]:
    """RFC 7591 section 3.2.1."""
    return {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_us // 1_000_000,
        "token_endpoint_auth_method": METHOD,
        "grant_types": [GRANT],
        "scope": client.scopes,
        "jwks": client.jwks,
    }


async def _refused(error: Refused | FhirError, facts: RequestFacts, request: Request) -> Response:
    code = error.error if isinstance(error, Refused) else error.code
    if not facts.recorded:
        try:
            recording = Recording(KIND, None, facts, request.app.state.services)
            await recording.refused(error if isinstance(error, FhirError) else FhirError("login", code), kind="authentication-failed")
        except (FhirError, Unavailable):
            return error_response(outcomes.unavailable())
    if isinstance(error, FhirError):
        return error_response(error)
    response = _json({"error": error.error, "error_description": str(error)}, error.status)
    if error.status == 401:  # noqa: PLR2004 (RFC 9110 section 15.5.2: a 401 names a scheme)
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers=HEADERS)
