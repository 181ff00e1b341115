"""POST /oauth/clients: an app registers itself, and waits until somebody has approved it.

https://www.rfc-editor.org/rfc/rfc7591#section-3. Open to everybody, or to who brings an initial access token, as the settings say.
Nothing of it counts before an administrator has approved it (hub/registrations.py): until then it is as if it were not there.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.authenticate import bearer, caller_of
from hub.errors import FhirError, Throttled, Unauthenticated
from hub.guard import error_response, facts_of, request_ids
from hub.http import read_body
from hub.limits import Limit, sender
from hub.oauth.self_registered import Waiting
from hub.recording import AS_RECORDED, Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import Unavailable, Unit
from security.oauth.client_authentication import new_client_secret
from security.oauth.clients import Client, new_client_id
from security.oauth.dynamic_registration import REGISTRATION_PATH, RegistrationRefused, described
from security.oauth.errors import NO_STORE
from security.oauth.registration import metadata

log = structlog.get_logger()

KIND: Final = "client-register"
BODY_MAX_BYTES: Final = 16_384
MEDIA_TYPE: Final = "application/json"
HEADERS: Final = {**NO_STORE, "X-Content-Type-Options": "nosniff"}
CHALLENGE: Final = 'Bearer realm="registration", error="invalid_token"'
HOUR_US: Final = 3_600_000_000
PER_HOUR: Final = Limit(what="registrations", most=20, window_us=HOUR_US)
FULL_WAIT_S: Final = 3_600
NOT_HERE: Final = "apps do not register themselves at this hub; ask who runs it"
NO_TOKEN: Final = "registration needs the initial access token that who runs this hub gives"  # noqa: S105 (a text)
FULL: Final = "too many apps wait to be approved; try again later"


class Refused(Exception):
    """RFC 7591 section 3.2.2. The text repeats nothing that was sent."""

    def __init__(self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status, self.error, self.headers = status, error, headers or {}


Act = Callable[[Request, RequestFacts], Awaitable[Response]]


async def register(request: Request) -> Response:
    return await answered(request, KIND, _answer)


async def answered(request: Request, kind: str, act: Act) -> Response:
    """One attempt. Every way out is an answer with a record behind it."""
    facts = facts_of(request, kind, request.app.state.services)
    try:
        response = await act(request, facts)
    except Refused as error:
        response = await _refused(error, facts, request)
    except RegistrationRefused as error:
        response = await _refused(Refused(400, error.error, error.description), facts, request)
    except Throttled as error:
        response = await _refused(Refused(429, "slow_down", str(error), {"Retry-After": str(error.retry_after_s)}), facts, request)
    except FhirError as error:
        response = await _refused(Refused(outcomes.status(error), "invalid_request", str(error)), facts, request)
    except Unavailable:
        response = error_response(outcomes.unavailable())
    except Exception as error:  # noqa: BLE001 - the last exit of this route, as hub.guard is of all others
        log.warning("unexpected", interaction=kind, error=type(error).__name__, request=facts.request_id)
        response = await _refused(Refused(500, "server_error", "the hub failed; nothing was done"), facts, request)
    response.headers.update(request_ids(facts))
    return response


async def _answer(request: Request, facts: RequestFacts) -> Response:
    services: Services = request.app.state.services
    _admit(request, services)
    members = json_body(request.headers.get("content-type", ""), await read_body(request, BODY_MAX_BYTES))
    secret, kept = new_client_secret()
    token, kept_of_token = new_client_secret()
    name = members.get("client_name") if isinstance(members, dict) else None
    client = described(
        members,
        client_id=new_client_id(name if isinstance(name, str) else ""),
        secret_hash=kept,
        now_us=services.clock(),
        check_scope_query=request.app.state.token_dependencies.check_scope_query,
    )
    client = replace(client, registration_token=kept_of_token)
    who = sender(facts.address)
    await redoing(partial(_waiting, services, client, who, facts), lambda: (f"registrations {who}",), services.turns)
    shown = secret if client.secret_hash is not None else None
    return json_response(registered(client, shown, token, request.app.state.base_url), 201)


def _admit(request: Request, services: Services) -> None:
    settings = services.settings
    if not settings.registration:
        raise Refused(403, "access_denied", NOT_HERE)
    if settings.registration_token_file is None:
        return
    wanted = settings.registration_token_file.read_bytes().strip()
    try:
        sent = bearer(request.headers.get("authorization"))
    except Unauthenticated:
        sent = ""
    if not wanted or not hmac.compare_digest(sent.encode("utf-8", "replace"), wanted):
        raise Refused(401, "invalid_token", NO_TOKEN, {"WWW-Authenticate": CHALLENGE})


def json_body(content_type: str, body: bytes) -> object:
    """Raises Refused."""
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Refused(400, "invalid_client_metadata", f"the body must be {MEDIA_TYPE}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "invalid_client_metadata", "the body is not JSON") from None


async def _waiting(services: Services, client: Client, who: str, facts: RequestFacts) -> None:
    """It waits from now on; counted, and recorded under the name that it gave itself."""
    counted, waiting = await PER_HOUR.taken(services, who), Waiting(services)
    if len(await waiting.all()) >= services.settings.registrations_waiting_max:
        raise Throttled(FULL, FULL_WAIT_S)
    recording = Recording(KIND, caller_of(client, client.granted, client.purpose, facts.request_id), facts, services)
    await recording.commit(Unit(notes=(counted, await waiting.added(client))), writes=())


def registered(client: Client, secret: str | None, token: str, base_url: str) -> dict[str, Any]:
    """RFC 7591 section 3.2.1, RFC 7592 section 3. `approved` is ours: nothing works before somebody has approved it.

    secret  where it is a new one: it is shown this once
    token   by which the app looks after its registration
    """
    shown = {} if secret is None else {"client_secret": secret, "client_secret_expires_at": 0}
    issued = client.created_us // 1_000_000
    access = {"registration_access_token": token, "registration_client_uri": f"{base_url}{REGISTRATION_PATH}/{client.client_id}"}
    return {
        "client_id": client.client_id,
        "client_id_issued_at": issued,
        **shown,
        **access,
        **metadata(client),
        "approved": not client.pending,
    }


async def _refused(error: Refused, facts: RequestFacts, request: Request) -> Response:
    if not facts.recorded:
        try:
            known = facts.interaction == KIND or facts.caller is not None
            kind = AS_RECORDED.get(facts.interaction, facts.interaction) if known else "authentication-failed"
            recording = Recording(kind, facts.caller, facts, request.app.state.services)
            await recording.refused(FhirError("exception" if error.status >= 500 else "forbidden", error.error), kind=kind)  # noqa: PLR2004
        except (FhirError, Unavailable):
            return error_response(outcomes.unavailable())
    response = json_response({"error": error.error, "error_description": str(error)}, error.status)
    response.headers.update(error.headers)
    return response


def json_response(body: object, status: int) -> Response:
    """`body`: None for an answer without one."""
    return Response(b"" if body is None else orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE, headers=HEADERS)
