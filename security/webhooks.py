"""Who signed a webhook: over its bytes as they came, its id and its time.

    hmac  Standard Webhooks: HMAC-SHA256 with a shared secret, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    jws   a JWS with the payload left out (RFC 7515 appendix F), by a key of the client's registration; `iat` and `jti` in its header

Pure: bytes, headers, secrets and the time come in as arguments; the answer is what was signed, or nothing. Whoever could not
prove itself learns nothing of what was wrong.
"""

import base64
import hashlib
import hmac
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from security.oauth.compact import FORBIDDEN_HEADERS
from security.oauth.jwks import KEY_TYPE, NoSuchKey, matching_key

WINDOW_S = 300
"""How far the time of a webhook may lie from ours, either way: what Standard Webhooks' own libraries take."""
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 (says what follows)
ID_CHARS_MAX = 256
SIGNATURES_MAX = 10
"""A sender that changes its secret signs with both for a while."""
JWS_CHARS_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a good signature covers beside the body: with the id, the moment makes it this one webhook and no other."""

    id: str
    timestamp: str


def new_secret(random: bytes) -> str:
    """For both sides; SECRET_BYTES random bytes, in the form that Standard Webhooks' libraries take."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """What a sender puts into `Webhook-Signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    made = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def signed_by_secret(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now_us: int) -> Signed | None:
    """Signed with one of these secrets, now. Every secret is tried, whatever the ones before it said."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    wanted = [signature(secret, id, timestamp, body) for secret in secrets]
    good = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted]
    signed = Signed(id=id, timestamp=timestamp)
    return signed if any(good) and is_now(signed, now_us) else None


def signed_by_key(token: str, body: bytes, jwks: Mapping[str, Any], now_us: int) -> Signed | None:
    """Signed with a key of this set, now. `token`: header and signature, with nothing between the two dots."""
    header = _header(token)
    algorithm = next((name for name in KEY_TYPE if name == header.get("alg")), None)
    if algorithm is None or not FORBIDDEN_HEADERS.isdisjoint(header):
        return None
    signed = Signed(id=str(header.get("jti", "")), timestamp=str(header.get("iat", "")))
    try:
        key = matching_key(jwks, kid=str(header.get("kid", "")), algorithm=algorithm)
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        registry.max_payload_length = 2 * len(body) + 4
        registry.max_header_length = registry.max_signature_length = JWS_CHARS_MAX
        protected, _, proof = token.split(".")
        jws.deserialize_compact(f"{protected}.{urlsafe_b64encode(body).decode()}.{proof}", key, registry=registry)
    except (JoseError, NoSuchKey, ValueError):
        return None
    return signed if is_now(signed, now_us) else None


def unverified_kid(token: str) -> str | None:
    """Which key it says it was signed with, to know whether the set at hand is too old."""
    kid = _header(token).get("kid")
    return kid if isinstance(kid, str) else None


def is_now(signed: Signed, now_us: int) -> bool:
    """An id that can be remembered, and a time within the window."""
    if not 0 < len(signed.id) <= ID_CHARS_MAX or not signed.timestamp.isascii() or not signed.timestamp.isdecimal():
        return False
    return len(signed.timestamp) <= 11 and abs(now_us / 1_000_000 - int(signed.timestamp)) <= WINDOW_S  # noqa: PLR2004 (seconds)


def _header(token: str) -> Mapping[str, Any]:
    """Nothing for what is no JWS without its payload."""
    parts = token.split(".")
    if len(token) > JWS_CHARS_MAX or len(parts) != 3 or parts[1]:  # noqa: PLR2004 (header, nothing, signature)
        return {}
    try:
        found = orjson.loads(urlsafe_b64decode(parts[0].encode()))
    except (NotBase64, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
