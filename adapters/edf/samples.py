"""Two's complement, little-endian: 16 bits a sample in EDF, 24 in BDF."""

import struct


def samples(block: bytes, wide: bool) -> list[int]:
    """The samples of a whole number of them."""
    if not wide:
        return list(struct.unpack(f"<{len(block) // 2}h", block))
    return [int.from_bytes(block[place : place + 3], "little", signed=True) for place in range(0, len(block), 3)]
