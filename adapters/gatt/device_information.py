"""Device Information, Battery and Current Time: what a unit says about itself.

Device Information Service 1.2, Battery Service 1.1, Current Time Service 1.1.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.gatt.octets import Octets
from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused

TEXTS: Mapping[str, str] = {
    "2A24": "model",
    "2A25": "serial_number",
    "2A26": "firmware",
    "2A27": "hardware",
    "2A28": "software",
    "2A29": "manufacturer",
}
"""UTF-8 strings by 16-bit UUID."""

BATTERY_PERCENT_MAX = 100


def _text(octets: bytes) -> str:
    text = octets.decode("utf-8", "replace").strip("\x00 ")
    if not text or len(text) > FIELD_CHARS_MAX or not text.isprintable():
        raise ItemRefused("not-text", "The value is not a short text in UTF-8.", keep=False)
    return text


def _system_id(octets: bytes) -> str:
    """2A23: 40 bits of the manufacturer, then 24 of the organisation, least significant octet first."""
    value = Octets(octets)
    number = value.uint(8)
    value.end()
    digits = f"{number:016X}"
    return "EUI-64 " + "-".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _battery(octets: bytes) -> int:
    """2A19: percent; more than 100 is reserved."""
    value = Octets(octets)
    percent = value.uint(1)
    value.end()
    if percent > BATTERY_PERCENT_MAX:
        raise ItemRefused("value-out-of-bounds", "A battery has at most 100 percent.", keep=False)
    return percent


def current_time(octets: bytes) -> datetime:
    """2A2B: date time, day of week, 1/256 s, reason of the last adjustment. A wall clock; fractions are not looked at."""
    value = Octets(octets)
    stamp = value.date_time()
    value.uint(3)
    value.end()
    try:
        return datetime(stamp.year, stamp.month, stamp.day, stamp.hours, stamp.minutes, stamp.seconds)  # noqa: DTZ001  the device knows no zone
    except ValueError:
        raise ItemRefused("time-not-readable", "The device's date and time is none.", keep=False) from None


def clock_ahead_s(octets: bytes, received: datetime | None) -> int | None:
    """Return seconds by which the device's wall clock is ahead of that of the receiver; None if that is not known."""
    clock = current_time(octets)
    return None if received is None else int((clock - received.replace(tzinfo=None, microsecond=0)).total_seconds())


def facts_of(name: str, octets: bytes, received: datetime | None) -> Mapping[str, Any]:
    """Return the fields of `DeviceFacts` that a characteristic value says. Raises ItemRefused."""
    if name == "2A2B":
        return {"clock_ahead_s": clock_ahead_s(octets, received)}
    field, read = _FACTS[name]
    said = read(octets)
    return {field: (said,) if field == "identifiers" else said}


_FACTS: Mapping[str, tuple[str, Callable[[bytes], Any]]] = {
    "2A19": ("battery_percent", _battery),
    "2A23": ("identifiers", _system_id),
    **{uuid: (field, _text) for uuid, field in TEXTS.items()},
}
DEVICE_CHARACTERISTICS = frozenset({*_FACTS, "2A2B"})
