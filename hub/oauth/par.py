"""POST /oauth/par: the parameters of authorize, pushed by a client that proves itself before any browser sees them.

https://www.rfc-editor.org/rfc/rfc9126
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hub.oauth.answers import Asking, oauth_json
from hub.oauth.answers import answered as oauth_answered
from hub.oauth.binding import proved_key
from hub.oauth.waiting import PUSHED_S, REQUEST_URI, begun
from hub.store.protocol import Unit
from security.oauth.authorization_request import AuthorizationRequest, AuthorizeErrorCode, Refused, Untrusted, checked, trusted
from security.oauth.errors import OAuthError, OAuthErrorCode

CREATED: Final = 201
NOT_OF_THE_REQUEST: Final = frozenset({"client_assertion", "client_assertion_type", "client_secret"})
"""They prove who pushes (RFC 9126 section 2.1)."""
AS_OAUTH: Final[Mapping[AuthorizeErrorCode, OAuthErrorCode]] = {
    "unauthorized_client": "unauthorized_client",
    "invalid_scope": "invalid_scope",
    "unsupported_response_type": "unsupported_response_type",
    "invalid_target": "invalid_target",
}
"""Everything else is an invalid_request here."""


async def par(request: Request) -> Response:
    return await oauth_answered(request, "par", _pushed)


async def _pushed(asking: Asking) -> Response:
    client = (await asking.client()).client
    if "request_uri" in asking.form:  # RFC 9126 section 2.1
        raise OAuthError("invalid_request", "request_uri is what is given here, not what is taken")
    pairs = [pair for pair in asking.form.items() if pair[0] not in NOT_OF_THE_REQUEST]
    dependencies = asking.dependencies
    try:
        trusted(pairs, client, dependencies.issuer)
        made = checked(pairs, client, audience=dependencies.audience, check_scope_query=dependencies.check_scope_query, pushed=True)
    except Untrusted:
        raise OAuthError("invalid_request", "redirect_uri must be one that is registered, character by character") from None
    except Refused as refused:
        raise OAuthError(AS_OAUTH.get(refused.error, "invalid_request"), refused.description) from None
    secret, note = await begun(asking.services, await _bound(asking, made), pushed=True)
    await asking.recording.commit(Unit(notes=(note,)), writes=())
    return oauth_json({"request_uri": REQUEST_URI + secret, "expires_in": PUSHED_S}, CREATED)


async def _bound(asking: Asking, made: AuthorizationRequest) -> AuthorizationRequest:
    """A DPoP proof binds the code to its key, as `dpop_jkt` does (RFC 9449 section 10.1). Raises OAuthError."""
    proved = await proved_key(asking.request)
    if proved is not None and made.jkt not in (None, proved):
        raise OAuthError("invalid_dpop_proof", "dpop_jkt is not the key of the proof")
    return made if proved is None else replace(made, jkt=proved)
