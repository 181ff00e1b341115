"""A signature over each batch, from whoever is registered to give one: the token says who asks, the signature who wrote it.

https://www.rfc-editor.org/rfc/rfc7797. Enforced where it is registered; where it is not and comes all the same, it has to be good.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request

from hub.errors import FhirError
from security.context import AccessContext
from security.detached import HEADER, signed_detached, unverified_kid
from security.oauth.clients import Client
from security.oauth.errors import JwksUnavailable
from security.oauth.jwks import Proves
from security.oauth.token_endpoint import TokenDependencies

PLACE = f"http.{HEADER}"
MISSING = f"signature-missing: each batch of this registration bears a signature in {HEADER} (detached JWS, RFC 7797)."
WRONG = (
    f"signature-wrong: {HEADER} is not a detached JWS with b64 false over this body, for this path and query in url, by a key that is "
    "registered and good now."
)


def is_signed(request: Request, caller: AccessContext) -> bool:
    """Has the whole to be there before any of it is believed? Then it is no longer than what fits into memory."""
    return caller.signs or HEADER in request.headers


async def require_signature(request: Request, caller: AccessContext, body: bytes) -> None:
    """Raises FhirError forbidden. `body`: as the adapter reads it, unpacked."""
    given = request.headers.get(HEADER)
    if given is None:
        if caller.signs:
            raise FhirError("forbidden", MISSING, expression=PLACE)
        return
    dependencies: TokenDependencies = request.app.state.token_dependencies
    client, proves = await dependencies.find_client(caller.client_id), partial(signed_detached, given, body, _url(request))
    jwks = None if client is None else await good_keys(dependencies, client, unverified_kid(given), proves)
    if jwks is None or not proves(jwks):
        raise FhirError("forbidden", WRONG, expression=PLACE)


async def good_keys(dependencies: TokenDependencies, client: Client, kid: str | None, proves: Proves) -> Mapping[str, Any] | None:
    """Those of a client that are good now, with `kid` if there is such a one; None where they cannot be had."""
    try:
        return client.good_jwks(dependencies.now_us()) or await dependencies.fetch_jwks(client, kid, proves)
    except JwksUnavailable:
        return None


def _url(request: Request) -> str:
    """Path and query as they came over the wire."""
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
