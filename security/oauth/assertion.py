"""private_key_jwt: a client proves itself with a signed assertion.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#authenticating-to-the-token-endpoint,
https://www.rfc-editor.org/rfc/rfc7523#section-3

Who has not proved itself learns what is wrong with the form of its assertion, but never whether a client or a key is known.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from security.oauth.clients import Client
from security.oauth.compact import Malformed, Unverified, peek, signature_holds
from security.oauth.errors import OAuthError
from security.oauth.jwks import KEY_TYPE, ClientAlgorithm, NoSuchKey, matching_key

ASSERTION_MAX_CHARS = 8_192
LIFETIME_MAX_S = 300
CLOCK_SKEW_S = 5
"""How far a client's clock may run ahead of ours. There is no leeway for an assertion that has expired."""
JTI_MAX_CHARS = 255
CLIENT_ID_MAX_CHARS = 255
KID_MAX_CHARS = 512

UNPROVED = "client, key and signature do not match a registration"
"""One text for an unknown client, a revoked one, an unknown key and a wrong signature."""

_S = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAssertion:
    """Proved: this client made it, with the key `kid`. Still to do: use up `jti`, which must be remembered until `exp_us`."""

    client_id: str
    jti: str
    exp_us: int
    kid: str


def unverified_client_id(assertion: str) -> str:
    """Who the assertion says it comes from, to find the registration with. Raises OAuthError invalid_client."""
    return _text(_peek(assertion).claims, "iss", max_chars=CLIENT_ID_MAX_CHARS)


def unverified_kid(assertion: str) -> str:
    """Which key it says it was signed with, to know whether the set at hand is too old. Raises OAuthError invalid_client."""
    return _kid(_peek(assertion).header)


def verify(assertion: str, *, client: Client, jwks: Mapping[str, Any], token_urls: Collection[str], now_us: int) -> VerifiedAssertion:
    """Check form, key, signature and claims, in this order.

    client      the registration of `unverified_client_id`
    jwks        its keys, inline or fetched from the registered URL (never from one in the assertion)
    token_urls  what `aud` may be: the absolute URL of the token endpoint, and what else stands for this server (RFC 9126 section 2)
    now_us      microseconds since 1970 UTC

    Raises OAuthError invalid_client for everything.
    """
    unverified = _peek(assertion)
    algorithm = _algorithm(unverified.header)
    try:
        key = matching_key(jwks, kid=_kid(unverified.header), algorithm=algorithm)
    except NoSuchKey as error:
        raise _refusal(UNPROVED) from error
    if not signature_holds(assertion, key, algorithm):
        raise _refusal(UNPROVED)
    _check_parties(unverified, client, token_urls)
    return VerifiedAssertion(
        client_id=client.client_id,
        jti=_text(unverified.claims, "jti", max_chars=JTI_MAX_CHARS),
        exp_us=_check_times(unverified.claims, now_us),
        kid=_kid(unverified.header),
    )


def _peek(assertion: str) -> Unverified:
    try:
        return peek(assertion, max_chars=ASSERTION_MAX_CHARS)
    except Malformed as error:
        raise _refusal(f"the assertion cannot be read: {error}") from None


def _algorithm(header: Mapping[str, str]) -> ClientAlgorithm:
    """From our list only; `typ` keeps tokens made for another use out (RFC 8725 section 3.11)."""
    if header.get("typ", "JWT").upper() != "JWT":
        raise _refusal("typ must be JWT")
    for algorithm in KEY_TYPE:
        if header.get("alg") == algorithm:
            return algorithm
    raise _refusal("alg must be RS384 or ES384")


def _kid(header: Mapping[str, str]) -> str:
    kid = header.get("kid", "")
    if not 0 < len(kid) <= KID_MAX_CHARS:
        raise _refusal("the header needs a kid")
    return kid


def _check_parties(unverified: Unverified, client: Client, token_urls: Collection[str]) -> None:
    claims = unverified.claims
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise _refusal("iss and sub must both be the client_id")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(url in token_urls for url in named if isinstance(url, str)):
        raise _refusal("aud must be the URL of the token endpoint")
    if unverified.header.get("jku", client.jwks_uri) != client.jwks_uri:
        raise _refusal("jku must be the registered JWKS URL")


def _check_times(claims: Mapping[str, Any], now_us: int) -> int:
    """`exp` in microseconds: ahead, but at most five minutes; `nbf` and `iat`, where present, not ahead."""
    exp_s = _numeric_date(claims, "exp")
    now_s = now_us / _S
    if exp_s is None:
        raise _refusal("exp is missing")
    if exp_s <= now_s:
        raise _refusal("the assertion has expired")
    if exp_s > now_s + LIFETIME_MAX_S + CLOCK_SKEW_S:
        raise _refusal(f"exp must be at most {LIFETIME_MAX_S} s ahead")
    for name in ("nbf", "iat"):
        begins_s = _numeric_date(claims, name)
        if begins_s is not None and begins_s > now_s + CLOCK_SKEW_S:
            raise _refusal(f"{name} lies in the future")
    return int(exp_s * _S)


def _numeric_date(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970 UTC, whole or not (RFC 7519 section 2)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refusal(f"{name} must be a number of seconds")
    return value


def _text(claims: Mapping[str, Any], name: str, *, max_chars: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= max_chars:
        raise _refusal(f"{name} must be a text of 1 to {max_chars} characters")
    return value


def _refusal(description: str) -> OAuthError:
    return OAuthError("invalid_client", description)
