"""getsummary and get of Sleep v2 -> readings. One item per field of a night; one per stage and per value of an intraday series.

https://developer.withings.com/api-reference#tag/sleep/operation/sleepv2-getsummary
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length
from adapters.withings_api import body_of, device_of, instant, modified_at, number_text
from adapters.withings_sleep.mapping import HEAD_FIELDS, SERIES, STAGE, STATE_FIELDS, STATE_MANUAL, SUMMARY, Field

SUMMARY_FIELD: Mapping[str, Field] = {row.name: row for row in SUMMARY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A night, or a stage of one: what its items share. `raw_head` are the fields of its own that each of them keeps."""

    pointer: str
    start: DeviceTime
    end: DeviceTime
    device: str | None
    source: str | None
    modified: datetime | None
    raw_head: Mapping[str, Any]


def parse(payload: bytes) -> Iterable[Item]:
    """Read a whole answer, its `body`, or a bare list of `series`. Raises Unreadable before the first item."""
    pointer, series = body_of(json_payload.load_exact(payload), "series", what="answer of Sleep v2")
    entries: list[tuple[int | None, Any]] = list(enumerate(series)) if type(series) is list else [(None, series)]
    if sum(_size(entry) for _, entry in entries) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} values at once.", pointer=pointer)
    return _items(pointer, entries)


def _size(entry: Any) -> int:
    return 1 + sum(len(value) for value in entry.values() if type(value) is dict) if type(entry) is dict else 1


def _items(pointer: str, entries: list[tuple[int | None, Any]]) -> Iterator[Item]:
    for index, entry in entries:
        at = pointer if index is None else f"{pointer}/{index}"
        try:
            summary = type(entry) is dict and "data" in entry
            span = _span(at, entry, HEAD_FIELDS if summary else STATE_FIELDS)
        except ItemRefused as refused:
            yield refused.item(pointer=at, raw=json_payload.dumps([_flat(entry)]))
        else:
            yield from _night(span, entry["data"]) if summary else _stage(span, entry)


def _flat(entry: Any) -> Any:
    """Two levels of an entry: deeper there is nothing that is read."""
    if type(entry) is not dict:
        return entry
    return {name: json_payload.flat(value) if type(value) is dict else value for name, value in entry.items()}


def _span(pointer: str, entry: Any, fields: tuple[str, ...]) -> Span:
    if type(entry) is not dict or ("data" not in entry and "state" not in entry):
        raise ItemRefused("not-a-night", "An entry of `series` needs `data` (a summary) or `state` (a stage).", keep=False)
    id = entry.get("id")
    return Span(
        pointer=pointer,
        start=instant(entry.get("startdate"), "startdate"),
        end=instant(entry.get("enddate"), "enddate"),
        device=device_of(entry),
        source=None if type(id) is not int else str(id),
        modified=modified_at(entry.get("modified")),
        raw_head=json_payload.flat({name: entry[name] for name in fields if name in entry}),
    )


def _night(span: Span, data: Any) -> Iterator[Item]:
    """Each number of the summary; a field of the old name gives way to the new one."""
    if type(data) is not dict:
        raw = json_payload.dumps([{**span.raw_head, "data": None}])
        yield ItemRefused("not-a-night", "`data` must be an object.").item(pointer=span.pointer, raw=raw, device=span.device)
        return
    seen: set[str] = set()
    for name in sorted(data, key=_rank):
        value, row = data[name], SUMMARY_FIELD.get(name)
        if row is not None and row.measure in seen:
            continue
        if row is not None and value is not None:
            seen.add(row.measure)
        pointer = f"{span.pointer}/data/{name.replace('~', '~0').replace('/', '~1')}"
        kept = json_payload.flat({name: value})
        raw = json_payload.dumps([{**span.raw_head, "data": kept}])
        yield _item(span, pointer, raw, row, value)


def _rank(name: str) -> tuple[int, str]:
    return next((at for at, row in enumerate(SUMMARY) if row.name == name), len(SUMMARY)), name


def _item(span: Span, pointer: str, raw: bytes, row: Field | None, value: Any) -> Item:
    try:
        check_length(raw)
        known = _known(row)
        quantity = Quantity(value=number_text(value), unit=known.unit)
        return _reading(span, pointer=pointer, raw=raw, measure=known.measure, value=quantity)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=span.device)


def _known(row: Field | None) -> Field:
    if row is None:
        raise ItemRefused("unknown-measure", "This field of a night is not in the mapping of this version; it is kept.")
    return row


def _reading(span: Span, *, pointer: str, raw: bytes, measure: str, value: Value, manual: bool = False) -> Reading:
    return Reading(
        measure=measure,
        device=span.device,
        time=span.start,
        end=span.end,
        value=value,
        source_id=span.source,
        modified=span.modified,
        pointer=pointer,
        raw=raw,
        manual=manual,
    )


def _stage(span: Span, entry: Mapping[str, Any]) -> Iterator[Item]:
    raw = json_payload.dumps([span.raw_head])
    try:
        check_length(raw)
        yield _reading(
            span,
            pointer=span.pointer,
            raw=raw,
            measure="sleep-stage",
            value=_state(entry.get("state")),
            manual=entry["state"] == STATE_MANUAL,
        )
    except ItemRefused as refused:
        yield refused.item(pointer=span.pointer, raw=raw, device=span.device)
    for row in SERIES:
        values = entry.get(row.name)
        for second, value in values.items() if type(values) is dict else ():
            yield _value(span, row, second, value)
    for name, values in entry.items():
        if type(values) is dict and name not in {*STATE_FIELDS, *(row.name for row in SERIES)}:
            kept = json_payload.dumps([{**span.raw_head, name: json_payload.flat(values)}])
            problem = ItemRefused("unknown-measure", "This series is not in the mapping of this version; it is kept.")
            yield problem.item(pointer=f"{span.pointer}/{name.replace('~', '~0').replace('/', '~1')}", raw=kept, device=span.device)


def _state(state: Any) -> Coded:
    if type(state) is not int or (state not in STAGE and state != STATE_MANUAL):
        raise ItemRefused("unknown-code", "`state` is none of the stages that Withings documents.")
    return STAGE[5] if state == STATE_MANUAL else STAGE[state]


def _value(span: Span, row: Field, second: str, value: Any) -> Item:
    """One value of a series. Its stage is kept beside it, so that it can be read again; it is the same stage then."""
    pointer = f"{span.pointer}/{row.name}/{second.replace('~', '~0').replace('/', '~1')}"
    raw = json_payload.dumps([{**span.raw_head, row.name: json_payload.flat({second: value})}])
    try:
        check_length(raw)
        time = instant(int(second) if second.isdecimal() and len(second) <= FIELD_CHARS_MAX // 16 else None, "the key")
        quantity = Quantity(value=number_text(value), unit=row.unit)
        return Reading(
            measure=row.measure, device=span.device, time=time, value=quantity, source_id=f"sleep:{row.name}", pointer=pointer, raw=raw
        )
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=span.device)
