"""Primitive types. https://hl7.org/fhir/R4/datatypes.html#primitive"""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.primitives import FORMS, ID_OF_AN_ELEMENT, INTEGER_MAX, PRIMITIVES

RIGHT: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("aGVsbG8=", "aGVs\nbG8="),
    "boolean": (True, False),
    "canonical": ("http://example.org/ValueSet/a|1.0", "#a"),
    "code": ("final", "two words", "<="),
    "date": ("2026", "2026-11", "2024-02-29", "0001-01-01"),
    "dateTime": (
        "2026",
        "2026-11-22T09:30:00Z",
        "2026-11-22T09:30:00.123456789+14:00",
        "1961-04-12T06:07:00-07:00",
        "2016-12-31T23:59:60Z",
    ),
    "decimal": (0, -1, 1.5, 1e-7, 10**17),
    "id": ("a", "A-z.9", "a" * 64),
    ID_OF_AN_ELEMENT: ("a", "a_b", "é", "a" * 65),
    "instant": ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00.1+01:00"),
    "integer": (0, -INTEGER_MAX - 1, INTEGER_MAX),
    "markdown": ("# a\n\nb",),
    "oid": ("urn:oid:1.2.250.1",),
    "positiveInt": (1,),
    "string": ("a", " a ", "line\n\ttab\r", "é", " "),
    "time": ("09:30:00", "23:59:60", "09:30:00.5"),
    "unsignedInt": (0,),
    "uri": ("urn:x:y", "relative", "http://example.org/é"),
    "url": ("http://example.org",),
    "uuid": ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">a</div>',),
}
WRONG: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("", "a", "aGVsbG8", "aGVsbG8=é", 1),
    "boolean": ("true", 0, None),
    "canonical": ("", "a b", 1),
    "code": ("", " a", "a ", "a  b", "a\nb"),
    "date": (
        "",
        "26",
        "2026-13",
        "2026-02-30",
        "2026-04-31",
        "2026-00-01",
        "2026-1-1",
        "0000",
        "2026-11-22T09:30:00Z",
        "2026-11-22\n",
        2026,
    ),
    "dateTime": (
        "2026-11-22T09:30:00",
        "2026-11-22T09:30Z",
        "2026-11-22 09:30:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T09:30:00+14:30",
        "2026-11-22T09:30:00+0100",
        "2026-11-31T09:30:00Z",
        "2026-11T09:30:00Z",
    ),
    "decimal": ("1", True, None, float("nan"), float("inf"), [1]),
    "id": ("", "a" * 65, "a_b", "a b", "é", "a\n"),
    ID_OF_AN_ELEMENT: ("", "a b", " a", "a\n", 1),
    "instant": ("2026", "2026-11-22", "2026-11-22T09:30:00"),
    "integer": (1.0, "1", True, INTEGER_MAX + 1, -INTEGER_MAX - 2),
    "markdown": ("", 1),
    "oid": ("1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1."),
    "positiveInt": (0, -1, 1.0),
    "string": ("", "a\x00", "\x0b", 1, True, None, ["a"], "a" * (1024 * 1024 + 1)),
    "time": ("9:30:00", "09:30", "24:00:00", "09:30:00Z"),
    "unsignedInt": (-1, "0"),
    "uri": ("", "a b", "a\n", 1),
    "url": ("", "http://a b"),
    "uuid": ("c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"),
    "xhtml": ("", "a", 1),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values], ids=repr)
def test_right_values_are_taken(name: str, value: Any) -> None:
    assert PRIMITIVES[name](value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values], ids=lambda value: repr(value)[:40]
)
def test_wrong_values_are_refused(name: str, value: Any) -> None:
    assert not PRIMITIVES[name](value)


class Written(float):
    """What a reader that keeps the digits of a number makes of it."""


@pytest.mark.parametrize(("value", "right"), [(Written("116.0"), True), (Written("inf"), False)])
def test_a_number_that_remembers_its_digits_is_a_decimal(value: float, right: bool) -> None:
    assert PRIMITIVES["decimal"](value) is right


def test_every_type_is_tried_and_says_how_it_looks() -> None:
    assert PRIMITIVES.keys() == FORMS.keys() == RIGHT.keys() == WRONG.keys()


@given(day=st.dates(date(1, 1, 1)))
def test_every_day_of_the_calendar_is_a_date(day: date) -> None:
    assert PRIMITIVES["date"](day.isoformat())
    assert PRIMITIVES["dateTime"](f"{day.isoformat()}T00:00:00Z")


@given(text=st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True, alphabet="0123456789-"))
def test_a_day_that_the_calendar_does_not_have_is_no_date(text: str) -> None:
    try:
        date.fromisoformat(text)
        exists = True
    except ValueError:
        exists = False
    assert PRIMITIVES["date"](text) is exists


@given(text=st.text())
def test_a_string_is_what_the_specification_says(text: str) -> None:
    """Not empty; control characters only tab, line feed and carriage return."""
    assert PRIMITIVES["string"](text) is (text != "" and not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text))
