"""Records of Health Connect -> readings. One item per record, or per entry of a series (heart rates, stages of sleep)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.health_connect.mapping import (
    DEVICE_FIELDS,
    GLUCOSE_RECORD,
    HEAD_FIELDS,
    LOCATION,
    MANUAL_ENTRY,
    METADATA_FIELDS,
    POSTURE,
    RECORD,
    SLEEP_STAGE,
    SPECIMEN,
    STAGE,
    WORDS,
    Field,
    Record,
)
from adapters.iso_time import device_time
from adapters.json_values import Json, check_count, kept, listed, number, part, word
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

NO_COMPONENTS: Mapping[str, Value] = {}
ENTRY_TIMES = ("time", "startTime", "endTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where values and times of one item stand: in the record itself, or in an entry of its series."""

    record: Json
    entry: Json
    pointer: str


def parse(payload: bytes) -> Iterable[Item]:
    """Read `{"records": […]}` or the list alone. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    at = "/records" if type(document) is dict else ""
    records = document.get("records") if type(document) is dict else document
    if type(records) is not list:
        raise Unreadable("not-health-connect", "These are no records of Health Connect: send an object with a list `records`.")
    check_count(sum(_count(record) for record in records), pointer=at)
    return _items(records, at)


def _series(record: Any) -> tuple[Record | None, list[Any]]:
    """Return the row of a record and, where its type has a series, the entries."""
    kind = record.get("recordType") if type(record) is dict else None
    row = RECORD.get(kind) if type(kind) is str else None
    return row, listed(record, row.series) if row is not None and row.series else []


def _count(record: Any) -> int:
    return 1 + len(_series(record)[1])


def _items(records: list[Any], at: str) -> Iterator[Item]:
    for index, record in enumerate(records):
        pointer = f"{at}/{index}"
        row, entries = _series(record)
        if type(record) is not dict:
            yield _not_a_record(record, pointer)
        elif row is None:
            refused = ItemRefused("unknown-measure", "`recordType` is missing or has no measure in this version; the record is kept.")
            yield refused.item(pointer=pointer, raw=_raw(Place(record=record, entry=record, pointer=pointer), None))
        elif row.series:
            yield from _series_items(row, record, entries, pointer)
        else:
            yield _item(row, Place(record=record, entry=record, pointer=pointer))


def _series_items(row: Record, record: Json, entries: list[Any], pointer: str) -> Iterator[Item]:
    for index, entry in enumerate(entries):
        at = f"{pointer}/{row.series}/{index}"
        yield _item(row, Place(record=record, entry=entry, pointer=at)) if type(entry) is dict else _not_a_record(entry, at)
    if not entries:
        refused = ItemRefused("value-missing", f"The record has no list `{row.series}` with an entry in it.")
        yield refused.item(pointer=pointer, raw=_raw(Place(record=record, entry=record, pointer=pointer), None))


def _not_a_record(value: Any, pointer: str) -> Item:
    return ItemRefused("not-a-record", "A record must be an object.", keep=False).item(pointer=pointer, raw=json_payload.excerpt(value))


def _raw(place: Place, row: Record | None) -> bytes:
    """The record with what is kept of it and, of a series, the one entry."""
    head = kept(place.record, (*HEAD_FIELDS, *WORDS))
    metadata = kept(part(place.record, "metadata"), METADATA_FIELDS)
    if device := kept(part(part(place.record, "metadata"), "device"), DEVICE_FIELDS):
        metadata["device"] = device
    values = {} if row is None else {field.name: _kept_value(place.entry[field.name]) for field in row.fields if field.name in place.entry}
    if row is not None and row.series:
        values = {row.series: [kept(place.entry, ENTRY_TIMES) | values]}
    return json_payload.dumps({"records": [head | {"metadata": metadata} | values]})


def _kept_value(value: Any) -> Any:
    return kept(value, ("value", "unit")) if type(value) is dict else None if type(value) is list else value


def _item(row: Record, place: Place) -> Item:
    raw = _raw(place, row)
    try:
        check_length(raw)
        return _reading(row, place, raw)
    except ItemRefused as refused:
        return refused.item(pointer=place.pointer, raw=raw)


def _reading(row: Record, place: Place, raw: bytes) -> Reading:
    metadata = part(place.record, "metadata")
    time, end = _times(row, place)
    values = {field.component: _value(row, field, place.entry.get(field.name)) for field in row.fields}
    return Reading(
        measure=_measure(row, place.record),
        device=None,
        time=time,
        end=end,
        value=values.get(""),
        components=NO_COMPONENTS if "" in values else values,
        source_id=_source_id(metadata),
        modified=_modified(metadata),
        pointer=place.pointer,
        raw=raw,
        manual=metadata.get("recordingMethod") == MANUAL_ENTRY,
        context=_context(place.record),
    )


# -- identity


def _source_id(metadata: Json) -> str:
    """Return the app's own id of the record where it has one, else that of Health Connect, which changes when it is written anew."""
    origin, own = word(metadata, "dataOrigin", code="no-record-id"), word(metadata, "clientRecordId", code="no-record-id")
    source_id = f"{origin}:{own}" if origin and own else word(metadata, "id", code="no-record-id")
    if source_id is None or len(source_id) > FIELD_CHARS_MAX:
        raise ItemRefused("no-record-id", "`metadata` needs `dataOrigin` with `clientRecordId`, or `id`, of at most 256 characters.")
    return source_id


def _modified(metadata: Json) -> datetime | None:
    given = word(metadata, "lastModifiedTime", code="time-not-readable")
    time = None if given is None else device_time(given)
    if time is not None and time.instant is None:
        raise ItemRefused("time-not-readable", "`lastModifiedTime` must be an instant with Z.")
    return None if time is None else time.instant


# -- times


def _times(row: Record, place: Place) -> tuple[DeviceTime, DeviceTime | None]:
    """Return start and end. An entry of a series has the zone of its record: that of the start."""
    record, entry = place.record, place.entry
    if row.series and row.measure != SLEEP_STAGE:
        return _time(entry, "time", record.get("startZoneOffset")), None
    if row.interval:
        end_zone = record.get("endZoneOffset", record.get("startZoneOffset"))
        start = _time(entry, "startTime", record.get("startZoneOffset"))
        return start, _time(entry, "endTime", record.get("startZoneOffset") if row.series else end_zone)
    return _time(entry, "time", record.get("zoneOffset")), None


def _time(fields: Json, name: str, zone: Any) -> DeviceTime:
    """An instant, and the offset of the place where it was, if the phone knew it: said in local time then."""
    given = device_time(word(fields, name, code="no-time") or "")
    if given.kind != "utc" or given.instant is None:
        raise ItemRefused("time-not-readable", f"`{name}` must be an instant with Z; where it was local, `zoneOffset` says.")
    if zone is None:
        return given
    local = given.instant.astimezone(_offset(zone))
    return DeviceTime(kind="offset", text=local.isoformat(), instant=local)


def _offset(zone: Any) -> timezone:
    if zone == "Z":
        return timezone(timedelta(0))
    ahead = device_time(f"2000-01-01T00:00:00{zone}").instant if type(zone) is str and len(zone) in {5, 6} else None
    offset = None if ahead is None else ahead.utcoffset()
    if offset is None:
        raise ItemRefused("time-not-readable", "A zone offset must be written as +02:00 or Z.")
    return timezone(offset)


# -- values


def _measure(row: Record, record: Json) -> str:
    if row.type != GLUCOSE_RECORD:
        return row.measure
    source = word(record, "specimenSource", code="unknown-measure") or "unknown"
    if source not in SPECIMEN:
        raise ItemRefused("unknown-measure", "Glucose in this specimen has no measure in this version; the record is kept.")
    return SPECIMEN[source]


def _value(row: Record, field: Field, given: Any) -> Value:
    if row.measure == SLEEP_STAGE:
        stage = STAGE.get(given) if type(given) is str else None
        if stage is None:
            raise ItemRefused("unknown-value-code", "The stage of sleep has no code here; it is kept.")
        return stage
    if field.unit:
        return Quantity(value=number(given), unit=field.unit)
    fields = given if type(given) is dict else {}
    unit = fields.get("unit")
    if unit not in field.units:
        raise ItemRefused("unit-unknown", f"`{field.name}` must have `value` and `unit`, the unit one of {', '.join(field.units)}.")
    return Quantity(value=number(fields.get("value")), unit=str(unit))


def _context(record: Json) -> Mapping[str, Coded]:
    context: dict[str, Coded] = {}
    posture, place = record.get("bodyPosition"), record.get("measurementLocation")
    if type(posture) is str and posture in POSTURE:
        context["posture"] = POSTURE[posture]
    if type(place) is str and place in LOCATION:
        context["body-site"] = LOCATION[place]
    return context
