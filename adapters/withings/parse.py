"""getmeas response -> readings. One item per measure; the two pressures of a group make one.

https://developer.withings.com/api-reference#tag/measure/operation/measure-getmeas
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.decimal_text import decimal_text
from adapters.limits import EXPONENT_ABS_MAX, FIELD_CHARS_MAX, ITEMS_MAX, MANTISSA_DIGITS_MAX
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading
from adapters.refusal import ItemRefused, check_length
from adapters.withings.mapping import (
    ATTRIBUTION,
    ATTRIBUTION_UNKNOWN,
    BLOOD_PRESSURE,
    CATEGORY_MEASURED,
    CATEGORY_USER_GOAL,
    GROUP_FIELDS,
    TYPE,
    Attribution,
    Type,
)
from adapters.withings_api import CLASSES, POSITION, body_of, instant, modified_at

MANTISSA_MAX = 10**MANTISSA_DIGITS_MAX
NOWHERE: Mapping[str, Coded] = {}
NO_COMPONENTS: Mapping[str, Quantity] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A measuregrp whose own fields have been read. `raw_head` opens the bytes that each of its items keeps."""

    pointer: str
    grpid: int
    time: DeviceTime
    modified: datetime | None
    device: str | None
    attribution: Attribution
    raw_head: bytes


def parse(payload: bytes) -> Iterable[Item]:
    """Read a whole response, its `body`, or a bare list of measuregrps. Raises Unreadable before the first item."""
    pointer, groups = _groups(json_payload.load(payload))
    if sum(len(_measures(group)) for group in groups) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} measures at once.", pointer=pointer)
    return _items(pointer, groups)


def _groups(document: Any) -> tuple[str, list[Any]]:
    pointer, groups = body_of(document, "measuregrps", what="answer of Measure - Getmeas", code="not-getmeas")
    if type(groups) is not list:
        raise Unreadable("not-getmeas", "`measuregrps` must be a list.", pointer=pointer)
    return pointer, groups


def _measures(group: Any) -> list[Any]:
    """Return the measures of a group, or nothing if it has no list of them (`_group` says so then)."""
    measures = group.get("measures") if type(group) is dict else None
    return measures if type(measures) is list else []


def _items(pointer: str, groups: list[Any]) -> Iterator[Item]:
    for index, fields in enumerate(groups):
        at = f"{pointer}/{index}"
        try:
            group = _group(at, fields)
        except ItemRefused as refused:
            yield from _refuse_all(at, fields, refused)
        else:
            yield from _group_items(group, _measures(fields))


def _refuse_all(pointer: str, fields: Any, refused: ItemRefused) -> Iterator[Item]:
    """Give each measure of an unusable group its own item; a thing that has no list of measures is one item."""
    if type(fields) is not dict or type(fields.get("measures")) is not list:
        yield refused.item(pointer=pointer, raw=json_payload.excerpt(fields))
        return
    head, device = _raw_head(fields), _device_text(fields.get("deviceid"))
    for index, measure in enumerate(fields["measures"]):
        yield refused.item(pointer=f"{pointer}/measures/{index}", raw=_raw(head, [measure]), device=device)


def _group(pointer: str, fields: Any) -> Group:
    """Read what the measures of a group share. Raises ItemRefused, which then holds for each of them."""
    if type(fields) is not dict or type(fields.get("measures")) is not list:
        raise ItemRefused("not-a-measuregrp", "An entry of `measuregrps` needs a list `measures`.", keep=False)
    _check_category(fields.get("category"))
    grpid = fields.get("grpid")
    if type(grpid) is not int:
        raise ItemRefused("no-record-id", "`grpid` is missing or not an integer.")
    return Group(
        pointer=pointer,
        grpid=grpid,
        time=instant(fields.get("date"), "date"),
        modified=modified_at(fields.get("modified")),
        device=_device(fields.get("deviceid")),
        attribution=_attribution(fields.get("attrib")),
        raw_head=_raw_head(fields),
    )


def _check_category(category: object) -> None:
    if category == CATEGORY_USER_GOAL:
        raise ItemRefused("user-goal", "Category 2 is what the user aims at, not a measurement.", keep=False)
    if category != CATEGORY_MEASURED:
        raise ItemRefused("unknown-category", "`category` is neither 1 (measured) nor 2 (user goal).")


def _device(deviceid: Any) -> str | None:
    """Null means typed in or unknown; the sender may then name the device."""
    if deviceid is not None and (type(deviceid) is not str or len(deviceid) > FIELD_CHARS_MAX):
        raise ItemRefused("device-not-readable", f"`deviceid` must be text of at most {FIELD_CHARS_MAX} characters.")
    return _device_text(deviceid)


def _device_text(deviceid: Any) -> str | None:
    return deviceid.strip() or None if type(deviceid) is str and len(deviceid) <= FIELD_CHARS_MAX else None


def _attribution(attrib: Any) -> Attribution:
    return ATTRIBUTION.get(attrib, ATTRIBUTION_UNKNOWN) if type(attrib) is int else ATTRIBUTION_UNKNOWN


def _group_items(group: Group, measures: list[Any]) -> Iterator[Item]:
    """One item per measure in their order, then the pressures."""
    pressures: list[tuple[Any, Type]] = []
    for index, measure in enumerate(measures):
        type_ = measure.get("type") if type(measure) is dict else None
        row = TYPE.get(type_) if type(type_) is int else None
        if row is not None and row.measure == BLOOD_PRESSURE:
            pressures.append((measure, row))
        else:
            yield _measure_item(group, f"{group.pointer}/measures/{index}", measure, row)
    if pressures:
        yield _blood_pressure_item(group, pressures)


def _measure_item(group: Group, pointer: str, measure: Any, row: Type | None) -> Item:
    raw = _raw(group.raw_head, [measure])
    try:
        if row is None:
            raise _unknown(measure)
        position = _place(measure, row)
        source_id = f"{group.grpid}:{row.type}" if position is None else f"{group.grpid}:{row.type}:{position}"
        value = _quantity(measure, row) if row.unit else _class(measure)
        return _reading(
            group,
            pointer=pointer,
            raw=raw,
            measure=row.measure,
            source_id=source_id,
            position=row.place if position is None else position,
            value=value,
        )
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=group.device)


def _reading(
    group: Group,
    *,
    pointer: str,
    raw: bytes,
    measure: str,
    source_id: str,
    position: int | None,
    value: Quantity | Coded | None = None,
    components: Mapping[str, Quantity] = NO_COMPONENTS,
) -> Reading:
    check_length(raw)
    attribution = group.attribution
    return Reading(
        measure=measure,
        device=group.device,
        time=group.time,
        value=value,
        components=components,
        source_id=source_id,
        modified=group.modified,
        pointer=pointer,
        raw=raw,
        manual=attribution.manual,
        preliminary=attribution.preliminary,
        context=NOWHERE if position is None else POSITION.get(position, NOWHERE),
        quality=attribution.quality,
    )


def _unknown(measure: Any) -> ItemRefused:
    type_ = measure.get("type") if type(measure) is dict else None
    which = f"Measure type {type_}" if type(type_) is int else "A measure without an integer `type`"
    return ItemRefused("unknown-measure", f"{which} is not in the mapping of this version; it is kept.")


def _position(position: Any) -> int | None:
    if position is not None and type(position) is not int:
        raise ItemRefused("position-not-readable", "`position` is not an integer.")
    return position


def _place(measure: Mapping[str, Any], row: Type) -> int | None:
    position = _position(measure.get("position"))
    if row.segment and position is None:
        raise ItemRefused("position-missing", "The measure is of a part of the body, and nothing says of which.")
    return position


def _quantity(measure: Mapping[str, Any], row: Type) -> Quantity:
    """value·10^unit, exact: 118003 and -3 are "118.003", never a float."""
    value, unit = measure.get("value"), measure.get("unit")
    if type(value) is not int or type(unit) is not int:
        raise ItemRefused("value-not-a-number", "`value` and `unit` must be integers; the value is value·10^unit.")
    if abs(unit) > EXPONENT_ABS_MAX or abs(value) >= MANTISSA_MAX:
        raise ItemRefused("value-out-of-bounds", f"`unit` beyond ±{EXPONENT_ABS_MAX} or `value` of more than {MANTISSA_DIGITS_MAX} digits.")
    return Quantity(value=decimal_text(value, unit), unit=row.unit)


def _class(measure: Mapping[str, Any]) -> Coded:
    """The value is a class and no number; `unit` then says nothing."""
    value = measure.get("value")
    if type(value) is not int or value not in CLASSES:
        raise ItemRefused("unknown-code", "The value is none of the classes that Withings documents.")
    return CLASSES[value]


def _blood_pressure_item(group: Group, pressures: list[tuple[Any, Type]]) -> Item:
    """The pressures of a group are one reading, wholly read or wholly refused: half a pressure would mislead."""
    raw = _raw(group.raw_head, [measure for measure, _ in pressures])
    try:
        positions = {_position(measure.get("position")) for measure, _ in pressures}
        position = positions.pop() if len(positions) == 1 else None
        return _reading(
            group,
            pointer=group.pointer,
            raw=raw,
            measure=BLOOD_PRESSURE,
            source_id=f"{group.grpid}:bp",
            position=position,
            components=_pressures(pressures),
        )
    except ItemRefused as refused:
        return refused.item(pointer=group.pointer, raw=raw, device=group.device)


def _pressures(pressures: list[tuple[Any, Type]]) -> Mapping[str, Quantity]:
    components: dict[str, Quantity] = {}
    for measure, row in pressures:
        quantity = _quantity(measure, row)
        if components.setdefault(row.component or row.measure, quantity) != quantity:
            raise ItemRefused("ambiguous-group", "The group holds several blood pressures; nothing says which belong together.")
    return components


def _raw_head(fields: Mapping[str, Any]) -> bytes:
    """Open a list with the one group, reduced to its own fields: closed by `_raw` it is a payload this parser reads."""
    own = json_payload.dumps(json_payload.flat({name: fields[name] for name in GROUP_FIELDS if name in fields}))
    return b"[" + own[:-1] + (b"," if len(own) > len(b"{}") else b"") + b'"measures":'


def _raw(head: bytes, measures: list[Any]) -> bytes:
    kept = [json_payload.flat(measure) if type(measure) is dict else measure for measure in measures]
    return head + json_payload.dumps(kept) + b"}]"
