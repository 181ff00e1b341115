"""Heart rates of Oura -> readings."""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.iso_time import device_time
from adapters.json_values import Json, check_count, kept, number, word
from adapters.oura.mapping import FIELDS, HEART_RATE, UNIT
from adapters.reading import DeviceTime, Item, Quantity, Reading
from adapters.refusal import ItemRefused, check_length


def parse(payload: bytes) -> Iterable[Item]:
    """Read one page: an object with a list `data`. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    records = document.get("data") if type(document) is dict else None
    if type(records) is not list:
        raise Unreadable("not-oura", "This is no page of Oura's heart rates: it needs a list `data`.")
    check_count(len(records), pointer="/data")
    return _items(records)


def _items(records: list[Any]) -> Iterator[Item]:
    for index, fields in enumerate(records):
        yield _item(fields, f"/data/{index}")


def _item(fields: Any, pointer: str) -> Item:
    if type(fields) is not dict:
        refused = ItemRefused("not-a-record", "An entry of `data` must be an object.", keep=False)
        return refused.item(pointer=pointer, raw=json_payload.excerpt(fields))
    raw = json_payload.dumps({"data": [kept(fields, FIELDS)]})
    try:
        check_length(raw)
        value, time = _rate(fields), _time(fields)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)
    return Reading(measure=HEART_RATE, device=None, time=time, value=value, pointer=pointer, raw=raw)


def _time(fields: Json) -> DeviceTime:
    time = device_time(word(fields, "timestamp", code="no-time") or "")
    if time.instant is None:
        raise ItemRefused("time-not-readable", "Oura writes each timestamp with its offset.")
    return time


def _rate(fields: Json) -> Quantity:
    if "bpm" not in fields:
        raise ItemRefused("unknown-measure", "Only heart rates are read; the record has no `bpm` and is kept.")
    return Quantity(value=number(fields["bpm"]), unit=UNIT)
