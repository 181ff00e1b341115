"""Data points of Google Fit -> readings. One item per point."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.google_fit.mapping import (
    GLUCOSE,
    POINT_FIELDS,
    SLEEP_STAGE,
    SPECIMEN,
    SPECIMEN_AT,
    SPECIMEN_UNREAD,
    STAGE,
    STATISTIC_SUFFIX,
    TYPE,
    USER_INPUT,
    VALUE_FIELDS,
    Type,
)
from adapters.json_values import Json, check_count, instant, kept, listed, number, whole, word
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

NANOS_PER_S, NANOS_PER_US, MILLIS_PER_S = 1_000_000_000, 1_000, 1_000
NO_COMPONENTS: Mapping[str, Value] = {}


def parse(payload: bytes) -> Iterable[Item]:
    """Read a dataset: an object with a list `point`. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    points = document.get("point") if type(document) is dict else None
    if type(points) is not list:
        raise Unreadable("not-google-fit", "This is no dataset of Google Fit: it needs a list `point`.")
    check_count(len(points), pointer="/point")
    return _items(document, points)


def _items(document: Json, points: list[Any]) -> Iterator[Item]:
    source = document.get("dataSourceId")
    for index, point in enumerate(points):
        yield _item(source, point, f"/point/{index}")


def _item(source: Any, point: Any, pointer: str) -> Item:
    if type(point) is not dict:
        refused = ItemRefused("not-a-record", "An entry of `point` must be an object.", keep=False)
        return refused.item(pointer=pointer, raw=json_payload.excerpt(point))
    origin = _origin(point, source)
    raw = _raw(point, origin)
    try:
        check_length(raw)
        return _reading(point, origin, raw, pointer)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _origin(point: Json, source: Any) -> str | None:
    """Where a point comes from: the source that it was merged from, or that of the dataset."""
    given = point.get("originDataSourceId") or source
    return given if type(given) is str else None


def _raw(point: Json, origin: str | None) -> bytes:
    values = [kept(value, VALUE_FIELDS) if type(value) is dict else {} for value in listed(point, "value")]
    head = kept(point if origin is None else {**point, "originDataSourceId": origin}, POINT_FIELDS)
    return json_payload.dumps({"point": [head | {"value": values}]})


def _reading(point: Json, origin: str | None, raw: bytes, pointer: str) -> Reading:
    row = _type(point)
    start, end = _time(point, "startTimeNanos"), _time(point, "endTimeNanos")
    values = _values(row, listed(point, "value"))
    return Reading(
        measure=_measure(row, listed(point, "value")),
        device=None,
        time=start,
        end=None if start.text == end.text else end,
        value=values.get(""),
        components=NO_COMPONENTS if "" in values else values,
        source_id=_source_id(origin, end),
        modified=_modified(point),
        pointer=pointer,
        raw=raw,
        manual=origin is not None and origin.endswith(USER_INPUT),
    )


def _type(point: Json) -> Type:
    name = word(point, "dataTypeName", code="unknown-measure") or ""
    if name.endswith(STATISTIC_SUFFIX):
        raise ItemRefused("statistic-not-a-reading", "A summary is a statistic over several readings; it is kept and not stored as one.")
    row = TYPE.get(name)
    if row is None:
        raise ItemRefused("unknown-measure", "This data type has no measure in this version; the point is kept.")
    return row


def _time(point: Json, name: str) -> DeviceTime:
    """Nanoseconds since 1970, sent as text because JavaScript cannot hold them; the digits are the text."""
    nanos = whole(point.get(name))
    seconds, rest = divmod(nanos, NANOS_PER_S) if nanos is not None else (0, 0)
    when = instant(seconds, micros=rest // NANOS_PER_US)
    if when is None:
        raise ItemRefused("no-time", f"`{name}` is missing or no nanoseconds since 1970.")
    return DeviceTime(kind="utc", text=str(nanos), instant=when)


def _modified(point: Json) -> datetime | None:
    millis = whole(point.get("modifiedTimeMillis"))
    if millis is None:
        return None
    seconds, rest = divmod(millis, MILLIS_PER_S)
    return instant(seconds, micros=rest * 1_000)


def _source_id(origin: str | None, end: DeviceTime) -> str:
    source_id = f"{origin or ''}:{end.text}"
    if len(source_id) > FIELD_CHARS_MAX:
        raise ItemRefused("source-not-readable", f"The name of a data source has less than {FIELD_CHARS_MAX} characters.")
    return source_id


def _measure(row: Type, values: list[Any]) -> str:
    """Return the measure; a glucose may say where it was measured."""
    if row.measure != GLUCOSE or len(values) <= SPECIMEN_AT:
        return row.measure
    specimen = whole(values[SPECIMEN_AT].get("intVal")) if type(values[SPECIMEN_AT]) is dict else None
    if specimen in SPECIMEN_UNREAD:
        raise ItemRefused("unknown-measure", "Glucose in this specimen has no measure in this version; the point is kept.")
    return row.measure if specimen is None else SPECIMEN.get(specimen, row.measure)


def _values(row: Type, values: list[Any]) -> Mapping[str, Value]:
    if len(values) < len(row.values):
        raise ItemRefused("value-missing", "The point has fewer values than its data type.")
    return {name: _value(row, unit, given) for (name, unit), given in zip(row.values, values, strict=False)}


def _value(row: Type, unit: str, given: Any) -> Value:
    fields = given if type(given) is dict else {}
    if row.measure == SLEEP_STAGE:
        code = whole(fields.get("intVal"))
        stage = None if code is None else STAGE.get(code)
        if stage is None:
            raise ItemRefused("unknown-value-code", "The number of the sleep stage is not known; the point is kept.")
        return stage
    return Quantity(value=number(fields.get("fpVal", fields.get("intVal"))), unit=unit)
