"""Fields of a JSON record as `json_payload.load_exact` gives them: numbers as written, words, and what of a record is kept."""

from collections.abc import Collection, Mapping
from typing import Any

from adapters.decimal_text import written_decimal
from adapters.json_payload import Number
from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused


def is_number(value: object) -> bool:
    """Say whether it is a JSON number; true and false are none."""
    return type(value) is int or type(value) is Number


def decimal(value: object, name: str) -> str:
    """Return a JSON number as decimal text with its digits. Raises ItemRefused: value-missing, value-not-a-number."""
    if value is None:
        raise ItemRefused("value-missing", f"`{name}` is missing.")
    text = written_decimal(value.text if isinstance(value, Number) else str(value)) if is_number(value) else None
    if text is None:
        raise ItemRefused("value-not-a-number", f"`{name}` must be a number.")
    return text


def word(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a text of the record without blanks around it; None if it is missing, empty, overlong or no text."""
    value = fields.get(name)
    if type(value) is not str or len(value) > FIELD_CHARS_MAX:
        return None
    return value.strip() or None


def identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """Return the text that identifies a unit, or None if there is none. Raises ItemRefused: device-not-readable."""
    if fields.get(name) is not None and fields[name] != "" and word(fields, name) is None:
        raise ItemRefused("device-not-readable", f"`{name}` must be text of at most {FIELD_CHARS_MAX} characters.")
    return word(fields, name)


def kept(value: Any, words: Collection[str]) -> Any:
    """Return what of a record may be kept: numbers, true and false wherever they stand, texts under the names in `words`.

    Everything else may be about a person: who entered it, a note, an account. What holds nothing that is kept is left out of lists, and
    under its name something empty of its kind stands for it: that it was no number is what its record may have been refused for.
    """
    if type(value) is not dict:
        return value if is_number(value) or type(value) is bool else None
    return {name: _kept_field(name, inner, words) for name, inner in value.items()} or None


def _kept_field(name: str, inner: Any, words: Collection[str]) -> Any:
    if type(inner) is str:
        return inner if name in words else ""
    if type(inner) is list:
        return [one for one in (kept(entry, words) for entry in inner) if one is not None]
    return (kept(inner, words) or {}) if type(inner) is dict else kept(inner, words)
