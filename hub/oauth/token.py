"""POST /oauth/token over HTTP: form in, token or RFC 6749 error out, a record for both."""

from collections.abc import Mapping
from functools import partial

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.guard import error_response, facts_of
from hub.http import read_body
from hub.oauth.binding import binding_of
from hub.oauth.client import presented
from hub.recording import Recording, RequestFacts
from hub.store.protocol import Unavailable
from security.oauth.errors import NO_STORE, OAuthError
from security.oauth.form import FORM_MAX_BYTES, parse_form
from security.oauth.token_endpoint import issue

log = structlog.get_logger()

HEADERS = {**NO_STORE, "X-Content-Type-Options": "nosniff"}


async def token(request: Request) -> Response:
    facts = facts_of(request, "token", request.app.state.services)
    response = await _answer(request, facts)
    response.headers["X-Request-Id"] = facts.request_id
    return response


async def _answer(request: Request, facts: RequestFacts) -> Response:
    state = request.app.state
    recording = Recording("token", None, facts, state.services)
    try:
        try:
            form = parse_form(request.headers.get("content-type", ""), await _body(request))
            given = await issue(
                form, dependencies=state.token_dependencies, presented=presented(request, form), bind=partial(binding_of, request)
            )
        except OAuthError as error:
            await recording.token_refused(error.error)
            return _json(error.body(), error.status, error.headers)
        await recording.token_issued(given.client_id, given.jti)
        return _json(given.body(), 200)
    except FhirError as error:
        return error_response(error)
    except Unavailable:
        return _json({"error": "temporarily_unavailable", "error_description": "try again"}, 503)
    except Exception as error:  # noqa: BLE001 - the last exit of this route, as hub.guard is of all others
        log.warning("unexpected", interaction="token", error=type(error).__name__, request=facts.request_id)
        return _json({"error": "server_error", "error_description": "the hub failed"}, 500)


async def _body(request: Request) -> bytes:
    """Raises OAuthError: who asks for a token is answered in the words of RFC 6749 throughout, and recorded."""
    try:
        return await read_body(request, FORM_MAX_BYTES)
    except FhirError as error:
        raise OAuthError("invalid_request", str(error)) from None


def _json(body: object, status: int, headers: Mapping[str, str] = HEADERS) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers={**HEADERS, **headers})
