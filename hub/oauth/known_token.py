"""What a token is worth at this moment: its signature, its client, what the person allowed. For introspection, revocation and userinfo."""

from dataclasses import dataclass

from hub.authorizations import Authorizations, Held
from hub.notebook import Notebook
from hub.oauth.giving import REFRESH
from hub.services import Services
from hub.wiring import Hub
from security.browser_session import SECRET
from security.oauth.access_token import InvalidToken, TokenClaims, verify
from security.oauth.binding import may_be_used
from security.oauth.clients import Client
from security.oauth.code import RefreshToken


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    """A token that this server gave out.

    claims  of an access token; None: it is a refresh token
    held    what a person allowed; None: the client's own
    good    neither it nor what it rests on has ended, and it is bound as the client's registration asks now
    """

    client: Client
    claims: TokenClaims | None
    held: Held | None
    good: bool


async def known(hub: Hub, token: str) -> KnownToken | None:
    """None for what is no token of ours, or has expired. Raises Unavailable."""
    if SECRET.fullmatch(token) is not None:
        return await _refresh(hub, token)
    services = hub.services
    try:
        claims = verify(token, keys=hub.signing_keys, issuer=hub.base_url, audience=services.base_url, now_us=services.clock())
    except InvalidToken:
        return None
    client = await hub.oauth.find_client(claims.client_id)
    if client is None:
        return None
    strong = may_be_used(client, claims.cnf, production=services.settings.profile == "production")
    good = strong and client.is_good(claims.kid, services.clock()) and all(jti != claims.jti for jti, _ in client.ended_tokens)
    if claims.acting is None:
        return KnownToken(client=client, claims=claims, held=None, good=good)
    held = await _of_client(services, claims.acting.authorization, claims.client_id)
    if held is None:
        return None
    holds = held.authorization.holds(services.clock(), claims.jti)
    return KnownToken(client=client, claims=claims, held=held, good=good and holds)


async def _refresh(hub: Hub, secret: str) -> KnownToken | None:
    page = await Notebook(hub.services, REFRESH).read(secret)
    if not page.content:
        return None
    token = RefreshToken.from_document(page.content)
    client = await hub.oauth.find_client(token.client_id)
    held = await _of_client(hub.services, token.authorization, token.client_id)
    if client is None or held is None:
        return None
    now_us = hub.services.clock()
    good = not token.used and client.is_good(None, now_us) and held.authorization.holds(now_us)
    return KnownToken(client=client, claims=None, held=held, good=good)


async def _of_client(services: Services, authorization: str, client_id: str) -> Held | None:
    held = await Authorizations(services).find(authorization)
    return held if held is not None and held.authorization.client_id == client_id else None
