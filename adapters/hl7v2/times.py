"""Time stamps of HL7 v2: YYYYMMDDHHMM[SS[.S…]][+/-ZZZZ]. HL7 v2.6 chapter 2A, data type DTM."""

import re
from datetime import datetime, timedelta, timezone

from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused

_STAMP = re.compile(
    r"(?P<digits>[0-9]{12}(?:[0-9]{2})?)(?:\.(?P<fraction>[0-9]{1,6})[0-9]*)?(?P<offset>[+-](?:0[0-9]|1[0-4])[0-5][0-9])?", re.ASCII
)
_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-4])[0-5][0-9]")
_SECONDS_END = 14
STAMP_CHARS_MAX = 32
UNKNOWN_OFFSET = "-0000"
"""RFC 3339 section 4.3: how a sender says that it does not know."""


def is_zoned(text: str) -> bool:
    return _OFFSET.search(text) is not None


def device_time(text: str, message_time: str) -> DeviceTime:
    """The time of an observation.

    message_time  MSH-7: an offset in it holds for all times of the message that have none (HL7 v2.6, MSH-7), and is written behind them:
                  what the device said is its time with that offset
    Raises ItemRefused for a date alone and for what is no time.
    """
    found = _STAMP.fullmatch(text) if len(text) <= STAMP_CHARS_MAX else None
    if found is None:
        raise ItemRefused("time-not-readable", "A time is written YYYYMMDDHHMM[SS[.S]][+ZZZZ], in OBX-14 or OBR-7.")
    wall = _wall(found["digits"], found["fraction"] or "")
    default = _OFFSET.search(message_time[_SECONDS_END - 2 :]) if len(message_time) <= STAMP_CHARS_MAX else None
    offset = found["offset"] or (default[0] if default else None)
    if offset is None or offset == UNKNOWN_OFFSET:
        return DeviceTime(kind="local", text=text, wall=wall)
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    said = text if found["offset"] else f"{text}{offset}"
    return DeviceTime(kind="offset", text=said, instant=wall.replace(tzinfo=zone))


def _wall(digits: str, fraction: str) -> datetime:
    form = "%Y%m%d%H%M%S" if len(digits) == _SECONDS_END else "%Y%m%d%H%M"
    try:
        wall = datetime.strptime(digits, form)  # noqa: DTZ007 - the zone is not known yet
    except ValueError:
        wall = None
    if wall is None or not YEAR_MIN <= wall.year <= YEAR_MAX:
        raise ItemRefused("time-not-readable", "The time does not exist in the calendar, or its year is out of bounds.")
    return wall.replace(microsecond=int(fraction.ljust(6, "0")) if fraction else 0)
