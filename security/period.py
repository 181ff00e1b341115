"""FHIR date, dateTime, instant and Period as ranges of microseconds since 1970 UTC, ends exclusive.

https://hl7.org/fhir/R4/datatypes.html#dateTime, https://hl7.org/fhir/R4/datatypes.html#Period. A partial date stands
for the whole of it, a text without zone is UTC, an absent side of a Period is open.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

OPEN_START_US: Final = -(2**62)
OPEN_END_US: Final = 2**62
"""Further away than any FHIR date, and still a 64-bit integer for a store to compare."""

Range = tuple[int, int]

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
_MINUTE_US: Final = 60_000_000
_SECOND_US: Final = 1_000_000
_OFFSET_US_MAX: Final = 14 * _HOUR_US
_FRACTION_DIGITS: Final = 6
_MONTHS: Final = 12

_DATE_TIME: Final = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(:(?P<second>[0-5]\d|60)(\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+-]\d\d:[0-5]\d)?)?)?)?",
    re.ASCII,
)


def date_range(text: object) -> Range:
    """From the first microsecond that `text` may mean to the one after the last.

    Raises ValueError if it is no FHIR date, dateTime or instant; the message does not repeat it.
    """
    match = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("not a FHIR date or dateTime")
    part = match.groupdict()
    year, month, day = int(part["year"]), int(part["month"] or 0), int(part["day"] or 0)
    return _time_range(_day(year, month, day), part) if part["hour"] else _days_range(year, month, day)


def period_range(period: object) -> Range:
    """The range of a Period that a rule is bound by, a side that is absent open.

    Raises ValueError if no side is there, one cannot be read or has no value, or the end does not come after the start.
    """
    found = _sides(period) if isinstance(period, Mapping) and {"_start", "_end"}.isdisjoint(period) else None
    if found is None:
        raise ValueError("not a FHIR Period with readable sides")
    return found


def _sides(period: Mapping[str, Any]) -> Range | None:
    if "start" not in period and "end" not in period:
        return None
    start = date_range(period["start"])[0] if "start" in period else OPEN_START_US
    end = date_range(period["end"])[1] if "end" in period else OPEN_END_US
    if start >= end:
        raise ValueError("a Period must not end before it starts (per-1)")
    return start, end


def _days_range(year: int, month: int, day: int) -> Range:
    first = _day(year, month or 1, day or 1)
    if day:
        return first, first + _DAY_US
    if 0 < month < _MONTHS:
        return first, _day(year, month + 1, 1)
    return first, _day(year, _MONTHS, 31) + _DAY_US


def _time_range(midnight: int, part: Mapping[str, str | None]) -> Range:
    start = midnight + int(part["hour"] or 0) * _HOUR_US + int(part["minute"] or 0) * _MINUTE_US - _offset(part["zone"])
    if part["second"] is None:
        return start, start + _MINUTE_US
    start += int(part["second"]) * _SECOND_US
    digits = (part["fraction"] or "")[:_FRACTION_DIGITS]
    step = 10 ** (_FRACTION_DIGITS - len(digits))
    start += int(digits or 0) * step
    return start, start + step


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    offset = hours * _HOUR_US + minutes * _MINUTE_US
    if offset > _OFFSET_US_MAX:
        raise ValueError("no zone lies further than 14 hours from UTC")
    return -offset if zone[0] == "-" else offset


def _day(year: int, month: int, day: int) -> int:
    return (date(year, month, day).toordinal() - _EPOCH_DAY) * _DAY_US


def overlap(one: Range, other: Range) -> bool:
    """Do the two ranges share a moment?"""
    return one[0] < other[1] and other[0] < one[1]


def within(inner: Range, outer: Range) -> bool:
    """Does `inner` lie wholly in `outer`?"""
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def hull(ranges: list[Range]) -> Range | None:
    """The narrowest range that contains all of them; None if there are none."""
    return (min(start for start, _ in ranges), max(end for _, end in ranges)) if ranges else None


def data_range(value: Any) -> Range | None:
    """The range of an effective[x] or the like: dateTime, instant, Period or Timing; None without any date in it.

    A date that cannot be read counts as any time at all: it lies inside no bounded period and touches all.
    """
    try:
        if not isinstance(value, Mapping):
            return date_range(value)
        if "event" in value or "repeat" in value:
            return _timing_range(value)
        return _sides(value)
    except (ValueError, TypeError, AttributeError):
        return OPEN_START_US, OPEN_END_US


def _timing_range(timing: Mapping[str, Any]) -> Range | None:
    """https://hl7.org/fhir/R4/datatypes.html#Timing: its events and its outer bounds."""
    ranges = [date_range(event) for event in timing.get("event", ()) if event is not None]
    if bounds := _sides(timing.get("repeat", {}).get("boundsPeriod", {})):
        ranges.append(bounds)
    return hull(ranges)
