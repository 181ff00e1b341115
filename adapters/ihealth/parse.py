"""iHealth's answers -> readings. One item per value of a record; the two pressures of a record make one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.ihealth.mapping import IRREGULAR, LISTS, MANUAL, RECORD_FIELDS, Field, List
from adapters.json_values import Json, check_count, instant, kept, listed, number, whole, word
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):?([0-9]{2})?")
OFFSET_HOURS_MAX = 14
NO_COMPONENTS: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the values of a record share."""

    source_id: str
    time: DeviceTime
    end: DeviceTime | None
    modified: datetime | None
    manual: bool
    quality: tuple[str, ...]


def parse(payload: bytes) -> Iterable[Item]:
    """Read one answer, with one or several of the lists in `LISTS`. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    found = [row for row in LISTS if type(document) is dict and type(document.get(row.name)) is list]
    if not found:
        names = ", ".join(row.name for row in LISTS)
        raise Unreadable("not-ihealth", f"This is no answer of iHealth: it needs one of the lists {names}.")
    check_count(sum(len(document[row.name]) for row in found))
    return _items(document, found)


def _items(document: Json, found: list[List]) -> Iterator[Item]:
    for row in found:
        for index, fields in enumerate(listed(document, row.name)):
            yield from _record_items(document, row, fields, f"/{row.name}/{index}")


def _record_items(document: Json, row: List, fields: Any, pointer: str) -> Iterator[Item]:
    if type(fields) is not dict:
        refused = ItemRefused("not-a-record", "An entry of a list must be an object.", keep=False)
        yield refused.item(pointer=pointer, raw=json_payload.excerpt(fields))
        return
    given = [field for field in row.fields if field.name in fields]
    if not given:
        refused = ItemRefused("unknown-measure", "The record has none of the values that are read of this list; it is kept.")
        yield refused.item(pointer=pointer, raw=_raw(document, row, fields, []))
    for measure in dict.fromkeys(field.measure for field in given):
        yield _item(document, row, fields, [field for field in row.fields if field.measure == measure], pointer)


def _item(document: Json, row: List, fields: Json, wanted: list[Field], pointer: str) -> Item:
    """Read one value, or both pressures. It points at the value, or at the record for a pressure."""
    raw = _raw(document, row, fields, wanted)
    place = pointer if wanted[0].component else f"{pointer}/{wanted[0].name}"
    try:
        check_length(raw)
        record = _record(fields, daily=row.daily)
        values = {field.component or "": _value(document, row, field, fields.get(field.name)) for field in wanted}
    except ItemRefused as refused:
        return refused.item(pointer=place, raw=raw)
    return Reading(
        measure=wanted[0].measure,
        device=None,
        time=record.time,
        end=record.end,
        value=values.get(""),
        components=values if wanted[0].component else NO_COMPONENTS,
        source_id=record.source_id,
        modified=record.modified,
        pointer=place,
        raw=raw,
        manual=record.manual,
        quality=record.quality,
    )


def _raw(document: Json, row: List, fields: Json, wanted: list[Field]) -> bytes:
    names = (*RECORD_FIELDS, *(field.name for field in wanted))
    return json_payload.dumps({row.name: [kept(fields, names)]} | (kept(document, (row.unit_name,)) if row.unit_name else {}))


def _record(fields: Json, *, daily: bool) -> Record:
    source_id = word(fields, "DataID", code="no-record-id")
    if source_id is None:
        raise ItemRefused("no-record-id", "`DataID` is missing.")
    time, end = _day(fields) if daily else (_time(_wall(fields), _offset(fields)), None)
    changed = whole(fields.get("LastChangeTime"))
    return Record(
        source_id=source_id,
        time=time,
        end=end,
        modified=None if changed is None else instant(changed),
        manual=fields.get("DataSource") == MANUAL,
        quality=("irregular-pulse",) if whole(fields.get("IsArr")) == IRREGULAR else (),
    )


def _wall(fields: Json) -> datetime:
    """Return the wall clock: `MDate` counts the seconds that the clock on the wall showed, as if it hung in Greenwich."""
    seconds = whole(fields.get("MDate"))
    wall = None if seconds is None else instant(seconds)
    if wall is None:
        raise ItemRefused("no-time", "`MDate` is missing or no seconds since 1970.")
    return wall.replace(tzinfo=None)


def _offset(fields: Json) -> timezone | None:
    """Return the offset of `TimeZone` ("-0800", "+02:00", 200), or None if there is none: then the sender has to say the zone."""
    given = fields.get("TimeZone")
    text = str(given) if type(given) is int else given
    if text is None or text == "":
        return None
    form = _OFFSET.fullmatch(text) if type(text) is str else None
    hours, minutes = (int(form[2]), int(form[3] or 0)) if form else (OFFSET_HOURS_MAX + 1, 0)
    if form is None or hours > OFFSET_HOURS_MAX or minutes > 59:  # noqa: PLR2004 - minutes of an hour
        raise ItemRefused("time-not-readable", "`TimeZone` must be an offset such as -0800 or +02:00.")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if form[1] == "-" else ahead)


def _time(wall: datetime, offset: timezone | None) -> DeviceTime:
    if offset is None:
        return DeviceTime(kind="local", text=wall.isoformat(), wall=wall)
    local = wall.replace(tzinfo=offset)
    return DeviceTime(kind="offset", text=local.isoformat(), instant=local)


def _day(fields: Json) -> tuple[DeviceTime, DeviceTime]:
    start, offset = _wall(fields).replace(hour=0, minute=0, second=0), _offset(fields)
    return _time(start, offset), _time(start + timedelta(days=1), offset)


def _value(document: Json, row: List, field: Field, value: Any) -> Value:
    digits = number(value)
    if field.zero_is_absent and not digits.strip("-0."):
        return Absent(reason="not-performed")
    return Quantity(value=digits, unit=field.unit or _unit(document, row))


def _unit(document: Json, row: List) -> str:
    given = whole(document.get(row.unit_name))
    unit = None if given is None or row.units is None else row.units.get(given)
    if unit is None:
        raise ItemRefused("unit-unknown", f"`{row.unit_name}` is missing or no unit of this list.")
    return unit
