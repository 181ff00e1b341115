"""HL7 V3 TS: `YYYYMMDDHHMMSS[.fraction][±ZZzz]`. With a zone it is an instant, without one a wall clock."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused
from adapters.signals import written

_TS = re.compile(r"([0-9]{14})(?:\.([0-9]{1,6})[0-9]{0,6})?([+-][0-9]{4})?")
_NO_TIME = "The time is not a timestamp with seconds (YYYYMMDDHHMMSS)."


def moment(text: str, seconds: Decimal = Decimal(0)) -> DeviceTime:
    """`seconds` after the timestamp. Raises ItemRefused `no-time`."""
    found = _TS.fullmatch(text)
    if found is None:
        raise ItemRefused("no-time", _NO_TIME)
    try:
        when = datetime.strptime(found[1], "%Y%m%d%H%M%S")  # noqa: DTZ007 -- the zone comes below, if there is one
        when += timedelta(microseconds=int((found[2] or "0").ljust(6, "0")) + int(seconds * 1_000_000))
        zone = None if found[3] is None else timezone(_offset(found[3]))
    except (ValueError, OverflowError):
        raise ItemRefused("no-time", _NO_TIME) from None
    if not YEAR_MIN < when.year < YEAR_MAX:
        raise ItemRefused("no-time", "The year is out of bounds.")
    said = text if seconds == 0 else f"{text} {'-' if seconds < 0 else '+'}{written(abs(seconds))}"
    if zone is None:
        return DeviceTime(kind="local", text=said, wall=when)
    return DeviceTime(kind="offset", text=said, instant=when.replace(tzinfo=zone))


def _offset(text: str) -> timedelta:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)
