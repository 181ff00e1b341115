"""JWS in compact form, read in two steps: look without trusting, then check under one algorithm and one key.

https://www.rfc-editor.org/rfc/rfc7515#section-3.1, https://www.rfc-editor.org/rfc/rfc8725 (best practice)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

Algorithm = Literal["ES256", "ES384", "RS256", "RS384"]

FORBIDDEN_HEADERS = frozenset({"jwk", "x5u", "x5c", "crit", "b64", "zip"})
"""Keys that a sender brings along, and extensions that change what is signed (RFC 8725 sections 3.10 and 2.8)."""


class Malformed(Exception):
    """Not a JWS in compact form that we would look at. The text repeats nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """Header and claims as somebody wrote them. Nothing here is proved."""

    header: Mapping[str, str]
    claims: Mapping[str, Any]


def peek(token: str, *, max_chars: int) -> Unverified:
    """Header and claims without a look at the signature. Raises Malformed.

    Size is checked before anything is decoded. Header members must be strings, which keeps keys in the header out.
    """
    return _checked(*_parts(token, max_chars))


def peek_with_key(token: str, *, max_chars: int) -> tuple[Unverified, Mapping[str, Any]]:
    """As `peek`, of what is signed by a key that comes along as header member `jwk`: it proves that its maker has that key, no more.

    The member is given beside the header, in which it is missing. Raises Malformed.
    """
    header, claims = _parts(token, max_chars)
    jwk = header.pop("jwk", None)
    if not isinstance(jwk, dict):
        raise Malformed("the header holds no public key")
    return _checked(header, claims), jwk


def signature_holds(token: str, key: ECKey | RSAKey, algorithm: Algorithm) -> bool:
    """Was this signed with this key under this algorithm, whatever the header says? Pass only what `peek` let through."""
    content, _, signature = token.rpartition(".")
    model = jws.JWSRegistry.algorithms[algorithm]
    try:
        model.check_key(key)
        if _json_object(content.partition(".")[0]).get("alg") != algorithm:
            return False
        # Not by way of the whole deserialisation: what it looks at besides was looked at in `peek`, and cost a quarter of the check.
        return model.verify(content.encode("ascii"), urlsafe_b64decode(signature.encode("ascii")), key)
    except (Malformed, JoseError, ValueError):
        return False


def sign(header: Mapping[str, object], claims: Mapping[str, object], key: ECKey | RSAKey, algorithm: Algorithm) -> str:
    """The compact form of these claims."""
    return jws.serialize_compact({**header, "alg": algorithm}, orjson.dumps(claims), key, registry=_REGISTRIES[algorithm])


def _registry(algorithm: Algorithm) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = 4_096  # a jku and a kid may be long; the whole is bounded in `peek`
    registry.max_signature_length = 2_048
    return registry


_REGISTRIES: Mapping[Algorithm, jws.JWSRegistry] = {name: _registry(name) for name in ("ES256", "ES384", "RS256", "RS384")}


def _parts(token: str, max_chars: int) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > max_chars:
        raise Malformed(f"longer than {max_chars} characters")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 (RFC 7515: header, payload, signature)
        raise Malformed("not three parts separated by dots")
    return _json_object(parts[0]), _json_object(parts[1])


def _checked(header: Mapping[str, Any], claims: Mapping[str, Any]) -> Unverified:
    if not FORBIDDEN_HEADERS.isdisjoint(header):
        raise Malformed("the header holds a member that is not accepted here")
    if not all(isinstance(value, str) for value in header.values()):
        raise Malformed("the header holds a member that is not a string")
    return Unverified(header, claims)


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(urlsafe_b64decode(part.encode("ascii")))
    except ValueError:
        raise Malformed("a part is not base64url of a JSON object") from None
    if not isinstance(value, dict):
        raise Malformed("a part is not base64url of a JSON object")
    return value
