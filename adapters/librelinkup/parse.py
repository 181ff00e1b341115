"""LibreLinkUp answer -> readings, one item per point."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.json_fields import decimal, identifier, kept, word
from adapters.librelinkup.mapping import CURRENT, HIGHEST, LOWEST, POINT_WORDS, SENSOR_WORDS, TRENDS, TYPES, UNITS
from adapters.limits import ITEMS_MAX, YEAR_MAX, YEAR_MIN
from adapters.reading import Coded, DeviceTime, Item, Quantity, Reading
from adapters.refusal import ItemRefused, check_length

_US_TIME = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ([AP])M")
EPOCH_S_MAX = 2**32
_QUARTER, _OFFSET_MAX = timedelta(minutes=15), timedelta(hours=14)

Point = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """The sensor that is worn now. Points of before it was started are another's, which the answer does not name."""

    fields: Mapping[str, Any]
    started: datetime | None


def parse(payload: bytes) -> Iterable[Item]:
    """Read the answer of `graph` or `logbook`. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    if type(document) is not dict:
        raise Unreadable("not-librelinkup", "This is no answer of LibreLinkUp: send the JSON object with its `data`.")
    if document.get("status", 0) != 0:
        raise Unreadable("vendor-error", "LibreLinkUp answered with a status other than 0 instead of data.", pointer="/status")
    data = document.get("data")
    if type(data) is list:
        points = [(f"/data/{index}", point) for index, point in enumerate(data)]
        sensor = None
    elif type(data) is dict and (type(data.get("graphData")) is list or type(data.get("connection")) is dict):
        points, sensor = list(_points(data)), _sensor(data)
    else:
        raise Unreadable("not-librelinkup", "The answer has neither `graphData` nor a `connection`.", pointer="/data")
    if len(points) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} points at once.", pointer="/data")
    return (_item(pointer, point, sensor) for pointer, point in points)


def _points(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    connection, graph = data.get("connection"), data.get("graphData")
    if type(connection) is dict:
        for name in CURRENT:
            if connection.get(name) is not None:
                yield f"/data/connection/{name}", connection[name]
    if type(graph) is list:
        for index, point in enumerate(graph):
            yield f"/data/graphData/{index}", point


def _sensor(data: Mapping[str, Any]) -> Sensor | None:
    connection = data.get("connection")
    fields = connection.get("sensor") if type(connection) is dict else None
    if type(fields) is not dict:
        return None
    started = fields.get("a")
    if type(started) is not int or not 0 < started < EPOCH_S_MAX:
        return Sensor(fields=fields, started=None)
    return Sensor(fields=fields, started=datetime.fromtimestamp(started, UTC))


def _item(pointer: str, point: Any, sensor: Sensor | None) -> Item:
    raw, device = _raw(point, sensor), None
    try:
        check_length(raw)
        time = _time(point)
        device = _device(time, sensor)
        return _reading(pointer, point, time, device, raw)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=device)


def _raw(point: Any, sensor: Sensor | None) -> bytes:
    """The point in an answer of its own, with the sensor: never the follower, the wearer or the token."""
    data: dict[str, Any] = {"graphData": [kept(point, POINT_WORDS) or {}]}
    if sensor is not None:
        data["connection"] = {"sensor": kept({name: sensor.fields.get(name) for name in ("sn", "a")}, SENSOR_WORDS) or {}}
    return json_payload.dumps({"data": data})


def _device(time: DeviceTime, sensor: Sensor | None) -> str | None:
    if sensor is None or sensor.started is None or time.instant is None or time.instant < sensor.started:
        return None
    return identifier(sensor.fields, "sn")


def _reading(pointer: str, point: Point, time: DeviceTime, device: str | None, raw: bytes) -> Reading:
    type_ = point.get("type")
    flags = TYPES.get(type_) if type(type_) is int else None
    if flags is None:
        raise ItemRefused("unknown-type", "The `type` of the point is not one of the known numbers; the point is kept.")
    value = _value(point)
    return Reading(
        measure="glucose-interstitial",
        device=device,
        time=time,
        value=value,
        source_id=str(type_),
        pointer=pointer,
        raw=raw,
        context=_context(point),
        quality=flags + _limits(point, value),
    )


def _time(point: Any) -> DeviceTime:
    """`FactoryTimestamp` is UTC; `Timestamp` beside it shows the wearer's clock, if the two differ by what a zone can be."""
    if type(point) is not dict:
        raise ItemRefused("not-a-point", "A point must be an object.", keep=False)
    text = word(point, "FactoryTimestamp")
    if text is None:
        raise ItemRefused("no-time", "`FactoryTimestamp` is missing; `Timestamp` alone says nothing about the zone.")
    factory, local = _us_time(text), _us_time(word(point, "Timestamp") or "")
    if factory is None:
        raise ItemRefused("time-not-readable", "`FactoryTimestamp` must be written as 12/31/2026 11:59:59 PM.")
    instant, offset = factory.replace(tzinfo=UTC), None if local is None else local - factory
    if not offset or offset % _QUARTER or abs(offset) > _OFFSET_MAX:
        return DeviceTime(kind="utc", text=text, instant=instant)
    return DeviceTime(kind="offset", text=text, instant=instant.astimezone(timezone(offset)))


def _us_time(text: str) -> datetime | None:
    """Month first, twelve hours: the interface writes it so in every country."""
    form = _US_TIME.fullmatch(text)
    if form is None:
        return None
    month, day, year, hour, minute, second = (int(part) for part in form.groups()[:6])
    if not YEAR_MIN < year < YEAR_MAX or not 1 <= hour <= 12:  # noqa: PLR2004  a 12-hour clock has neither 0 nor 13
        return None
    try:
        return datetime(year, month, day, hour % 12 + 12 * (form[7] == "P"), minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def _value(point: Point) -> Quantity:
    if point.get("ValueInMgPerDl") is not None:
        return Quantity(value=decimal(point["ValueInMgPerDl"], "ValueInMgPerDl"), unit="mg/dL")
    units = point.get("GlucoseUnits")
    unit = UNITS.get(units) if type(units) is int else None
    if unit is None:
        raise ItemRefused("unit-unknown", "The point has neither `ValueInMgPerDl` nor `GlucoseUnits` 0 or 1.")
    return Quantity(value=decimal(point.get("Value"), "Value"), unit=unit)


def _limits(point: Point, value: Quantity) -> tuple[str, ...]:
    """Beyond its range the sensor writes the limit: the number stays and is flagged."""
    number = Decimal(value.value)
    if point.get("isLow") is True or (value.unit == "mg/dL" and number == LOWEST):
        return ("at-lower-limit",)
    if point.get("isHigh") is True or (value.unit == "mg/dL" and number == HIGHEST):
        return ("at-upper-limit",)
    return ()


def _context(point: Point) -> Mapping[str, Coded]:
    arrow = point.get("TrendArrow")
    if arrow is None:
        return {}
    trend = TRENDS.get(arrow) if type(arrow) is int else None
    if trend is None:
        raise ItemRefused("unknown-trend", "The `TrendArrow` is not one of 0 to 5; the point is kept.")
    return {"trend": trend}
