"""User v2 - Getdevice -> facts about devices. https://developer.withings.com/api-reference#tag/user/operation/userv2-getdevice"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.device_facts import BatteryLevel, DeviceFacts
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused
from adapters.withings_api import body_of, device_of, instant

BATTERY: Mapping[str, BatteryLevel] = {"low": "low", "medium": "medium", "high": "high"}
"""`battery`; "unknown" is not said."""

_MAC = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}")


def device_facts(payload: bytes) -> Iterator[DeviceFacts]:
    """Read a whole answer, its `body`, or a bare list of devices. Raises Unreadable before the first fact."""
    pointer, devices = body_of(json_payload.load(payload), "devices", what="answer of User v2 - Getdevice")
    if type(devices) is not list or len(devices) > ITEMS_MAX:
        raise Unreadable("not-devices", "`devices` must be a list.", pointer=pointer)
    return _facts(pointer, devices)


def _facts(pointer: str, devices: list[Any]) -> Iterator[DeviceFacts]:
    for index, fields in enumerate(devices):
        try:
            device = device_of(fields) if type(fields) is dict else None
        except ItemRefused:
            device = None
        if device is not None:
            yield _fact(f"{pointer}/{index}", device, fields)


def _fact(pointer: str, device: str, fields: Mapping[str, Any]) -> DeviceFacts:
    battery, mac = _word(fields.get("battery")), (_word(fields.get("mac_address")) or "").upper()
    return DeviceFacts(
        device=device,
        kind=_word(fields.get("type")),
        manufacturer="Withings",
        model=_word(fields.get("model")),
        firmware=_word(fields.get("fw")),
        identifiers=(f"EUI-48 {mac.replace(':', '-')}",) if _MAC.fullmatch(mac) else (),
        battery_level=BATTERY.get(battery or ""),
        time_zone=_word(fields.get("timezone")),
        last_seen=_seen(fields.get("last_session_date")),
        pointer=pointer,
    )


def _word(value: Any) -> str | None:
    return value.strip() or None if type(value) is str and len(value) <= FIELD_CHARS_MAX and value.isprintable() else None


def _seen(value: Any) -> DeviceTime | None:
    try:
        return instant(value, "last_session_date")
    except ItemRefused:
        return None
