"""grant_type=authorization_code: a code for tokens, once.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3, https://www.rfc-editor.org/rfc/rfc7636#section-4.6. The version of the code's note
decides between those who come at the same time, on whatever process; whoever comes second ends what the code began.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hub.notebook import Notebook
from hub.oauth.answers import Asking
from hub.oauth.binding import binding_of
from hub.oauth.giving import check_key, ended_for_reuse, given, still_held
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.browser_session import SECRET, new_secret
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import GRANT_CODE
from security.oauth.code import CODE_US, NOT_GOOD, USED_CODE_KEPT_US, Code, check_code, refreshed_scope
from security.oauth.errors import OAuthError

CODES: Final = "oauth-code"


async def new_code(services: Services, code: Code) -> tuple[str, NoteWrite]:
    """A code, and what has to be committed with what it stands for."""
    codes, secret = Notebook(services, CODES), new_secret()
    return secret, await codes.write(await codes.read(secret), code.to_document(), codes.now_us + CODE_US)


async def authorization_code(asking: Asking, proved: ProvedClient) -> Mapping[str, Any]:
    if GRANT_CODE not in proved.client.grants:
        raise OAuthError("unauthorized_client", "this client is not registered for authorization_code")
    secret = asking.needed("code")
    asking.needed("redirect_uri")
    if SECRET.fullmatch(secret) is None:
        raise OAuthError("invalid_grant", NOT_GOOD)
    cnf = await binding_of(asking.request, proved.client)
    return await redoing(lambda: _once(asking, proved, cnf, secret), lambda: (f"code {secret}",), asking.services.turns)


async def _once(asking: Asking, proved: ProvedClient, cnf: Mapping[str, str], secret: str) -> Mapping[str, Any]:
    codes = Notebook(asking.services, CODES)
    page = await codes.read(secret)
    if not page.content:
        raise OAuthError("invalid_grant", NOT_GOOD)
    code = Code.from_document(page.content)
    check_code(code, asking.form, proved.client)
    if code.used:
        await ended_for_reuse(asking, code.authorization, NOT_GOOD)
    held = await still_held(asking, code.authorization, NOT_GOOD)
    authorization, jkt = held.authorization, cnf.get("jkt")
    check_key(code.jkt, jkt)
    used = await codes.write(page, replace(code, used=True).to_document(), codes.now_us + USED_CODE_KEPT_US)
    if jkt is not None and proved.method == "none":  # RFC 9449 section 5: a public client's refresh tokens are bound to its key
        authorization = replace(authorization, jkt=jkt)
    scope = refreshed_scope(None, authorization, proved.client)
    return await given(asking, proved, held, authorization, scope, cnf, (used,), first=True)
