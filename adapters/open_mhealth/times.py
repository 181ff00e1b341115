"""`effective_time_frame` of Open mHealth -> start and end.

https://w3id.org/openmhealth/schemas/omh/time-frame-1.0.json: a point in time, or an interval by start and end, by start and
duration, or by end and duration. An interval by a date and a part of the day has no time that could be told.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from adapters.iso_time import device_time
from adapters.json_values import Json, kept, number, part, word
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused

UNIT_MS: Mapping[str, Decimal] = MappingProxyType(
    {
        "ms": Decimal(1),
        "sec": Decimal(1000),
        "min": Decimal(60_000),
        "h": Decimal(3_600_000),
        "d": Decimal(86_400_000),
        "wk": Decimal(604_800_000),
    }
)
"""Of https://w3id.org/openmhealth/schemas/omh/duration-unit-value-1.0.json those that have one length; months and years have several."""
DURATION_MS_MAX = 366 * 86_400_000

Frame = tuple[DeviceTime, DeviceTime | None]


def frame(body: Json) -> Frame:
    """Read the time frame of a body. Raises ItemRefused: no-time, time-not-readable."""
    given = part(body, "effective_time_frame")
    interval = part(given, "time_interval")
    if "date_time" in given:
        return _time(given, "date_time"), None
    if "start_date_time" in interval and "end_date_time" in interval:
        return _time(interval, "start_date_time"), _time(interval, "end_date_time")
    if "start_date_time" in interval and "duration" in interval:
        start = _time(interval, "start_date_time")
        return start, _moved(start, _duration(interval))
    if "end_date_time" in interval and "duration" in interval:
        end = _time(interval, "end_date_time")
        return _moved(end, -_duration(interval)), end
    raise ItemRefused("no-time", "`effective_time_frame` needs a `date_time`, or a `time_interval` with two of start, end and duration.")


def kept_frame(body: Json) -> Json:
    """Return what is kept of the time frame."""
    given = part(body, "effective_time_frame")
    interval = part(given, "time_interval")
    inner = kept(interval, ("start_date_time", "end_date_time"))
    if "duration" in interval:
        inner["duration"] = kept(part(interval, "duration"), ("value", "unit"))
    whole = kept(given, ("date_time",))
    return whole | {"time_interval": inner} if inner else whole


def _time(fields: Json, name: str) -> DeviceTime:
    return device_time(word(fields, name, code="no-time") or "")


def _duration(interval: Json) -> timedelta:
    given = part(interval, "duration")
    unit = given.get("unit")
    length = UNIT_MS.get(unit) if type(unit) is str else None
    if length is None:
        raise ItemRefused("time-not-readable", "The unit of a duration must be ms, sec, min, h, d or wk.")
    millis = Decimal(number(given.get("value"))) * length
    if not 0 <= millis <= DURATION_MS_MAX:
        raise ItemRefused("time-not-readable", "A duration lies between nothing and a year.")
    return timedelta(microseconds=int(millis * 1000))


def _moved(time: DeviceTime, by: timedelta) -> DeviceTime:
    """Return a time so much later, in the form of the given one."""
    when: datetime | None = time.wall or time.instant
    if when is None:
        raise ItemRefused("no-time", "The time is missing.")
    moved = when + by
    if time.kind == "local":
        return DeviceTime(kind="local", text=moved.isoformat(), wall=moved)
    text = moved.isoformat() if time.kind == "offset" else f"{moved.replace(tzinfo=None).isoformat()}Z"
    return DeviceTime(kind=time.kind, text=text, instant=moved)
