"""Relayed GATT frames -> readings. The form of a frame is ours: see README.md."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.gatt.characteristics import DateTime
from adapters.gatt.mapping import CHARACTERISTIC, USER_UNKNOWN, Decoded, Part
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX, YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime, Item, Reading
from adapters.refusal import ItemRefused, check_length

FRAME_FIELDS = ("characteristic", "hex", "receivedAt", "deviceInfo")
DEVICE_FIELDS = ("systemId", "macAddress", "serialNumber", "manufacturerName", "modelNumber")
VALUE_OCTETS_MAX = 512
"""Bluetooth Core 5.4, Vol 3 Part F 3.2.9: the longest attribute value."""

UTC_OFFSET_MAX = timedelta(hours=14)
_BASE_UUID = re.compile(r"(?:0X)?(?:0000)?([0-9A-F]{4})(?:-0000-1000-8000-00805F9B34FB)?")
_HEX = re.compile(r"[0-9A-F]+")
_SEPARATORS = re.compile(r"[-:. ]")


def parse(payload: bytes) -> Iterable[Item]:
    """Read one frame, a list, `{"frames": […]}`, or one frame per line. Raises Unreadable before the first item."""
    frames = _frames(payload)
    if len(frames) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} frames at once.")
    return _items(frames)


def _frames(payload: bytes) -> list[tuple[str, Any]]:
    """Return pointer and frame; a line that is not JSON comes as its bytes."""
    try:
        document = json_payload.load(payload)
    except Unreadable as error:
        lines = _lines(payload) if error.code == "not-json" else []
        if not lines:
            raise
        return lines
    if type(document) is dict and "characteristic" in document:
        return [("", document)]
    pointer, frames = ("/frames", document.get("frames")) if type(document) is dict else ("", document)
    if type(frames) is not list:
        raise Unreadable("no-frames", "Send a frame, a list of frames, an object with `frames`, or one frame per line.")
    return [(f"{pointer}/{index}", frame) for index, frame in enumerate(frames)]


def _lines(payload: bytes) -> list[tuple[str, Any]]:
    """Read https://github.com/ndjson/ndjson-spec; nothing unless at least one line is a frame."""
    numbered = [(f"row {number}", line) for number, line in enumerate(payload.split(b"\n", ITEMS_MAX), start=1) if line.strip()]
    frames = [(pointer, _line(line)) for pointer, line in numbered]
    return frames if any(type(frame) is dict and "characteristic" in frame for _, frame in frames) else []


def _line(line: bytes) -> Any:
    try:
        return json_payload.load(line)
    except Unreadable:
        return line


def _items(frames: list[tuple[str, Any]]) -> Iterator[Item]:
    for pointer, frame in frames:
        yield from _frame_items(pointer, frame)


def _frame_items(pointer: str, frame: Any) -> tuple[Item, ...]:
    """One frame, one or more readings: a cuff gives pressure and pulse."""
    raw, device = _raw(frame), None
    try:
        check_length(raw)
        device = _device(_device_info(frame))
        name, decoded = _decode(frame)
        time = _time(decoded.time_stamp, frame.get("receivedAt"))
        return tuple(_reading(name, decoded, part, device=device, time=time, pointer=pointer, raw=raw) for part in decoded.parts)
    except ItemRefused as refused:
        return (refused.item(pointer=pointer, raw=raw, device=device),)


def _raw(frame: Any) -> bytes:
    """Return the frame reduced to what is read from it: whatever else a gateway adds may be about a person."""
    if type(frame) is bytes:
        return frame
    if type(frame) is not dict:
        return json_payload.excerpt(frame)
    kept = json_payload.flat({name: frame[name] for name in FRAME_FIELDS if name in frame})
    info = frame.get("deviceInfo")
    if type(info) is dict:
        kept["deviceInfo"] = json_payload.flat({name: info[name] for name in DEVICE_FIELDS if name in info})
    return json_payload.dumps(kept)


def _device_info(frame: Any) -> Mapping[str, Any]:
    if type(frame) is bytes:
        raise ItemRefused("not-json", "This line is not JSON in UTF-8.", keep=False)
    if type(frame) is not dict or "characteristic" not in frame:
        raise ItemRefused("not-a-frame", "A frame is an object with `characteristic` and `hex`.", keep=False)
    info = frame.get("deviceInfo")
    if info is not None and type(info) is not dict:
        raise ItemRefused("device-not-readable", "`deviceInfo` must be an object.")
    return info or {}


def _device(info: Mapping[str, Any]) -> str | None:
    """Return EUI-64, else EUI-48, else serial number; all zeros or all ones is how a device says it has none."""
    for name, octets in (("systemId", 8), ("macAddress", 6)):
        digits = _SEPARATORS.sub("", _text(info, name)).upper()
        if digits.strip("0") and digits.strip("F"):
            if len(digits) != 2 * octets or not _HEX.fullmatch(digits):
                raise ItemRefused("device-not-readable", f"`{name}` must be {octets} octets in hexadecimal.")
            return "-".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return _text(info, "serialNumber").strip() or None


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if text is None:
        return ""
    if type(text) is not str or len(text) > FIELD_CHARS_MAX:
        raise ItemRefused("device-not-readable", f"`{name}` must be text of at most {FIELD_CHARS_MAX} characters.")
    return text


def _decode(frame: Mapping[str, Any]) -> tuple[str, Decoded]:
    """Return the 16-bit UUID and what the value says."""
    uuid, text = frame["characteristic"], frame.get("hex")
    match = _BASE_UUID.fullmatch(uuid.upper()) if type(uuid) is str and len(uuid) <= FIELD_CHARS_MAX else None
    name = match[1] if match else ""
    if name not in CHARACTERISTIC:
        raise ItemRefused("unknown-measure", f"Read in this version: {', '.join(sorted(CHARACTERISTIC))}. The frame is kept.")
    octets = _octets(text)
    if len(octets) > VALUE_OCTETS_MAX:
        raise ItemRefused("item-too-long", f"A characteristic value has at most {VALUE_OCTETS_MAX} octets.", keep=False)
    return name, CHARACTERISTIC[name](octets)


def _octets(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        raise ItemRefused("not-hex", "`hex` must hold the value's octets as pairs of hexadecimal digits.", keep=False) from None


def _time(stamp: DateTime | None, received_at: Any) -> DeviceTime:
    """Return the device's own time; if it has none, when the gateway received the frame. A wrong one is not replaced."""
    if stamp is not None and stamp.year and stamp.month and stamp.day:
        wall = _wall(stamp)
        return DeviceTime(kind="local", text=wall.isoformat(), wall=wall)
    if received_at is None:
        raise ItemRefused("no-time", "The frame says no year, month and day; send `receivedAt` with it.")
    return _received(received_at)


def _wall(stamp: DateTime) -> datetime:
    try:
        wall = datetime(stamp.year, stamp.month, stamp.day, stamp.hours, stamp.minutes, stamp.seconds)  # noqa: DTZ001  the device knows no zone
    except ValueError:
        wall = None
    if wall is None or not YEAR_MIN <= wall.year <= YEAR_MAX:
        raise ItemRefused("time-not-readable", "The frame's date and time is none.")
    return wall


def _received(text: Any) -> DeviceTime:
    instant = _instant(text) if type(text) is str and len(text) <= FIELD_CHARS_MAX else None
    offset = instant.utcoffset() if instant else None
    if instant is None or offset is None or abs(offset) > UTC_OFFSET_MAX or not YEAR_MIN <= instant.year <= YEAR_MAX:
        raise ItemRefused("no-time", "`receivedAt` must be an ISO 8601 date and time with its offset, such as 2024-05-06T07:08:09+02:00.")
    return DeviceTime(kind="offset", text=text, instant=instant)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _reading(name: str, decoded: Decoded, part: Part, *, device: str | None, time: DeviceTime, pointer: str, raw: bytes) -> Reading:
    user = decoded.user_id
    index = "unknown" if user == USER_UNKNOWN else user
    return Reading(
        measure=part.measure,
        device=device,
        time=time,
        value=part.value,
        components=part.components,
        source_id=name if user is None else f"{name}:user:{user}",
        pointer=pointer,
        raw=raw,
        preliminary=decoded.preliminary,
        context=part.context,
        quality=decoded.quality if user is None else (*decoded.quality, f"user-index:{index}"),
    )
