"""Fitbit's answers -> readings. All times are wall clocks without a zone."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.fitbit.mapping import (
    HEART_DAYS,
    INTERVAL_S,
    LEVEL,
    LISTS,
    RESTING,
    RESTING_MEASURE,
    SERIES,
    SLEEP,
    SLEEP_HEAD,
    SLEEP_LISTS,
    SLEEP_STAGE,
    TYPED_IN,
    WEIGHT,
    WEIGHT_FIELDS,
    WEIGHT_HEAD,
    Logged,
    Series,
)
from adapters.iso_time import device_time
from adapters.json_values import Json, check_count, kept, listed, number, part, whole, word
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

DAY_S = 86_400
SPAN_S_MAX = 2 * DAY_S
"""One stretch of one stage of sleep; a longer one is damage."""


def parse(payload: bytes) -> Iterable[Item]:
    """Read one answer. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    if type(document) is not dict or not any(type(document.get(name)) is list for name in LISTS):
        raise Unreadable("not-fitbit", f"This is no answer of Fitbit's Web API: it needs one of the lists {', '.join(LISTS)}.")
    check_count(_count(document))
    return _items(document)


def _count(document: Json) -> int:
    dense = sum(len(listed(part(document, row.intraday), "dataset")) for row in SERIES)
    nights = [part(log, "levels") for log in listed(document, SLEEP) if type(log) is dict]
    stages = sum(len(listed(levels, name)) for levels in nights for name in SLEEP_LISTS)
    return dense + stages + sum(len(listed(document, name)) for name in LISTS)


def _items(document: Json) -> Iterator[Item]:
    for row in SERIES:
        for index, day in enumerate(listed(document, row.name)):
            yield from _day_items(row, day, f"/{row.name}/{index}")
        yield from _intraday_items(row, document)
    for index, log in enumerate(listed(document, WEIGHT)):
        yield from _weight_items(log, f"/{WEIGHT}/{index}")
    for index, log in enumerate(listed(document, SLEEP)):
        yield from _sleep_items(log, f"/{SLEEP}/{index}")


def _not_a_record(value: Any, pointer: str) -> Item:
    return ItemRefused("not-a-record", "An entry of a list must be an object.", keep=False).item(
        pointer=pointer, raw=json_payload.excerpt(value)
    )


def _reading(
    measure: str,
    value: Value,
    time: DeviceTime,
    raw: bytes,
    pointer: str,
    *,
    seconds: int = 0,
    source_id: str | None = None,
    manual: bool = False,
) -> Reading:
    """`seconds`: how long it lasted; 0 for a moment."""
    return Reading(
        measure=measure,
        device=None,
        time=time,
        end=_after(time, seconds) if seconds else None,
        value=value,
        source_id=source_id,
        pointer=pointer,
        raw=raw,
        manual=manual,
    )


def _after(time: DeviceTime, seconds: int) -> DeviceTime:
    """Return the wall clock when so many seconds had passed on it."""
    wall = _wall(time) + timedelta(seconds=seconds)
    return DeviceTime(kind="local", text=wall.isoformat(), wall=wall)


def _wall(time: DeviceTime) -> datetime:
    if time.wall is None:
        raise ItemRefused("time-not-readable", "Fitbit's times are wall clocks without a zone.")
    return time.wall


def _local(text: str) -> DeviceTime:
    time = device_time(text)
    _wall(time)
    return time


# -- a value for each day


def _day_items(row: Series, day: Any, pointer: str) -> Iterator[Item]:
    """Read the value of a day; a day that only names the date of an intraday series has none."""
    if type(day) is not dict:
        yield _not_a_record(day, pointer)
    elif "value" in day:
        yield _day_item(row, day, pointer)


def _day_item(row: Series, day: Json, pointer: str) -> Item:
    value = day["value"]
    is_summary = type(value) is dict
    raw = json_payload.dumps({row.name: [kept(day, ("dateTime",)) | {"value": kept(value, (RESTING,)) if is_summary else _flat(value)}]})
    try:
        check_length(raw)
        measure, unit, given = _day_value(row, value)
        start = _local(f"{word(day, 'dateTime', code='no-time')}T00:00:00")
        return _reading(measure, Quantity(value=number(given), unit=unit), start, raw, pointer, seconds=DAY_S)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _flat(value: Any) -> Any:
    return None if type(value) is list else value


def _day_value(row: Series, value: Any) -> tuple[str, str, Any]:
    """Return measure, unit and value of a day."""
    if row.daily:
        return row.measure, row.unit, value
    if type(value) is dict and RESTING in value and row.name == HEART_DAYS:
        return RESTING_MEASURE, row.unit, value[RESTING]
    if type(value) is dict:
        raise ItemRefused("unknown-measure", "The day has no resting heart rate; zones of heart rate have no measure in this version.")
    raise ItemRefused("statistic-not-a-reading", "The value of the day is the mean of its heart rates; it is kept and not stored as one.")


# -- minutes and seconds of one day


def _intraday_items(row: Series, document: Json) -> Iterator[Item]:
    dense = part(document, row.intraday)
    days = [day.get("dateTime") for day in listed(document, row.name) if type(day) is dict]
    head: Json = {row.name: [{"dateTime": days[0]}] if len(days) == 1 and type(days[0]) is str else []}
    for index, entry in enumerate(listed(dense, "dataset")):
        pointer = f"/{row.intraday}/dataset/{index}"
        if type(entry) is not dict:
            yield _not_a_record(entry, pointer)
        else:
            yield _intraday_item(row, head, dense, entry, pointer)


def _intraday_item(row: Series, head: Json, dense: Json, entry: Json, pointer: str) -> Item:
    within = kept(dense, ("datasetInterval", "datasetType")) | {"dataset": [kept(entry, ("time", "value"))]}
    raw = json_payload.dumps(head | {row.intraday: within})
    try:
        check_length(raw)
        time = _local(f"{_date(head[row.name])}T{word(entry, 'time', code='no-time')}")
        value = Quantity(value=number(entry.get("value")), unit=row.unit)
        return _reading(row.measure, value, time, raw, pointer, seconds=_interval_s(dense) if row.lasts else 0)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _date(days: list[Json]) -> str:
    if not days:
        raise ItemRefused("no-time", "Minutes can be read only where the answer names exactly one day.")
    return str(days[0]["dateTime"])


def _interval_s(dense: Json) -> int:
    unit, times = INTERVAL_S.get(str(dense.get("datasetType"))), whole(dense.get("datasetInterval"))
    if unit is None or times is None or not 0 < times * unit <= DAY_S:
        raise ItemRefused("time-not-readable", "`datasetInterval` and `datasetType` must say how long an interval is.")
    return times * unit


# -- logs


def _source_id(log: Json) -> str:
    log_id = whole(log.get("logId"))
    if log_id is None:
        raise ItemRefused("no-record-id", "`logId` is missing or no integer.")
    return str(log_id)


def _weight_items(log: Any, pointer: str) -> Iterator[Item]:
    if type(log) is not dict:
        yield _not_a_record(log, pointer)
        return
    given = [field for field in WEIGHT_FIELDS if field.name in log]
    for field in given:
        yield _weight_item(field, log, f"{pointer}/{field.name}")
    if not given:
        refused = ItemRefused("unknown-measure", "The log has neither weight nor what is worked out of it; it is kept.")
        yield refused.item(pointer=pointer, raw=json_payload.dumps({WEIGHT: [kept(log, WEIGHT_HEAD)]}))


def _weight_item(field: Logged, log: Json, pointer: str) -> Item:
    raw = json_payload.dumps({WEIGHT: [kept(log, (*WEIGHT_HEAD, field.name))]})
    try:
        check_length(raw)
        time = _local(f"{word(log, 'date', code='no-time')}T{word(log, 'time', code='no-time')}")
        value = Quantity(value=number(log.get(field.name)), unit=_logged_unit(field))
        manual = log.get("source") in TYPED_IN if type(log.get("source")) is str else False
        return _reading(field.measure, value, time, raw, pointer, source_id=_source_id(log), manual=manual)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _logged_unit(field: Logged) -> str:
    if field.unit is None:
        raise ItemRefused("unit-unknown", "Fitbit gives weights in the unit that the question asked for, and the answer does not say it.")
    return field.unit


def _sleep_items(log: Any, pointer: str) -> Iterator[Item]:
    levels = part(log, "levels") if type(log) is dict else {}
    found = False
    for name in SLEEP_LISTS:
        for index, entry in enumerate(listed(levels, name)):
            found = True
            yield _stage_item(log, name, entry, f"{pointer}/levels/{name}/{index}")
    if not found and type(log) is not dict:
        yield _not_a_record(log, pointer)
    elif not found:
        refused = ItemRefused("unknown-measure", "The log has no levels of sleep; it is kept.")
        yield refused.item(pointer=pointer, raw=json_payload.dumps({SLEEP: [kept(log, SLEEP_HEAD)]}))


def _stage_item(log: Json, name: str, entry: Any, pointer: str) -> Item:
    if type(entry) is not dict:
        return _not_a_record(entry, pointer)
    levels = {"levels": {name: [kept(entry, ("dateTime", "level", "seconds"))]}}
    raw = json_payload.dumps({SLEEP: [kept(log, SLEEP_HEAD) | levels]})
    try:
        check_length(raw)
        stage, seconds = _stage(entry), _seconds(entry)
        time = _local(word(entry, "dateTime", code="no-time") or "")
        source_id = f"{_source_id(log)}:{name}"
        return _reading(SLEEP_STAGE, stage, time, raw, pointer, seconds=seconds, source_id=source_id, manual=log.get("logType") == "manual")
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _stage(entry: Json) -> Coded:
    stage = LEVEL.get(word(entry, "level", code="unknown-value-code") or "")
    if stage is None:
        raise ItemRefused("unknown-value-code", "The level of sleep has no code here; it is kept.")
    return stage


def _seconds(entry: Json) -> int:
    seconds = whole(entry.get("seconds"))
    if seconds is None or not 0 < seconds <= SPAN_S_MAX:
        raise ItemRefused("value-missing", "`seconds` must say how long the stage lasted.")
    return seconds
