"""GET /oauth/jwks: the public keys that tokens of this hub are verified by.

https://www.rfc-editor.org/rfc/rfc7517#section-5. Nothing in it is about anybody, so no record is written and any page may read it.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from security.oauth.key_schedule import JWKS_MAX_AGE_S

HEADERS = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}", "X-Content-Type-Options": "nosniff"}


async def jwks(request: Request) -> Response:
    """Bare keys of both kinds, the ones that will sign soon among them."""
    body = orjson.dumps(request.app.state.hub.signing_keys.jwks())
    return Response(body, media_type="application/json", headers=HEADERS)
