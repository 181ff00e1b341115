"""Passwords, hashed with Argon2id (RFC 9106), and compared.

NIST SP 800-63B-4 section 3.1.1.2: hashed with a salt and a costly function. The parameters are the second choice of RFC 9106
section 4 (64 MiB, 3 passes, 4 lanes); each hash says which it was made with, so that they may rise.
"""

from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

SALT_BYTES: Final = 16
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=SALT_BYTES, type=Type.ID)


def prepared(password: str) -> str:
    """One spelling of what different keyboards send (SP 800-63B-4 section 3.1.1.2: NFKC)."""
    return normalize("NFKC", password)


def hashed(password: str, salt: bytes) -> str:
    """In PHC form. `salt`: 16 random bytes. Takes 64 MiB and about a tenth of a second of a processor."""
    return _HASHER.hash(prepared(password), salt=salt)


def matches(stored: str, password: str) -> bool:
    """Is this the password that was hashed? As costly as `hashed`. Raises argon2's InvalidHash for what is no hash."""
    try:
        return _HASHER.verify(stored, prepared(password))
    except VerifyMismatchError:
        return False


def is_outdated(stored: str) -> bool:
    """Was it hashed with other parameters than today's?"""
    return _HASHER.check_needs_rehash(stored)
