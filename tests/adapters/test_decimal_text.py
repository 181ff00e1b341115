"""https://hl7.org/fhir/R4/datatypes.html#decimal: the precision is part of the value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.decimal_text import written_decimal


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("5.50", "5.50"),
        ("116.0", "116.0"),
        ("007", "7"),
        ("+3.1", "3.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0.10", "-0.10"),
        ("1.50e1", "15.0"),
        ("1.5e-2", "0.015"),
        ("2E2", "200"),
    ],
)
def test_digits_stay_as_they_were_written(written: str, text: str) -> None:
    assert written_decimal(written) == text


@pytest.mark.parametrize("written", ["", ".", "-", "abc", "1,5", "NaN", "inf", "1e99", "1e", "1 2", "0x10", "٣", "9" * 40, "1.5\n"])
def test_what_is_no_number_of_a_measurement_is_none(written: str) -> None:
    assert written_decimal(written) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_the_value_is_exact(number: Decimal) -> None:
    text = written_decimal(str(number))
    assert text is not None
    assert Decimal(text) == number
