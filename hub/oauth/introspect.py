"""POST /oauth/introspect: what a token is worth, for who may know.

https://www.rfc-editor.org/rfc/rfc7662, https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html. A client may ask about its
own tokens, an introspector about everybody's; it proves itself as at the token endpoint, or shows an access token of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.oauth.answers import Asking, answered, oauth_json
from hub.oauth.known_token import KnownToken, known
from security.oauth.clients import Client
from security.oauth.errors import OAuthError
from security.oauth.introspection import INACTIVE, of_access_token, of_refresh_token

BEARER: Final = "bearer"
CHALLENGE: Final = 'Bearer realm="hub", error="invalid_token"'


async def introspect(request: Request) -> Response:
    return await answered(request, "introspect", _introspected)


async def _introspected(asking: Asking) -> Response:
    asker = await _asker(asking)
    found = await known(asking.hub, asking.needed("token"))
    body = _told(asking, asker, found)
    async with asking.recording:
        return oauth_json(body)


def _told(asking: Asking, asker: Client, found: KnownToken | None) -> Mapping[str, Any]:
    if found is None or not found.good or not (asker.introspector or asker.client_id == found.client.client_id):
        return INACTIVE
    issuer, audience = asking.dependencies.issuer, asking.dependencies.audience
    authorization = found.held.authorization if found.held is not None else None
    if found.claims is not None:
        asking.recording.says(token_id=found.claims.jti)
        return of_access_token(found.claims, authorization, issuer=issuer, audience=audience)
    return INACTIVE if authorization is None else of_refresh_token(authorization, issuer=issuer, audience=audience)


async def _asker(asking: Asking) -> Client:
    """Raises OAuthError invalid_client, 401."""
    scheme, _, token = asking.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == BEARER:
        return await _by_token(asking, token.strip())
    proved = await asking.client()
    if proved.method == "none":
        raise OAuthError("invalid_client", "a public client has nothing to prove itself by, so it is told nothing")
    return proved.client


async def _by_token(asking: Asking, token: str) -> Client:
    found = await known(asking.hub, token)
    if found is None or found.claims is None or not found.good or found.claims.cnf:
        raise OAuthError("invalid_client", "the access token that was shown is not good here", challenge=CHALLENGE)
    asking.recording.says(client_id=found.client.client_id, client_name=found.client.name)
    return found.client
