"""grant_type=refresh_token: another access token, and another refresh token in place of the one that came.

https://www.rfc-editor.org/rfc/rfc6749#section-6, https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2. One that was used already ends the
whole authorization: either the app or whoever comes now has stolen it, and the hub cannot tell which.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.notebook import Notebook
from hub.oauth.answers import Asking
from hub.oauth.binding import binding_of
from hub.oauth.giving import REFRESH, check_key, ended_for_reuse, given, still_held
from hub.repository.redoing import redoing
from security.browser_session import SECRET
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import GRANT_REFRESH
from security.oauth.code import NOT_GOOD_REFRESH, RefreshToken, refreshed_scope
from security.oauth.errors import OAuthError


async def refresh_token(asking: Asking, proved: ProvedClient) -> Mapping[str, Any]:
    if GRANT_REFRESH not in proved.client.grants:
        raise OAuthError("unauthorized_client", "this client is not registered for refresh_token")
    secret = asking.needed("refresh_token")
    if SECRET.fullmatch(secret) is None:
        raise OAuthError("invalid_grant", NOT_GOOD_REFRESH)
    cnf = await binding_of(asking.request, proved.client)
    return await redoing(lambda: _once(asking, proved, cnf, secret), lambda: (f"refresh {secret}",), asking.services.turns)


async def _once(asking: Asking, proved: ProvedClient, cnf: Mapping[str, str], secret: str) -> Mapping[str, Any]:
    tokens = Notebook(asking.services, REFRESH)
    page = await tokens.read(secret)
    if not page.content or page.content["client_id"] != proved.client.client_id:
        raise OAuthError("invalid_grant", NOT_GOOD_REFRESH)
    token = RefreshToken.from_document(page.content)
    if token.used:
        await ended_for_reuse(asking, token.authorization, NOT_GOOD_REFRESH)
    held = await still_held(asking, token.authorization, NOT_GOOD_REFRESH)
    authorization = held.authorization
    check_key(authorization.jkt, cnf.get("jkt"))
    scope = refreshed_scope(asking.form.get("scope"), authorization, proved.client)
    used = await tokens.write(page, replace(token, used=True).to_document(), authorization.expires_us)
    return await given(asking, proved, held, authorization, scope, cnf, (used,), first=False)
