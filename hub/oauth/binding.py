"""What the tokens of a request are bound to: one function for every grant."""

from collections.abc import Mapping

from starlette.requests import Request

from hub.sender import Senders, certificate_of
from security.oauth.binding import NotBound, bound_to
from security.oauth.clients import Client
from security.oauth.dpop import BadProof
from security.oauth.errors import OAuthError, OAuthErrorCode


async def binding_of(request: Request, client: Client, *, jkt: str | None = None) -> Mapping[str, str]:
    """`cnf` of the tokens that this request is given: of `security.oauth.access_token.issue`. The proof is used up. Raises OAuthError.

    client  proved already
    jkt     the key that the code or the refresh token is bound to already (`Authorization.jkt`): no other will do
            (RFC 9449 sections 5 and 10)
    """
    proved = await proved_key(request)
    if jkt is not None and proved != jkt:
        raise OAuthError("invalid_dpop_proof" if proved is None else "invalid_grant", "this grant is bound to another DPoP key")
    try:
        return bound_to(client, jkt=proved, certificate=certificate_of(request), production=senders_of(request).production)
    except NotBound as error:
        code: OAuthErrorCode = "invalid_dpop_proof" if client.binding == "dpop" else "unauthorized_client"
        raise OAuthError(code, str(error)) from None


async def proved_key(request: Request) -> str | None:
    """Thumbprint of the DPoP key that the request proves, None without a proof; at PAR it binds the code. Raises OAuthError."""
    senders = senders_of(request)
    try:
        return await senders.proved(request)
    except BadProof as error:
        if error.nonce:
            raise OAuthError("use_dpop_nonce", str(error), nonce=senders.nonce) from None
        raise OAuthError("invalid_dpop_proof", str(error)) from None


def senders_of(request: Request) -> Senders:
    senders: Senders = request.app.state.senders
    return senders
