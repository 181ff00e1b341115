"""Wall clock of a recording: its start, and so many seconds after it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from adapters.edf.header import Header
from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused
from adapters.signals import written

ONSET_SECONDS_MAX = 10**9


def moment(header: Header, onset: str) -> DeviceTime:
    """`onset` seconds after the start, in the file's own words. Raises ItemRefused where that is no time."""
    seconds = Decimal(onset)
    text = f"{header.date} {header.time}" + ("" if seconds == 0 else f" {onset}")
    if abs(seconds) > ONSET_SECONDS_MAX:
        raise ItemRefused("onset-out-of-range", "An annotation lies more than thirty years from the recording.", keep=False)
    wall = _later(header.start, seconds)
    return DeviceTime(kind="local", text=text, wall=wall)


def _later(start: datetime, seconds: Decimal) -> datetime:
    try:
        wall = start + timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        wall = datetime.combine(date.min, datetime.min.time())
    if not YEAR_MIN <= wall.year <= YEAR_MAX:
        raise ItemRefused("onset-out-of-range", "The year is out of bounds.", keep=False)
    return wall


def plus(onset: str, seconds: Decimal) -> str:
    later = Decimal(onset) + seconds
    return f"{'-' if later < 0 else '+'}{written(abs(later))}"
