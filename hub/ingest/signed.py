"""A signature over each batch, from whoever is registered to give one: the token says who asks, the signature who wrote it.

https://www.rfc-editor.org/rfc/rfc7797. Enforced where it is registered; where it is not and comes all the same, it has to be good.
"""

from starlette.requests import Request

from hub.errors import FhirError
from security.context import AccessContext
from security.detached import HEADER, signed_detached
from security.oauth.errors import JwksUnavailable

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
    dependencies = request.app.state.token_dependencies
    client = await dependencies.find_client(caller.client_id)
    try:
        jwks = None if client is None else client.good_jwks(dependencies.now_us()) or await dependencies.fetch_jwks(client)
    except JwksUnavailable:
        jwks = None
    if jwks is None or not signed_detached(given, body, _url(request), jwks):
        raise FhirError("forbidden", WRONG, expression=PLACE)


def _url(request: Request) -> str:
    """Path and query as they came over the wire."""
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
