"""Dexcom API v3 response -> readings, one item per record. https://developer.dexcom.com/docs/dexcomv3"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.dexcom.mapping import EVENTS, HIGHEST, LOWEST, STATUSES, TRENDS, UNITS, WORDS, Event
from adapters.iso_time import device_time
from adapters.json_fields import decimal, identifier, kept, word
from adapters.limits import ITEMS_MAX
from adapters.reading import Absent, Coded, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a record says beside its device and its time."""

    measure: str
    value: Value
    manual: bool = False
    quality: tuple[str, ...] = ()
    context: Mapping[str, Coded] = field(default_factory=dict)


def parse(payload: bytes) -> Iterable[Item]:
    """Read one response. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    records = document.get("records") if type(document) is dict else None
    record_type = word(document, "recordType") if type(document) is dict else None
    if type(records) is not list or record_type is None:
        raise Unreadable("not-dexcom", "This is no response of Dexcom's API v3: it needs `recordType` and a list `records`.")
    if len(records) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} records at once.", pointer="/records")
    return (_item(record_type, index, record) for index, record in enumerate(records))


def _item(record_type: str, index: int, record: Any) -> Item:
    pointer, device = f"/records/{index}", None
    raw = json_payload.dumps({"recordType": record_type, "records": [kept(record, WORDS) or {}]})
    try:
        check_length(raw)
        device = _device(record)
        return _reading(record_type, record, device, pointer, raw)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=device)


def _device(record: Any) -> str | None:
    if type(record) is not dict:
        raise ItemRefused("not-a-record", "A record must be an object.", keep=False)
    return identifier(record, "transmitterId")


def _reading(record_type: str, record: Record, device: str | None, pointer: str, raw: bytes) -> Reading:
    reader = READERS.get(record_type)
    if reader is None:
        raise ItemRefused("unknown-measure", "Records of this `recordType` have no measure in this version; they are kept.")
    found, id = reader(record), word(record, "recordId")
    if id is None:
        raise ItemRefused("no-record-id", "`recordId` is missing; records of API version 2 have none.")
    return Reading(
        measure=found.measure,
        device=device,
        time=_time(record),
        value=found.value,
        source_id=id,
        pointer=pointer,
        raw=raw,
        manual=found.manual,
        context=found.context,
        quality=found.quality,
    )


def _time(record: Record) -> DeviceTime:
    """`systemTime` is UTC whether it says so (phones) or not (receivers); `displayTime` shows the wearer's clock, if with an offset."""
    text, display = word(record, "systemTime"), word(record, "displayTime")
    if text is None:
        raise ItemRefused("no-time", "`systemTime` is missing.")
    system = device_time(text)
    instant = system.instant or (system.wall and system.wall.replace(tzinfo=UTC))
    if instant is None:
        raise ItemRefused("time-not-readable", "`systemTime` is no time.")
    shown = None if display is None else device_time(display)
    if shown is None or shown.instant is None or shown.kind != "offset":
        return DeviceTime(kind="utc", text=text, instant=instant.astimezone(UTC))
    return DeviceTime(kind="offset", text=text, instant=instant.astimezone(shown.instant.tzinfo))


def _glucose(record: Record) -> Quantity:
    unit = UNITS.get(word(record, "unit") or "")
    if unit is None:
        raise ItemRefused("unit-unknown", "`unit` must be mg/dL or mmol/L.")
    return Quantity(value=decimal(record.get("value"), "value"), unit=unit)


def _egv(record: Record) -> Found:
    glucose = _glucose(record)
    flag = _out_of_range(record, glucose)
    value: Value = glucose if flag is None else Absent(reason="unsupported")
    return Found(measure="glucose-interstitial", value=value, quality=() if flag is None else (flag,), context=_context(record))


def _out_of_range(record: Record, glucose: Quantity) -> str | None:
    status = "unknown" if record.get("status") is None else word(record, "status") or ""
    if status not in STATUSES:
        raise ItemRefused("unknown-status", "The `status` is not one of the known words; the record is kept.")
    number = Decimal(glucose.value)
    if STATUSES[status] or glucose.unit != "mg/dL" or LOWEST <= number <= HIGHEST:
        return STATUSES[status]
    return "below-range" if number < LOWEST else "above-range"


def _context(record: Record) -> Mapping[str, Coded]:
    trend = "none" if record.get("trend") is None else word(record, "trend") or ""
    if trend not in TRENDS:
        raise ItemRefused("unknown-trend", "The `trend` is not one of the known words; the record is kept.")
    found = TRENDS[trend]
    return {} if found is None else {"trend": found}


def _calibration(record: Record) -> Found:
    return Found(measure="glucose-capillary", value=_glucose(record), manual=True, quality=("calibration-entry",))


def _event(record: Record) -> Found:
    if record.get("eventStatus") == "deleted":
        raise ItemRefused("deleted-at-source", "The person has deleted this event; if it was stored before, delete it here too.")
    event = _event_row(record)
    return Found(measure=event.measure, value=Quantity(value=decimal(record.get("value"), "value"), unit=event.ucum), manual=True)


def _event_row(record: Record) -> Event:
    type_, sub_type = word(record, "eventType"), word(record, "eventSubType")
    rows = [row for row in EVENTS if row.type == type_]
    if not rows:
        raise ItemRefused("unknown-measure", "Events of this `eventType` have no measure in this version; they are kept.")
    rows = [row for row in rows if row.sub_type == sub_type]
    if not rows:
        raise ItemRefused("unknown-measure", "The `eventSubType` is not one of the known words; the record is kept.")
    unit = word(record, "unit")
    row = next((row for row in rows if row.unit == unit), None)
    if row is None:
        raise ItemRefused("unit-unknown", f"`unit` of such an event must be {' or '.join(one.unit for one in rows)}.")
    return row


READERS: Mapping[str, Callable[[Record], Found]] = {"egv": _egv, "calibration": _calibration, "event": _event}
