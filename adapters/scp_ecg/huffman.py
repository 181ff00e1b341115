"""The default Huffman table of SCP-ECG (EN 1064, annex C.3): small differences are short.

One zero is 0. So many ones as n, from 1 to 8, then a zero and the sign: n. Nine ones and a zero bring 8 bits of a number, ten ones 16.
"""

from adapters.refusal import ItemRefused

_BYTE, _WORD = 9, 10
_WINDOW_BYTES = 5
_WINDOW_BITS = 8 * _WINDOW_BYTES


def decode(block: bytes, count: int) -> list[int]:
    """`count` numbers. Raises ItemRefused where the block has fewer."""
    place, made = 0, []
    for _ in range(count):
        value, used = _one(block, place)
        place += used
        if place > 8 * len(block):
            raise ItemRefused("samples-not-readable", "A lead has fewer samples than the record says.", keep=False)
        made.append(value)
    return made


def _one(block: bytes, place: int) -> tuple[int, int]:
    """The number that begins at this bit, and how many bits it takes; as if zeros followed the block."""
    window = int.from_bytes(block[place // 8 : place // 8 + _WINDOW_BYTES].ljust(_WINDOW_BYTES, b"\x00"), "big")
    window = window << place % 8 & (1 << _WINDOW_BITS) - 1
    ones = 0
    while ones < _WORD and window >> (_WINDOW_BITS - 1 - ones) & 1:
        ones += 1
    if ones == 0:
        return 0, 1
    if ones == _WORD:
        return _bits(window, _WORD, 16, signed=True), _WORD + 16
    if ones == _BYTE:
        return _bits(window, _WORD, 8, signed=True), _WORD + 8
    return (-ones if _bits(window, ones + 1, 1, signed=False) else ones), ones + 2


def _bits(window: int, after: int, count: int, *, signed: bool) -> int:
    value = window >> (_WINDOW_BITS - after - count) & (1 << count) - 1
    return value - (1 << count) if signed and value >> (count - 1) else value
