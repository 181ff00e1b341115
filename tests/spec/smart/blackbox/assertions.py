"""Signed assertions as a client of any server makes them: by a library, and by nothing of the hub, which is what is looked at.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

LIFETIME_S = 240
Json = dict[str, Any]


def new_key() -> bytes:
    """A key that nobody registered, PEM."""
    return generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def assertion(client_id: str, pem: bytes, audience: str, *, kid: str | None = None, header: Json | None = None, **claims: Any) -> str:
    """ES384 or RS384, as the key is. A claim that is None is left out; `kid` is the thumbprint of RFC 7638 unless it is said."""
    key, algorithm = _key(pem)
    head = {"alg": algorithm, "typ": "JWT", "kid": kid or key.thumbprint(), **(header or {})}
    given = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int(time.time()) + LIFETIME_S,
        "jti": secrets.token_urlsafe(24),
        **claims,
    }
    return jwt.encode(head, {name: value for name, value in given.items() if value is not None}, key, algorithms=[algorithm])


def thumbprint(pem: bytes) -> str:
    return _key(pem)[0].thumbprint()


def _key(pem: bytes) -> tuple[ECKey | RSAKey, str]:
    if isinstance(load_pem_private_key(pem, None), EllipticCurvePrivateKey):
        return ECKey.import_key(pem), "ES384"
    return RSAKey.import_key(pem), "RS384"
