"""https://www.openmhealth.org/documentation/#/schema-docs/schema-library and the public examples in shared/samples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.open_mhealth import adapter
from adapters.open_mhealth.mapping import FIELDS
from adapters.reading import Quantity, Reading
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "open_mhealth" / "datapoints.json"
AT = {"date_time": "2025-01-01T00:02:00-08:00"}
RATE = {"heart_rate": {"value": 66, "unit": "beats/min"}, "effective_time_frame": AT}
PRESSURE = {
    "systolic_blood_pressure": {"value": 115, "unit": "mmHg"},
    "diastolic_blood_pressure": {"value": 60, "unit": "mmHg"},
    "effective_time_frame": AT,
}


def parse(*points: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(points).encode()))


def only(body: Any, **header: Any) -> Any:
    (item,) = parse({"header": {"uuid": "u-1"} | header, "body": body})
    return item


def during(**interval: Any) -> Any:
    return only(RATE | {"effective_time_frame": {"time_interval": interval}})


@pytest.mark.parametrize("field", [field for field in FIELDS if field.component is None], ids=lambda field: field.name)
def test_each_value_becomes_its_measure_in_units_of_the_catalogue(field: Any) -> None:
    for unit, ucum in field.units.items():
        item = only({field.name: {"value": 12, "unit": unit}, "effective_time_frame": AT})
        assert (item.measure, item.value) == (field.measure, Quantity(value="12", unit=ucum))
        assert ucum in MEASURES[field.measure].units


def test_digits_stay_as_they_were_written() -> None:
    payload = json.dumps(RATE).replace("66", "66.50").encode()
    (item,) = adapter.decode(payload)
    assert isinstance(item, Reading)
    assert item.value == Quantity(value="66.50", unit="/min")


def test_a_body_without_header_is_read_and_has_no_id() -> None:
    (item,) = parse(RATE)
    assert (item.measure, item.source_id, item.modified) == ("heart-rate", None, None)


@pytest.mark.parametrize("statistic", ["average", "maximum", "minimum", "median", "standard deviation", "", None])
def test_a_statistic_never_becomes_a_plain_reading(statistic: Any) -> None:
    """Whatever the statistic is called, in whatever version."""
    item = only(RATE | {"descriptive_statistic": statistic})
    assert (item.code, item.keep) == ("statistic-not-a-reading", True)


@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        ({"start_date_time": "2025-07-14T08:00:00Z", "end_date_time": "2025-07-14T08:10:00Z"}, "08:00:00Z", "08:10:00Z"),
        ({"start_date_time": "2025-07-14T08:00:00Z", "duration": {"value": 10, "unit": "min"}}, "08:00:00Z", "08:10:00Z"),
        ({"end_date_time": "2025-07-14T08:10:00+02:00", "duration": {"value": 600, "unit": "sec"}}, "08:00:00+02:00", "08:10:00+02:00"),
        ({"start_date_time": "2025-07-14T08:00:00", "duration": {"value": 0.5, "unit": "h"}}, "08:00:00", "08:30:00"),
    ],
)
def test_an_interval_has_start_and_end_however_it_is_given(interval: Any, start: str, end: str) -> None:
    item = during(**interval)
    assert (item.time.text, item.end.text) == (f"2025-07-14T{start}", f"2025-07-14T{end}")


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        ({}, "no-time"),
        ({"date": "2025-07-14", "part_of_day": "morning"}, "no-time"),
        ({"start_date_time": "2025-07-14T08:00:00Z"}, "no-time"),
        ({"start_date_time": "2025-07-14T08:00:00Z", "duration": {"value": 1, "unit": "Mo"}}, "time-not-readable"),
        ({"start_date_time": "2025-07-14T08:00:00Z", "duration": {"value": -1, "unit": "min"}}, "time-not-readable"),
        ({"start_date_time": "2025-07-14T08:00:00Z", "duration": {"value": 10**9, "unit": "wk"}}, "time-not-readable"),
        ({"start_date_time": "yesterday", "duration": {"value": 1, "unit": "h"}}, "time-not-readable"),
    ],
)
def test_an_interval_that_is_none_keeps_the_data_point(interval: Any, code: str) -> None:
    """A part of a day has no time that could be told; a month has no one length."""
    item = during(**interval)
    assert (item.code, item.keep) == (code, True)


def test_a_time_without_offset_gets_no_zone() -> None:
    item = only(RATE | {"effective_time_frame": {"date_time": "2025-01-01T00:02:00"}})
    assert (item.time.kind, item.time.instant) == ("local", None)


@pytest.mark.parametrize(
    ("source", "measure"),
    [
        ("interstitial fluid", "glucose-interstitial"),
        ("capillary blood", "glucose-capillary"),
        ("whole blood", "glucose-blood"),
        (None, "glucose-blood"),
    ],
)
def test_glucose_is_told_apart_by_its_specimen(source: Any, measure: str) -> None:
    item = only({"blood_glucose": {"value": 95, "unit": "mg/dL"}, "effective_time_frame": AT, "specimen_source": source})
    assert item.measure == measure


def test_posture_and_place_are_codes() -> None:
    item = only(PRESSURE | {"body_posture": "sitting", "measurement_location": "left wrist"})
    assert (item.context["posture"].code, item.context["body-site"].code) == ("33586001", "5951000")


@pytest.mark.parametrize("header", [{"modality": "self-reported"}, {"acquisition_provenance": {"modality": "self-reported"}}])
def test_what_a_person_reported_is_marked(header: Any) -> None:
    assert only(RATE, **header).manual
    assert not only(RATE).manual


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"effective_time_frame": AT}, "unknown-measure"),
        (RATE | {"body_weight": {"value": 60, "unit": "kg"}}, "unknown-measure"),
        ({"latency_to_sleep_onset": {"value": 5, "unit": "min"}, "effective_time_frame": AT}, "unknown-measure"),
        ({"blood_glucose": {"value": 95, "unit": "mg/dL"}, "effective_time_frame": AT, "specimen_source": "tears"}, "unknown-measure"),
        ({key: value for key, value in PRESSURE.items() if key != "diastolic_blood_pressure"}, "half-a-pressure"),
        (RATE | {"heart_rate": {"value": 66, "unit": "bpm"}}, "unit-unknown"),
        (RATE | {"heart_rate": 66}, "unit-unknown"),
        (RATE | {"heart_rate": {"value": "fast", "unit": "beats/min"}}, "value-not-a-number"),
        (RATE | {"effective_time_frame": "now"}, "no-time"),
    ],
)
def test_what_cannot_be_read_is_kept_and_costs_nothing_else(body: Any, code: str) -> None:
    refused, good = parse({"header": {}, "body": body}, RATE)
    assert (refused.code, refused.keep) == (code, True)
    assert isinstance(good, Reading)


def test_user_and_notes_are_not_kept() -> None:
    said = repr(list(adapter.decode(FIXTURE.read_bytes())))
    assert "ada@" not in said
    assert "Lovelace" not in said


@pytest.mark.parametrize("document", [1, "x", {}, {"header": {}}])
def test_what_is_no_data_point_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(json.dumps(document).encode())
    assert refusal.value.code == "not-open-mhealth"


def test_more_data_points_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b"[" + b"0," * ITEMS_MAX + b"0]")
    assert refusal.value.code == "too-many-items"


@settings(deadline=None)
@given(st.permutations(json.loads(FIXTURE.read_text())), st.integers(1, 5))
def test_any_order_and_any_batches_give_the_same_items(points: list[Any], size: int) -> None:
    batches = [item for start in range(0, len(points), size) for item in parse(*points[start : start + size])]
    whole = parse(*json.loads(FIXTURE.read_text()))
    assert sorted(map(repr, map(place_free, batches))) == sorted(map(repr, map(place_free, whole)))


@needs_samples
def test_the_public_data_point_gives_what_stands_in_it() -> None:
    (item,) = adapter.decode((SAMPLES / "open-mhealth" / "omh_blood-pressure_4-0.json").read_bytes())
    assert isinstance(item, Reading)
    assert (item.measure, item.source_id) == ("blood-pressure", "aaaa1234-1a2b-3c4d-5e6f-000000000002")
    assert item.components == {"systolic": Quantity(value="115", unit="mm[Hg]"), "diastolic": Quantity(value="60", unit="mm[Hg]")}
    assert item.time is not None
    assert (item.time.instant, item.time.kind) == (datetime(2025, 1, 1, 8, 2, tzinfo=UTC), "offset")
    assert item.modified == datetime(2025, 1, 1, 9, 2, 1, tzinfo=UTC)


@needs_samples
def test_the_public_maximum_of_a_week_is_no_reading() -> None:
    """160/60 is the highest of each over seven days: perhaps never measured together."""
    (item,) = adapter.decode((SAMPLES / "open-mhealth" / "blood-pressure-4.0-descriptive-statistic.json").read_bytes())
    assert getattr(item, "code", None) == "statistic-not-a-reading"
