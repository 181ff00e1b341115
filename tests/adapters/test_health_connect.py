"""https://developer.android.com/reference/kotlin/androidx/health/connect/client/records/package-summary, in the JSON of schema.json."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.contract import Unreadable
from adapters.health_connect import adapter
from adapters.health_connect.mapping import RECORDS, SLEEP_STAGE, STAGE
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Quantity, Reading
from fhir_profiles.catalogue import MEASURES

FIXTURE = Path(__file__).parent / "fixtures" / "health_connect" / "records.json"
SCHEMA = json.loads(files("adapters.health_connect").joinpath("schema.json").read_text("utf-8"))
METADATA = {"id": "hc-1", "dataOrigin": "com.example", "lastModifiedTime": "2025-07-14T05:00:12Z"}
TIMES = {
    "time": "2025-07-14T05:00:00Z",
    "zoneOffset": "+02:00",
    "startTime": "2025-07-14T05:00:00Z",
    "startZoneOffset": "+02:00",
    "endTime": "2025-07-14T05:10:00Z",
    "endZoneOffset": "+02:00",
}


def weight(**fields: Any) -> dict[str, Any]:
    return {"recordType": "WeightRecord", "metadata": METADATA, "weight": {"value": 62.5, "unit": "kg"}} | TIMES | fields


def parse(*records: Any) -> list[Any]:
    return list(adapter.decode(json.dumps({"records": records}).encode()))


def only(**fields: Any) -> Any:
    (item,) = parse(weight(**fields))
    return item


def made(row: Any, unit: str = "") -> dict[str, Any]:
    """A record of a type, as small as it may be."""
    values = {field.name: {"value": 12, "unit": unit or field.units[0]} if field.units else 12 for field in row.fields}
    if row.measure == SLEEP_STAGE:
        values = {"stage": "deep"}
    if row.series:
        entry = {"startTime": TIMES["startTime"], "endTime": TIMES["endTime"]} if row.measure == SLEEP_STAGE else {"time": TIMES["time"]}
        values = {row.series: [entry | values]}
    return {"recordType": row.type, "metadata": METADATA} | TIMES | values


@pytest.mark.parametrize("row", RECORDS, ids=lambda row: row.type)
def test_each_type_of_record_becomes_its_measure_in_units_of_the_catalogue(row: Any) -> None:
    for unit in row.fields[0].units or ("",):
        (item,) = parse(made(row, unit))
        assert item.measure == row.measure
        for name, value in (item.components or {"": item.value}).items():
            measure = MEASURES[row.measure].components.get(name, MEASURES[row.measure])
            assert value.unit in measure.units if isinstance(value, Quantity) else (value.system, value.code) in measure.codes


@pytest.mark.parametrize("row", RECORDS, ids=lambda row: row.type)
def test_the_schema_knows_each_type_of_record_that_is_read(row: Any) -> None:
    Draft202012Validator(SCHEMA).validate({"records": [made(row, unit) for unit in row.fields[0].units or ("",)]})
    assert not Draft202012Validator(SCHEMA).is_valid({"records": [{"recordType": row.type, "metadata": METADATA}]})


def test_the_schema_is_one_and_the_fixture_follows_it() -> None:
    """https://json-schema.org/draft/2020-12"""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(FIXTURE.read_text()))


@pytest.mark.parametrize(
    "record",
    [weight(weight=62.5), weight(weight={"value": 1, "unit": "kilo"}), weight(time="2025-07-14T07:00:00+02:00"), weight(metadata={}), {}],
)
def test_the_schema_finds_what_would_not_be_read(record: Any) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({"records": [record]})
    (item,) = parse(record)
    assert item.keep


@pytest.mark.parametrize(
    ("zone", "kind", "text"),
    [
        ("+02:00", "offset", "2025-07-14T07:00:00+02:00"),
        ("-0930", "offset", "2025-07-13T19:30:00-09:30"),
        ("Z", "offset", "2025-07-14T05:00:00+00:00"),
        (None, "utc", "2025-07-14T05:00:00Z"),
    ],
)
def test_a_known_offset_gives_local_time_and_an_unknown_one_is_not_invented(zone: Any, kind: str, text: str) -> None:
    item = only(zoneOffset=zone)
    assert (item.time.kind, item.time.text, item.time.instant) == (kind, text, datetime(2025, 7, 14, 5, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe/Paris", "+99:00", "", 2, {}, "+02:00:00"])
def test_an_offset_that_is_none_costs_that_record_only(zone: Any) -> None:
    refused, good = parse(weight(zoneOffset=zone), weight())
    assert (refused.code, refused.keep) == ("time-not-readable", True)
    assert isinstance(good, Reading)


@pytest.mark.parametrize("time", ["2025-07-14T07:00:00+02:00", "2025-07-14T07:00:00", "now", None])
def test_a_time_must_be_an_instant(time: Any) -> None:
    assert only(time=time).code == "time-not-readable"


def test_start_and_end_have_each_its_own_offset() -> None:
    """A walk across a border, or through the night in which the clocks change."""
    (item,) = parse(made(next(row for row in RECORDS if row.type == "StepsRecord")) | {"endZoneOffset": "+01:00"})
    assert (item.time.text, item.end.text) == ("2025-07-14T07:00:00+02:00", "2025-07-14T06:10:00+01:00")


@pytest.mark.parametrize(
    ("metadata", "source_id"),
    [
        ({"id": "hc-1", "dataOrigin": "com.example", "clientRecordId": "77"}, "com.example:77"),
        ({"id": "hc-1", "dataOrigin": "com.example", "clientRecordId": None}, "hc-1"),
        ({"id": "hc-1", "clientRecordId": "77"}, "hc-1"),
    ],
)
def test_the_apps_own_id_comes_before_that_of_health_connect(metadata: Any, source_id: str) -> None:
    """Its id changes when an app writes the same record anew; the app's does not."""
    assert only(metadata=metadata).source_id == source_id


@pytest.mark.parametrize("metadata", [None, {}, {"id": 5}, {"id": ""}, {"clientRecordId": "77"}, {"id": "x" * 300}])
def test_a_record_without_an_id_is_kept(metadata: Any) -> None:
    assert only(metadata=metadata).code == "no-record-id"


def test_a_later_version_is_a_correction_by_the_time_of_its_change() -> None:
    """clientRecordVersion counts the same changes; what the hub orders by is when they were made."""
    one, two = (only(metadata=METADATA | {"lastModifiedTime": f"2025-07-14T05:00:1{n}Z", "clientRecordVersion": n}) for n in (1, 2))
    assert (one.source_id, one.time) == (two.source_id, two.time)
    assert one.modified < two.modified


def test_each_heart_rate_of_a_series_is_a_reading_of_its_own() -> None:
    record = made(RECORDS[0]) | {"samples": [{"time": f"2025-07-14T05:00:0{n}Z", "beatsPerMinute": 60 + n} for n in range(3)]}
    items = parse(record)
    assert [(item.value.value, item.time.text, item.pointer) for item in items] == [
        (f"6{n}", f"2025-07-14T07:00:0{n}+02:00", f"/records/0/samples/{n}") for n in range(3)
    ]


@pytest.mark.parametrize("stage", STAGE)
def test_each_stage_of_sleep_is_a_code_of_the_catalogue(stage: str) -> None:
    entry = {"startTime": TIMES["startTime"], "endTime": TIMES["endTime"], "stage": stage}
    (item,) = parse({"recordType": "SleepSessionRecord", "metadata": METADATA, "stages": [entry]} | TIMES)
    assert (item.value.system, item.value.code) in MEASURES["sleep-stage"].codes


def test_variability_is_rmssd_and_never_sdnn() -> None:
    (item,) = parse({"recordType": "HeartRateVariabilityRmssdRecord", "metadata": METADATA, "heartRateVariabilityMillis": 41.7} | TIMES)
    assert item.measure == "heart-rate-variability-rmssd"


@pytest.mark.parametrize(
    ("source", "measure"),
    [("interstitial_fluid", "glucose-interstitial"), ("capillary_blood", "glucose-capillary"), ("unknown", "glucose-blood")],
)
def test_glucose_is_told_apart_by_its_specimen(source: str, measure: str) -> None:
    level = {"recordType": "BloodGlucoseRecord", "metadata": METADATA, "level": {"value": 5.4, "unit": "mmol/L"}, "specimenSource": source}
    assert parse(level | TIMES)[0].measure == measure


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"recordType": "CyclingPedalingCadenceRecord", "metadata": METADATA}, "unknown-measure"),
        ({"metadata": METADATA}, "unknown-measure"),
        ({"recordType": "BloodGlucoseRecord", "metadata": METADATA, "level": {}, "specimenSource": "tears"} | TIMES, "unit-unknown"),
        ({"recordType": "HeartRateRecord", "metadata": METADATA, "samples": []} | TIMES, "value-missing"),
        (
            {"recordType": "SleepSessionRecord", "metadata": METADATA, "stages": [TIMES | {"stage": "dreaming"}]} | TIMES,
            "unknown-value-code",
        ),
        (weight(weight={"value": 62.5, "unit": "kilo"}), "unit-unknown"),
        (weight(weight={"value": 62.5, "unit": []}), "unit-unknown"),
        (weight(weight={"value": "heavy", "unit": "kg"}), "value-not-a-number"),
    ],
)
def test_what_cannot_be_read_is_kept_and_costs_nothing_else(record: Any, code: str) -> None:
    refused, good = parse(record, weight())
    assert (refused.code, refused.keep) == (code, True)
    assert isinstance(good, Reading)


def test_an_entry_that_is_no_record_is_refused_for_good() -> None:
    refused, entry, good = parse(5, made(RECORDS[0]) | {"samples": ["x"]}, weight())
    assert [(item.code, item.keep, item.pointer) for item in (refused, entry)] == [
        ("not-a-record", False, "/records/0"),
        ("not-a-record", False, "/records/1/samples/0"),
    ]
    assert isinstance(good, Reading)


def test_title_and_notes_are_not_kept() -> None:
    said = repr(list(adapter.decode(FIXTURE.read_bytes())))
    assert "Lovelace" not in said
    assert "badly" not in said


@pytest.mark.parametrize("document", [1, "x", {}, {"records": {}}, {"record": []}])
def test_what_is_no_list_of_records_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(json.dumps(document).encode())
    assert refusal.value.code == "not-health-connect"


def test_more_values_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b'{"records":[{"recordType":"HeartRateRecord","samples":[' + b"0," * ITEMS_MAX + b"0]}]}")
    assert refusal.value.code == "too-many-items"


@settings(deadline=None)
@given(st.permutations(json.loads(FIXTURE.read_text())["records"]), st.integers(1, 9))
def test_any_order_and_any_batches_give_the_same_items(records: list[Any], size: int) -> None:
    batches = [item for start in range(0, len(records), size) for item in parse(*records[start : start + size])]
    whole = parse(*json.loads(FIXTURE.read_text())["records"])
    assert sorted(map(repr, map(place_free, batches))) == sorted(map(repr, map(place_free, whole)))
