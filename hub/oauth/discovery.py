"""GET /.well-known/openid-configuration and …/oauth-authorization-server, for whoever asks, from any origin.

https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig, https://www.rfc-editor.org/rfc/rfc8414#section-3. Nothing in them
is about anybody, so no record is written.
"""

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.interactions.capabilities import offered
from security.oauth.metadata import authorization_server
from security.oauth.metadata import openid_configuration as openid

HEADERS: Final = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


async def openid_configuration(request: Request) -> Response:
    return _json(openid(request.app.state.base_url, **offered(request.app.state.services.settings)))


async def oauth_authorization_server(request: Request) -> Response:
    return _json(authorization_server(request.app.state.base_url, **offered(request.app.state.services.settings)))


def _json(document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json", headers=HEADERS)
