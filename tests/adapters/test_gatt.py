"""Frames on their way to readings: their forms, their time, their device (adapters/gatt/README.md)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.gatt import adapter
from adapters.gatt.characteristics import (
    blood_pressure_measurement,
    temperature_measurement,
    weight_measurement,
)
from adapters.gatt.parse import READ
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Reading, Rejected
from adapters.refusal import ItemRefused

FIXTURES = Path(__file__).parent / "fixtures" / "gatt"

RECEIVED = "2024-05-06T07:08:09+02:00"
STAMP = "E8070506070809"  # 2024-05-06T07:08:09
CUFF = "02" + "7800" + "5000" + "5D00" + STAMP


def frame(characteristic: str = "2A35", hex: str = CUFF, **fields: Any) -> dict[str, Any]:
    return {"characteristic": characteristic, "hex": hex, "deviceInfo": {"serialNumber": "A1"}} | fields


def parse(document: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(document).encode()))


def only(document: Any) -> Any:
    (item,) = parse(document)
    return item


REFUSALS = {
    "frame-too-short",
    "frame-too-long",
    "time-not-readable",
    "value-out-of-bounds",
    "crc-wrong",
    "glucose-missing",
    "packet-missing",
    "session-start",
    "not-a-person",
    "control-solution",
    "no-value",
    "unknown-sample",
}

# -- time


def test_the_time_of_the_device_is_a_wall_clock_without_zone() -> None:
    """Date Time has no zone, and none is invented from `receivedAt`."""
    time = only(frame(receivedAt="2024-05-06T09:08:30Z")).time
    assert (time.kind, time.text, time.wall, time.instant) == ("local", "2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9), None)  # noqa: DTZ001


@pytest.mark.parametrize(
    "stamp", ["0000050607 0809", "E807000607 0809", "E807050007 0809", "00000000000000"], ids=["year", "month", "day", "all"]
)
@pytest.mark.parametrize(("received", "result"), [(RECEIVED, "offset"), (None, "no-time")])
def test_a_time_with_an_unknown_part_is_no_time(stamp: str, received: str | None, result: str) -> None:
    """Year, month or day 0 is "not known"; then the time of receipt, if there is one."""
    item = only(frame(hex="02" + "780050005D00" + stamp, receivedAt=received))
    assert (item.code if isinstance(item, Rejected) else item.time.kind) == result


@pytest.mark.parametrize("stamp", ["E8070D0607 0809", "E8070231070809", "E8070506180809", "01000506070809", "FFFF0506070809"])
def test_a_time_that_does_not_exist_is_not_replaced_by_that_of_receipt(stamp: str) -> None:
    item = only(frame(hex="02" + "780050005D00" + stamp, receivedAt=RECEIVED))
    assert (item.code, item.keep) == ("time-not-readable", True)


@pytest.mark.parametrize(
    "received",
    [
        "2024-05-06T07:08:09",
        "06/05/2024",
        1700000000,
        {},
        "",
        "2024-05-06T07:08:09+23:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "x" * 300,
    ],
)
def test_a_receipt_without_usable_offset_is_no_time(received: Any) -> None:
    """A zone is not invented, and no instant is taken that cannot be moved to another zone."""
    item = only(frame("2A37", "0055", receivedAt=received))
    assert (item.code, item.keep) == ("no-time", True)


# -- device


@pytest.mark.parametrize(
    ("info", "device"),
    [
        ({"systemId": "74E8FFFEFF051C00", "macAddress": "00:1c:05:ff:e8:74"}, "74-E8-FF-FE-FF-05-1C-00"),
        ({"systemId": "74-e8-ff-fe-ff-05-1c-00"}, "74-E8-FF-FE-FF-05-1C-00"),
        ({"systemId": "", "macAddress": "00:1c:05:ff:e8:74", "serialNumber": "A1"}, "00-1C-05-FF-E8-74"),
        ({"systemId": "0000000000000000", "macAddress": "FF:FF:FF:FF:FF:FF", "serialNumber": " A1 "}, "A1"),
        ({"systemId": None, "modelNumber": "HEM"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_device_is_its_most_lasting_identifier(info: Any, device: str | None) -> None:
    """HL7 PHD: SYSID as EUI-64 in dashes; all zeros or ones is how a device says that it has none."""
    assert only(frame(deviceInfo=info)).device == device


@pytest.mark.parametrize(
    "info",
    [
        {"systemId": "74E8"},
        {"systemId": "ZZE8FFFEFF051C00"},
        {"macAddress": 5},
        {"serialNumber": "x" * 257},
        {"systemId": {"a": 1}},
        "A1",
        ["A1"],
    ],
)
def test_an_identifier_that_cannot_be_read_is_not_passed_over(info: Any) -> None:
    """The next one would be another name of the same device, unpaired or, worse, another's."""
    item = only(frame(deviceInfo=info))
    assert (item.code, item.keep) == ("device-not-readable", True)


# -- frames


@pytest.mark.parametrize(
    ("document", "pointers"),
    [(frame(), [""]), ([frame(), frame()], ["/0", "/1"]), ({"frames": [frame()]}, ["/frames/0"]), ([], []), ({"frames": []}, [])],
    ids=["one", "list", "frames", "empty list", "no frames"],
)
def test_one_frame_a_list_and_an_envelope_are_read_alike(document: Any, pointers: list[str]) -> None:
    items = parse(document)
    assert [item.pointer for item in items] == pointers
    assert all(place_free(item) == place_free(only(frame())) for item in items)


def test_lines_are_frames_and_a_broken_line_is_an_item() -> None:
    payload = b"\n".join([json.dumps(frame()).encode(), b"", b'{"characteristic":', json.dumps(frame()).encode() + b"\r"])
    items = list(adapter.decode(payload))
    assert [(item.pointer, getattr(item, "code", "read")) for item in items] == [
        ("row 1", "read"),
        ("row 3", "not-json"),
        ("row 4", "read"),
    ]
    assert items[1].raw == b'{"characteristic":'


@pytest.mark.parametrize("payload", [b"{}", b"5", b'"x"', b'{"frames": 5}', b'{"hex": "00"}'])
def test_what_holds_no_frames_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == "no-frames"


@pytest.mark.parametrize("payload", [b"{", b"1\n2", b'{"a":1}\n{"b":2}', b"x\ny"])
def test_lines_without_a_single_frame_are_no_frames(payload: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == "not-json"


def test_more_frames_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b"[" + b"0," * ITEMS_MAX + b"0]")
    assert refusal.value.code == "too-many-items"


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}, {"hex": "00"}])
def test_an_entry_that_is_no_frame_is_refused_alone(entry: Any) -> None:
    refused, good = parse([entry, frame()])
    assert (refused.code, refused.keep, good.measure) == ("not-a-frame", False, "blood-pressure")


@pytest.mark.parametrize("name", ["2a35", "0x2A35", "00002A35-0000-1000-8000-00805F9B34FB"])
def test_all_ways_to_write_the_uuid_are_one(name: str) -> None:
    assert only(frame(name)).source_id == "2A35"


@pytest.mark.parametrize("name", ["2A53", "2A6D", "", "2A35 ", 35, None, "12342A35-0000-1000-8000-00805F9B34FB", "2A35" * 100])
def test_another_characteristic_is_kept(name: Any) -> None:
    item = only(frame(name))
    assert (item.code, item.keep) == ("unknown-measure", True)


@pytest.mark.parametrize("hex", ["0", "zz", None, 5, "0x00", "00é0", ["00"]])
def test_what_is_not_hexadecimal_is_refused(hex: Any) -> None:
    item = only(frame(hex=hex))
    assert (item.code, item.keep) == ("not-hex", False)


def test_blanks_between_octets_are_allowed() -> None:
    spaced = " ".join(CUFF[at : at + 2] for at in range(0, len(CUFF), 2))
    assert only(frame(hex=spaced)).components == only(frame()).components


@pytest.mark.parametrize("size", range(len(CUFF) // 2))
def test_a_frame_cut_off_anywhere_is_refused(size: int) -> None:
    item = only(frame(hex=CUFF[: 2 * size]))
    assert (item.code, item.keep) == ("frame-too-short", False)


def test_octets_that_no_flag_announces_are_not_ignored() -> None:
    item = only(frame(hex=CUFF + "00"))
    assert (item.code, item.keep) == ("frame-too-long", True)


def test_a_value_longer_than_an_attribute_can_be_is_refused() -> None:
    """Bluetooth Core, Vol 3 Part F 3.2.9: 512 octets."""
    assert only(frame(hex="00" * 513)).code == "item-too-long"


@settings(deadline=None)
@given(st.sampled_from(sorted(READ)), st.binary(max_size=24))
def test_any_octets_are_read_or_refused_with_a_code(name: str, octets: bytes) -> None:
    for item in parse(frame(name, octets.hex(), receivedAt=RECEIVED)):
        assert isinstance(item, Reading) or item.code in REFUSALS


@settings(deadline=None)
@given(st.binary(max_size=24), st.sampled_from([blood_pressure_measurement, weight_measurement, temperature_measurement]))
def test_a_frame_that_is_read_is_read_to_its_last_octet(octets: bytes, decode: Any) -> None:
    try:
        decode(octets)
    except ItemRefused:
        return
    with pytest.raises(ItemRefused, match="frame-too-short"):
        decode(octets[:-1])


@settings(deadline=None)
@given(st.permutations([frame(), frame("2A37", "0055", receivedAt=RECEIVED), frame("2A18", "00"), frame(hex="00"), frame("2A37", "0055")]))
def test_the_order_of_frames_does_not_change_what_is_read(frames: list[dict[str, Any]]) -> None:
    ordered = sorted(frames, key=str)
    assert sorted(map(str, map(place_free, parse(frames)))) == sorted(map(str, map(place_free, parse(ordered))))


def test_raw_is_the_frame_without_what_a_gateway_adds() -> None:
    """The fixture's gateway writes a person's name into the frame."""
    items = list(adapter.decode((FIXTURES / "cuff.ndjson").read_bytes()))
    assert [i.measure if isinstance(i, Reading) else i.code for i in items] == [
        "blood-pressure",
        "heart-rate",
        "heart-rate",
        "rr-interval",
        "body-weight",
        "body-mass-index",
        "body-height",
        "unknown-measure",
    ]
    assert not any(b"Lovelace" in item.raw for item in items)
    assert json.loads(items[0].raw).keys() == {"characteristic", "hex", "receivedAt", "deviceInfo"}
