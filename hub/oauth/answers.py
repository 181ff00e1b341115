"""What the OAuth endpoints have in common: a form comes in, JSON goes out, and each way out has a record behind it.

https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError, Throttled
from hub.guard import facts_of
from hub.http import read_body
from hub.oauth.client import proved_client
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unavailable
from hub.wiring import Hub
from security.oauth.client_authentication import ProvedClient
from security.oauth.errors import NO_STORE, OAuthError
from security.oauth.form import FORM_MAX_BYTES, parse_form
from security.oauth.token_endpoint import TokenDependencies

log = structlog.get_logger()

HEADERS = {**NO_STORE, "X-Content-Type-Options": "nosniff"}
NOT_NOW = {"error": "temporarily_unavailable", "error_description": "nothing was done; try again"}
FAILED = {"error": "server_error", "error_description": "the hub failed; nothing was disclosed"}
TOO_OFTEN = {"error": "slow_down", "error_description": "this was asked too often; ask again after Retry-After"}
RETRY_AFTER_S = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request to an OAuth endpoint. `form`: its parameters, each once. Who sends it is not proved yet."""

    request: Request
    hub: Hub
    dependencies: TokenDependencies
    form: Mapping[str, str]
    facts: RequestFacts
    recording: Recording

    @property
    def services(self) -> Services:
        return self.hub.services

    @property
    def now_us(self) -> int:
        return self.dependencies.now_us()

    async def client(self) -> ProvedClient:
        """Who proved to be the client; named in the record from then on. Raises OAuthError."""
        proved = await proved_client(self.request, self.form, self.dependencies)
        self.recording.says(client_id=proved.client.client_id, client_name=proved.client.name)
        return proved

    def needed(self, name: str) -> str:
        """A parameter that has to be there. Raises OAuthError."""
        value = self.form.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"{name} is missing")
        return value


Act = Callable[[Asking], Awaitable[Response]]


async def answered(request: Request, kind: str, act: Act) -> Response:
    """What `act` answers; or the refusal in the words of RFC 6749, once it is recorded.

    act  commits its own record where it changes anything, or leaves `recording.done` to this
    """
    hub: Hub = request.app.state.hub
    facts = facts_of(request, kind, hub.services)
    recording = Recording(kind, None, facts, hub.services)
    response = await _answer(request, act, hub, facts, recording)
    response.headers["X-Request-Id"] = facts.request_id
    return response


async def _answer(request: Request, act: Act, hub: Hub, facts: RequestFacts, recording: Recording) -> Response:
    try:
        try:
            form = parse_form(request.headers.get("content-type", ""), await _body(request))
            dependencies: TokenDependencies = request.app.state.token_dependencies
            asking = Asking(request=request, hub=hub, dependencies=dependencies, form=form, facts=facts, recording=recording)
            return await act(asking)
        except OAuthError as error:
            await recording.oauth_refused(error.error)
            return oauth_json(error.body(), error.status, error.headers)
        except Throttled as error:
            await recording.oauth_refused("slow_down")
            return oauth_json(TOO_OFTEN, 429, {"Retry-After": str(error.retry_after_s)})
    except FhirError as error:
        return _failed(error)
    except Unavailable:
        return _failed(outcomes.unavailable())
    except Exception as error:  # noqa: BLE001 - the last exit of these routes, as hub.guard is of all others
        log.warning("unexpected", interaction=facts.interaction, error=type(error).__name__, request=facts.request_id)
        return _failed(outcomes.unexpected())


async def _body(request: Request) -> bytes:
    """Raises OAuthError: who comes here is answered in the words of RFC 6749 throughout, and recorded."""
    try:
        return await read_body(request, FORM_MAX_BYTES)
    except FhirError as error:
        raise OAuthError("invalid_request", str(error)) from None


def _failed(error: FhirError) -> Response:
    if outcomes.status(error) >= 503 or error.code == "conflict":  # noqa: PLR2004
        return oauth_json(NOT_NOW, 503, {"Retry-After": RETRY_AFTER_S})
    return oauth_json(FAILED, 500)


def oauth_json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] = HEADERS) -> Response:
    """Never kept by anybody in between (RFC 6749 section 5.1)."""
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers={**HEADERS, **headers})
