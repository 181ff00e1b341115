"""Decimals keep the digits they came with. https://hl7.org/fhir/R4/datatypes.html#decimal: precision is significant."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import numbers

decimals = (
    st.decimals(allow_nan=False, allow_infinity=False, places=None)
    .map(str)
    .filter(lambda text: "E" not in text and abs(Decimal(text)) < 10**30)
)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(st.characters(codec="utf-8"), max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text", ["116.0", "74.10", "0.000", "1.00e2", "12345678901234567890.5", "0.1234567890123456789", "-3.50", "1E3", "1234567.12345678901"]
)
def test_a_decimal_comes_out_as_it_went_in(text: str) -> None:
    """116.0 says more than 116."""
    assert numbers.dumps(numbers.loads(b'{"value":' + text.encode() + b"}")) == b'{"value":' + text.encode() + b"}"


@given(decimals)
def test_every_decimal_keeps_its_digits(text: str) -> None:
    body = b'[{"a":[' + text.encode() + b"]}]"
    assert numbers.dumps(numbers.loads(body)) == body


@given(documents)
def test_whatever_is_json_says_the_same_afterwards(document: Any) -> None:
    body = orjson.dumps(document)
    assert json.loads(numbers.dumps(numbers.loads(body))) == document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1e999}',
        b'{"a":NaN,"b":1.0}',
        b'{"a":Infinity,"b":1.0}',
        b'{"a":1.0',
        b"\xff\xfe",
        b"[" * 61 + b"]" * 61,
        b"[[]," * 99 + b"1.0" + b"]" * 99,
    ],
)
def test_what_is_no_sound_json_is_refused(body: bytes) -> None:
    """One error type for the caller, whatever the parser made of it; nesting has a named limit."""
    with pytest.raises(ValueError):
        numbers.loads(body)


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = numbers.JSON_DEPTH_MAX - 1
    assert numbers.loads(b"[" * depth + b"]" * depth) is not None
