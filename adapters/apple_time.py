"""Times of an export of Apple Health, which its XML and its ECG files write alike."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from adapters.iso_time import device_time
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused

_ZONE_NAMES = frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


@lru_cache(8192)
def moment(text: str, zone: str | None) -> DeviceTime:
    """Read a time of the export. Raises ItemRefused: no-time, time-not-readable.

    The offset that stands there is that of the phone when it exported: an export in winter writes another text for the same
    summer evening. The instant is what stays, so it is the text; with HKTimeZone it is said in local time and offset.
    """
    if not text:
        raise ItemRefused("no-time", "A record needs startDate and endDate.")
    given = device_time(text)
    if given.instant is None:
        raise ItemRefused("time-not-readable", "An export of Apple Health writes each time with an offset.")
    utc = given.instant.astimezone(UTC)
    offset = None if zone is None else _offset(utc, zone)
    if offset is None:
        return DeviceTime(kind="utc", text=f"{utc.replace(tzinfo=None).isoformat()}Z", instant=utc)
    local = utc.astimezone(timezone(offset))
    return DeviceTime(kind="offset", text=local.isoformat(), instant=local)


def _offset(utc: datetime, zone: str) -> timedelta | None:
    known = _zone(zone)
    return None if known is None else utc.astimezone(known).utcoffset()


@lru_cache(256)
def _zone(name: str) -> ZoneInfo | None:
    """From the package `tzdata`, not from the machine: the same on every machine."""
    if name not in _ZONE_NAMES:
        return None
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
