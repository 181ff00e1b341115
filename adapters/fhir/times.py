"""effective[x] -> when. https://hl7.org/fhir/R4/datatypes.html#dateTime: a time of the day has an offset, always."""

from typing import Any

from adapters.iso_time import device_time
from adapters.json_values import Json, part
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused

EFFECTIVES = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


def effective(fields: Json) -> tuple[DeviceTime | None, DeviceTime | None]:
    """Start and end; none if the resource says none. Raises ItemRefused: time-not-readable, time-zone-missing."""
    if "effectiveTiming" in fields:
        raise ItemRefused("time-not-readable", "The time must be a dateTime, an instant or a Period.", keep=False)
    moment = _text(fields, "effectiveDateTime") or _text(fields, "effectiveInstant")
    if moment is not None:
        return zoned(moment), None
    period = part(fields, "effectivePeriod")
    start, end = (_text(period, name) for name in ("start", "end"))
    if start is None:
        return (None, None) if end is None else (zoned(end), None)
    return zoned(start), None if end is None else zoned(end)


def _text(fields: Json, name: str) -> str | None:
    value = fields.get(name)
    if value is not None and (type(value) is not str or len(value) > FIELD_CHARS_MAX):
        raise ItemRefused("time-not-readable", f"`{name}` must be a dateTime.", keep=False)
    return value.strip() or None if type(value) is str else None


def zoned(text: str) -> DeviceTime:
    """A dateTime with the time of the day. Raises ItemRefused."""
    time = device_time(text)
    if time.kind == "local":
        raise ItemRefused("time-zone-missing", "A dateTime with a time of the day has an offset; send it, as FHIR asks.", keep=False)
    return time


def kept_times(fields: Json) -> dict[str, Any]:
    """What is kept of them."""
    kept = {name: fields[name] for name in EFFECTIVES[:2] if type(fields.get(name)) is str}
    period = {name: text for name, text in part(fields, "effectivePeriod").items() if name in {"start", "end"} and type(text) is str}
    return kept | ({"effectivePeriod": period} if period else {})
