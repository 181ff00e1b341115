"""Public keys as others write them, read for one algorithm: kind, curve and size have to fit, and nothing private comes in.

https://www.rfc-editor.org/rfc/rfc7517, https://www.rfc-editor.org/rfc/rfc8725#section-3.1
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

PublicAlgorithm = Literal["ES256", "ES384", "RS256", "RS384"]
CURVE: Final[Mapping[PublicAlgorithm, str]] = {"ES256": "P-256", "ES384": "P-384"}
RSA_MIN_BITS, RSA_MAX_BITS, EXPONENT_MAX_BITS = 2_048, 4_096, 32
"""Keys may come from anybody, so a check must not take long (RFC 7518 section 3.3 says the least)."""
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnusableKey(Exception):
    """The text repeats nothing of the key."""


def public_key(jwk: Mapping[str, Any], algorithm: PublicAlgorithm) -> ECKey | RSAKey:
    """Raises UnusableKey."""
    if not PRIVATE.isdisjoint(jwk):
        raise UnusableKey("the jwk holds a private or symmetric key")
    try:
        return _ec(jwk, CURVE[algorithm]) if algorithm in CURVE else _rsa(jwk)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise UnusableKey("the jwk cannot be read as a key of the algorithm") from None


def _ec(jwk: Mapping[str, Any], curve: str) -> ECKey:
    if jwk.get("kty") != "EC" or jwk.get("crv") != curve:
        raise ValueError("another kind of key")
    return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})


def _rsa(jwk: Mapping[str, Any]) -> RSAKey:
    if jwk.get("kty") != "RSA" or not isinstance(jwk["n"], str) or not isinstance(jwk["e"], str):
        raise ValueError("another kind of key")
    bits, exponent = base64_to_int(jwk["n"]).bit_length(), base64_to_int(jwk["e"])
    if not RSA_MIN_BITS <= bits <= RSA_MAX_BITS or exponent.bit_length() > EXPONENT_MAX_BITS:
        raise ValueError("a key of another size")
    return RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
