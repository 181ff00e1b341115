"""Tidepool data: DEVICES 1.9, https://tidepool.redocly.app/docs/device-data, and the public samples of its ingestion service."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.reading import Absent, Quantity, Reading
from adapters.tidepool import adapter
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples
from tests.support.records import assert_the_same_in_any_portions, said

LOOP = Path(__file__).parent / "fixtures" / "tidepool" / "loop.json"
BASE = {"deviceId": "PUMP-1", "time": "2026-03-01T06:00:00.000Z"}


def parse(*data: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(list(data)).encode()))


def one(**fields: Any) -> Any:
    (item,) = parse({**BASE, **fields})
    return item


def bolus(**fields: Any) -> list[Any]:
    return parse({**BASE, "type": "bolus", **fields})


def cbg(**fields: Any) -> Any:
    return one(**{"type": "cbg", "value": 100, "units": "mg/dL", **fields})


# -- glucose


@pytest.mark.parametrize(("units", "ucum"), [("mg/dL", "mg/dL"), ("mg/dl", "mg/dL"), ("mmol/L", "mmol/L"), ("mmol/l", "mmol/L")])
def test_glucose_keeps_its_unit_however_it_is_written(units: str, ucum: str) -> None:
    assert cbg(value=4, units=units).value == Quantity(value="4", unit=ucum)


@pytest.mark.parametrize("units", ["mg", "", None, 5])
def test_glucose_without_a_known_unit_waits(units: object) -> None:
    assert cbg(units=units).code == "unit-unknown"


def test_digits_stay_as_they_were_written() -> None:
    (item,) = adapter.decode(b'[{"type":"cbg","time":"2026-03-01T06:00:00Z","value":6.10,"units":"mmol/L"}]')
    assert isinstance(item, Reading)
    assert item.value == Quantity(value="6.10", unit="mmol/L")


@pytest.mark.parametrize(("value", "flag"), [("low", "below-range"), ("high", "above-range")])
def test_a_value_out_of_range_is_the_devices_limit_and_no_number(value: str, flag: str) -> None:
    """https://tidepool.redocly.app/docs/device-data/oor-values"""
    item = cbg(value=40, annotations=[{"code": "bg/out-of-range", "value": value, "threshold": 40}])
    assert (item.value, item.quality) == (Absent(reason="unsupported"), (flag,))


def test_other_annotations_change_nothing() -> None:
    assert cbg(annotations=[{"code": "basal/unknown-duration"}]).value == Quantity(value="100", unit="mg/dL")


@pytest.mark.parametrize(("trend", "code"), [("constant", "steady"), ("rapidFall", "falling-very-fast"), ("slowRise", "rising")])
def test_a_trend_is_a_circumstance_of_the_value(trend: str, code: str) -> None:
    assert cbg(trend=trend).context["trend"].code == code


def test_an_unknown_trend_is_said_aloud() -> None:
    assert cbg(trend="sideways").code == "unknown-trend"


def test_a_calibration_is_a_value_from_blood_that_a_person_entered() -> None:
    item = one(type="deviceEvent", subType="calibration", value=118, units="mg/dL")
    assert (said(item), item.quality, item.manual) == (("glucose-capillary", "118 mg/dL"), ("calibration-entry",), True)


# -- insulin


def test_a_normal_bolus_is_one_dose() -> None:
    (item,) = bolus(subType="normal", normal=2.5)
    assert (said(item), item.end, item.pointer, item.quality) == (("insulin-bolus", "2.5 [iU]"), None, "/0/normal", ())


def test_a_square_bolus_lasts() -> None:
    (item,) = bolus(subType="square", extended=3, duration=3_600_000)
    assert said(item) == ("insulin-bolus", "3 [iU]")
    assert item.end.instant - item.time.instant == timedelta(hours=1)


def test_a_dual_bolus_is_two_doses_that_do_not_correct_each_other() -> None:
    first, second = bolus(subType="dual/square", normal=2, extended=1, duration=3_600_000)
    assert (first.pointer, second.pointer) == ("/0/normal", "/0/extended")
    assert first.source_id != second.source_id
    assert first.raw == second.raw


def test_what_counts_is_what_was_delivered() -> None:
    """https://tidepool.redocly.app/docs/device-data/data-types/bolus/normal: expectedNormal is what was programmed."""
    (item,) = bolus(subType="normal", normal=1.3, expectedNormal=4)
    assert (said(item), item.quality) == (("insulin-bolus", "1.3 [iU]"), ("interrupted",))


def test_a_dose_of_the_loop_is_marked() -> None:
    (item,) = bolus(subType="automated", normal=0.15)
    assert item.quality == ("automated-delivery",)


@pytest.mark.parametrize("fields", [{}, {"normal": None}, {"normal": None, "extended": 1}])
def test_a_bolus_without_a_dose_waits(fields: dict[str, Any]) -> None:
    (item,) = bolus(**fields)
    assert item.code == "value-missing"


@pytest.mark.parametrize(
    ("delivery", "rate", "mode"),
    [("automated", 0.85, "automated"), ("scheduled", 0.85, "scheduled"), ("temp", 0.85, "temporary")],
)
def test_a_basal_is_a_rate_with_its_period_and_the_mode_it_was_decided_in(delivery: str, rate: float, mode: str) -> None:
    basal, decided = parse({**BASE, "type": "basal", "deliveryType": delivery, "rate": rate, "duration": 300_000})
    assert (said(basal), said(decided)) == (("insulin-basal", "0.85 [iU]/h"), ("insulin-delivery-mode", mode))
    assert basal.end == decided.end
    assert basal.end.text == "2026-03-01T06:05:00.000Z"
    assert basal.quality == (("automated-delivery",) if delivery == "automated" else ())


def test_a_suspended_pump_delivers_nothing() -> None:
    basal, decided = parse({**BASE, "type": "basal", "deliveryType": "suspend", "duration": 600_000})
    assert (said(basal), said(decided)) == (("insulin-basal", "0 [iU]/h"), ("insulin-delivery-mode", "suspended"))


@pytest.mark.parametrize("duration", [None, 0])
def test_a_basal_that_still_runs_has_no_end(duration: int | None) -> None:
    basal, _ = parse({**BASE, "type": "basal", "deliveryType": "scheduled", "rate": 1, "duration": duration})
    assert basal.end is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"deliveryType": "boost", "rate": 1}, "unknown-delivery-type"),
        ({"deliveryType": "scheduled"}, "value-missing"),
        ({"deliveryType": "scheduled", "rate": "1"}, "value-not-a-number"),
        ({"deliveryType": "scheduled", "rate": True}, "value-not-a-number"),
        ({"deliveryType": "scheduled", "rate": 1, "duration": -1}, "duration-not-readable"),
        ({"deliveryType": "scheduled", "rate": 1, "duration": 10**15}, "duration-not-readable"),
        ({"deliveryType": "scheduled", "rate": 1, "duration": {"units": "moons", "value": 1}}, "duration-not-readable"),
    ],
)
def test_a_basal_that_cannot_be_read_is_one_item(fields: dict[str, Any], code: str) -> None:
    assert one(type="basal", **fields).code == code


@pytest.mark.parametrize(
    ("acting", "measure"),
    [
        ("rapid", "insulin-rapid"),
        ("short", "insulin-rapid"),
        ("intermediate", "insulin-intermediate"),
        ("long", "insulin-long"),
        (None, "insulin-bolus"),
    ],
)
def test_an_insulin_datum_says_how_it_acts(acting: str | None, measure: str) -> None:
    formulation = {} if acting is None else {"formulation": {"simple": {"actingType": acting, "brand": "B"}}}
    item = one(type="insulin", dose={"total": 14, "units": "Units"}, **formulation)
    assert (said(item), item.manual) == ((measure, "14 [iU]"), True)


# -- food, events, what is no measurement


def test_food_and_the_food_of_a_calculation_are_what_was_eaten() -> None:
    nutrition = {"carbohydrate": {"net": 15, "units": "grams"}}
    assert said(one(type="food", nutrition=nutrition)) == ("carbohydrate-intake", "15 g")
    assert said(one(type="wizard", carbInput=45, carbUnits="grams")) == ("carbohydrate-intake", "45 g")


def test_exchanges_are_no_grams() -> None:
    assert one(type="wizard", carbInput=3, carbUnits="exchanges").code == "unit-unknown"


def test_a_calculation_without_food_is_refused_and_its_dose_is_read() -> None:
    first, dose = parse({**BASE, "type": "wizard", "bgInput": 6.1, "bolus": {**BASE, "type": "bolus", "normal": 3.5}})
    assert (first.code, first.keep) == ("not-a-measurement", False)
    assert (said(dose), dose.pointer) == (("insulin-bolus", "3.5 [iU]"), "/0/bolus/normal")


def test_a_dose_that_is_embedded_is_the_same_as_by_itself() -> None:
    """A duplicate then, not a second dose: it may come both ways."""
    dose = {**BASE, "type": "bolus", "normal": 3.5}
    embedded, alone = parse({**BASE, "type": "wizard", "carbInput": 9, "bolus": dose}, dose)[1:]
    assert place_free(embedded) == place_free(alone)


def test_two_events_of_one_moment_do_not_correct_each_other() -> None:
    alarm, change = parse(
        {**BASE, "type": "deviceEvent", "subType": "alarm", "alarmType": "no_insulin"},
        {**BASE, "type": "deviceEvent", "subType": "reservoirChange"},
    )
    assert (said(alarm)[1], said(change)[1]) == ("alarm-no-insulin", "reservoir-change")
    assert alarm.source_id != change.source_id


def test_a_raised_target_of_the_loop_is_a_mode_with_its_period() -> None:
    item = one(type="deviceEvent", subType="zen", duration={"units": "hours", "value": 3})
    assert said(item) == ("insulin-delivery-mode", "automated-raised-target")
    assert item.end.instant - item.time.instant == timedelta(hours=3)


@pytest.mark.parametrize(
    ("fields", "code", "keep"),
    [
        ({"type": "deviceEvent", "subType": "confidential"}, "unknown-measure", True),
        ({"type": "deviceEvent", "subType": "alarm", "alarmType": "sang"}, "unknown-alarm", True),
        ({"type": "deviceEvent", "subType": "status", "status": "asleep"}, "unknown-status", True),
        ({"type": "deviceEvent", "subType": "prime", "primeTarget": "tubing"}, "value-missing", True),
        ({"type": "physicalActivity"}, "unknown-measure", True),
        ({"type": "pumpSettings"}, "not-a-measurement", False),
        ({"type": "upload"}, "not-a-measurement", False),
        ({"type": 5}, "unknown-measure", True),
    ],
)
def test_what_has_no_measure_is_said(fields: dict[str, Any], code: str, keep: bool) -> None:
    item = one(**fields)
    assert (item.code, item.keep, item.device) == (code, keep, "PUMP-1")


# -- time, device, privacy


def test_the_offset_shows_the_wearers_clock_and_changes_no_instant() -> None:
    with_offset, without, unknown = (cbg(timezoneOffset=offset) for offset in (-420, None, 0))
    assert with_offset.time.instant == without.time.instant == unknown.time.instant
    assert (with_offset.time.kind, without.time.kind, unknown.time.kind) == ("offset", "utc", "utc")
    assert with_offset.time.instant.isoformat() == "2026-02-28T23:00:00-07:00"
    assert with_offset.time.text == unknown.time.text


@pytest.mark.parametrize(
    ("time", "code"),
    [(None, "no-time"), ("2026-03-01T06:00:00", "time-not-readable"), ("soon", "time-not-readable"), (5, "no-time")],
)
def test_a_time_without_zone_is_not_taken(time: object, code: str) -> None:
    assert cbg(time=time, deviceTime="2026-03-01T07:00:00").code == code


@pytest.mark.parametrize("device", [5, "x" * 300, {"id": 1}])
def test_a_device_that_is_no_identifier_waits(device: object) -> None:
    assert cbg(deviceId=device).code == "device-not-readable"


def test_nothing_that_a_person_wrote_is_kept() -> None:
    items = list(adapter.decode(LOOP.read_bytes()))
    assert len(items) == 25
    assert "ovelace" not in str(items)
    assert "Brand" not in str(items)
    assert "example.org" not in str(items)


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", "empty"), (b"{", "not-json"), (b'{"data": []}', "not-tidepool"), (b"[" * 20 + b"]" * 20, "too-deep")],
)
def test_what_is_no_data_of_theirs_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == code


@settings(deadline=None)
@given(data=st.data())
def test_order_portions_and_repetition_change_nothing(data: st.DataObject) -> None:
    assert_the_same_in_any_portions(parse, json.loads(LOOP.read_bytes()), data)


# -- the public samples


@needs_samples
def test_the_sample_of_glucose_has_the_platforms_own_values() -> None:
    """cbg-output.json is what the platform made of it: mg/dL by 18.01559 gives its mmol/L; times and devices are the same."""
    given_items = list(adapter.decode((SAMPLES / "tidepool" / "cbg-input.json").read_bytes()))
    made_items = list(adapter.decode((SAMPLES / "tidepool" / "cbg-output.json").read_bytes()))
    assert [said(item) for item in given_items] == [
        ("glucose-interstitial", "100 mg/dL"),
        ("glucose-interstitial", "4.5 mmol/L"),
        ("glucose-interstitial", "100 mg/dL"),
        ("glucose-interstitial", "69 mg/dL"),
    ]
    factor = MEASURES["glucose-interstitial"].units["mmol/L"].conversion.multiply
    for item, made in zip(given_items, made_items, strict=True):
        assert isinstance(item, Reading)
        assert isinstance(made, Reading)
        assert isinstance(item.value, Quantity)
        assert isinstance(made.value, Quantity)
        theirs = Decimal(made.value.value)
        ours = Decimal(item.value.value) / (factor if item.value.unit == "mg/dL" else 1)
        assert abs(ours - theirs) < Decimal("1e-12")
        assert (item.time, item.device, item.source_id) == (made.time, made.device, made.source_id)


@needs_samples
def test_the_sample_of_device_events_is_read_whole() -> None:
    """The suspension comes three times, within an alarm, within a change of reservoir and by itself: one reading."""
    items = list(adapter.decode((SAMPLES / "tidepool" / "deviceEvent-input.json").read_bytes()))
    assert [(item.pointer, *said(item)) for item in items] == [
        ("/0", "insulin-pump-event", "alarm-no-delivery"),
        ("/0/status", "insulin-delivery-mode", "suspended"),
        ("/1", "insulin-pump-event", "reservoir-change"),
        ("/1/status", "insulin-delivery-mode", "suspended"),
        ("/2", "insulin-delivery-mode", "suspended"),
        ("/3", "insulin-delivery-mode", "resumed"),
        ("/4", "insulin-priming-tubing", "21.2 [iU]"),
        ("/5", "insulin-pump-event", "clock-change"),
    ]
    assert place_free(items[1]) == place_free(items[3]) == place_free(items[4])
