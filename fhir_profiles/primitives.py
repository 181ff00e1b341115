"""The primitive types of FHIR R4 as predicates on parsed JSON. https://hl7.org/fhir/R4/datatypes.html#primitive

A JSON value of another kind is refused: "5" is no integer and 1 no boolean, whatever a lenient library makes of it.
"""

import binascii
import math
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.narrative import is_narrative

STRING_CHARS_MAX: Final = 1024 * 1024
INTEGER_MAX: Final = 2**31 - 1
ID_PATTERN: Final = r"[A-Za-z0-9\-.]{1,64}"
"""https://hl7.org/fhir/R4/datatypes.html#id"""
ID_OF_AN_ELEMENT: Final = "id of an element"
"""https://hl7.org/fhir/R4/element-definitions.html#Element.id: a string without spaces, of no type that has a name in R4."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DATE: Final = r"(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_DAY: Final = r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

Predicate = Callable[[Any], bool]


def _text(pattern: str) -> Predicate:
    form = re.compile(pattern)

    def holds(value: Any) -> bool:
        return type(value) is str and form.fullmatch(value) is not None

    return holds


def _calendar(pattern: str) -> Predicate:
    """The form, and a day that the month has."""
    form = re.compile(pattern)

    def holds(value: Any) -> bool:
        if type(value) is not str or form.fullmatch(value) is None:
            return False
        day = value[8:10]
        return day <= "28" or int(day) <= monthrange(int(value[:4]), int(value[5:7]))[1]

    return holds


def _integer(low: int) -> Predicate:
    def holds(value: Any) -> bool:
        return type(value) is int and low <= value <= INTEGER_MAX

    return holds


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_decimal(value: Any) -> bool:
    """A reader may keep the digits in a subclass of float."""
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)


def _is_string(value: Any) -> bool:
    if type(value) is not str or not 0 < len(value) <= STRING_CHARS_MAX:
        return False
    return value.isprintable() or _CONTROL.search(value) is None  # the first is much quicker and nearly always true


def _is_base64(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    try:
        binascii.a2b_base64("".join(value.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        return False
    return True


def _is_xhtml(value: Any) -> bool:
    return _is_string(value) and is_narrative(value)


_URI: Final = _text(r"[^\s\x00-\x1f]+")

PRIMITIVES: Final[Mapping[str, Predicate]] = MappingProxyType(
    {
        "base64Binary": _is_base64,
        "boolean": _is_boolean,
        "canonical": _URI,
        "code": _text(r"[^\s]+(?: [^\s]+)*"),
        "date": _calendar(_DATE),
        "dateTime": _calendar(f"{_DATE}|{_DAY}T{_TIME}{_ZONE}"),
        "decimal": _is_decimal,
        "id": _text(ID_PATTERN),
        ID_OF_AN_ELEMENT: _text(r"[^\s\x00-\x1f]+"),
        "instant": _calendar(f"{_DAY}T{_TIME}{_ZONE}"),
        "integer": _integer(-INTEGER_MAX - 1),
        "markdown": _is_string,
        "oid": _text(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
        "positiveInt": _integer(1),
        "string": _is_string,
        "time": _text(_TIME),
        "unsignedInt": _integer(0),
        "uri": _URI,
        "url": _URI,
        "uuid": _text(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "xhtml": _is_xhtml,
    }
)

FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "base64Binary": "a string of base64",
        "boolean": "true or false without quotes",
        "canonical": "a URI without blanks",
        "code": "a string without leading, trailing or doubled blanks",
        "date": "a string like 2026, 2026-11 or 2026-11-22, a day that exists",
        "dateTime": "a string like 2026, 2026-11, 2026-11-22 or 2026-11-22T09:30:00+01:00; a time needs seconds and an offset",
        "decimal": "a JSON number without quotes",
        "id": "1 to 64 of the characters A-Z a-z 0-9 - .",
        ID_OF_AN_ELEMENT: "a string that is not empty and has no blanks",
        "instant": "a string like 2026-11-22T09:30:00.000+01:00",
        "integer": "a whole JSON number of 32 bits",
        "markdown": "a string that is not empty and has no control characters",
        "oid": "a string like urn:oid:1.2.3",
        "positiveInt": "a whole JSON number from 1",
        "string": "a string that is not empty and has no control characters",
        "time": "a string like 09:30:00",
        "unsignedInt": "a whole JSON number from 0",
        "uri": "a URI without blanks",
        "url": "a URL without blanks",
        "uuid": "a string like urn:uuid:c757873d-ec9a-4326-a141-556f43239520, in small letters",
        "xhtml": "one XHTML div with something to read, text formatting only: no script, style sheet, form or event attribute",
    }
)
"""How a value of the type has to look, for the person who has to correct it."""
