"""Dates as half-open ranges of microseconds since 1970 UTC.

https://hl7.org/fhir/R4/search.html#date: a date, dateTime or instant stands for the whole of what its precision
leaves open; a missing end of a Period lies beyond any actual date. No zone means UTC.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 86_400 * SECOND_US

OPEN_START_US = -(1 << 62)
OPEN_END_US = 1 << 62
"""Ends of a Period that are not given: before and after every date that can be written, and still 64-bit integers."""

_EPOCH = date(1970, 1, 1).toordinal()
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T"
    r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?"
    r"(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
    r")?)?)?",
    re.ASCII,
)
"""https://hl7.org/fhir/R4/datatypes.html#dateTime, with minutes without seconds and times without zone as R4 search allows."""


RANGES_CACHED_MAX = 1_024
"""Two criteria on one date read it twice; times are no secret of the stored row."""


class Range(NamedTuple):
    """`start_us <= moment < end_us`."""

    start_us: int
    end_us: int


@lru_cache(RANGES_CACHED_MAX)
def date_range(text: str) -> Range:
    """The range a date, dateTime or instant stands for, to the minute and finer as written. Raises ValueError."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if day is None:
        return _month_or_year(int(year), month)
    start = (date(int(year), int(month), int(day)).toordinal() - _EPOCH) * DAY_US
    if hour is None:
        return Range(start, start + DAY_US)
    start += (int(hour) * 60 + int(minute) - _offset_minutes(zone)) * MINUTE_US
    return _within_minute(start, second, fraction)


def element_range(value: Any) -> Range | None:
    """The range of an element of type date, dateTime, instant, Period or Timing; None without any date in it.

    Raises ValueError for what is none of these, and for a Period that ends before it starts.
    """
    if isinstance(value, str):
        return date_range(value)
    if not isinstance(value, Mapping):
        raise ValueError("not a date")  # noqa: TRY004 (the caller asks one question: is this a date?)
    if "event" in value or "repeat" in value:
        return _timing_range(value)
    return _period_range(value)


def _month_or_year(year: int, month: str | None) -> Range:
    first = (date(year, int(month or "1"), 1).toordinal() - _EPOCH) * DAY_US
    days = monthrange(year, int(month))[1] if month else 365 + isleap(year)
    return Range(first, first + days * DAY_US)


def _within_minute(start: int, second: str | None, fraction: str | None) -> Range:
    if second is None:
        return Range(start, start + MINUTE_US)
    start += int(second) * SECOND_US  # a leap second falls together with the next one
    if fraction is None:
        return Range(start, start + SECOND_US)
    digits = fraction[:6]  # finer than a microsecond is cut off
    unit = 10 ** (6 - len(digits))
    start += int(digits) * unit
    return Range(start, start + unit)


def _offset_minutes(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    total = int(zone[1:3]) * 60 + int(zone[4:6])
    return -total if zone[0] == "-" else total


def _period_range(period: Mapping[str, Any]) -> Range | None:
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        return None
    found = Range(
        OPEN_START_US if start is None else date_range(start).start_us,
        OPEN_END_US if end is None else date_range(end).end_us,
    )
    if found.start_us >= found.end_us:
        raise ValueError("ends before it starts")
    return found


def _timing_range(timing: Mapping[str, Any]) -> Range | None:
    """R4: of a Timing only the outer limits count."""
    ranges = [date_range(event) for event in timing.get("event", ()) if event is not None]
    bounds = timing.get("repeat", {}).get("boundsPeriod")
    limits = None if bounds is None else _period_range(bounds)
    if limits is not None:
        ranges.append(limits)
    if not ranges:
        return None
    return Range(min(one.start_us for one in ranges), max(one.end_us for one in ranges))
