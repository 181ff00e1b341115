"""ISO/IEEE 11073-20601 SFLOAT and FLOAT; examples of http://hl7.org/fhir/uv/phd/FLOATS.html."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.decimal_text import decimal_text
from adapters.ieee11073 import FLOAT_SPECIAL, SFLOAT_SPECIAL, float32, sfloat
from adapters.reading import Absent


def encode(mantissa: int, exponent: int, mantissa_bits: int, exponent_bits: int) -> int:
    """The reverse direction, written for the tests only."""
    return (exponent % (1 << exponent_bits)) << mantissa_bits | mantissa % (1 << mantissa_bits)


def decimals(text: str) -> int:
    return len(text.partition(".")[2])


def test_every_sfloat_that_is_no_special_value_is_read_exactly_and_with_its_precision() -> None:
    """Value = mantissa·10^exponent; a negative exponent is the number of decimals."""
    numbers = 0
    for exponent in range(-8, 8):
        for mantissa in range(-2048, 2048):
            word = encode(mantissa, exponent, 12, 4)
            if word in SFLOAT_SPECIAL:
                continue
            text = sfloat(word)
            assert isinstance(text, str)
            assert Decimal(text) == mantissa * Decimal(10) ** exponent, hex(word)
            assert decimals(text) == max(0, -exponent), hex(word)
            numbers += 1
    assert numbers == 65_536 - 5


@settings(deadline=None)
@given(st.integers(-(2**23), 2**23 - 1), st.integers(-128, 127))
def test_every_float_is_read_exactly_and_with_its_precision(mantissa: int, exponent: int) -> None:
    """As SFLOAT, with 24 and 8 bits."""
    word = encode(mantissa, exponent, 24, 8)
    text = float32(word)
    if word in FLOAT_SPECIAL:
        assert isinstance(text, Absent)
    else:
        assert isinstance(text, str)
        assert Decimal(text) == Decimal(mantissa).scaleb(exponent)
        assert decimals(text) == max(0, -exponent)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (0x07FF, "not-a-number"),
        (0x07FE, "positive-infinity"),
        (0x0802, "negative-infinity"),
        (0x0800, "error"),
        (0x0801, "error"),
    ],
)
def test_the_five_special_sfloats_are_absent_with_the_reason_phd_gives(word: int, reason: Any) -> None:
    """HL7 PHD, FLOATS: NaN, +INF, -INF; not at this resolution and reserved have no code of their own."""
    assert sfloat(word) == Absent(reason=reason)
    wide = {0x07FF: 0x7FFFFF, 0x07FE: 0x7FFFFE, 0x0802: 0x800002, 0x0800: 0x800000, 0x0801: 0x800001}[word]
    assert float32(wide) == Absent(reason=reason)


def test_a_special_mantissa_with_an_exponent_is_a_number() -> None:
    """11073-20601: special values have exponent 0; 2047 with exponent -1 is 204.7."""
    assert sfloat(0xF7FF) == "204.7"
    assert sfloat(0x17FF) == "20470"


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (0x0002, "2"),
        (0xF014, "2.0"),
        (0xE0C8, "2.00"),
        (0x1002, "20"),
        (0x2002, "200"),
        (0x00C8, "200"),
        (0x04D2, "1234"),
        (0x0B2E, "-1234"),
    ],
)
def test_sfloat_examples_of_the_phd_guide(word: int, text: str) -> None:
    """HL7 PHD, FLOATS, table SFLOAT Encoding."""
    assert sfloat(word) == text


@pytest.mark.parametrize(
    ("word", "text"),
    [(0x00000002, "2"), (0xFF000014, "2.0"), (0xFE0000C8, "2.00"), (0x01000002, "20"), (0x02000002, "200"), (0x00FFFB2E, "-1234")],
)
def test_float_examples_of_the_phd_guide(word: int, text: str) -> None:
    """HL7 PHD, FLOATS, table FLOAT Encoding."""
    assert float32(word) == text


def test_numbers_below_one_keep_their_leading_zero() -> None:
    """FHIR decimal: a digit stands before the point."""
    assert decimal_text(5, -3) == "0.005"
    assert decimal_text(-5, -3) == "-0.005"
    assert decimal_text(0, -2) == "0.00"


def test_a_number_with_positive_exponent_is_written_out() -> None:
    """HL7 PHD, FLOATS: 0x1002 is 20."""
    assert decimal_text(2, 1) == "20"
    assert decimal_text(0, 3) == "0"
