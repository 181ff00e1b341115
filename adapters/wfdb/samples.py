"""Formats 16, 80 and 212 of signal files. https://wfdb.io/spec/signal-files.html"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType


def _sixteen(block: bytes) -> list[int]:
    """Two's complement, the lower byte first."""
    return list(struct.unpack(f"<{len(block) // 2}h", block[: len(block) // 2 * 2]))


def _eighty(block: bytes) -> list[int]:
    """One byte, 128 too large."""
    return [byte - 128 for byte in block]


def _two_hundred_twelve(block: bytes) -> list[int]:
    """Two samples of 12 bits in three bytes: low byte of the first, high nibbles (first one's below), low byte of the second."""
    made = []
    for place in range(0, len(block) - 1, 3):
        low, high = block[place], block[place + 1]
        made.append(_signed(low | (high & 0x0F) << 8))
        if place + 2 < len(block):
            made.append(_signed(block[place + 2] | (high & 0xF0) << 4))
    return made


def _signed(value: int) -> int:
    return value - 4096 if value & 0x800 else value


READERS: Mapping[int, Callable[[bytes], list[int]]] = MappingProxyType({16: _sixteen, 80: _eighty, 212: _two_hundred_twelve})
INVALID: Mapping[int, int] = MappingProxyType({16: -32768, 80: -128, 212: -2048})
"""The lowest value of a format says that there is no sample."""


def bytes_of(format: int, samples: int) -> int:
    """How long so many samples are."""
    return {16: 2 * samples, 80: samples, 212: (3 * samples + 1) // 2}[format]
