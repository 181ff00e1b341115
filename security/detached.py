"""A signature over a batch, beside it: a JWS with its payload left out and not encoded (RFC 7515 appendix F, RFC 7797).

The header holds alg (ES384 or RS384), kid, `b64: false`, `crit: ["b64"]`, and `url`: path and query to which the batch is sent, so
that nobody can send it as another device's, or under another time zone (the member and its use are those of RFC 8555 section
6.4). The payload is the bytes as the adapter reads them, so that a proxy that packs them does no harm. Pure.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from security.oauth.compact import FORBIDDEN_HEADERS
from security.oauth.jwks import KEY_TYPE, ClientAlgorithm, NoSuchKey, matching_key

HEADER = "JWS-Signature"
CHARS_MAX = 4_096
CRITICAL = ["b64"]
UNENCODED = {"b64": False, "crit": CRITICAL}
_EXTENSIONS = frozenset({"b64", "crit"})


def sign_detached(payload: bytes, url: str, key: ECKey | RSAKey, algorithm: ClientAlgorithm, kid: str) -> str:
    """What a sender puts into the header. `url`: path and query, as they go over the wire."""
    header = {"alg": algorithm, "kid": kid, "url": url, **UNENCODED}
    protected = urlsafe_b64encode(orjson.dumps(header))
    proof = _registry(algorithm, payload).get_alg(algorithm).sign(protected + b"." + payload, key)
    return f"{protected.decode()}..{urlsafe_b64encode(proof).decode()}"


def signed_detached(token: str, payload: bytes, url: str, jwks: Mapping[str, Any]) -> bool:
    """Did a key of this set sign this payload for this path and query?"""
    header = _header(token)
    algorithm = next((name for name in KEY_TYPE if name == header.get("alg")), None)
    plain = header.get("b64") is False and header.get("crit") == CRITICAL and header.get("url") == url
    if algorithm is None or not plain or not (FORBIDDEN_HEADERS - _EXTENSIONS).isdisjoint(header):
        return False
    try:
        key = matching_key(jwks, kid=str(header.get("kid", "")), algorithm=algorithm)
        protected, _, proof = token.encode("ascii").split(b".")
        return _registry(algorithm, payload).get_alg(algorithm).verify(protected + b"." + payload, urlsafe_b64decode(proof), key)
    except (JoseError, NoSuchKey, ValueError):
        return False


def unverified_kid(token: str) -> str | None:
    """Which key it says it was signed with, to know whether the set at hand is too old."""
    kid = _header(token).get("kid")
    return kid if isinstance(kid, str) else None


def _registry(algorithm: ClientAlgorithm, payload: bytes) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_payload_length = len(payload) + 1
    return registry


def _header(token: str) -> Mapping[str, Any]:
    """Nothing for what is no JWS without its payload."""
    parts = token.split(".")
    if len(token) > CHARS_MAX or len(parts) != 3 or parts[1]:  # noqa: PLR2004 (header, nothing, signature)
        return {}
    try:
        found = orjson.loads(urlsafe_b64decode(parts[0].encode("ascii")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
