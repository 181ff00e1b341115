"""id_token: to an app, who signed in and how. Never accepted by the hub itself.

https://openid.net/specs/openid-connect-core-1_0.html#IDToken,
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from security.oauth.authorization import Authorization
from security.oauth.compact import sign
from security.oauth.signing_keys import IDENTITY, SigningKey

OPENID = "openid"
NAMING = frozenset({"fhirUser", "profile"})
"""Either word asks, beside `openid`, for the person's resource."""
ID_TOKEN_LIFETIME_S = 300
"""It is looked at once, when it arrives."""

_S = 1_000_000


def issue(
    *, key: SigningKey, issuer: str, fhir_base: str, authorization: Authorization, context: frozenset[str], access_token: str, now_us: int
) -> str:
    """Signed with RS256. `key`: `SigningKeys.identity`.

    context  the words that were granted; `fhirUser` is said only to whom it was allowed
    """
    iat = now_us // _S
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": authorization.client_id,
        "iat": iat,
        "exp": iat + ID_TOKEN_LIFETIME_S,
        "auth_time": authorization.auth_us // _S,
        "at_hash": at_hash(access_token),
        **({} if authorization.nonce is None else {"nonce": authorization.nonce}),
        **({} if authorization.acr is None else {"acr": authorization.acr}),
        **({"amr": list(authorization.amr)} if authorization.amr else {}),
        **who(authorization, context, fhir_base),
    }
    return sign({"typ": "JWT", "kid": key.kid}, claims, key.private, IDENTITY)


def who(authorization: Authorization, context: frozenset[str], fhir_base: str) -> dict[str, str]:
    """The claims about the person, the same in the id_token, at userinfo and at introspection. `fhirUser` is an absolute URL."""
    user = authorization.person.fhir_user
    named = {"fhirUser": f"{fhir_base}/{user}"} if user is not None and not NAMING.isdisjoint(context) else {}
    return {"sub": authorization.person.account, **named}


def at_hash(access_token: str) -> str:
    """Binds the two together: the left half of SHA-256 (OpenID Connect Core 1.0 section 3.1.3.6)."""
    return urlsafe_b64encode(sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()
