"""JSON in and out within limits; what is wrong with a payload is said without repeating any of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.contract import Unreadable
from adapters.limits import DEPTH_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX

UTF8_BOM = b"\xef\xbb\xbf"
INTEGER_CHARS_MAX = 18
"""Longer ones do not fit into 64 bits for certain."""
_BAD = object()


def check_size(payload: bytes) -> None:
    """Raise Unreadable if the payload is empty or longer than any parser takes."""
    if not payload.strip():
        raise Unreadable("empty", "The payload is empty.")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Unreadable(
            "payload-too-large", f"The payload has {len(payload)} bytes; send at most {PAYLOAD_BYTES_MAX}, in several requests."
        )


def load(payload: bytes) -> Any:
    """Bytes to JSON value. Raises Unreadable: empty, too large, not UTF-8 JSON (NaN and Infinity are not), too deep."""
    check_size(payload)
    value = _loads(payload.removeprefix(UTF8_BOM))
    # raised out here because the parser's own exception carries the document with it, into every traceback
    if value is _BAD:
        raise Unreadable("not-json", "The payload is not JSON in UTF-8 (RFC 8259).")
    if _deeper_than(value, DEPTH_MAX):
        raise Unreadable("too-deep", f"The JSON is nested deeper than {DEPTH_MAX} levels.")
    return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the payload that is no short integer, as it was written: 5.50 stays 5.50 (RFC 8259, 6)."""

    text: str


def load_exact(payload: bytes) -> Any:
    """As `load`, with the digits kept: a number with a fraction, an exponent or many digits is a `Number`."""
    load(payload)  # finds what the slower parser, which does not say where nesting ends, would fall over
    return json.loads(payload.removeprefix(UTF8_BOM), parse_float=Number, parse_int=_integer)


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= INTEGER_CHARS_MAX else Number(text)


def _loads(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return _BAD


def _deeper_than(value: Any, depth_max: int) -> bool:
    level = [value]
    for _ in range(depth_max):
        level = [
            child
            for node in level
            if type(node) is dict or type(node) is list
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def flat(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object whose nested objects and arrays are emptied: what stood in them is neither read nor kept."""
    return {name: type(value)() if type(value) is dict or type(value) is list else value for name, value in node.items()}


def dumps(value: Any) -> bytes:
    """JSON value to compact bytes; each `Number` with the digits it had."""
    return orjson.dumps(value, default=_written, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _written(value: object) -> orjson.Fragment:
    if type(value) is not Number:
        raise TypeError
    return orjson.Fragment(value.text)


def excerpt(value: Any) -> bytes:
    """Return the first bytes of a value that is refused for good, for a person to look at."""
    return dumps(value)[:RAW_BYTES_MAX]
