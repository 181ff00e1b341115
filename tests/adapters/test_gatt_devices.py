"""What frames say about the device itself: Device Information 1.2, Battery 1.1, Current Time 1.1."""

import json
from typing import Any

import pytest

from adapters.device_facts import DeviceFacts
from adapters.gatt import adapter

RECEIVED = "2024-05-06T07:08:00+02:00"


def frame(characteristic: str, hex: str, **fields: Any) -> dict[str, Any]:
    return {"characteristic": characteristic, "hex": hex, "deviceInfo": {"macAddress": "001C05FFE874"}} | fields


def facts(*frames: Any) -> list[DeviceFacts]:
    return list(adapter.device_facts(json.dumps(list(frames)).encode()))


@pytest.mark.parametrize(
    ("characteristic", "hex", "field", "said"),
    [
        ("2A29", b"Nonin".hex(), "manufacturer", "Nonin"),
        ("2A24", b"3230\0".hex(), "model", "3230"),
        ("2A25", b"501097".hex(), "serial_number", "501097"),
        ("2A26", b"1.0.2".hex(), "firmware", "1.0.2"),
        ("2A27", b"B".hex(), "hardware", "B"),
        ("2A28", b"2.1".hex(), "software", "2.1"),
        ("2A19", "57", "battery_percent", 87),
        ("2A23", "001C05FFFEFFE874", "identifiers", ("EUI-64 74-E8-FF-FE-FF-05-1C-00",)),
    ],
)
def test_each_characteristic_says_one_thing_of_the_unit(characteristic: str, hex: str, field: str, said: Any) -> None:
    """System ID comes least significant octet first; the HL7 PHD example writes this one so."""
    (fact,) = facts(frame(characteristic, hex))
    assert (fact.device, getattr(fact, field)) == ("00-1C-05-FF-E8-74", said)


@pytest.mark.parametrize(("clock", "ahead"), [("E8070506070809", 9), ("E8070506060800", -3600), ("E7070506070800", -366 * 86400)])
def test_the_clock_is_compared_with_that_of_the_receiver(clock: str, ahead: int) -> None:
    """2A2B has no zone: the difference of the two wall clocks is kept, a whole hour may be summer time."""
    (fact,) = facts(frame("2A2B", clock + "010000", receivedAt=RECEIVED))
    assert (fact.clock_ahead_s, fact.said_at and fact.said_at.text) == (ahead, RECEIVED)


def test_without_a_receiver_s_time_nothing_is_said_of_the_clock() -> None:
    (fact,) = facts(frame("2A2B", "E8070506070809" + "010000"))
    assert fact.clock_ahead_s is None


def test_the_names_beside_a_frame_are_facts_once_for_each_device() -> None:
    info = {"systemId": "74E8FFFEFF051C00", "manufacturerName": "Nonin", "modelNumber": "3230", "serialNumber": "501097"}
    told = facts(frame("2A37", "0055", deviceInfo=info), frame("2A37", "0056", deviceInfo=info))
    assert [(one.device, one.manufacturer, one.model, one.serial_number) for one in told] == [
        ("74-E8-FF-FE-FF-05-1C-00", "Nonin", "3230", "501097")
    ]


@pytest.mark.parametrize(
    ("characteristic", "hex"), [("2A19", "65"), ("2A19", ""), ("2A29", "00"), ("2A29", "0A0B"), ("2A23", "00"), ("2A2B", "00" * 10)]
)
def test_what_cannot_be_read_is_no_fact(characteristic: str, hex: str) -> None:
    assert facts(frame(characteristic, hex)) == []


@pytest.mark.parametrize("characteristic", ["2A19", "2A23", "2A24", "2A25", "2A26", "2A27", "2A28", "2A29", "2A2B"])
def test_a_fact_about_a_device_is_no_reading_of_a_person(characteristic: str) -> None:
    (item,) = adapter.decode(json.dumps([frame(characteristic, "57")]).encode())
    assert (getattr(item, "code", None), getattr(item, "keep", None)) == ("device-information", False)
