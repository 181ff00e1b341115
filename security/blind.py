"""Keyed tokens: what the database may compare although it must not read (DESIGN 5, "Tokens").

A token is HMAC-SHA-256 (RFC 2104) cut to 12 bytes, under a key of its own for each space (a search parameter, the
patients, the devices …), derived from the index key with HKDF (RFC 5869). Equal values give equal tokens inside one
space and unrelated ones across spaces; without the index key neither a value nor its space can be tried out.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

INDEX_KEY_BYTES_MIN: Final = 32
TOKEN_BYTES: Final = 12
ID_BYTES: Final = 16
ID_CHARACTERS: Final = 22
TOKENS_CACHED_MAX: Final = 32_768
SPACES_CACHED_MAX: Final = 1_024
PATIENT: Final = "patient"

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = tuple(high + low for high in ALPHABET for low in ALPHABET)
_BLOCK_BYTES: Final = hashlib.sha256().block_size
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


class _Hash(Protocol):
    def copy(self) -> "_Hash": ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Blind:
    """Turns values into tokens. One object per index key; it is safe to share between tasks and threads.

    A space is its own HMAC key and the value is the whole message, so the two cannot run into each other.
    """

    def __init__(self, index_key: bytes, *, tokens_cached_max: int = TOKENS_CACHED_MAX) -> None:
        """`index_key`: at least 32 random bytes. Raises ValueError on a shorter one."""
        if len(index_key) < INDEX_KEY_BYTES_MIN:
            raise ValueError(f"the index key must have at least {INDEX_KEY_BYTES_MIN} bytes")
        self._index_key = bytes(index_key)
        # The caches sit in C around bound methods: a hit costs a dictionary look-up and nothing else.
        self._macs = lru_cache(SPACES_CACHED_MAX)(self._space)
        self.token: Callable[[str, str], bytes] = lru_cache(tokens_cached_max)(self._token)

    def __repr__(self) -> str:
        return "Blind(…)"

    def patient(self, patient_id: str) -> bytes:
        """The pseudonym of a patient: 12 bytes. `patient_id` is the logical id, without "Patient/"."""
        return self.token(PATIENT, patient_id)

    def id(self, space: str, text: str) -> str:
        """A FHIR id that the same text always gets; it shows nothing of the token of that text."""
        return fhir_id(_mac(self._macs("id", space), text)[:ID_BYTES])

    def once(self, space: str, value: str) -> bytes:
        """A token that will not be asked for again: it takes no place among those that will."""
        return self._token(space, value)

    def _token(self, space: str, value: str) -> bytes:
        return _mac(self._macs("token", space), value)[:TOKEN_BYTES]

    def _space(self, use: str, space: str) -> tuple[_Hash, _Hash]:
        """Both halves of an HMAC whose key is already in: copying them is half the price of a fresh one."""
        # The index key is uniformly random, so RFC 5869 3.3 lets the extract step be left out.
        info = f"hds-hub/blind/1/{use}/".encode() + _utf8(space)
        key = HKDFExpand(SHA256(), 32, info).derive(self._index_key).ljust(_BLOCK_BYTES, b"\0")
        return hashlib.sha256(key.translate(_INNER_PAD)), hashlib.sha256(key.translate(_OUTER_PAD))


def fhir_id(raw: bytes) -> str:
    """16 bytes as 22 characters of [0-9A-Za-z]; different bytes give different ids. Raises ValueError on another length.

    https://hl7.org/fhir/R4/datatypes.html#id
    """
    if len(raw) != ID_BYTES:
        raise ValueError(f"an id is made from {ID_BYTES} bytes")
    number = int.from_bytes(raw, "big")
    pairs = []
    for _ in range(ID_CHARACTERS // 2):
        number, rest = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[rest])
    return "".join(pairs)


def _mac(halves: tuple[_Hash, _Hash], value: str) -> bytes:
    inner, outer = halves[0].copy(), halves[1].copy()
    inner.update(_utf8(value))
    outer.update(inner.digest())
    return outer.digest()


def _utf8(text: str) -> bytes:
    # JSON may carry half of a surrogate pair; a token must not fail on it, nor may two texts share an encoding.
    return text.encode("utf-8", "surrogatepass")
