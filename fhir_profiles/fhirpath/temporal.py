"""Dates, times and their comparison as far as they are known. https://hl7.org/fhirpath/N1/#datetime-comparison"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

TemporalKind = Literal["date", "dateTime", "time"]

_CLOCK: Final = r"(?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]+)?))?)?"
_TIME: Final = re.compile("T?" + _CLOCK)
_MOMENT: Final = re.compile(
    rf"(?P<year>[0-9]{{4}})(?:-(?P<month>[0-9]{{2}})(?:-(?P<day>[0-9]{{2}}))?)?(?P<t>T(?:{_CLOCK}(?P<zone>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?)?"
)
_LOWEST: Final = (1, 1, 1, 0, 0, 0)
_HIGHEST: Final = (9999, 12, 31, 23, 59, 60)
_CALENDAR_STEPS: Final = {"year": 12, "month": 1}
_SECONDS: Final[Mapping[str, int | Decimal]] = {"wk": 604_800, "d": 86_400, "h": 3_600, "min": 60, "s": 1, "ms": Decimal("0.001")}
_DAY, _HOUR, _MINUTE, _SECOND = 3, 4, 5, 6
_CHARS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Temporal:
    """`parts`: year, month, day, hour, minute, second as far as given (a time begins at the hour); `offset` in minutes from UTC."""

    kind: TemporalKind
    parts: tuple[int | Decimal, ...]
    offset: int | None
    text: str

    @staticmethod
    def parse(text: str) -> "Temporal | None":
        """From FHIR or FHIRPath, without the sign `@`. None where it is no date, time or moment that exists."""
        return _parse(text) if len(text) <= _CHARS_MAX else None

    def compared(self, other: "Temporal") -> int | None:
        """-1, 0, 1; None where precision or a missing offset leaves it open, or a time meets a date."""
        if (self.kind == "time") != (other.kind == "time"):
            return None
        if (self.offset is None) != (other.offset is None) and min(len(self.parts), len(other.parts)) > _DAY:
            return _apart(self.parts, other.parts)
        left, right = (self.utc(), other.utc()) if self.offset is not None and other.offset is not None else (self.parts, other.parts)
        for one, two in zip(left, right, strict=False):
            if one != two:
                return -1 if one < two else 1
        return 0 if len(left) == len(right) else None

    def utc(self) -> tuple[int | Decimal, ...]:
        if not self.offset:
            return self.parts
        try:
            moment = _calendar(self.parts) - timedelta(minutes=self.offset)
        except OverflowError:
            return self.parts
        return (moment.year, moment.month, moment.day, moment.hour, moment.minute, *self.parts[_MINUTE:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Temporal) and len(self.parts) == len(other.parts) and self.compared(other) == 0

    def __hash__(self) -> int:
        return hash((self.kind == "time", self.parts[:1]))

    def plus(self, amount: Decimal, unit: str) -> "Temporal | None":
        """https://hl7.org/fhirpath/N1/#datetime-arithmetic. None beyond the calendar, or for a unit that is no time."""
        if unit in _CALENDAR_STEPS and self.kind != "time":
            return self._months(int(amount) * _CALENDAR_STEPS[unit])
        if unit not in _SECONDS:
            return None
        whole = amount if _SECONDS[unit] <= 1 else Decimal(int(amount))  # above seconds, what is no whole unit is left aside
        return self._seconds(whole * _SECONDS[unit])

    def _months(self, months: int) -> "Temporal | None":
        year, month, *rest = (*self.parts, 1)[: max(2, len(self.parts))] if len(self.parts) == 1 else self.parts
        total = int(year) * 12 + int(month) - 1 + months
        if not MINYEAR <= total // 12 <= MAXYEAR:
            return None
        if rest:
            rest[0] = min(int(rest[0]), monthrange(total // 12, total % 12 + 1)[1])
        return self._of((total // 12, total % 12 + 1, *rest)[: len(self.parts)])

    def _seconds(self, seconds: Decimal) -> "Temporal | None":
        """Of a partial moment whole units are added: a date gets days, a month gets months of 30 days."""
        if self.kind == "time":
            return self._of(_clock(self.parts, seconds))
        if len(self.parts) < _DAY:
            return self._months(int(seconds / (30 * _SECONDS["d"])))
        step = {_DAY: 86_400, _HOUR: 3_600, _MINUTE: 60}.get(len(self.parts))
        whole = int(seconds / step) * step if step else seconds
        second = self.parts[-1] if len(self.parts) == _SECOND else 0
        try:
            moved = _calendar(self.parts) + timedelta(microseconds=int((whole + second) * 1_000_000))
        except OverflowError:
            return None
        exact = Decimal(moved.second) + Decimal(moved.microsecond) / 1_000_000 + Decimal(second) * 0  # with the digits it had
        return self._of((moved.year, moved.month, moved.day, moved.hour, moved.minute, exact)[: len(self.parts)])

    def _of(self, parts: tuple[int | Decimal, ...]) -> "Temporal":
        return Temporal(self.kind, parts, self.offset, _written(self.kind, parts, self.offset))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Temporal | None:
    match = _TIME.fullmatch(text)
    if match is not None and (text[0] == "T" or ":" in text):
        kind: TemporalKind = "time"
        given = match.group("hour", "minute", "second")
        zone = None
    else:
        match = _MOMENT.fullmatch(text)
        if match is None:
            return None
        kind = "dateTime" if match["t"] else "date"
        given = match.group("year", "month", "day", "hour", "minute", "second")
        zone = match["zone"]
    parts = tuple(Decimal(part) if "." in part else int(part) for part in given if part is not None)
    return Temporal(kind, parts, _offset(zone), text) if _exists(kind, parts) else None


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def _exists(kind: TemporalKind, parts: tuple[int | Decimal, ...]) -> bool:
    low, high = (_LOWEST[3:], _HIGHEST[3:]) if kind == "time" else (_LOWEST, _HIGHEST)
    if not all(least <= part < most + 1 for part, least, most in zip(parts, low, high, strict=False)):
        return False
    return kind == "time" or len(parts) < _DAY or int(parts[2]) <= monthrange(int(parts[0]), int(parts[1]))[1]


def _apart(left: tuple[int | Decimal, ...], right: tuple[int | Decimal, ...]) -> int | None:
    """Where one offset is not known, moments more than a day apart can still be told apart."""
    if min(len(left), len(right)) < _DAY:
        return None
    days = (_calendar(left[:_DAY]) - _calendar(right[:_DAY])).days
    return None if abs(days) <= 1 else -1 if days < 0 else 1


def _calendar(parts: tuple[int | Decimal, ...]) -> datetime:
    """To the minute, the offset left aside; a partial moment is its beginning."""
    year, month, day, hour, minute = map(int, (*parts[:_MINUTE], *_LOWEST[len(parts) : _MINUTE]))
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001


def _clock(parts: tuple[int | Decimal, ...], seconds: Decimal) -> tuple[int | Decimal, ...]:
    """A time of day goes round at midnight."""
    hour, minute, second = (*parts, 0, 0)[:3]
    total = (Decimal(hour) * 3600 + Decimal(minute) * 60 + Decimal(second) + seconds) % 86_400
    total += 86_400 if total < 0 else 0
    return (int(total // 3600), int(total % 3600 // 60), total % 60)[: len(parts)]


def _written(kind: TemporalKind, parts: tuple[int | Decimal, ...], offset: int | None) -> str:
    texts = [f"{part:0{4 if index == 0 and kind != 'time' else 2}d}" for index, part in enumerate(map(int, parts))]
    if kind == "time" or len(parts) > _MINUTE:
        index = len(parts) - 1
        texts[index] = _second(parts[index]) if isinstance(parts[index], Decimal) else texts[index]
    if kind == "time":
        return ":".join(texts)
    day, clock = "-".join(texts[:_DAY]), ":".join(texts[_DAY:])
    sign = "" if offset is None else "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    return f"{day}T{clock}{sign}" if clock or kind == "dateTime" else day


def _second(second: int | Decimal) -> str:
    whole, _, fraction = format(second, "f").partition(".")
    return f"{int(whole):02d}" + (f".{fraction}" if fraction else "")
