"""ISO 8601 times as phones and clouds write them (RFC 3339, 5.6): what they say of the zone decides the kind, nothing is added."""

import re
from datetime import datetime
from functools import lru_cache

from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime, TimeKind
from adapters.refusal import ItemRefused

_FORM = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]{1,9}))? ?(?:([Zz])|([+-][0-9]{2}):?([0-9]{2}))?"
)


@lru_cache(4096)
def device_time(text: str) -> DeviceTime:
    """Read date and time with seconds or without, with Z, an offset (with or without colon) or neither.

    -00:00 is UTC whose wearer's offset is not known (RFC 3339, 4.3).

    Digits beyond the microsecond are cut from the instant and stay in the text. Raises ItemRefused: time-not-readable.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ItemRefused("time-not-readable", "A time must be written as 2026-11-29T08:30:00+01:00, with Z, an offset or neither.")
    date, clock, seconds, fraction, zulu, hours, minutes = form.groups()
    offset = "+00:00" if zulu else f"{hours}:{minutes}" if hours else ""
    try:
        when = datetime.fromisoformat(f"{date}T{clock}{seconds or ':00'}.{(fraction or '0')[:6]:0<6}{offset}")
    except ValueError:
        raise ItemRefused("time-not-readable", "The time is no day of the calendar, no time of the day or no offset.") from None
    if not YEAR_MIN < when.year < YEAR_MAX:
        raise ItemRefused("time-not-readable", f"The year must lie between {YEAR_MIN} and {YEAR_MAX}.")
    kind: TimeKind = "utc" if zulu or (hours, minutes) == ("-00", "00") else "offset" if hours else "local"
    if kind == "local":
        return DeviceTime(kind=kind, text=text, wall=when)
    return DeviceTime(kind=kind, text=text, instant=when)
