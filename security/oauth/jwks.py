"""Public keys of clients: which one a signature must match, and which sets may be registered.

https://www.rfc-editor.org/rfc/rfc7517, https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

Proves = Callable[[Mapping[str, Any]], bool]
"""Was what has come signed with a key of this set?"""

ClientAlgorithm = Literal["ES384", "RS384"]
"""The two that SMART names; nothing else is ever tried."""

KEY_TYPE: Mapping[ClientAlgorithm, str] = {"ES384": "EC", "RS384": "RSA"}
RSA_MIN_BITS, RSA_MAX_BITS = 2_048, 8_192
"""Below: too weak (RFC 7518 section 3.3). Above: a check would take long enough to be used against us."""
KEYS_MAX = 20

_PUBLIC_MEMBERS = frozenset({"kty", "kid", "crv", "x", "y", "n", "e"})
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class NoSuchKey(Exception):
    """No key, or more than one, or one that must not be used. The text is for the operator's log."""


def matching_key(jwks: Mapping[str, Any], *, kid: str, algorithm: ClientAlgorithm) -> ECKey | RSAKey:
    """The one key of this set with this `kid` and the key type of the algorithm. Raises NoSuchKey.

    Exactly one must match; two keys under one `kid` and `kty` are refused rather than tried in turn.
    """
    found = [key for key in _members(jwks) if key.get("kid") == kid and key.get("kty") == KEY_TYPE[algorithm]]
    if len(found) != 1:
        raise NoSuchKey(f"{len(found)} keys match kid and kty")
    return _import(found[0], algorithm)


def registrable(document: object) -> dict[str, Any]:
    """The set as it may be registered. Raises ValueError with a text for the person who registers it.

    Each key has its own `kid`, is public, and is of a kind that SMART names.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= KEYS_MAX:
        raise ValueError(f"a JWKS is an object with 1 to {KEYS_MAX} keys")
    names = [_registrable_key(key) for key in keys]
    if len(set(names)) != len(names):
        raise ValueError("two keys have the same kid")
    return {"keys": keys}


def private_key(pem: bytes) -> tuple[ECKey | RSAKey, ClientAlgorithm]:
    """A client's own private key (unencrypted PEM) and the algorithm it signs with. Raises ValueError."""
    try:
        raw = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("the key file is encrypted; give an unencrypted PEM") from None
    if isinstance(raw, EllipticCurvePrivateKey) and isinstance(raw.curve, SECP384R1):
        return ECKey.import_key(raw), "ES384"
    if isinstance(raw, RSAPrivateKey) and RSA_MIN_BITS <= raw.key_size <= RSA_MAX_BITS:
        return RSAKey.import_key(raw), "RS384"
    raise ValueError(f"the key is neither EC P-384 nor RSA of {RSA_MIN_BITS} to {RSA_MAX_BITS} bits")


def _members(jwks: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = jwks.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _registrable_key(key: object) -> str:
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or not key["kid"]:
        raise ValueError("each key of the JWKS needs a kid")
    if not all(_is_plain(value) for value in key.values()):
        raise ValueError("the members of a key are texts, numbers or lists of texts")
    if not _PRIVATE_MEMBERS.isdisjoint(key):
        raise ValueError("the JWKS holds a private or symmetric key; register the public ones only")
    algorithm = next((name for name, key_type in KEY_TYPE.items() if key_type == key.get("kty")), None)
    if algorithm is None:
        raise ValueError("keys are EC P-384 (ES384) or RSA (RS384)")
    try:
        _import(key, algorithm)
    except NoSuchKey as error:
        raise ValueError(str(error)) from None
    return str(key["kid"])


def _is_plain(value: object) -> bool:
    """As RFC 7517 has them all: what is nested without end could be read, and not be kept."""
    return not isinstance(value, dict | list) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _import(key: dict[str, Any], algorithm: ClientAlgorithm) -> ECKey | RSAKey:
    uses = key.get("key_ops", ["verify"])
    may_verify = isinstance(uses, list) and "verify" in uses
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm or not may_verify:
        raise NoSuchKey("the key is meant for something else")
    public = {name: value for name, value in key.items() if name in _PUBLIC_MEMBERS}
    try:
        return _import_ec(public) if algorithm == "ES384" else _import_rsa(public)
    except (JoseError, ValueError, TypeError, KeyError):
        raise NoSuchKey("the key cannot be read") from None


def _import_ec(public: dict[str, Any]) -> ECKey:
    key = ECKey.import_key(public)
    if key.curve_name != "P-384":
        raise NoSuchKey("ES384 takes keys on the curve P-384 only")
    return key


def _import_rsa(public: dict[str, Any]) -> RSAKey:
    bits = base64_to_int(public["n"]).bit_length()
    if not RSA_MIN_BITS <= bits <= RSA_MAX_BITS:
        raise NoSuchKey(f"RSA keys have {RSA_MIN_BITS} to {RSA_MAX_BITS} bits")
    return RSAKey.import_key(public)
