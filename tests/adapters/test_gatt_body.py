"""Body composition and oximetry: Body Composition Service 1.0, Pulse Oximeter Service 1.0.1; frames computed by hand."""

import json
from typing import Any

import pytest

from adapters.gatt import adapter
from adapters.kit.rules import parses_alone
from adapters.reading import Absent, Quantity, Reading

STAMP = "E8070506070809"
RECEIVED = "2024-05-06T07:08:09+02:00"
WHOLE = "FE0F" + "E100" + STAMP + "02" + "581B" + "A401" + "9C18" + "782D" + "F82A" + "4821" + "8813" + "C03A" + "0807"
FIRST = "0E10" + "E100" + STAMP + "02" + "581B"
SECOND = "0014" + "E100" + "C03A"


def frame(characteristic: str, hex: str, serial: str = "A1", **fields: Any) -> dict[str, Any]:
    return {"characteristic": characteristic, "hex": hex, "deviceInfo": {"serialNumber": serial}, "receivedAt": RECEIVED} | fields


def parse(*frames: Any) -> list[Any]:
    items = list(adapter.decode(json.dumps(list(frames)).encode()))
    assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
    return items


def read(items: list[Any]) -> list[tuple[str, str]]:
    return [(item.measure, f"{item.value.value} {item.value.unit}") for item in items]


# -- 2A9C


def test_all_fields_of_a_body_composition_are_found_in_their_order() -> None:
    """Fat and muscle in 0.1 %, masses in 0.005 kg, impedance in 0.1 Ohm, height in 0.001 m."""
    items = parse(frame("2A9C", WHOLE))
    assert read(items) == [
        ("body-fat-percentage", "22.5 %"),
        ("basal-metabolic-rate", "7000 kJ/d"),
        ("muscle-percentage", "42.0 %"),
        ("muscle-mass", "31.500 kg"),
        ("fat-free-mass", "58.200 kg"),
        ("soft-lean-mass", "55.000 kg"),
        ("body-water-mass", "42.600 kg"),
        ("body-weight", "75.200 kg"),
        ("body-impedance", "500.0 Ohm"),
        ("body-height", "1.800 m"),
    ]
    assert {(item.time.text, item.source_id, item.quality) for item in items} == {("2024-05-06T07:08:09", "2A9C:user:2", ("user-index:2",))}


def test_pounds_and_inches_stay_what_they_are() -> None:
    """0.01 lb and 0.1 inch."""
    assert read(parse(frame("2A9C", "010C" + "E100" + "0F27" + "0807"))) == [
        ("body-fat-percentage", "22.5 %"),
        ("body-weight", "99.99 [lb_av]"),
        ("body-height", "180.0 [in_i]"),
    ]


def test_a_measurement_that_failed_is_absent() -> None:
    (item,) = parse(frame("2A9C", "0000" + "FFFF"))
    assert item.value == Absent(reason="error")


def test_two_packets_are_one_measurement_with_the_time_and_user_of_the_first() -> None:
    items = parse(frame("2A9C", FIRST), frame("2A9C", SECOND))
    assert read(items) == [("body-fat-percentage", "22.5 %"), ("basal-metabolic-rate", "7000 kJ/d"), ("body-weight", "75.200 kg")]
    assert {(item.time.text, item.source_id, item.pointer) for item in items} == {("2024-05-06T07:08:09", "2A9C:user:2", "/0")}


def test_packets_that_come_newest_first_are_the_same_measurement() -> None:
    assert read(parse(frame("2A9C", SECOND), frame("2A9C", FIRST))) == read(parse(frame("2A9C", FIRST), frame("2A9C", SECOND)))


def test_packets_of_two_scales_are_not_mixed() -> None:
    items = parse(frame("2A9C", FIRST), frame("2A9C", FIRST, "B2"), frame("2A9C", SECOND, "B2"), frame("2A9C", SECOND))
    assert [(item.device, item.measure) for item in items] == [
        (device, measure) for device in ("A1", "B2") for measure in ("body-fat-percentage", "basal-metabolic-rate", "body-weight")
    ]


@pytest.mark.parametrize(
    "frames",
    [
        [frame("2A9C", FIRST)],
        [frame("2A9C", SECOND)],
        [frame("2A9C", FIRST), frame("2A9C", SECOND, "B2")],
        [frame("2A9C", FIRST), frame("2A9C", SECOND.replace("E100", "E200"))],
        [frame("2A9C", FIRST), frame("2A9C", FIRST)],
    ],
    ids=["first alone", "second alone", "of another scale", "another fat", "two firsts"],
)
def test_half_a_measurement_waits(frames: list[Any]) -> None:
    items = parse(*frames)
    assert [(item.code, item.keep) for item in items] == [("packet-missing", True)] * len(frames)


# -- 2A5E, 2A5F


def test_a_spot_check_is_saturation_pulse_and_perfusion() -> None:
    items = parse(frame("2A5E", "09" + "6100" + "4800" + STAMP + "0FF0"))
    assert read(items) == [("oxygen-saturation", "97 %"), ("heart-rate-oximeter", "72 /min"), ("perfusion-index", "1.5 %")]
    assert {(item.time.kind, item.time.text) for item in items} == {("local", "2024-05-06T07:08:09")}


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    item = parse(frame("2A5E", "11" + "6100" + "4800" + STAMP))[0]
    assert (item.time.kind, item.time.text, item.quality) == ("offset", RECEIVED, ("clock-uncertain",))


def test_continuous_oximetry_gives_the_normal_pair_and_reads_over_the_fast_and_slow_ones() -> None:
    items = parse(frame("2A5F", "13" + "6100" + "4800" + "6000" + "4900" + "5F00" + "4A00" + "0FF0"))
    assert read(items) == [("oxygen-saturation", "97 %"), ("heart-rate-oximeter", "72 /min"), ("perfusion-index", "1.5 %")]


@pytest.mark.parametrize(
    ("status", "sensor", "preliminary", "flags"),
    [
        (1 << 5, 0, True, ()),
        (1 << 6, 0, True, ()),
        (1 << 8, 0, False, ()),
        (1 << 12, 0, False, ("calibration-ongoing",)),
        (1 << 14, 0, False, ("questionable",)),
        (0, 1 << 5, False, ("low-perfusion",)),
        (0, 1 << 11, False, ("no-sensor-contact",)),
        (0, 1 << 2 | 1 << 4, False, ("poor-signal",)),
        (0, 1 << 13, False, ("improper-position",)),
        (0, 1 << 14, False, ("sensor-fault",)),
    ],
)
def test_status_words_become_flags_or_doubt(status: int, sensor: int, preliminary: bool, flags: tuple[str, ...]) -> None:
    words = status.to_bytes(2, "little").hex() + sensor.to_bytes(3, "little").hex()
    item = parse(frame("2A5E", "06" + "6100" + "4800" + words))[0]
    assert (item.preliminary, item.quality) == (preliminary, flags)


@pytest.mark.parametrize("bit", [13, 15])
def test_an_invalid_measurement_has_no_value_whatever_number_stands_there(bit: int) -> None:
    items = parse(frame("2A5E", "02" + "6100" + "4800" + (1 << bit).to_bytes(2, "little").hex()))
    assert [item.value for item in items] == [Absent(reason="error")] * 2


@pytest.mark.parametrize("bit", [10, 11])
def test_demonstration_and_test_data_are_nobodys(bit: int) -> None:
    (item,) = parse(frame("2A5E", "02" + "6100" + "4800" + (1 << bit).to_bytes(2, "little").hex()))
    assert (item.code, item.keep) == ("not-a-person", False)


def test_a_saturation_that_is_no_number_is_absent_alone() -> None:
    saturation, pulse = parse(frame("2A5F", "00" + "FF07" + "4800"))
    assert (saturation.value, pulse.value) == (Absent(reason="not-a-number"), Quantity(value="72", unit="/min"))
