"""The client's side of private_key_jwt and of DPoP, for `hub token` and `hub ingest`.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html, https://www.rfc-editor.org/rfc/rfc9449#section-4.2
"""

from joserfc.jwk import ECKey

from security.oauth.compact import sign
from security.oauth.dpop import TYP, token_hash
from security.oauth.jwks import private_key

ASSERTION_LIFETIME_S = 240
"""Under the five minutes that a server accepts, so that a clock some seconds off does no harm."""

DEFAULT_SCOPE = "system/*.cruds system/AuditEvent.rs"
"""Everything that can be asked for; the server narrows it to what is registered."""


def client_assertion(client_id: str, key_pem: bytes, token_url: str, now_us: int, jti: str, *, kid: str | None = None) -> str:
    """A signed assertion for one token request, ES384 or RS384 as the key is.

    key_pem  the client's private key, unencrypted PEM
    now_us   microseconds since 1970 UTC
    jti      never used before by this client
    kid      as registered; by default the key's thumbprint (RFC 7638)

    Raises ValueError when the key is of another kind.
    """
    key, algorithm = private_key(key_pem)
    header = {"typ": "JWT", "kid": kid or key.thumbprint()}
    exp = now_us // 1_000_000 + ASSERTION_LIFETIME_S
    claims = {"iss": client_id, "sub": client_id, "aud": token_url, "exp": exp, "jti": jti}
    return sign(header, claims, key, algorithm)


def dpop_proof(key: ECKey, method: str, url: str, now_us: int, jti: str, *, token: str | None = None, nonce: str | None = None) -> str:
    """A proof, with ES256, that whoever sends this one request holds the key.

    key    on P-256, private
    url    without query
    token  the access token that goes along, at a resource
    """
    claims = {"htm": method, "htu": url, "iat": now_us // 1_000_000, "jti": jti}
    claims |= {} if token is None else {"ath": token_hash(token)}
    claims |= {} if nonce is None else {"nonce": nonce}
    return sign({"typ": TYP, "jwk": dict(key.as_dict(private=False))}, claims, key, "ES256")


def token_form(assertion: str, scope: str = DEFAULT_SCOPE) -> dict[str, str]:
    """The form fields of the token request (RFC 6749 section 4.4.2, RFC 7523 section 2.2)."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": scope,
    }
