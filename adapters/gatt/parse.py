"""Relayed GATT frames -> readings. The form of a frame is ours: see README.md."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.device_facts import DeviceFacts
from adapters.gatt.company import CGM, COMPOSITION, CONTEXT, SESSION, Company, Frame, is_packet
from adapters.gatt.device_information import DEVICE_CHARACTERISTICS, facts_of
from adapters.gatt.glucose import SessionStart, session_start
from adapters.gatt.glucose_mapping import context
from adapters.gatt.mapping import CHARACTERISTIC, USER_UNKNOWN, body_composition_in_two
from adapters.gatt.octets import DateTime
from adapters.gatt.part import Decoded, Part
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX, YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime, Item, Reading, Rejected
from adapters.refusal import ItemRefused, check_length

FRAME_FIELDS = ("characteristic", "hex", "receivedAt", "deviceInfo")
DEVICE_FIELDS = ("systemId", "macAddress", "serialNumber", "manufacturerName", "modelNumber")
NAMES = {"manufacturerName": "manufacturer", "modelNumber": "model", "serialNumber": "serial_number"}
FACTS_MARKS = (*(f'"{name}"'.encode() for name in NAMES), *(form.encode() for one in DEVICE_CHARACTERISTICS for form in (one, one.lower())))
"""Without any of these a payload says nothing of the device but its name."""
VALUE_OCTETS_MAX = 512
"""Bluetooth Core 5.4, Vol 3 Part F 3.2.9: the longest attribute value."""

READ = frozenset({*CHARACTERISTIC, CONTEXT, SESSION})
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


def device_facts(payload: bytes) -> Iterator[DeviceFacts]:
    """What the frames say about devices: Device Information, battery, clock; and the names in `deviceInfo`, once for each device."""
    named: set[tuple[str | None, ...]] = set()
    for pointer, frame in _frames(payload):
        try:
            info = _device_info(frame)
            device = _device(info)
            names: dict[str, Any] = {field: _text(info, name).strip() or None for name, field in NAMES.items()}
            if any(names.values()) and (device, *names.values()) not in named:
                named.add((device, *names.values()))
                yield DeviceFacts(device=device, pointer=pointer, **names)
            name, octets = _value(frame)
            if name in DEVICE_CHARACTERISTICS:
                received = _received(frame["receivedAt"]) if "receivedAt" in frame else None
                said = facts_of(name, octets, None if received is None else received.instant)
                yield DeviceFacts(device=device, pointer=pointer, said_at=received, **said)
        except ItemRefused:
            continue  # decode says what is wrong with it


def _items(frames: list[tuple[str, Any]]) -> Iterator[Item]:
    read = [_frame(pointer, frame) for pointer, frame in frames]
    company = Company(frame for frame in read if isinstance(frame, Frame))
    for frame in read:
        if isinstance(frame, Rejected):
            yield frame
        else:
            yield from _frame_items(frame, company)


def _frame(pointer: str, frame: Any) -> Frame | Rejected:
    raw, device = _raw(frame), None
    try:
        check_length(raw)
        device = _device(_device_info(frame))
        name, octets = _value(frame)
        return Frame(pointer=pointer, raw=raw, device=device, name=name, octets=octets, received_at=frame.get("receivedAt"))
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=device)


def _frame_items(frame: Frame, company: Company) -> Iterator[Item]:
    """One frame, one or more readings: a cuff gives pressure and pulse."""
    raw = frame.raw
    if frame.name == COMPOSITION and company.is_second(frame):
        return
    try:
        partner = _partner(frame, company)
        raw = _joined_raw(frame, partner)
        check_length(raw)
        decoded = _decode(frame, partner)
        session = session_start(partner.octets) if decoded.session and partner is not None else None
        readings = [_reading(frame, decoded, part, time=_time(frame, decoded, part, session), raw=raw) for part in decoded.parts]
    except ItemRefused as refused:
        yield refused.item(pointer=frame.pointer, raw=raw, device=frame.device)
        return
    yield from readings
    for problem in decoded.refused:
        yield problem.item(pointer=frame.pointer, raw=raw, device=frame.device)


def _joined_raw(frame: Frame, partner: Frame | None) -> bytes:
    """A payload of both frames; packets in the order in which they are read."""
    if partner is None:
        return frame.raw
    first, second = (frame, partner) if frame.name == COMPOSITION else (partner, frame)
    return b"[" + first.raw + b"," + second.raw + b"]"


def _partner(frame: Frame, company: Company) -> Frame | None:
    """The frame without which this one says nothing, or only half. Raises ItemRefused where it cannot do without."""
    if frame.name == CONTEXT:
        glucose = company.glucose_of(frame)
        if glucose is None:
            raise ItemRefused("glucose-missing", "Send the one 2A18 with the same sequence number in the same payload.")
        return glucose
    if frame.name == COMPOSITION and is_packet(frame.octets) and not company.is_second(frame):
        second = company.second_of(frame)
        if second is None:
            raise ItemRefused("packet-missing", "The measurement has two packets: send both, one behind the other, in the same payload.")
        return second
    return company.session_of(frame) if frame.name == CGM else None


def _decode(frame: Frame, partner: Frame | None) -> Decoded:
    if frame.name in DEVICE_CHARACTERISTICS:
        raise ItemRefused("device-information", "This says something about the device and nothing about a person.", keep=False)
    if frame.name == SESSION:
        session_start(frame.octets)
        raise ItemRefused("session-start", "Read with the CGM records of the same payload; it is no measurement itself.", keep=False)
    if partner is not None and frame.name == CONTEXT:
        return context(frame.octets, partner.octets)
    if partner is not None and frame.name == COMPOSITION:
        return body_composition_in_two(frame.octets, partner.octets)
    return CHARACTERISTIC[frame.name](frame.octets)


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


def _value(frame: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the 16-bit UUID and the octets of the value."""
    uuid, text = frame["characteristic"], frame.get("hex")
    match = _BASE_UUID.fullmatch(uuid.upper()) if type(uuid) is str and len(uuid) <= FIELD_CHARS_MAX else None
    name = match[1] if match else ""
    if name not in READ | DEVICE_CHARACTERISTICS:
        raise ItemRefused("unknown-measure", f"Read in this version: {', '.join(sorted(READ))}. The frame is kept.")
    octets = _octets(text)
    if len(octets) > VALUE_OCTETS_MAX:
        raise ItemRefused("item-too-long", f"A characteristic value has at most {VALUE_OCTETS_MAX} octets.", keep=False)
    return name, octets


def _octets(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        raise ItemRefused("not-hex", "`hex` must hold the value's octets as pairs of hexadecimal digits.", keep=False) from None


def _time(frame: Frame, decoded: Decoded, part: Part, session: SessionStart | None) -> DeviceTime:
    """Return the device's own time; if it has none, when the gateway received the frame. A wrong one is not replaced."""
    if decoded.session:
        return _session_time(part.offset_min, session)
    stamp = decoded.time_stamp
    if stamp is not None and stamp.year and stamp.month and stamp.day:
        wall = _wall(stamp, part.offset_min)
        return DeviceTime(kind="local", text=wall.isoformat(), wall=wall)
    if frame.received_at is None:
        raise ItemRefused("no-time", "The frame says no year, month and day; send `receivedAt` with it.")
    return _received(frame.received_at)


def _session_time(minutes: int, session: SessionStart | None) -> DeviceTime:
    """Minutes since a start that nobody said are a counter, and the hub will say so."""
    if session is None or not (session.start.year and session.start.month and session.start.day):
        return DeviceTime(kind="ticks", text=f"{minutes} min")
    wall = _wall(session.start, minutes)
    if session.offset_min is None:
        return DeviceTime(kind="local", text=wall.isoformat(), wall=wall)
    offset = timedelta(minutes=session.offset_min)
    if abs(offset) > UTC_OFFSET_MAX:
        raise ItemRefused("time-not-readable", "The time zone of the session is none.")
    instant = wall.replace(tzinfo=timezone(offset))
    return DeviceTime(kind="offset", text=instant.isoformat(), instant=instant)


def _wall(stamp: DateTime, minutes: int) -> datetime:
    try:
        wall = datetime(stamp.year, stamp.month, stamp.day, stamp.hours, stamp.minutes, stamp.seconds)  # noqa: DTZ001  the device knows no zone
        wall += timedelta(minutes=minutes)
    except (ValueError, OverflowError):
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


def _reading(frame: Frame, decoded: Decoded, part: Part, *, time: DeviceTime, raw: bytes) -> Reading:
    user, flags = decoded.user_id, tuple(dict.fromkeys((*decoded.quality, *part.quality)))
    index = "unknown" if user == USER_UNKNOWN else user
    return Reading(
        measure=part.measure,
        device=frame.device,
        time=time,
        value=part.value,
        components=part.components,
        source_id=_source_id(frame.name, decoded, part),
        pointer=frame.pointer,
        raw=raw,
        preliminary=decoded.preliminary,
        context=part.context,
        quality=flags if user is None else (*flags, f"user-index:{index}"),
    )


def _source_id(name: str, decoded: Decoded, part: Part) -> str:
    """Characteristic, user, sequence number and what tells the readings of one frame apart, as far as there is any of them."""
    said = (("user", decoded.user_id), ("seq", decoded.sequence))
    numbered = [f"{word}:{number}" for word, number in said if number is not None]
    return ":".join([name, *numbered, *([part.source] if part.source else [])])
