"""Nightscout entries and treatments: DEVICES 1.10 and the public sample in shared/samples."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.nightscout import adapter
from adapters.reading import Absent, Quantity, Reading
from tests.support.payloads import SAMPLES, needs_samples
from tests.support.records import assert_the_same_in_any_portions, said

SITE = Path(__file__).parent / "fixtures" / "nightscout" / "site.json"
AT = "2026-03-01T07:00:00.000Z"


def parse(*documents: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(list(documents)).encode()))


def sgv(**fields: Any) -> Any:
    return parse({"type": "sgv", "date": 1_772_344_800_000, "sgv": 104, "direction": "Flat", **fields})[0]


def treatment(event: str = "Meal Bolus", **fields: Any) -> list[Any]:
    return parse({"eventType": event, "created_at": AT, **fields})


def test_a_sensor_value_is_in_mg_per_dl_and_has_no_device_of_its_own() -> None:
    item = sgv(device="xDrip-DexcomG6")
    assert isinstance(item, Reading)
    assert (said(item), item.device, item.source_id) == (("glucose-interstitial", "104 mg/dL"), None, "sgv")


@pytest.mark.parametrize("value", [0, 1, 5, 9, 10, 12])
def test_an_error_code_is_no_glucose(value: int) -> None:
    assert sgv(sgv=value).value == Absent(reason="error")


@pytest.mark.parametrize("value", [13, 38, 39])
def test_what_the_site_shows_as_low_is_no_number(value: int) -> None:
    item = sgv(sgv=value)
    assert (item.value, item.quality) == (Absent(reason="unsupported"), ("below-range",))


def test_the_mark_for_high_stays_a_number_with_a_flag() -> None:
    """A Libre can measure 401; a Dexcom writes it for everything above 400."""
    item = sgv(sgv=401)
    assert (item.value, item.quality) == (Quantity(value="401", unit="mg/dL"), ("at-upper-limit",))
    assert sgv(sgv=402).quality == ()


@pytest.mark.parametrize(("noise", "quality"), [(1, ()), (2, ()), (3, ("questionable",)), (4, ("questionable",)), (None, ())])
def test_noise_makes_a_value_questionable(noise: int | None, quality: tuple[str, ...]) -> None:
    assert sgv(noise=noise).quality == quality


@pytest.mark.parametrize(
    ("direction", "code"),
    [
        ("DoubleUp", "rising-very-fast"),
        ("TripleDown", "falling-very-fast"),
        ("FortyFiveDown", "falling"),
        ("NOT COMPUTABLE", "not-determinable"),
        ("NotComputable", "not-determinable"),
        ("RATE OUT OF RANGE", "not-determinable"),
    ],
)
def test_a_direction_is_a_trend_however_it_is_written(direction: str, code: str) -> None:
    assert sgv(direction=direction).context["trend"].code == code


@pytest.mark.parametrize("direction", [None, "NONE", ""])
def test_no_direction_is_no_trend(direction: str | None) -> None:
    assert sgv(direction=direction).context == {}


@pytest.mark.parametrize("direction", ["Sideways", 4])
def test_an_unknown_direction_is_said_aloud(direction: object) -> None:
    assert sgv(direction=direction).code == "unknown-trend"


def test_an_offset_of_0_adds_nothing_and_another_shows_the_wearers_clock() -> None:
    """Loop writes 0 for "unknown" (LoopKit/Loop 2308): the instant is `date` in any case."""
    zero, paris = sgv(utcOffset=0).time, sgv(utcOffset=60).time
    assert (zero.kind, paris.kind) == ("utc", "offset")
    assert zero.instant == paris.instant == datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
    assert zero.text == paris.text == "1772344800000"
    assert paris.instant.isoformat() == "2026-03-01T07:00:00+01:00"


def test_a_local_time_that_is_called_utc_is_not_read() -> None:
    """A CareLink bridge marks local time as UTC in `dateString` (minimed-connect 30)."""
    assert sgv(dateString="2026-03-01T07:00:00.000Z").time == sgv().time


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"date": None}, "no-time"),
        ({"date": 1_772_344_800}, "time-not-readable"),
        ({"date": "1772344800000"}, "time-not-readable"),
        ({"date": 1_772_344_800_000.5}, "time-not-readable"),
        ({"sgv": None}, "value-missing"),
        ({"sgv": "104"}, "value-not-a-number"),
        ({"type": "etc"}, "unknown-measure"),
        ({"isValid": False}, "deleted-at-source"),
    ],
)
def test_an_entry_in_doubt_waits(fields: dict[str, Any], code: str) -> None:
    item = sgv(**fields)
    assert (item.code, item.keep) == (code, True)


def test_a_treatment_gives_an_item_for_each_thing_it_holds() -> None:
    items = treatment(insulin=4.5, carbs=45, glucose=5.8, glucoseType="Finger", units="mmol")
    assert [(item.pointer, *said(item), item.manual) for item in items] == [
        ("/0/insulin", "insulin-bolus", "4.5 [iU]", False),
        ("/0/carbs", "carbohydrate-intake", "45 g", True),
        ("/0/glucose", "glucose-capillary", "5.8 mmol/L", True),
    ]
    assert items[0].raw == items[1].raw


def test_a_glucose_in_doubt_does_not_take_the_dose_with_it() -> None:
    dose, glucose = treatment(insulin=4.5, glucose=104, glucoseType="Manual", units="mg/dl")
    assert (said(dose), glucose.code) == (("insulin-bolus", "4.5 [iU]"), "unknown-specimen")
    assert treatment(glucose=104, glucoseType="Finger")[0].code == "unit-unknown"


@pytest.mark.parametrize("empty", [None, "", 0, 0.0])
def test_what_a_form_left_empty_is_nothing(empty: object) -> None:
    items = treatment(insulin=empty, carbs=15)
    assert [said(item) for item in items] == [("carbohydrate-intake", "15 g")]


@pytest.mark.parametrize("fields", [{"automatic": True}, {"isSMB": True}])
def test_a_dose_of_the_loop_is_marked(fields: dict[str, bool]) -> None:
    (item,) = treatment("Correction Bolus", insulin=0.3, **fields)
    assert item.quality == ("automated-delivery",)


@pytest.mark.parametrize("place", ["absolute", "rate"])
def test_a_temporary_basal_is_a_rate_for_its_minutes(place: str) -> None:
    (item,) = treatment("Temp Basal", duration=30, **{place: 0.85})
    assert (said(item), item.end.instant - item.time.instant) == (("insulin-basal", "0.85 [iU]/h"), timedelta(minutes=30))


def test_an_automatic_basal_is_a_mode_too() -> None:
    basal, mode = treatment("Temp Basal", duration=30, rate=0, automatic=True)
    assert (said(basal), said(mode)) == (("insulin-basal", "0 [iU]/h"), ("insulin-delivery-mode", "automated"))
    assert (basal.quality, basal.end) == (("automated-delivery",), mode.end)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"percent": -50, "duration": 30}, "rate-unknown"),
        ({"rate": 1, "duration": -5}, "duration-not-readable"),
        ({"rate": "1"}, "value-not-a-number"),
    ],
)
def test_a_basal_in_doubt_waits(fields: dict[str, Any], code: str) -> None:
    assert treatment("Temp Basal", **fields)[0].code == code


@pytest.mark.parametrize(
    ("event", "measure", "code"),
    [
        ("Suspend Pump", "insulin-delivery-mode", "suspended"),
        ("Resume Pump", "insulin-delivery-mode", "resumed"),
        ("Insulin Change", "insulin-pump-event", "reservoir-change"),
    ],
)
def test_events_of_the_pump_are_codes(event: str, measure: str, code: str) -> None:
    assert said(treatment(event)[0]) == (measure, code)


@pytest.mark.parametrize("created_at", ["2026-03-01T07:00:00", "soon"])
def test_a_treatment_without_a_zone_waits(created_at: str) -> None:
    assert parse({"eventType": "Meal Bolus", "created_at": created_at, "insulin": 1})[0].code == "time-not-readable"


def test_other_events_wait_and_parameters_of_a_sensor_are_refused() -> None:
    assert treatment("Site Change")[0].code == "unknown-measure"
    cal = parse({"type": "cal", "date": 1_772_344_800_000, "slope": 900})[0]
    assert (cal.code, cal.keep) == ("not-a-measurement", False)


def test_an_answer_of_version_3_says_when_it_was_changed() -> None:
    answer = {"status": 200, "result": [{"type": "mbg", "date": 1_772_344_800_000, "mbg": 112, "srvModified": 1_772_344_900_000}]}
    (item,) = adapter.decode(json.dumps(answer).encode())
    assert isinstance(item, Reading)
    assert (item.pointer, item.modified) == ("/result/0/mbg", datetime(2026, 3, 1, 6, 1, 40, tzinfo=UTC))


@pytest.mark.parametrize("payload", [b'{"status": "ok"}', b"{}"])
def test_another_document_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(Unreadable, match="eventType"):
        adapter.decode(payload)


def test_nothing_that_a_person_wrote_is_kept() -> None:
    items = list(adapter.decode(SITE.read_bytes()))
    assert len(items) == 16
    assert "ovelace" not in str(items)
    assert "example.org" not in str(items)


@settings(deadline=None)
@given(data=st.data())
def test_order_portions_and_repetition_change_nothing(data: st.DataObject) -> None:
    assert_the_same_in_any_portions(parse, json.loads(SITE.read_bytes()), data)


@needs_samples
def test_the_public_sample_is_one_sensor_value() -> None:
    (item,) = adapter.decode((SAMPLES / "nightscout" / "entries-sgv.json").read_bytes())
    assert isinstance(item, Reading)
    assert item.time is not None
    assert (said(item), item.time.kind, item.context["trend"].code) == (("glucose-interstitial", "188 mg/dL"), "utc", "steady")
    assert item.time.instant == datetime(2022, 12, 30, 7, 15, 40, tzinfo=UTC)
