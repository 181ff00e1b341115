"""Values of JSON records, read strictly: what has another form costs the item it stands in, and its text is never repeated."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.contract import Unreadable
from adapters.decimal_text import written_decimal
from adapters.json_payload import Number, flat
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX, YEAR_MAX
from adapters.refusal import ItemRefused

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_S_MAX = int(datetime(YEAR_MAX, 1, 1, tzinfo=UTC).timestamp())
_WHOLE_CHARS_MAX = 22
"""Nanoseconds of the year 2199 have 19 digits."""


def number(value: Any) -> str:
    """Return the digits of a JSON number, or of a number that was sent as text. Raises ItemRefused: value-not-a-number."""
    text = value.text if type(value) is Number else str(value) if type(value) is int else value
    digits = written_decimal(text) if type(text) is str else None
    if digits is None:
        raise ItemRefused("value-not-a-number", "The value is missing or no decimal number.")
    return digits


def whole(value: Any) -> int | None:
    """Return an integer that is a JSON number or text of digits, or None."""
    text = value.text if type(value) is Number else value
    if type(text) is str:
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(text) <= _WHOLE_CHARS_MAX else None
    return text if type(text) is int else None


def word(fields: Mapping[str, Any], name: str, *, code: str) -> str | None:
    """Return short text, stripped, or None if there is none. Raises ItemRefused with `code` for anything else."""
    value = fields.get(name)
    if value is not None and (type(value) is not str or len(value) > FIELD_CHARS_MAX):
        raise ItemRefused(code, f"`{name}` must be text of at most {FIELD_CHARS_MAX} characters.")
    return value.strip() or None if type(value) is str else None


def instant(seconds: int, *, micros: int = 0) -> datetime | None:
    """Return seconds since 1970 as an instant, or None if no device can have measured then."""
    if not 0 < seconds < EPOCH_S_MAX:
        return None
    return _EPOCH + timedelta(seconds=seconds, microseconds=micros)


def part(fields: Mapping[str, Any], name: str) -> Json:
    """Return the object under a name, or an empty one."""
    value = fields.get(name)
    return value if type(value) is dict else {}


def listed(fields: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list under a name, or an empty one."""
    value = fields.get(name)
    return value if type(value) is list else []


def kept(fields: Mapping[str, Any], names: Iterable[str]) -> Json:
    """Return those fields of an object that are kept in `raw`, in this order; objects and lists among them are emptied."""
    return flat({name: fields[name] for name in names if name in fields})


def check_count(count: int, *, pointer: str = "") -> None:
    """Raise Unreadable if a payload has more records than are read at once."""
    if count > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} records at once.", pointer=pointer)
