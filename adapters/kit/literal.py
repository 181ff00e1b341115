"""Changing one thing in a record's own bytes: its value or its time, where the device's text stands there word for word."""

import re
from datetime import UTC, datetime, timedelta

from adapters.reading import DeviceTime, Quantity, Reading, Value

_BYTES_OF_A_WORD = re.compile(rb"[0-9A-Za-z.]")
_ISO_DATE = re.compile(r"(?P<year>\d{4})(?P<gap>[-/.]?)(?P<month>\d{2})(?P=gap)(?P<day>\d{2})")
_SHORT_DATE = re.compile(r"(?P<one>\d{2})(?P<gap>[-/.])(?P<two>\d{2})(?P=gap)(?P<year>\d{4})")
_CLOCK = re.compile(r"(?P<hour>\d{2})(?P<gap>:?)(?P<minute>\d{2})(?P<rest>.*)", re.DOTALL)
ZULU = re.compile(r"(?:\d|\s)(?:Z|UTC|GMT)", re.IGNORECASE)
_HALF = re.compile(r"[AaPp]\.?[Mm]\.?")
_UNITS_PER_SECOND = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""By the number of digits that an epoch of our days has."""


def replaced(raw: bytes, old: str, new: str) -> bytes | None:
    """The record with one word exchanged, or None where it does not stand there exactly once as a word of its own."""
    word = old.encode()
    places = [one.start() for one in re.finditer(re.escape(word), raw)]
    places = [at for at in places if not _touches(raw, at, at + len(word))]
    return raw[: places[0]] + new.encode() + raw[places[0] + len(word) :] if len(places) == 1 else None


def _touches(raw: bytes, start: int, end: int) -> bool:
    return any(_BYTES_OF_A_WORD.fullmatch(one) is not None for one in (raw[start - 1 : start] if start else b"", raw[end : end + 1]) if one)


def quantity_texts(reading: Reading) -> list[tuple[str, str, str]]:
    """Component ("" for the value itself), number as read, number as it may stand in the payload: with a comma, too."""
    found = [("", reading.value), *reading.components.items()]
    numbers = [(name, value.value) for name, value in found if isinstance(value, Quantity)]
    return [(name, number, text) for name, number in numbers for text in dict.fromkeys((number, number.replace(".", ",")))]


def value_of(reading: Reading, component: str) -> Value | None:
    return reading.components.get(component) if component else reading.value


def moment(time: DeviceTime) -> datetime | None:
    """As its text shows it: of a text in UTC that stands beside the wearer's offset, UTC."""
    if time.wall is not None or time.instant is None:
        return time.wall
    shown = time.instant.astimezone(UTC) if is_count(time.text) or ZULU.search(time.text[-4:]) else time.instant
    return shown.replace(tzinfo=None)


def dated(time: DeviceTime, year: int, month: int, day: int) -> str | None:
    """The time's text with another date, in the same form; None for a form that is not known here, or a date that is not what was read."""
    then = moment(time)
    if then is None:
        return None
    if is_count(time.text):
        return _count_of_day(time, then, year, month, day)
    if found := _ISO_DATE.match(time.text):
        if (int(found["year"]), int(found["month"]), int(found["day"])) != (then.year, then.month, then.day):
            return None
        return f"{year:04}{found['gap']}{month:02}{found['gap']}{day:02}{time.text[found.end() :]}"
    if found := _SHORT_DATE.match(time.text):
        day_first = (int(found["one"]), int(found["two"])) == (then.day, then.month)
        one, two = (day, month) if day_first else (month, day)
        return f"{one:02}{found['gap']}{two:02}{found['gap']}{year:04}{time.text[found.end() :]}"
    return None


def clocked(time: DeviceTime, hour: int, minute: int) -> str | None:
    """The time's text with another time of day; None where it has none, or not the one that was read (another zone, twelve hours)."""
    start = _date_end(time.text)
    rest = time.text[start:].lstrip("T ") if start else ""
    found = _CLOCK.fullmatch(rest)
    if found is None or _HALF.search(rest):
        return None
    then = moment(time)
    if then is not None and (int(found["hour"]), int(found["minute"])) != (then.hour, then.minute):
        return None
    return f"{time.text[: len(time.text) - len(rest)]}{hour:02}{found['gap']}{minute:02}{found['rest']}"


def counted(time: DeviceTime, shift: timedelta) -> str | None:
    """The text of a count since some epoch, moved; None where it is no such count."""
    unit = _UNITS_PER_SECOND.get(len(time.text.lstrip("-")))
    if unit is None or not is_count(time.text):
        return None
    return str(int(time.text) + int(shift.total_seconds()) * unit)


def _count_of_day(time: DeviceTime, then: datetime, year: int, month: int, day: int) -> str | None:
    """The count of that day at the same time; None for a day that is none, or a year before every calendar."""
    try:
        return counted(time, then.replace(year=year, month=month, day=day) - then)
    except ValueError:
        return None


def is_count(text: str) -> bool:
    """A number of seconds or of parts of one, which needs no zone."""
    return len(text.lstrip("-")) in _UNITS_PER_SECOND and text.lstrip("-").isdecimal()


def _date_end(text: str) -> int:
    found = _ISO_DATE.match(text) or _SHORT_DATE.match(text)
    return found.end() if found else 0
