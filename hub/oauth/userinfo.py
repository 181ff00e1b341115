"""GET and POST /oauth/userinfo: who the person is through whom an app acts.

https://openid.net/specs/openid-connect-core-1_0.html#UserInfo. The token is checked as for any other interaction (`hub.guard`).
"""

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.http import PRIVATE
from hub.oauth.known_token import known
from hub.repository import Repository
from security.oauth.id_token import OPENID, who

NOT_ASKED: Final = "The access token does not say who the person is: the app did not ask for the scope openid, or acts by itself."


async def userinfo(request: Request, repository: Repository) -> Response:
    """The claims of the id_token about the person."""
    async with repository.recording("userinfo"):
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        found = await known(request.app.state.hub, token)
        if found is None or found.claims is None or found.held is None or OPENID not in found.claims.context:
            raise FhirError("forbidden", NOT_ASKED)
        claims = who(found.held.authorization, found.claims.context, repository.services.base_url)
    return Response(orjson.dumps(claims), media_type="application/json", headers=PRIVATE)
