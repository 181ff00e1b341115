"""Glucose with its context, and continuous glucose: Glucose Service 1.0.1, CGM Service 1.0.2; frames computed by hand."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gatt import adapter
from adapters.gatt.octets import crc16
from adapters.kit.rules import parses_alone, place_free
from adapters.reading import Absent, Coded, Quantity, Reading, Rejected

STAMP = "E8070506070809"  # 2024-05-06T07:08:09
GLUCOSE = "1B" + "0501" + STAMP + "3C00" + "6AB0" + "11" + "0100"  # no. 261, one hour later, 106·10^-5 kg/L, finger, battery low
AROUND = "7F" + "0501" + "01" + "3CD0" + "02" + "51" + "100E4B" + "01" + "0AA0" + "41F0"
SESSION = STAMP + "0404"  # one hour ahead of UTC and one of summer time
FLAGS = (
    "device-battery-low",
    "sensor-fault",
    "sample-insufficient",
    "sensor-fault",
    "sensor-fault",
    "above-range",
    "below-range",
    "device-too-hot",
    "device-too-cold",
    "measurement-interrupted",
    "sensor-fault",
    "clock-uncertain",
)
MDC = "urn:iso:std:iso:11073:10101"


def frame(characteristic: str, hex: str, serial: str = "A1", **fields: Any) -> dict[str, Any]:
    return {"characteristic": characteristic, "hex": hex, "deviceInfo": {"serialNumber": serial}} | fields


def parse(*frames: Any) -> list[Any]:
    items = list(adapter.decode(json.dumps(list(frames)).encode()))
    assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
    return items


def only(*frames: Any) -> Any:
    (item,) = parse(*frames)
    return item


# -- 2A18


def test_kilograms_in_a_litre_become_milligrams_in_a_decilitre_with_their_digits() -> None:
    item = only(frame("2A18", GLUCOSE))
    assert (item.measure, item.value) == ("glucose-capillary", Quantity(value="106", unit="mg/dL"))
    assert (item.context["body-site"].code, item.quality) == ("7569003", ("device-battery-low",))


def test_moles_in_a_litre_become_millimoles() -> None:
    item = only(frame("2A18", "06" + "0100" + STAMP + "37C0" + "11"))
    assert item.value == Quantity(value="5.5", unit="mmol/L")


def test_the_time_is_the_base_time_with_the_offset_that_the_person_set() -> None:
    item = only(frame("2A18", GLUCOSE))
    assert (item.time.kind, item.time.text, item.source_id) == ("local", "2024-05-06T08:08:09", "2A18:seq:261")


def test_an_offset_beyond_what_the_field_can_say_is_a_doubt_and_no_minutes() -> None:
    item = only(frame("2A18", "03" + "0100" + STAMP + "FF7F" + "6AB0" + "11"))
    assert (item.time.text, item.quality) == ("2024-05-06T07:08:09", ("clock-uncertain",))


@pytest.mark.parametrize(
    ("sample", "measure"),
    [
        (1, "glucose-capillary"),
        (2, "glucose-capillary-plasma"),
        (3, "glucose-venous"),
        (4, "glucose-venous-plasma"),
        (5, "glucose-arterial"),
        (6, "glucose-arterial-plasma"),
        (7, "glucose-blood"),
        (8, "glucose-plasma"),
        (9, "glucose-interstitial"),
    ],
)
def test_each_kind_of_sample_is_a_measure(sample: int, measure: str) -> None:
    assert only(frame("2A18", "02" + "0100" + STAMP + "6AB0" + f"F{sample}")).measure == measure


@pytest.mark.parametrize("where", ["1A", "41"], ids=["type", "location"])
def test_control_solution_is_nobodys_glucose(where: str) -> None:
    item = only(frame("2A18", "02" + "0100" + STAMP + "6AB0" + where))
    assert (item.code, item.keep) == ("control-solution", False)


@pytest.mark.parametrize("sample", ["10", "1B", "1F"])
def test_a_reserved_kind_of_sample_waits(sample: str) -> None:
    assert only(frame("2A18", "02" + "0100" + STAMP + "6AB0" + sample)).code == "unknown-sample"


def test_a_record_without_concentration_waits() -> None:
    item = only(frame("2A18", "08" + "0100" + STAMP + "0200"))
    assert (item.code, item.keep) == ("no-value", True)


@pytest.mark.parametrize(
    ("word", "reason"), [("FF07", "not-a-number"), ("FE07", "positive-infinity"), ("0208", "negative-infinity"), ("0008", "error")]
)
def test_special_values_are_absent_and_no_numbers(word: str, reason: str) -> None:
    assert only(frame("2A18", "02" + "0100" + STAMP + word + "11")).value == Absent(reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bit", "flag"),
    list(enumerate(FLAGS)),
)
def test_each_bit_of_the_status_is_a_flag(bit: int, flag: str) -> None:
    status = (1 << bit).to_bytes(2, "little").hex()
    assert only(frame("2A18", "0A" + "0100" + STAMP + "6AB0" + "11" + status)).quality == (flag,)


# -- 2A34


def test_a_context_shares_the_time_of_the_glucose_with_its_number() -> None:
    _, *around = parse(frame("2A18", GLUCOSE), frame("2A34", AROUND))
    read = {item.measure: item.value for item in around if isinstance(item, Reading)}
    assert read == {
        "carbohydrate-intake": Quantity(value="60", unit="g"),
        "glucose-context-meal": Coded(system=MDC, code="8417872", display="MDC_CTXT_GLU_MEAL_POSTPRANDIAL"),
        "glucose-context-tester": Coded(system=MDC, code="8417888", display="MDC_CTXT_GLU_TESTER_SELF"),
        "glucose-context-health": Coded(system=MDC, code="8417840", display="MDC_CTXT_GLU_HEALTH_NONE"),
        "exercise-duration": Quantity(value="3600", unit="s"),
        "exercise-intensity": Quantity(value="75", unit="%"),
        "hba1c": Quantity(value="6.5", unit="%"),
    }
    assert {item.time.text for item in around if isinstance(item, Reading)} == {"2024-05-06T08:08:09"}
    assert {item.source_id for item in around if isinstance(item, Reading)} == {"2A34:seq:261", "2A34:seq:261:breakfast"}


def test_a_dose_in_litres_is_no_dose_in_units_and_costs_nothing_else() -> None:
    """Nobody knows the concentration of the insulin: ten microlitres may be one unit or five."""
    items = parse(frame("2A18", GLUCOSE), frame("2A34", AROUND))
    assert [(item.code, item.keep, item.pointer) for item in items if isinstance(item, Rejected)] == [("dose-not-sure", True, "/1")]


def test_a_reserved_code_is_refused_and_the_fields_beside_it_are_read() -> None:
    items = parse(frame("2A18", GLUCOSE), frame("2A34", "42" + "0501" + "09" + "41F0"))
    assert [getattr(item, "code", None) or item.measure for item in items] == ["glucose-capillary", "hba1c", "unknown-code"]


def test_what_is_not_available_is_not_said() -> None:
    """Tester and health 15: not available. Exercise 65535 s: longer than the field can say."""
    _, *around = parse(frame("2A18", GLUCOSE), frame("2A34", "0C" + "0501" + "FF" + "FFFF32"))
    assert [(item.measure, item.value) for item in around] == [
        ("exercise-duration", Absent(reason="positive-infinity")),
        ("exercise-intensity", Quantity(value="50", unit="%")),
    ]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [frame("2A18", GLUCOSE, "B2")],
        [frame("2A18", GLUCOSE.replace("0501", "0601"))],
        [frame("2A18", GLUCOSE), frame("2A18", GLUCOSE.replace("6AB0", "6BB0"))],
    ],
    ids=["none", "another device", "another number", "two of that number"],
)
def test_a_context_without_its_one_glucose_waits(others: list[Any]) -> None:
    item = parse(*others, frame("2A34", AROUND))[-1]
    assert (item.code, item.keep) == ("glucose-missing", True)


def test_the_order_of_glucose_and_context_does_not_matter() -> None:
    frames = [frame("2A18", GLUCOSE), frame("2A34", AROUND), frame("2A18", GLUCOSE.replace("0501", "0601")), frame("2A18", GLUCOSE)]
    facts = [sorted({str(place_free(item)) for item in parse(*order)}) for order in permutations(frames)]
    assert all(one == facts[0] for one in facts)


# -- 2AA7


def test_minutes_since_an_unknown_start_are_a_counter() -> None:
    item = only(frame("2AA7", "0600" + "7800" + "0A00"))
    assert (item.measure, item.value, item.time.kind, item.time.text) == (
        "glucose-interstitial",
        Quantity(value="120", unit="mg/dL"),
        "ticks",
        "10 min",
    )


def test_with_the_start_of_the_session_they_are_a_time_with_its_offset() -> None:
    refused, item = parse(frame("2AAA", SESSION), frame("2AA7", "0600" + "7800" + "0A00"))
    assert (item.time.kind, item.time.text) == ("offset", "2024-05-06T07:18:09+02:00")
    assert (refused.code, refused.keep) == ("session-start", False)


@pytest.mark.parametrize("zone", ["8004", "04FF"], ids=["zone unknown", "summer time unknown"])
def test_a_start_without_zone_is_a_wall_clock(zone: str) -> None:
    item = parse(frame("2AAA", STAMP + zone), frame("2AA7", "0600" + "7800" + "0A00"))[1]
    assert (item.time.kind, item.time.text) == ("local", "2024-05-06T07:18:09")


def test_of_two_starts_none_is_taken() -> None:
    items = parse(frame("2AAA", SESSION), frame("2AAA", SESSION.replace("0404", "0400")), frame("2AA7", "0600" + "7800" + "0A00"))
    assert items[-1].time.kind == "ticks"


def test_one_value_may_hold_several_records() -> None:
    items = parse(frame("2AA7", "0600" + "7800" + "0A00" + "0600" + "7900" + "0F00"))
    assert [(item.value.value, item.time.text) for item in items] == [("120", "10 min"), ("121", "15 min")]


def test_trend_and_quality_do_not_disturb_and_status_octets_are_flags() -> None:
    """Status, then calibration, then warning; trend and quality behind them."""
    body = "0D" + "E3" + "7800" + "0A00" + "02" + "08" + "40" + "01F0" + "6400"
    assert only(frame("2AA7", body)).quality == ("device-battery-low", "calibration-ongoing", "below-range")


@pytest.mark.parametrize(("broken", "code"), [(False, None), (True, "crc-wrong")])
def test_a_crc_that_is_there_is_checked(broken: bool, code: str | None) -> None:
    body = bytes.fromhex("08" + "00" + "7800" + "0A00")
    sent = body + (crc16(body) ^ broken).to_bytes(2, "little")
    assert getattr(only(frame("2AA7", sent.hex())), "code", None) == code


def test_the_crc_is_that_of_the_service() -> None:
    """CRC-16/MCRF4XX; the check value of the catalogue of parametrised CRC algorithms."""
    assert crc16(b"123456789") == 0x6F91


@settings(deadline=None)
@given(st.lists(st.sampled_from([GLUCOSE, AROUND, SESSION, "0600" + "7800" + "0A00"]), max_size=6), st.data())
def test_any_mixture_of_frames_gives_sound_items(values: list[str], data: st.DataObject) -> None:
    names = ["2A18", "2A34", "2AA7", "2AAA", "2A9C"]
    parse(*(frame(data.draw(st.sampled_from(names)), value, data.draw(st.sampled_from("AB"))) for value in values))
