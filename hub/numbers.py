"""JSON in and out with every decimal's digits kept: 74.10 is more precise than 74.1 and stays so.

https://hl7.org/fhir/R4/datatypes.html#decimal: implementations must preserve the precision they were given.
orjson reads numbers as floats and would lose trailing zeros, so bodies that contain such a number take the slower way.
"""

import json
import math
import re
from typing import Any, Self

import orjson

JSON_DEPTH_MAX = 60
INTEGER_CHARS_MAX = 18
_NESTED = frozenset({dict, list})
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_NUMBER = re.compile(rb"[:\[,]\s*(-?[0-9][0-9.eE+-]*)")
"""Where a number may stand; inside a string it may look like one, which only costs time."""


class Decimal(float):
    """A JSON number that remembers how it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made


def loads(body: bytes) -> Any:
    """Raises ValueError for anything that is not JSON, or nested deeper than any resource needs."""
    value = _parsed(body)
    if body.count(b"{") + body.count(b"[") > JSON_DEPTH_MAX and _deeper_than(value, JSON_DEPTH_MAX):
        raise ValueError("nested too deeply")
    return value


def number(text: str) -> int | float | Decimal:
    """One number by itself, as `loads` reads it. Raises ValueError for what JSON does not call a number."""
    if _WHOLE_NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    if "." in text:
        return float(text) if _is_kept(text.encode()) else _finite(text)
    return _finite(text) if "e" in text or "E" in text else _integer(text)


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    return orjson.dumps(value, default=_default, option=orjson.OPT_INDENT_2 if pretty else None)


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its names; numbers as they are written."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS)


def _parsed(body: bytes) -> Any:
    """What is JSON, orjson decides (no lone surrogates, no NaN); the slower way only keeps the digits."""
    value = orjson.loads(body)
    if all(map(_is_kept, _NUMBER.findall(body))):
        return value
    try:
        return json.loads(body, parse_float=_finite, parse_int=_integer, parse_constant=_refuse)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError("not JSON") from error


def _is_kept(text: bytes) -> bool:
    """Would orjson write this number as it read it?"""
    if b"." not in text:
        return len(text) <= INTEGER_CHARS_MAX and b"e" not in text and b"E" not in text
    try:
        return repr(float(text)).encode() == text
    except ValueError:
        return False


def _deeper_than(value: Any, depth: int) -> bool:
    """Walk level by level: no recursion, so that the check itself cannot be made to overflow."""
    level = [value] if type(value) in _NESTED else []
    for _ in range(depth - 1):
        if not level:
            return False
        # What JSON is read into is of these types and of none made from them, and most of it is neither.
        level = [inner for outer in level for inner in (outer.values() if type(outer) is dict else outer) if type(inner) in _NESTED]
    return any(level)


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _integer(text: str) -> int | Decimal:
    """Beyond 64 bits it is no integer of FHIR, but may be a decimal."""
    return int(text) if len(text) <= INTEGER_CHARS_MAX else _finite(text)


def _refuse(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(value.text)
    raise TypeError(type(value).__name__)
