"""POST /oauth/revoke: a client gives a token back.

https://www.rfc-editor.org/rfc/rfc7009. An access token ends alone; a refresh token ends all that the person allowed with it. What is none
of ours, or has ended already, is answered as done.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hub.authorizations import Authorizations, Held
from hub.ingest.registry import Registry
from hub.oauth.answers import HEADERS, Asking, answered
from hub.oauth.giving import aim
from hub.oauth.known_token import KnownToken, known
from hub.repository.redoing import redoing
from hub.store.protocol import Unit
from security.oauth.access_token import TokenClaims
from security.oauth.clients import Client
from security.oauth.errors import OAuthError

ENDED_MAX = 512
"""Tokens of one client that are revoked one by one and have not expired yet; they live for five minutes."""
TOO_MANY = "too many tokens of this client were revoked in a few minutes"


async def revoke(request: Request) -> Response:
    return await answered(request, "revoke", _revoked)


async def _revoked(asking: Asking) -> Response:
    client = (await asking.client()).client
    token = asking.needed("token")
    await redoing(lambda: _once(asking, client, token), lambda: (f"revoke {client.client_id}",), asking.services.turns)
    return Response(status_code=200, headers=HEADERS)


async def _once(asking: Asking, client: Client, token: str) -> None:
    found = await known(asking.hub, token)
    if found is not None and found.client.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the token was given to another client")
    if found is None or not found.good:
        async with asking.recording:
            return
    await _end(asking, found)


async def _end(asking: Asking, found: KnownToken) -> None:
    if found.claims is not None:
        asking.recording.says(token_id=found.claims.jti)
    if found.held is not None:
        await _end_of_person(asking, found.held, found.claims)
    elif found.claims is not None:
        await _end_of_client(asking, found.client, found.claims)


async def _end_of_person(asking: Asking, held: Held, claims: TokenClaims | None) -> None:
    authorizations = Authorizations(asking.services)
    note = await authorizations.ended(held) if claims is None else await authorizations.token_ended(held, claims.jti, claims.exp_us)
    aim(asking, held.authorization)
    await asking.recording.commit(Unit(notes=(note,)), writes=())


async def _end_of_client(asking: Asking, client: Client, claims: TokenClaims) -> None:
    """The registration remembers it until it would have expired."""
    now_us = asking.now_us

    def change(before: Client) -> Client:
        kept = tuple(pair for pair in before.ended_tokens if pair[1] > now_us and pair[0] != claims.jti)
        if len(kept) >= ENDED_MAX:
            raise OAuthError("invalid_request", TOO_MANY)
        return replace(before, ended_tokens=(*kept, (claims.jti, claims.exp_us)))

    await Registry(asking.services, asking.hub.oauth).change(client.client_id, change, asking.recording)
