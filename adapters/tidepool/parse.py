"""Tidepool data -> readings. A datum gives an item for each thing that it measures.

https://tidepool.redocly.app/docs/device-data
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.iso_time import device_time
from adapters.json_fields import identifier, kept, word
from adapters.limits import ITEMS_MAX, YEAR_MAX
from adapters.reading import DeviceTime, Item, Reading
from adapters.refusal import ItemRefused, check_length
from adapters.tidepool.data import DATA, Part
from adapters.tidepool.mapping import NOT_MEASURED, WORDS

OFFSET_MAX = 14 * 60
"""Minutes; beyond it there is no zone."""
EMBEDDED = ("bolus", "status")
"""Data that another datum may hold whole: the dose of a calculation, the suspension that an alarm came with."""


def parse(payload: bytes) -> Iterable[Item]:
    """Read an array of data, or one datum. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    data = document if type(document) is list else [document]
    if type(document) is dict and "type" not in document:
        raise Unreadable("not-tidepool", "This is no Tidepool data: send the array of data, or one datum with its `type`.")
    if len(data) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} data at once.")
    return _items(data)


def _items(data: list[Any]) -> Iterator[Item]:
    for index, datum in enumerate(data):
        pointer = f"/{index}"
        yield from _datum_items(pointer, datum)
        for name in EMBEDDED if type(datum) is dict else ():
            if type(datum.get(name)) is dict:
                yield from _datum_items(f"{pointer}/{name}", datum[name])


def _datum_items(pointer: str, datum: Any) -> Iterator[Item]:
    raw = json_payload.dumps(_kept(datum) if type(datum) is dict else kept(datum, WORDS))
    device = None
    if type(datum) is not dict:
        refused = ItemRefused("not-a-datum", "An entry must be an object with a `type`.", keep=False)
        yield refused.item(pointer=pointer, raw=raw)
        return
    try:
        check_length(raw)
        device = identifier(datum, "deviceId")
        parts = _parts(datum)
        time = _time(datum)
        made = [_reading(part, datum, device, time, pointer, raw) for part in parts]
    except ItemRefused as refused:
        yield refused.item(pointer=pointer, raw=raw, device=device)
    else:
        yield from made


def _kept(datum: Mapping[str, Any]) -> dict[str, Any]:
    """What stays of a datum: without what it embeds, which is an item of its own."""
    own = {name: value for name, value in datum.items() if name not in EMBEDDED or type(value) is not dict}
    made: dict[str, Any] = kept(own, WORDS) or {}
    annotations = [kept(one, WORDS | {"value"}) for one in _list(datum.get("annotations"))]
    if any(annotations):
        made["annotations"] = [one for one in annotations if one is not None]
    return {"type": None, **made}


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _parts(datum: Mapping[str, Any]) -> list[Part]:
    type_ = word(datum, "type") or ""
    if type_ in NOT_MEASURED:
        raise ItemRefused("not-a-measurement", "Settings, statuses and descriptions of uploads are not measurements.", keep=False)
    reader = DATA.get(type_)
    if reader is None:
        raise ItemRefused("unknown-measure", "The `type` of the datum has no measure in this version; it is kept.")
    return list(reader(datum))


def _reading(part: Part, datum: Mapping[str, Any], device: str | None, time: DeviceTime, pointer: str, raw: bytes) -> Reading:
    """The source id is what the datum is: ids are given anew by each service that a datum passes."""
    return Reading(
        measure=part.measure,
        device=device,
        time=time,
        end=None if part.lasts is None else _end(time, part.lasts),
        value=part.value,
        source_id=":".join(filter(None, (word(datum, "type"), part.place or part.kind))),
        modified=_modified(datum),
        pointer=f"{pointer}/{part.place}" if part.place else pointer,
        raw=raw,
        manual=part.manual,
        context=part.context,
        quality=part.quality,
    )


def _time(datum: Mapping[str, Any]) -> DeviceTime:
    """`time` is the platform's or the uploader's resolved instant; `timezoneOffset` only says how local clocks showed it.

    0 is written for "unknown" too, so it adds nothing.
    """
    text = word(datum, "time")
    if text is None:
        raise ItemRefused("no-time", "`time` is missing; a device's own time alone says nothing about the zone.")
    time = device_time(text)
    if time.instant is None:
        raise ItemRefused("time-not-readable", "`time` needs an offset or Z.")
    offset = datum.get("timezoneOffset")
    if time.kind != "utc" or type(offset) is not int or offset == 0 or abs(offset) > OFFSET_MAX:
        return time
    return DeviceTime(kind="offset", text=text, instant=time.instant.astimezone(_zone(offset)))


@lru_cache(256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


def _end(time: DeviceTime, lasts: timedelta) -> DeviceTime:
    """The end in the words of a machine: the source gives how long it lasted, in milliseconds."""
    start = time.instant
    if start is None or start.year > YEAR_MAX - 1:
        raise ItemRefused("time-not-readable", "The end lies beyond what a calendar of devices has.")
    end = start + lasts
    text = end.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return DeviceTime(kind=time.kind, text=text, instant=end)


def _modified(datum: Mapping[str, Any]) -> datetime | None:
    text = word(datum, "modifiedTime")
    try:
        return None if text is None else device_time(text).instant
    except ItemRefused:
        return None
