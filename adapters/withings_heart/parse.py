"""List of Heart v2, with the answer of Get beside each ECG -> readings: class, rates, pressure, and the signal as a strip.

https://developer.withings.com/api-reference#tag/heart/operation/heartv2-list
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.json_fields import is_number
from adapters.json_values import kept
from adapters.limits import ITEMS_MAX, SAMPLES_MAX
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading, Samples, Value
from adapters.refusal import ItemRefused, check_length
from adapters.signals import period_ms
from adapters.withings_api import CLASSES, POSITION, body_of, device_of, instant, modified_at, number_text
from adapters.withings_heart.mapping import ECG_FIELDS, FREQUENCY_MAX_HZ, HEAD_FIELDS, LEAD, LEAD_OF_WRIST, PRESSURE_FIELDS, WRISTS

NOWHERE: Mapping[str, Coded] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry of `series` whose own fields have been read."""

    pointer: str
    time: DeviceTime
    device: str | None
    modified: datetime | None
    raw_head: Mapping[str, Any]


def parse(payload: bytes) -> Iterable[Item]:
    """Read a whole answer of List, its `body` or a bare list of records. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    body = document.get("body", document) if type(document) is dict else None
    if type(body) is dict and "signal" in body and "series" not in body:
        raise Unreadable(
            "no-time", "The answer of Get says neither when nor by which device: put its fields into `ecg` of the record in List."
        )
    pointer, series = body_of(document, "series", what="answer of Heart v2 - List")
    if len(series) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} records at once.", pointer=pointer)
    return _items(pointer, list(series) if type(series) is list else [series])


def _items(pointer: str, series: list[Any]) -> Iterator[Item]:
    for index, entry in enumerate(series):
        at = f"{pointer}/{index}"
        try:
            record = _record(at, entry)
        except ItemRefused as refused:
            yield refused.item(pointer=at, raw=json_payload.dumps([_kept(entry)]))
        else:
            yield from _record_items(record, entry)


def _kept(entry: Any) -> Any:
    if type(entry) is not dict:
        return entry
    parts = (("ecg", (*ECG_FIELDS, "signal")), ("bloodpressure", PRESSURE_FIELDS))
    inner = {name: kept(entry[name], fields) for name, fields in parts if type(entry.get(name)) is dict}
    return {**json_payload.flat({name: value for name, value in entry.items() if name in HEAD_FIELDS or name == "heart_rate"}), **inner}


def _record(pointer: str, entry: Any) -> Record:
    if type(entry) is not dict:
        raise ItemRefused("not-a-record", "An entry of `series` must be an object.", keep=False)
    return Record(
        pointer=pointer,
        time=instant(entry.get("timestamp"), "timestamp"),
        device=device_of(entry),
        modified=modified_at(entry.get("modified")),
        raw_head=json_payload.flat({name: entry[name] for name in HEAD_FIELDS if name in entry}),
    )


def _record_items(record: Record, entry: Mapping[str, Any]) -> Iterator[Item]:
    ecg, pressure = entry.get("ecg"), entry.get("bloodpressure")
    if "heart_rate" in entry:
        yield _rate(record, entry["heart_rate"], ecg)
    if pressure is not None:
        yield _pressure(record, pressure)
    if ecg is not None and (ecg != {} or "heart_rate" not in entry):  # an empty one says no more than where the rate is from
        yield from _ecg(record, ecg)
    for name in sorted(entry.keys() - {*HEAD_FIELDS, "heart_rate", "bloodpressure", "ecg"}):
        value = entry[name]
        raw = json_payload.dumps([{**record.raw_head, **json_payload.flat({name: value})}])
        problem = ItemRefused("unknown-measure", "This field of a record is not in the mapping of this version.", keep=False)
        yield problem.item(pointer=_under(record.pointer, name), raw=raw, device=record.device)


def _under(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _rate(record: Record, value: Any, ecg: Any) -> Item:
    """The average of the recording: from its ECG if there is one, else from the cuff."""
    beside: dict[str, Any] = {"ecg": {}} if type(ecg) is dict else {}
    raw = json_payload.dumps([{**record.raw_head, **json_payload.flat({"heart_rate": value}), **beside}])
    pointer = f"{record.pointer}/heart_rate"
    measure = "heart-rate-ecg" if type(ecg) is dict else "heart-rate"
    try:
        quantity = Quantity(value=number_text(value), unit="/min")
        return _reading(record, pointer=pointer, raw=raw, measure=measure, value=quantity, source="average")
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=record.device)


def _pressure(record: Record, pressure: Any) -> Item:
    pointer = f"{record.pointer}/bloodpressure"
    own = kept(pressure, PRESSURE_FIELDS) if type(pressure) is dict else json_payload.flat({"": pressure})[""]
    raw = json_payload.dumps([{**record.raw_head, "bloodpressure": own}])
    try:
        components = _pressures(pressure)
        return _reading(record, pointer=pointer, raw=raw, measure="blood-pressure", components=components, source="bp")
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=record.device)


def _pressures(pressure: Any) -> Mapping[str, Quantity]:
    if type(pressure) is not dict:
        raise ItemRefused("value-not-a-number", "`bloodpressure` must hold `systole` and `diastole`.")
    names = (("systolic", "systole"), ("diastolic", "diastole"))
    return {ours: Quantity(value=number_text(pressure.get(theirs)), unit="mm[Hg]") for ours, theirs in names}


def _ecg(record: Record, ecg: Any) -> Iterator[Item]:
    if type(ecg) is not dict:
        raw = json_payload.dumps([{**record.raw_head, **json_payload.flat({"ecg": ecg})}])
        yield ItemRefused("not-a-record", "`ecg` must be an object.").item(pointer=f"{record.pointer}/ecg", raw=raw, device=record.device)
        return
    head = json_payload.flat({name: ecg[name] for name in ECG_FIELDS if name in ecg})
    if "afib" in ecg or "signal" not in ecg:
        yield _class(record, head)
    if "signal" in ecg:
        yield _strip(record, {**{name: value for name, value in head.items() if name != "afib"}, "signal": _flat_list(ecg["signal"])})


def _flat_list(signal: Any) -> Any:
    """Samples are numbers; anything else among them is not kept, and refused then."""
    if type(signal) is not list:
        return json_payload.flat({"": signal})[""]
    return [one if is_number(one) else None for one in signal]


def _signal_id(ecg: Mapping[str, Any]) -> str:
    signal_id = ecg.get("signalid")
    if type(signal_id) is not int:
        raise ItemRefused("no-record-id", "`signalid` is missing or not an integer.")
    return str(signal_id)


def _class(record: Record, ecg: Mapping[str, Any]) -> Item:
    pointer, raw = f"{record.pointer}/ecg/afib", json_payload.dumps([{**record.raw_head, "ecg": ecg}])
    try:
        value = _class_of(ecg.get("afib"))
        return _reading(record, pointer=pointer, raw=raw, measure="ecg-classification", value=value, source=_signal_id(ecg))
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=record.device)


def _class_of(afib: Any) -> Coded:
    if type(afib) is not int or afib not in CLASSES:
        raise ItemRefused("unknown-code", "`afib` is none of the classes that Withings documents.")
    return CLASSES[afib]


def _strip(record: Record, ecg: Mapping[str, Any]) -> Item:
    pointer, raw = f"{record.pointer}/ecg/signal", json_payload.dumps([{**record.raw_head, "ecg": ecg}])
    try:
        check_length(raw)
        position = ecg.get("wearposition")
        context = POSITION.get(position, NOWHERE) if type(position) is int else NOWHERE
        return _reading(
            record,
            pointer=pointer,
            raw=raw,
            measure=LEAD_OF_WRIST if type(position) is int and position in WRISTS else LEAD,
            value=_samples(ecg),
            source=_signal_id(ecg),
            context=context,
        )
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=record.device)


def _samples(ecg: Mapping[str, Any]) -> Samples:
    """Microvolts as integers, at 300 or 500 Hz by device."""
    signal, frequency = ecg["signal"], ecg.get("sampling_frequency")
    if type(frequency) is not int or not 0 < frequency <= FREQUENCY_MAX_HZ:
        raise ItemRefused("strip-not-readable", "`sampling_frequency` must be a whole number of hertz.")
    if type(signal) is not list or not signal or not all(type(sample) is int for sample in signal):
        raise ItemRefused("strip-not-readable", "`signal` must be a list of whole microvolts.")
    if len(signal) > SAMPLES_MAX:
        raise ItemRefused("strip-too-long", f"A strip has at most {SAMPLES_MAX} samples; a longer recording is a document.", keep=False)
    return Samples(data=" ".join(map(str, signal)), period_ms=period_ms(Decimal(1), frequency), unit="uV")


def _reading(
    record: Record,
    *,
    pointer: str,
    raw: bytes,
    measure: str,
    source: str,
    value: Value | None = None,
    components: Mapping[str, Quantity] | None = None,
    context: Mapping[str, Coded] = NOWHERE,
) -> Reading:
    check_length(raw)
    return Reading(
        measure=measure,
        device=record.device,
        time=record.time,
        value=value,
        components=components or {},
        source_id=source,
        modified=record.modified,
        pointer=pointer,
        raw=raw,
        context=context,
    )
