"""Recovery codes: for the day on which the phone is gone. NIST SP 800-63B-4 section 3.1.2 (look-up secrets).

Ten of 80 bits, each good once; what is kept of one is its SHA-256, which with that many bits is enough.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

CODES: Final = 10
CODE_BYTES: Final = 10
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that looks like another."""
_MEANT: Final = str.maketrans({"o": "0", "i": "1", "l": "1"})
_GROUP: Final = 4


def new_codes(random: Callable[[int], bytes]) -> list[str]:
    """For the person, once: four groups of four. `random`: so many random bytes."""
    return [_written(random(CODE_BYTES)) for _ in range(CODES)]


def kept_of(codes: Sequence[str]) -> tuple[str, ...]:
    """What is kept of them."""
    return tuple(_hash(code) for code in codes)


def left_after(kept: Sequence[str], code: str) -> tuple[str, ...] | None:
    """What is left once this code is used; None if it is none of them."""
    used = _hash(code)
    return tuple(one for one in kept if one != used) if used in kept else None


def _written(random: bytes) -> str:
    number = int.from_bytes(random, "big")
    text = "".join(_LETTERS[number >> shift & 31] for shift in range(75, -1, -5))
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _hash(code: str) -> str:
    """However it was typed: with or without hyphens and spaces, in capitals, an O for a zero."""
    plain = "".join(one for one in code.casefold() if one.isalnum()).translate(_MEANT)
    return sha256(plain.encode()).hexdigest()
