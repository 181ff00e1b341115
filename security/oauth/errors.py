"""What the token endpoint answers when it refuses.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

OAuthErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "unsupported_response_type",
    "invalid_target",
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
]
"""RFC 6749 section 5.2; then two of PAR (RFC 9126 section 2.3) and four of the device grant (RFC 8628 section 3.5)."""

STATUS: Mapping[OAuthErrorCode, int] = MappingProxyType(
    {
        "invalid_request": 400,
        "invalid_client": 401,
        "invalid_grant": 400,
        "unauthorized_client": 400,
        "unsupported_grant_type": 400,
        "invalid_scope": 400,
        "invalid_dpop_proof": 400,
        "use_dpop_nonce": 400,
        "unsupported_response_type": 400,
        "invalid_target": 400,
        "authorization_pending": 400,
        "slow_down": 400,
        "access_denied": 400,
        "expired_token": 400,
    }
)

NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})
"""On every answer of the token endpoint, refusals included (RFC 6749 section 5.1)."""


class OAuthError(Exception):
    """Ends the token request.

    error        the code of RFC 6749
    description  for the developer of the client; our words only, nothing that was sent (ASCII without quotes, section 5.2)
    status       the HTTP status
    challenge    for WWW-Authenticate, where a client tried the Authorization header (RFC 6749 section 5.2)
    nonce        for DPoP-Nonce, with use_dpop_nonce (RFC 9449 section 8)
    """

    def __init__(self, error: OAuthErrorCode, description: str, *, challenge: str | None = None, nonce: str | None = None) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = STATUS[error]
        self.challenge = challenge
        self.nonce = nonce

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the answer, beside those of every answer of its endpoint."""
        more = {"WWW-Authenticate": self.challenge, "DPoP-Nonce": self.nonce}
        return {**NO_STORE, **{name: value for name, value in more.items() if value is not None}}

    def body(self) -> dict[str, str]:
        """The JSON object of RFC 6749 section 5.2."""
        return {"error": self.error, "error_description": self.description}


class JwksUnavailable(Exception):
    """A client's JWKS could not be had: refused address, time-out, not a JWKS. The text is for the operator's log."""
