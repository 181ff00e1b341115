"""Authorization codes and refresh tokens: what they hold, and whether a request may redeem one. Pure.

RFC 6749 sections 4.1.3 and 6, RFC 7636 section 4.6, OWASP ASVS 5.0 10.4. Both are secrets of 256 bits that lie nowhere: a sealed note
is found by their keyed hash, and the note's version makes them good once.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from security.oauth.authorization import Authorization
from security.oauth.clients import Client
from security.oauth.errors import OAuthError
from security.oauth.scope_request import ScopeRequest
from security.scopes import ScopeSyntax

CODE_US: Final = 60_000_000
"""SMART and ASVS 5.0 10.4.3: a minute."""
USED_CODE_KEPT_US: Final = 600_000_000
"""That a code was redeemed is remembered for longer than it is good, so that a second use is noticed."""
OFFLINE_US: Final = 90 * 86_400_000_000
"""How long an app goes on without the person, whatever is refreshed (ASVS 5.0 10.4.8)."""
VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 section 4.1."""
NOT_GOOD: Final = "the code is not good: unknown, expired, used, or given for another client, redirect_uri or code_verifier"
NOT_GOOD_REFRESH: Final = "the refresh token is not good: unknown, expired, used, ended, or given to another client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`authorization`: id of what it began. `used`: it has been redeemed. `jkt`: thumbprint of the DPoP key it is bound to."""

    authorization: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    jkt: str | None = None
    used: bool = False

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Code":
        """A field that is missing or unknown is an error (TypeError), never a default."""
        return Code(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """`authorization`: whose it is. `used`: another one came in its place."""

    authorization: str
    client_id: str
    used: bool = False

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "RefreshToken":
        return RefreshToken(**document)


def check_code(code: Code, form: Mapping[str, str], client: Client) -> None:
    """Is this request the one that the code was given for? Raises OAuthError invalid_grant, with one text for each cause.

    Whether it was used is not asked here: only who could redeem it can end what it began.
    """
    same = code.client_id == client.client_id and form.get("redirect_uri") == code.redirect_uri
    if not same or not verifies(form.get("code_verifier", ""), code.code_challenge):
        raise OAuthError("invalid_grant", NOT_GOOD)


def verifies(verifier: str, challenge: str) -> bool:
    """PKCE with S256: BASE64URL(SHA256(verifier)) == challenge."""
    if not VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(challenge_of(verifier).encode(), challenge.encode())


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def refreshed_scope(text: str | None, authorization: Authorization, client: Client) -> ScopeRequest:
    """The scope of the next access token. Raises OAuthError invalid_scope.

    text  what is asked for; only a subset of what was granted (RFC 6749 section 6), without it all of that

    What the client is no longer registered for is gone from either.
    """
    granted = ScopeRequest.parse(authorization.scope)
    try:
        asked = granted if text is None else ScopeRequest.parse(text)
    except ScopeSyntax as error:
        raise OAuthError("invalid_scope", str(error)) from None
    if asked.within(granted) != asked:
        raise OAuthError("invalid_scope", "more than was granted; ask for a part of it, or leave scope out")
    left = asked.within(client.allowed)
    if not left.resources.items and not left.context:
        raise OAuthError("invalid_scope", "nothing of it is registered for this client any more")
    return left
