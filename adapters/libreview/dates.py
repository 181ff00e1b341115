"""Wall-clock times whose day and month may stand in either order.

05-04-2024 is the fourth of May or the fifth of April; only another row of the file (a 13th, a 31st) or the sender can
say which. Nothing is taken from the language, from AM/PM or from the size of the numbers.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from functools import lru_cache
from typing import Literal

from adapters.limits import FIELD_CHARS_MAX, YEAR_MAX, YEAR_MIN
from adapters.refusal import ItemRefused

DateOrder = Literal["day-first", "month-first"]
DATE_ORDERS: tuple[DateOrder, ...] = ("day-first", "month-first")

_CACHE_SIZE = 4096
_DATE = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_ISO_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s?([AaPp])\.?\s?[Mm]\.?)?")


def proven_orders(stamps: Iterable[str]) -> tuple[DateOrder, ...]:
    """Return the order that the time texts of a file prove, or both if they prove none or contradict each other."""
    readings = [_days(day) for day in {_day_text(stamp) for stamp in stamps}]
    proofs = tuple(order for index, order in enumerate(DATE_ORDERS) if any(_only(days, index) for days in readings))
    return proofs or DATE_ORDERS


def wall_time(stamp: str, orders: tuple[DateOrder, ...]) -> datetime:
    """Read a time text. Raises ItemRefused: no-time, time-not-readable, ambiguous-date."""
    days = _days(_day_text(stamp))
    candidates = {day for order, day in zip(DATE_ORDERS, days, strict=True) if day is not None and order in orders}
    clock = _clock(stamp.partition(" ")[2])
    if not stamp:
        raise ItemRefused("no-time", "The row has no device timestamp.")
    if clock is None or not candidates:
        raise ItemRefused("time-not-readable", "The device timestamp is no date and time, such as 31-12-2024 23:59 or 12-31-2024 11:59 PM.")
    if len(candidates) > 1:
        raise ItemRefused(
            "ambiguous-date",
            "No row of the file proves whether the day or the month comes first, or rows contradict each other. Send a file "
            "with a day after the 12th, or say it in a first line: date-order,day-first or date-order,month-first.",
        )
    return datetime.combine(candidates.pop(), clock)


def order_of(stamp: str, orders: tuple[DateOrder, ...]) -> DateOrder | None:
    """Return the order in which this text is to be read, if one is known from the file or from the text itself."""
    if len(orders) == 1:
        return orders[0]
    days = _days(_day_text(stamp))
    return next((order for index, order in enumerate(DATE_ORDERS) if _only(days, index)), None)


def _only(days: tuple[date | None, date | None], index: int) -> bool:
    return days[index] is not None and days[1 - index] is None


def _day_text(stamp: str) -> str:
    return stamp[:FIELD_CHARS_MAX].partition(" ")[0]


@lru_cache(_CACHE_SIZE)
def _days(text: str) -> tuple[date | None, date | None]:
    """Return the date if the day comes first, and the date if the month does; None where that is no date."""
    if match := _DATE.fullmatch(text):
        first, second, year = map(int, match.groups())
        return _date(year, second, first), _date(year, first, second)
    if match := _ISO_DATE.fullmatch(text):
        iso = _date(*map(int, match.groups()))
        return iso, iso
    return None, None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if YEAR_MIN <= year <= YEAR_MAX else None
    except ValueError:
        return None


@lru_cache(_CACHE_SIZE)
def _clock(text: str) -> time | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second, half = int(match[1]), int(match[2]), int(match[3] or 0), match[4]
    if half is not None:
        if not 1 <= hour <= 12:  # noqa: PLR2004  a 12-hour clock has neither 0 nor 13
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None
