"""SFLOAT and FLOAT of ISO/IEEE 11073-20601: decimal exponent and mantissa, both in two's complement.

A special value is the whole word with exponent 0 (0x07FF is NaN, 0x17FF is 20470), and has the absent reason that
http://hl7.org/fhir/uv/phd/FLOATS.html gives it. Not at this resolution and reserved have no code of their own: `error`.
"""

from collections.abc import Mapping

from adapters.decimal_text import decimal_text
from adapters.reading import Absent, AbsentReason

Number = str | Absent
"""Decimal text with the precision of the wire, or why there is none."""

SFLOAT_SPECIAL: Mapping[int, AbsentReason] = {
    0x07FF: "not-a-number",
    0x07FE: "positive-infinity",
    0x0802: "negative-infinity",
    0x0800: "error",
    0x0801: "error",
}
FLOAT_SPECIAL: Mapping[int, AbsentReason] = {
    0x007FFFFF: "not-a-number",
    0x007FFFFE: "positive-infinity",
    0x00800002: "negative-infinity",
    0x00800000: "error",
    0x00800001: "error",
}


def sfloat(word: int) -> Number:
    """Decode 16 bits: 4 of exponent, 12 of mantissa."""
    return _decode(word, 12, 4, SFLOAT_SPECIAL)


def float32(word: int) -> Number:
    """Decode 32 bits: 8 of exponent, 24 of mantissa."""
    return _decode(word, 24, 8, FLOAT_SPECIAL)


def _decode(word: int, mantissa_bits: int, exponent_bits: int, special: Mapping[int, AbsentReason]) -> Number:
    if word in special:
        return Absent(reason=special[word])
    mantissa = _signed(word & ((1 << mantissa_bits) - 1), mantissa_bits)
    return decimal_text(mantissa, _signed(word >> mantissa_bits, exponent_bits))


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> (width - 1) else bits
