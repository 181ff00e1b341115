"""Sealing and opening: everything that tells something about a person lies in the database in this form (DESIGN 5).

A sealed value is

    byte 0        format, 1
    byte 1        number of the Zstandard dictionary, 0 for none (`security.dictionaries`)
    bytes 2-13    nonce
    then          ciphertext of the Zstandard frame
    last 16       authentication tag

under AES-256-GCM (NIST SP 800-38D) with a data key. The first two bytes and the `aad` of the place are authenticated
with it, so a sealed value opens only where, as what, for whom and under which key version it was sealed.
"""

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from security.dictionaries import NO_DICTIONARY, Dictionary, DictionaryError, by_id

Purpose = Literal["resource", "raw", "audit", "rules", "key", "deleted", "content"]
"""What is sealed. A payload kept raw never opens as the resource that was made of it, nor a rule as a record."""

FORMAT: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
DATA_KEY_BYTES: Final = 32
_HEAD_BYTES: Final = 2
_SEALED_BYTES_MIN: Final = _HEAD_BYTES + NONCE_BYTES + TAG_BYTES
_HEADS: Final = tuple(bytes((FORMAT, dictionary)) for dictionary in range(256))

# Numbers of purposes are part of what was sealed: they are added to, never changed.
_PURPOSES: Final[Mapping[Purpose, int]] = {"resource": 1, "raw": 2, "audit": 3, "rules": 4, "key": 5, "deleted": 6, "content": 7}
_PLACE: Final = struct.Struct(">BQIHHH")


class EnvelopeError(Exception):
    """It does not open: altered, in another place, or under another key. Which of these is not said."""

    def __init__(self) -> None:
        super().__init__("sealed data cannot be opened")


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key in use. `id` names whom it belongs to (patient token or "system"); key bytes are not kept beside `aead`.

    SP 800-38D 8.3 allows 2^32 sealings under one key with random nonces.
    """

    id: bytes
    version: int
    aead: AESGCM = field(repr=False, compare=False)


def data_key(id: bytes, version: int, key: bytes) -> DataKey:
    """`key`: 32 random bytes. Raises ValueError on another length."""
    if len(key) != DATA_KEY_BYTES:
        raise ValueError(f"a data key has {DATA_KEY_BYTES} bytes")
    return DataKey(id, version, AESGCM(key))


def aad(*, resource_type: str, id: str, version: int, patient: bytes | None, key_version: int, purpose: Purpose = "resource") -> bytes:
    """Where a sealed value belongs, as bytes: all numbers and lengths first, so that two places never share an encoding.

    `patient` is the token of the compartment, None for what belongs to nobody (not the same as an empty one).
    Raises ValueError for what has no encoding (a name over 65,535 bytes, a negative version).
    """
    kind, name, owner = resource_type.encode(), id.encode(), patient or b""
    owner_length = 0 if patient is None else len(owner) + 1
    try:
        place = _PLACE.pack(_PURPOSES[purpose], version, key_version, len(kind), len(name), owner_length)
    except (struct.error, KeyError) as error:
        raise ValueError("not a place where something can be sealed") from error
    return place + kind + name + owner


def seal(key: DataKey, aad: bytes, plaintext: bytes, dictionary: Dictionary | None, nonce: bytes | None = None) -> bytes:
    """Compress, encrypt and bind to `aad`.

    `nonce`: 12 bytes that were never used with this key; by default from the operating system's generator.
    Raises ValueError on a nonce of another length, DictionaryError above PLAINTEXT_BYTES_MAX.
    """
    if nonce is None:
        nonce = os.urandom(NONCE_BYTES)
    elif len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
    codec = dictionary or NO_DICTIONARY
    head = _HEADS[codec.id]
    return head + nonce + key.aead.encrypt(nonce, codec.compress(plaintext), head + aad)


def open_(key: DataKey, aad: bytes, sealed: bytes, dictionaries: Callable[[int], Dictionary] = by_id) -> bytes:
    """The plaintext. `dictionaries` raises KeyError for a number it does not know. Raises EnvelopeError, nothing else."""
    if len(sealed) < _SEALED_BYTES_MIN or sealed[0] != FORMAT:
        raise EnvelopeError
    head, nonce, body = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES : _HEAD_BYTES + NONCE_BYTES], sealed[_HEAD_BYTES + NONCE_BYTES :]
    try:
        return dictionaries(sealed[1]).decompress(key.aead.decrypt(nonce, body, head + aad))
    except (InvalidTag, DictionaryError, KeyError):
        raise EnvelopeError from None


def fingerprint(sealed: bytes) -> bytes:
    """The authentication tag, 16 bytes: says which sealed bytes these are without saying what they mean.

    Whoever has no key cannot make other bytes with the same tag that open; the audit log compares with it.
    """
    return sealed[-TAG_BYTES:]
