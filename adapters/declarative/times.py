"""When a record was measured, in the device's own words; a zone is never invented."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.declarative import time_format
from adapters.declarative.expressions import Expression
from adapters.declarative.record import Record
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import DeviceTime, TimeKind
from adapters.refusal import ItemRefused

TICKS = "ticks"
_ZONE_NAME = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2}|UTC")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TimeSpec:
    """`form`: the compiled pattern; None for a count (`epoch`) or for ticks."""

    sources: tuple[Expression, ...]
    form: re.Pattern[str] | None
    epoch: str | None
    kind: TimeKind
    zone: Expression | None
    offset: Expression | None
    offset_unit: str
    unset: frozenset[str]


def device_time(spec: TimeSpec, record: Record) -> DeviceTime:
    """Return when. Raises ItemRefused: no-time, time-not-readable, time-ambiguous, time-nonexistent, zone-not-readable."""
    text = _text(spec.sources, record)
    if text is None or text in spec.unset:
        raise ItemRefused("no-time", "The record says no time, or the device's clock was not set.")
    if spec.kind == TICKS:
        return DeviceTime(kind=TICKS, text=text)
    if spec.zone is not None:
        return _zoned(text, _read(spec, text), record.short([spec.zone], "zone-not-readable"))
    if spec.offset is not None:
        return _beside(text, _read(spec, text), record.short([spec.offset], "zone-not-readable"), spec.offset_unit)
    return _plain(spec.kind, text, _read(spec, text))


def instant(spec: TimeSpec, record: Record) -> datetime | None:
    """Return the aware moment of a source's last change, or None if there is none."""
    text = _text(spec.sources, record)
    if text is None or text in spec.unset:
        return None
    return device_time(spec, record).instant


def _text(sources: Sequence[Expression], record: Record) -> str | None:
    texts = [record.short([source], "time-not-readable") for source in sources]
    said = " ".join(text for text in texts if text is not None)
    if len(said) > FIELD_CHARS_MAX:
        raise ItemRefused("time-not-readable", f"A time has at most {FIELD_CHARS_MAX} characters.")
    return said or None


def _read(spec: TimeSpec, text: str) -> datetime:
    if spec.form is not None:
        when = time_format.read(spec.form, text)
    else:
        when = time_format.read_epoch(spec.epoch or "", text)
        # some write their wall clock as if it were a count of UTC seconds
        when = when.replace(tzinfo=None) if when is not None and _is_local(spec) else when
    if when is None:
        raise ItemRefused("time-not-readable", "The time is not written as the mapping says, is no day of the calendar, or out of bounds.")
    return when


def _is_local(spec: TimeSpec) -> bool:
    return spec.kind == "local" or spec.zone is not None or spec.offset is not None


def _plain(kind: TimeKind, text: str, when: datetime) -> DeviceTime:
    aware = when.tzinfo is not None
    if kind == "local":
        if aware:
            raise ItemRefused("time-not-readable", "The mapping says that times are local, but this one says its offset.")
        return DeviceTime(kind="local", text=text, wall=when)
    if kind == "utc":
        return DeviceTime(kind="utc", text=text, instant=when if aware else when.replace(tzinfo=UTC))
    if not aware:
        raise ItemRefused("time-not-readable", "The mapping says that times have their offset, but this one has none.")
    return DeviceTime(kind="offset", text=text, instant=when)


def _beside(text: str, wall: datetime, said: str | None, unit: str) -> DeviceTime:
    offset = None if said is None else time_format.offset_of(said, unit)
    if offset is None or wall.tzinfo is not None:
        raise ItemRefused("zone-not-readable", "The offset beside the time is missing or no offset, or the time has one of its own.")
    return _said(text, said, wall.replace(tzinfo=offset))


def _zoned(text: str, wall: datetime, name: str | None) -> DeviceTime:
    """Settle a wall clock with the zone that the payload names, if that zone had this hour exactly once (PEP 495)."""
    zone = None if name is None else _zone(name)
    if zone is None or wall.tzinfo is not None:
        raise ItemRefused(
            "zone-not-readable", "The zone beside the time is no IANA region such as Europe/Paris, or the time has an offset."
        )
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None or first > second:
        raise ItemRefused("time-ambiguous", "This local time happened twice, as summer time ended; only the offset can say which it was.")
    if first < second:
        raise ItemRefused("time-nonexistent", "This local time was skipped as summer time began; check the device's clock.")
    offset = time_format.offset_of(str(int(first.total_seconds())), "seconds")
    if offset is None:
        raise ItemRefused("zone-not-readable", "The zone's offset at that time is not one of whole minutes.")
    return _said(text, name, wall.replace(tzinfo=offset))


def _said(text: str, beside: str | None, instant: datetime) -> DeviceTime:
    whole = f"{text} {beside}"
    if len(whole) > FIELD_CHARS_MAX:
        raise ItemRefused("time-not-readable", f"A time has at most {FIELD_CHARS_MAX} characters.")
    return DeviceTime(kind="offset", text=whole, instant=instant)


@lru_cache(256)
def _zone(name: str) -> ZoneInfo | None:
    if not _ZONE_NAME.fullmatch(name) or name.startswith("Etc/"):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
