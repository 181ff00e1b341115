"""From the device's time to FHIR's effectiveDateTime, without inventing a zone.

https://hl7.org/fhir/R4/datatypes.html#dateTime. A wall-clock time becomes an instant only with a zone that the sender
states, and only if that zone had this local time exactly once. Zones come from the IANA data in the package `tzdata`,
not from the machine, so that every machine resolves them alike.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from adapters.reading import DeviceTime
from hub.ingest import doubt
from hub.ingest.doubt import Doubt

FUTURE_TOLERANCE_US: Final = 10 * 60 * 1_000_000
"""How far a device's clock may run ahead of ours before we doubt it."""
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2100
UNSET_YEAR: Final = 1970
"""Of the epoch: what a clock counts from when nobody has set it. No device of ours measured then."""
OFFSET_MAX: Final = timedelta(hours=14)
"""https://hl7.org/fhir/R4/datatypes.html#dateTime; Kiritimati is that far ahead, nobody further, either way."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- subtracted from UTC wall clocks only
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ZERO: Final = timedelta(0)
_EFFECTIVE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]+))?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_FRACTION_DIGITS_MAX: Final = 6


def effective(time: DeviceTime | None, *, time_zone: str | None, received_us: int) -> str | Doubt:
    """FHIR dateTime with seconds and offset, as precise as the device said, or why there is none.

    time_zone    IANA name stated by the sender for local times
    received_us  now, in microseconds since 1970 UTC
    """
    if time is None:
        return doubt.NO_TIME
    if time.kind == "local":
        return _local(time.wall, time_zone, received_us)
    if time.kind == "ticks":
        return doubt.TIME_WITHOUT_CALENDAR
    return _instant(time.instant, received_us, zulu=time.kind == "utc")


def effective_us(effective: str) -> tuple[int, int]:
    """Start and end, the end exclusive, in microseconds since 1970 UTC: seconds last a second, milliseconds one of theirs.

    Takes what `effective` gives. Raises ValueError for another form.
    """
    form = _EFFECTIVE.fullmatch(effective)
    if form is None:
        raise ValueError("effective is not a dateTime with seconds and offset")
    start_us = (datetime.fromisoformat(effective) - _EPOCH_UTC) // _MICROSECOND
    digits = len(form[1] or "")
    return start_us, start_us + 10 ** (_FRACTION_DIGITS_MAX - min(digits, _FRACTION_DIGITS_MAX))


def _instant(instant: datetime | None, received_us: int, *, zulu: bool) -> str | Doubt:
    offset = None if instant is None else instant.utcoffset()
    if instant is None or offset is None:
        return doubt.NO_TIME
    if abs(offset) > OFFSET_MAX:
        return doubt.OFFSET_IMPOSSIBLE
    return _written(instant.replace(tzinfo=None), offset, received_us, zulu=zulu)


def _local(wall: datetime | None, time_zone: str | None, received_us: int) -> str | Doubt:
    if wall is None or wall.tzinfo is not None:
        return doubt.NO_TIME
    if not YEAR_MIN <= wall.year <= YEAR_MAX:
        return doubt.TIME_OUT_OF_RANGE
    if time_zone is None:
        return doubt.TIME_ZONE_MISSING
    zone = _zone(time_zone)
    if zone is None:
        return doubt.TIME_ZONE_UNKNOWN
    first = wall.replace(tzinfo=zone, fold=0).utcoffset() or _ZERO
    second = wall.replace(tzinfo=zone, fold=1).utcoffset() or _ZERO
    if first == second:
        return _written(wall, first, received_us, zulu=False)
    return doubt.TIME_AMBIGUOUS if first > second else doubt.TIME_NONEXISTENT  # PEP 495


def _written(wall: datetime, offset: timedelta, received_us: int, *, zulu: bool) -> str | Doubt:
    """`wall` is the local clock, `offset` what it is ahead of UTC."""
    if not YEAR_MIN <= wall.year <= YEAR_MAX:
        return doubt.TIME_OUT_OF_RANGE
    utc = wall - offset
    if UNSET_YEAR in (wall.year, utc.year):
        return doubt.TIME_NOT_SET
    if (utc - _EPOCH) // _MICROSECOND > received_us + FUTURE_TOLERANCE_US:
        return doubt.TIME_IN_FUTURE
    suffix = "Z" if zulu else _offset_text(offset)
    if suffix == "Z":
        wall = utc
    text = wall.isoformat()
    if wall.microsecond and wall.microsecond % 1000 == 0:
        text = text[:-3]
    return text + suffix


@lru_cache(1024)
def _offset_text(offset: timedelta) -> str:
    """FHIR's offset has hours and minutes, up to 14:00. What it cannot say (Paris before 1911: 9 min 21 s) is said in UTC."""
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest or abs(minutes) > 14 * 60:
        return "Z"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@lru_cache(1)
def _zone_names() -> frozenset[str]:
    """Etc/GMT+5 means five hours *behind*: whoever states it may well mean the opposite, so those are not taken."""
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(name for name in names if not name.startswith("Etc/GMT"))


@lru_cache(1024)
def _zone(name: str) -> ZoneInfo | None:
    if name not in _zone_names():
        return None
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
