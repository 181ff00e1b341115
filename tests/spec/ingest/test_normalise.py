"""Reading -> Measurement, or the doubt that keeps it waiting (DESIGN 7)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gatt import adapter as gatt
from adapters.libreview import adapter as libreview
from adapters.limits import SAMPLES_MAX
from adapters.reading import Absent, Coded, DeviceTime, Quantity, Reading, Samples, Value
from adapters.withings import adapter as withings
from fhir_profiles import r4
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.measurement import AbsentValue, Amount, Coding, Measurement, Strip
from fhir_profiles.observation import observation
from hub.ingest.doubt import Doubt
from hub.ingest.normalise import last_us, normalise, reading_key, span_us, value_text
from tests.support.payloads import SAMPLES, needs_samples

WHEN = datetime(2015, 5, 31, 6, 6, 23, tzinfo=UTC)
NOW_US = 1_795_000_000_000_000
REPEATED = DeviceTime(kind="local", text="1", wall=datetime.fromisoformat("2024-10-27T02:30:00"))
SITE = Coded(system="http://snomed.info/sct", code="368209003", display="Right arm")

WEIGHT = Reading(
    measure="body-weight",
    device="SCALE-1",
    time=DeviceTime(kind="utc", text="1433052383", instant=WHEN),
    value=Quantity(value="74.126", unit="kg"),
    source_id="366956482:1",
    pointer="/body/measuregrps/0",
    raw=b"{}",
)
PRESSURE = replace(
    WEIGHT,
    measure="blood-pressure",
    value=None,
    components={"systolic": Quantity(value="104", unit="mm[Hg]"), "diastolic": Quantity(value="68", unit="mm[Hg]")},
)


def normalised(reading: Reading, **changes: Any) -> Measurement | Doubt:
    return normalise(replace(reading, **changes), time_zone="Europe/Paris", patient="Patient/p1", device="Device/d1", received_us=NOW_US)


def measured(reading: Reading, **changes: Any) -> Measurement:
    answer = normalised(reading, **changes)
    assert isinstance(answer, Measurement)
    return answer


def test_a_reading_becomes_a_measurement_of_the_paired_patient_and_device() -> None:
    assert normalised(WEIGHT) == Measurement(
        measure="body-weight",
        patient="Patient/p1",
        device="Device/d1",
        effective="2015-05-31T06:06:23Z",
        value=Amount(value="74.126", unit="kg"),
    )


def test_flags_status_and_context_are_passed_on() -> None:
    answer = measured(WEIGHT, preliminary=True, quality=("ambiguous-user", "user-index:1"), context={"body-site": SITE})
    assert (answer.preliminary, answer.quality) == (True, ("ambiguous-user", "user-index:1"))
    assert answer.context["body-site"].code == "368209003"


def test_a_value_typed_in_by_hand_has_no_device() -> None:
    """https://hl7.org/fhir/R4/observation-definitions.html#Observation.device: the device that generated the data."""
    assert measured(WEIGHT, manual=True).device is None
    assert measured(WEIGHT).device == "Device/d1"


@pytest.mark.parametrize("text", ["116.0", "74.10", "100", "1.5e2"])
def test_digits_are_kept_where_nothing_is_converted(text: str) -> None:
    assert measured(WEIGHT, value=Quantity(value=text, unit="kg")).value == Amount(value=text, unit="kg")


def test_a_converted_value_keeps_its_original() -> None:
    value = measured(WEIGHT, value=Quantity(value="163.42", unit="[lb_av]")).value
    assert value == Amount(value="74.126", unit="kg", original=Amount(value="163.42", unit="[lb_av]"))


def test_another_spelling_of_the_unit_is_no_conversion() -> None:
    value = measured(WEIGHT, measure="heart-rate", value=Quantity(value="60", unit="1/min")).value
    assert value == Amount(value="60", unit="/min")


@pytest.mark.parametrize(("unit", "text"), [("mg/dL", "98"), ("mmol/L", "5.4")])
def test_glucose_stays_in_the_unit_given(unit: str, text: str) -> None:
    """The LOINC code follows the unit, so nothing has to be converted and nothing is."""
    value = measured(WEIGHT, measure="glucose-interstitial", value=Quantity(value=text, unit=unit)).value
    assert value == Amount(value=text, unit=unit)


def test_an_absent_value_stays_absent_with_its_reason() -> None:
    assert measured(WEIGHT, value=Absent(reason="error")).value == AbsentValue(reason="error")


def test_components_are_settled_one_by_one() -> None:
    """A cuff in kPa whose mean is not a number (GATT 2A35, SFLOAT 0x07FF)."""
    components = {
        "systolic": Quantity(value="18.9", unit="kPa"),
        "diastolic": Quantity(value="82", unit="mm[Hg]"),
        "mean": Absent(reason="not-a-number"),
    }
    assert measured(PRESSURE, components=components).components == {
        "systolic": Amount(value="141.8", unit="mm[Hg]", original=Amount(value="18.9", unit="kPa")),
        "diastolic": Amount(value="82", unit="mm[Hg]"),
        "mean": AbsentValue(reason="not-a-number"),
    }


def test_a_pressure_that_failed_as_a_whole_is_a_measurement_without_value() -> None:
    answer = measured(PRESSURE, components={}, value=Absent(reason="error"))
    assert (answer.value, answer.components) == (AbsentValue(reason="error"), {})


@pytest.mark.parametrize(
    ("reading", "changes", "code"),
    [
        (WEIGHT, {"measure": "shoe-size"}, "unknown-measure"),
        (WEIGHT, {"value": None}, "no-value"),
        (WEIGHT, {"value": SITE}, "value-not-a-quantity"),
        (WEIGHT, {"value": None, "components": {"left": Quantity(value="1", unit="kg")}}, "unknown-component"),
        (PRESSURE, {"components": {}}, "no-value"),
        (PRESSURE, {"components": {"pulse": Quantity(value="60", unit="/min")}}, "unknown-component"),
        (PRESSURE, {"value": Quantity(value="104", unit="mm[Hg]")}, "value-not-a-quantity"),
        (PRESSURE, {"value": Absent(reason="error")}, "value-not-a-quantity"),
        (PRESSURE, {"components": {"systolic": Quantity(value="104", unit="kg")}}, "unit-not-allowed"),
        (PRESSURE, {"components": {"systolic": Quantity(value="2047", unit="mm[Hg]")}}, "implausible-value"),
        (WEIGHT, {"value": Quantity(value="74.1", unit="mm[Hg]")}, "unit-not-allowed"),
        (WEIGHT, {"value": Quantity(value="74.1", unit="KG")}, "unit-not-allowed"),
        (WEIGHT, {"value": Quantity(value="74.1", unit="")}, "unit-not-allowed"),
        (WEIGHT, {"value": Quantity(value="74,1", unit="kg")}, "value-not-a-number"),
        (WEIGHT, {"value": Quantity(value="NaN", unit="kg")}, "value-not-a-number"),
        (WEIGHT, {"value": Quantity(value="", unit="kg")}, "value-not-a-number"),
        (WEIGHT, {"value": Quantity(value="74126", unit="kg")}, "implausible-value"),
        (WEIGHT, {"value": Quantity(value="-1.000", unit="kg")}, "implausible-value"),
        (WEIGHT, {"measure": "body-fat-percentage", "value": Quantity(value="3040", unit="%")}, "implausible-value"),
        (WEIGHT, {"measure": "heart-rate", "value": Quantity(value="0", unit="/min")}, "implausible-value"),
        (WEIGHT, {"measure": "body-temperature", "value": Quantity(value="98.6", unit="Cel")}, "implausible-value"),
        (WEIGHT, {"measure": "glucose-capillary", "value": Quantity(value="1000", unit="mmol/L")}, "implausible-value"),
        (WEIGHT, {"quality": ("surprise",)}, "unknown-quality"),
        (WEIGHT, {"context": {"weather": SITE}}, "unknown-context"),
        (WEIGHT, {"time": None}, "no-time"),
        (WEIGHT, {"time": DeviceTime(kind="ticks", text="1")}, "time-without-calendar"),
        (WEIGHT, {"time": DeviceTime(kind="utc", text="1", instant=WHEN + timedelta(days=36_000))}, "time-out-of-range"),
        (WEIGHT, {"time": DeviceTime(kind="utc", text="1", instant=WHEN + timedelta(days=18_000))}, "time-in-future"),
        (WEIGHT, {"time": REPEATED}, "time-ambiguous"),
    ],
)
def test_what_is_in_doubt_waits(reading: Reading, changes: dict[str, Any], code: str) -> None:
    """Never guess: unknown vocabulary, a doubtful unit or an unproven time keeps the item in quarantine, replayable."""
    assert isinstance(normalised(reading), Measurement)
    answer = normalised(reading, **changes)
    assert isinstance(answer, Doubt)
    assert answer.code == code
    assert answer.hint.endswith(".")


@pytest.mark.parametrize(("value", "possible"), [("0.2", True), ("0.199", False), ("700", True), ("700.0000001", False)])
def test_the_bounds_of_the_possible_are_possible(value: str, possible: bool) -> None:
    assert isinstance(normalised(WEIGHT, value=Quantity(value=value, unit="kg")), Measurement) is possible


def test_the_bounds_hold_whatever_the_unit() -> None:
    """1 543 lb are 699.9 kg."""
    assert isinstance(normalised(WEIGHT, value=Quantity(value="1543", unit="[lb_av]")), Measurement)
    assert isinstance(normalised(WEIGHT, value=Quantity(value="1544", unit="[lb_av]")), Doubt)


@given(value=st.text(max_size=30), unit=st.sampled_from(["kg", "g", "[lb_av]"]))
def test_no_text_breaks_it_and_what_passes_is_valid(value: str, unit: str) -> None:
    """Whatever an adapter yields as a value: a doubt, or an Observation that is right."""
    answer = normalised(WEIGHT, value=Quantity(value=value, unit=unit))
    if isinstance(answer, Measurement):
        built = observation(answer, id="o1", version=1, last_updated="2026-11-22T09:30:00Z")
        assert r4.check(json.loads(built)) == ()


@given(
    key=st.sampled_from(
        sorted(key for key, measure in MEASURES.items() if measure.units and not measure.sampled and not measure.medication)
    ),
    value=st.decimals(-10_000, 10_000, places=3).map(str),
    data=st.data(),
)
def test_every_unit_of_every_measure_ends_inside_the_possible_range_or_waits(key: str, value: str, data: st.DataObject) -> None:
    measure = MEASURES[key]
    unit = data.draw(st.sampled_from(sorted(measure.units)))
    answer = normalised(WEIGHT, measure=key, value=Quantity(value=value, unit=unit))
    if isinstance(answer, Measurement):
        built = json.loads(observation(answer, id="o1", version=1, last_updated="2026-11-22T09:30:00Z"))
        assert built["valueQuantity"]["code"] == measure.units[unit].stored
        assert r4.check(built) == ()


# The identity of a reading, and what it says.


@pytest.mark.parametrize(
    "changes",
    [
        {"measure": "fat-mass"},
        {"time": DeviceTime(kind="utc", text="1433052384", instant=WHEN)},
        {"source_id": "366956482:2"},
        {"source_id": None},
    ],
)
def test_another_measure_time_text_or_source_record_is_another_reading(changes: dict[str, Any]) -> None:
    assert reading_key(WEIGHT, "SCALE-1") != reading_key(replace(WEIGHT, **changes), "SCALE-1")
    assert reading_key(WEIGHT, "SCALE-1") != reading_key(WEIGHT, "SCALE-2")


@pytest.mark.parametrize(
    "changes",
    [
        {"value": Quantity(value="80.0", unit="kg")},
        {"value": Absent(reason="error")},
        {"pointer": "/elsewhere", "raw": b"other"},
        {"modified": WHEN},
        {"manual": True},
        {"quality": ("body-movement",)},
        {"time": DeviceTime(kind="local", text="1433052383", wall=datetime.fromisoformat("2015-05-31T06:06:23"))},
    ],
)
def test_value_place_and_resolved_time_are_no_part_of_the_identity(changes: dict[str, Any]) -> None:
    """DESIGN 7: never the value; and the device's own time text, so that another zone shows as a contradiction."""
    assert reading_key(WEIGHT, "SCALE-1") == reading_key(replace(WEIGHT, **changes), "SCALE-1")


@given(left=st.tuples(*[st.text(max_size=6)] * 3), right=st.tuples(*[st.text(max_size=6)] * 3))
def test_no_two_readings_share_a_key_by_accident(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    """The parts cannot run into each other, whatever characters a vendor uses."""

    def key(parts: tuple[str, str, str]) -> str:
        device, text, source = parts
        return reading_key(replace(WEIGHT, time=DeviceTime(kind="utc", text=text, instant=WHEN), source_id=source), device)

    assert (key(left) == key(right)) is (left == right)


def text(**changes: Any) -> bytes:
    return value_text(measured(changes.pop("reading", WEIGHT), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"value": Quantity(value="74.1260", unit="kg")},
        {"value": Quantity(value="74126", unit="g")},
        {"value": Absent(reason="error")},
        {"preliminary": True},
        {"manual": True},
        {"quality": ("body-movement",)},
        {"context": {"body-site": SITE}},
    ],
)
def test_another_precision_unit_status_or_flag_says_something_else(changes: dict[str, Any]) -> None:
    """74.126 and 74.1260 differ: https://hl7.org/fhir/R4/datatypes.html#decimal, precision is part of the value."""
    assert text() != text(**changes)


@pytest.mark.parametrize(
    "changes", [{"pointer": "/elsewhere", "raw": b"other"}, {"modified": WHEN}, {"source_id": "x"}, {"measure": "fat-mass"}]
)
def test_where_it_stood_and_when_it_was_changed_are_not_what_it_says(changes: dict[str, Any]) -> None:
    assert text() == text(**changes)


def test_the_order_of_flags_and_components_does_not_matter() -> None:
    backwards = dict(reversed(PRESSURE.components.items()))
    assert text(reading=PRESSURE) == text(reading=PRESSURE, components=backwards)
    assert text(quality=("scan", "body-movement")) == text(quality=("body-movement", "scan"))


def test_exchanged_pressures_say_something_else() -> None:
    exchanged = dict(zip(PRESSURE.components, reversed(PRESSURE.components.values()), strict=True))
    assert text(reading=PRESSURE) != text(reading=PRESSURE, components=exchanged)


def test_a_better_conversion_factor_would_correct_nothing() -> None:
    pounds = measured(WEIGHT, value=Quantity(value="163.42", unit="[lb_av]"))
    assert isinstance(pounds.value, Amount)
    assert value_text(pounds) == value_text(replace(pounds, value=replace(pounds.value, value="74.127")))


# Everything that the hub's own adapters yield for the real payloads is in the catalogue, or waits for a reason of the sender's.


@needs_samples
@pytest.mark.parametrize(
    ("adapter", "path"),
    [
        (withings, "withings/getmeas.json"),
        (withings, "withings/getmeas-positions.json"),
        (withings, "withings/withings-body-measures.json"),
        (libreview, "libreview-csv/libre3-synthetic-head.csv"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_readings_of_real_payloads_are_settled(adapter: Any, path: str) -> None:
    readings = [item for item in adapter.decode((SAMPLES / path).read_bytes()) if isinstance(item, Reading)]
    answers = [normalised(reading) for reading in readings]
    assert answers
    assert {answer.code for answer in answers if isinstance(answer, Doubt)} <= {"time-ambiguous", "time-nonexistent"}
    for answer in answers:
        if isinstance(answer, Measurement):
            built = observation(answer, id="o1", version=1, last_updated="2026-11-22T09:30:00Z")
            assert r4.check(json.loads(built)) == ()


@needs_samples
def test_the_frames_of_real_sensors_are_settled() -> None:
    """Flags and sites of GATT are in our code system too; intervals of 1/1024 s and of 64 s between two beats are none of a heart."""
    vectors = json.loads((SAMPLES / "ble-gatt" / "gatt-vectors.json").read_text())
    frames = [{"characteristic": one["characteristic"], "hex": one["hex"], "receivedAt": "2024-05-06T07:08:09+02:00"} for one in vectors]
    readings = [item for item in gatt.decode(json.dumps({"device": "MAC-1", "frames": frames}).encode()) if isinstance(item, Reading)]
    assert readings
    assert {answer.code for answer in map(normalised, readings) if isinstance(answer, Doubt)} <= {
        "no-time",
        "time-out-of-range",
        "implausible-value",
    }


STRIP = replace(WEIGHT, measure="ecg-lead-i", value=Samples(data="1 -2 E 3.5", period_ms="2", unit="uV"))
RHYTHM = replace(
    WEIGHT,
    measure="ecg-classification",
    value=Coded(system="http://hds-hub.invalid/fhir/CodeSystem/ecg-classification", code="sinus-rhythm", display="Regular!"),
)
LATER = DeviceTime(kind="utc", text="1433055983", instant=WHEN + timedelta(hours=1))
STEPS = replace(WEIGHT, measure="steps", value=Quantity(value="812", unit="{steps}"), end=LATER, source_id=None)


def test_a_strip_stays_in_the_scaling_of_the_device() -> None:
    assert measured(STRIP).value == Strip(data="1 -2 E 3.5", period_ms="2", unit="uV", origin="0", factor="1")


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (Samples(data="1 2", period_ms="2", unit="V"), "unit-not-allowed"),
        (Samples(data="1  2", period_ms="2", unit="uV"), "strip-unreadable"),
        (Samples(data="", period_ms="2", unit="uV"), "strip-unreadable"),
        (Samples(data="1 2", period_ms="0", unit="uV"), "strip-unreadable"),
        (Samples(data="1 2", period_ms="-2", unit="uV"), "strip-unreadable"),
        (Samples(data="1 2", period_ms="2", unit="uV", factor="half"), "strip-unreadable"),
        (Samples(data="1 2", period_ms="2", unit="uV", upper="NaN"), "strip-unreadable"),
        (Samples(data=" ".join(["0"] * (SAMPLES_MAX + 1)), period_ms="2", unit="uV"), "strip-too-long"),
        (Quantity(value="5", unit="uV"), "value-not-a-strip"),
    ],
)
def test_a_strip_that_cannot_be_read_waits(samples: Value, code: str) -> None:
    answer = normalised(STRIP, value=samples)
    assert isinstance(answer, Doubt)
    assert answer.code == code


def test_a_strip_as_long_as_may_be_is_taken() -> None:
    assert measured(STRIP, value=Samples(data=" ".join(["0"] * SAMPLES_MAX), period_ms="1", unit="uV"))


def test_a_code_has_the_display_of_the_catalogue() -> None:
    """What a vendor calls it may be anything; a code that others read has one name."""
    value = measured(RHYTHM).value
    assert isinstance(value, Coding)
    assert (value.code, value.display) == ("sinus-rhythm", "Sinus rhythm")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (Coded(system="http://example.org", code="sinus-rhythm", display=""), "unknown-value-code"),
        (Quantity(value="0", unit="1"), "value-not-a-code"),
        (Samples(data="1", period_ms="1", unit="uV"), "value-not-a-code"),
    ],
)
def test_a_code_that_the_catalogue_does_not_have_waits(value: Value, code: str) -> None:
    answer = normalised(RHYTHM, value=value)
    assert isinstance(answer, Doubt)
    assert answer.code == code


def test_what_lasts_has_a_start_and_an_end() -> None:
    made = measured(STEPS)
    assert (made.effective, made.until) == ("2015-05-31T06:06:23Z", "2015-05-31T07:06:23Z")
    start_us, end_us = span_us(made)
    assert end_us - start_us == 3_601_000_000
    assert last_us(made) - start_us == 3_600_000_000 - 1


def test_the_end_follows_the_rules_of_any_time() -> None:
    """A local end needs its zone, one in the future is doubted, and one before the start is no end."""
    assert normalised(STEPS, end=REPEATED) == normalised(WEIGHT, time=REPEATED)
    earlier = normalised(STEPS, end=DeviceTime(kind="utc", text="1", instant=WHEN - timedelta(seconds=1)))
    assert isinstance(earlier, Doubt)
    assert earlier.code == "period-reversed"


def test_two_periods_that_begin_together_are_two_readings_unless_the_source_has_one_record() -> None:
    """The end is identity where there is no record id, and content where there is one: then a longer night is a correction."""
    longer = replace(STEPS, end=replace(LATER, text="1433059583", instant=WHEN + timedelta(hours=2)))
    assert reading_key(STEPS, "d") != reading_key(longer, "d")
    recorded, again = replace(STEPS, source_id="r"), replace(longer, source_id="r")
    assert reading_key(recorded, "d") == reading_key(again, "d")
    assert value_text(measured(recorded)) != value_text(measured(again))


def test_each_number_of_a_strip_tells_a_correction_from_a_duplicate() -> None:
    said = {value_text(measured(STRIP))}
    for change in ({"data": "1"}, {"period_ms": "4"}, {"origin": "1"}, {"factor": "2"}, {"lower": "1"}, {"upper": "1"}):
        said.add(value_text(measured(STRIP, value=replace(STRIP.value, **change))))  # type: ignore[type-var]
    assert len(said) == 7


@pytest.mark.parametrize("changes", [{"value": Absent(reason="error")}, {"value": None}, {"context": {"body-site": SITE}}])
def test_a_dose_that_is_not_known_waits(changes: dict[str, Any]) -> None:
    """What was not given, or not known to be given, is no MedicationAdministration."""
    dose = replace(WEIGHT, measure="insulin-bolus", value=Quantity(value="4.5", unit="[iU]"))
    assert isinstance(normalised(dose), Measurement)
    assert isinstance(normalised(dose, **changes), Doubt)
