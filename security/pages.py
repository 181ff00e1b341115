"""Page links sealed: a client can neither read nor alter where the next page begins (DESIGN 6)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
BOUND = b"hds-hub page link 1"


def seal_page(key: bytes, plain: bytes) -> bytes:
    """`key`: 32 bytes used for page links alone."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, BOUND)


def open_page(key: bytes, sealed: bytes) -> bytes | None:
    """None for everything that `seal_page` did not make with this key."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], BOUND)
    except (InvalidTag, ValueError):
        return None
