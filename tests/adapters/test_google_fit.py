"""https://developers.google.com/fit/datatypes and the public dataset in shared/samples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.google_fit import adapter
from adapters.google_fit.mapping import SLEEP_STAGE, STAGE, TYPES
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Quantity, Reading
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "google_fit" / "dataset.json"
START = "1422632268186000000"
ORIGIN = "raw:com.google.heart_rate.bpm:com.example.watch:"


def point(type: str = "com.google.heart_rate.bpm", *values: Any, **fields: Any) -> dict[str, Any]:
    given = {"startTimeNanos": START, "endTimeNanos": START, "dataTypeName": type, "originDataSourceId": ORIGIN}
    return given | {"value": list(values) or [{"fpVal": 54}], "modifiedTimeMillis": "1423721121864"} | fields


def parse(*points: Any) -> list[Any]:
    return list(adapter.decode(json.dumps({"point": points}).encode()))


def only(*points: Any) -> Any:
    (item,) = parse(*points)
    return item


@pytest.mark.parametrize("row", [row for row in TYPES if row.measure != SLEEP_STAGE], ids=lambda row: row.name)
def test_each_data_type_becomes_its_measure_in_a_unit_of_the_catalogue(row: Any) -> None:
    item = only(point(row.name, *[{"fpVal": 12} for _ in row.values]))
    assert item.measure == row.measure
    assert {name: value.unit for name, value in (item.components or {"": item.value}).items()} == dict(row.values)
    for name, unit in row.values:
        assert unit in MEASURES[row.measure].components.get(name, MEASURES[row.measure]).units


def test_digits_stay_as_they_were_written() -> None:
    payload = json.dumps({"point": [point()]}).replace('"fpVal": 54', '"fpVal": 54.50').encode()
    (item,) = adapter.decode(payload)
    assert item.value == Quantity(value="54.50", unit="/min")
    assert b"54.50" in item.raw


def test_nanoseconds_as_text_are_an_instant_and_their_digits_the_text() -> None:
    """A double, which JavaScript has, cannot hold them: the last digits would change."""
    item = only(point(startTimeNanos="1422632268186000001", endTimeNanos="1422632268186000001"))
    assert (item.time.kind, item.time.text) == ("utc", "1422632268186000001")
    assert item.time.instant == datetime(2015, 1, 30, 15, 37, 48, 186000, tzinfo=UTC)


@pytest.mark.parametrize("nanos", [None, "", "soon", "-1", "0", 1.5, True, "1e18", "9" * 22, "٣", [START]])
def test_a_point_without_a_usable_time_is_kept(nanos: Any) -> None:
    refused, good = parse(point(startTimeNanos=nanos), point())
    assert (refused.code, refused.keep) == ("no-time", True)
    assert isinstance(good, Reading)


def test_what_lasts_has_an_end_and_a_moment_has_none() -> None:
    moment, walk = parse(point(), point("com.google.step_count.delta", {"intVal": 4}, endTimeNanos="1422632269186000000"))
    assert (moment.end, walk.end.text) == (None, "1422632269186000000")


def test_two_origins_of_one_moment_are_two_readings() -> None:
    one, two = parse(point(), point(originDataSourceId="raw:com.google.heart_rate.bpm:com.example.strap:"))
    assert one.source_id != two.source_id


def test_the_source_of_the_dataset_holds_where_a_point_names_none() -> None:
    (item,) = adapter.decode(json.dumps({"dataSourceId": ORIGIN, "point": [point(originDataSourceId=None)]}).encode())
    assert item.source_id == f"{ORIGIN}:{START}"
    assert list(map(place_free, adapter.decode(item.raw))) == [place_free(item)]


def test_modified_is_when_google_last_changed_the_point() -> None:
    assert only(point()).modified == datetime(2015, 2, 12, 6, 5, 21, 864000, tzinfo=UTC)


def test_what_a_person_typed_in_is_marked() -> None:
    """The name of such a source ends in user_input."""
    item = only(point(originDataSourceId="raw:com.google.weight:com.google.android.apps.fitness:user_input"))
    assert item.manual


@pytest.mark.parametrize(
    ("specimen", "measure"), [(1, "glucose-interstitial"), (2, "glucose-capillary"), (6, "glucose-blood"), (0, "glucose-blood")]
)
def test_glucose_is_told_apart_by_its_specimen(specimen: int, measure: str) -> None:
    item = only(point("com.google.blood_glucose", {"fpVal": 5.4}, {}, {}, {}, {"intVal": specimen}))
    assert (item.measure, item.value) == (measure, Quantity(value="5.4", unit="mmol/L"))


@pytest.mark.parametrize("specimen", [3, 4, 5])
def test_glucose_in_plasma_serum_or_tears_is_kept(specimen: int) -> None:
    item = only(point("com.google.blood_glucose", {"fpVal": 5.4}, {}, {}, {}, {"intVal": specimen}))
    assert (item.code, item.keep) == ("unknown-measure", True)


def test_a_summary_is_a_statistic_and_no_reading() -> None:
    item = only(point("com.google.heart_rate.summary", {"fpVal": 66}, {"fpVal": 90}, {"fpVal": 55}))
    assert (item.code, item.keep) == ("statistic-not-a-reading", True)


@pytest.mark.parametrize("number", STAGE)
def test_each_stage_of_sleep_is_a_code_of_the_catalogue(number: int) -> None:
    item = only(point("com.google.sleep.segment", {"intVal": number}))
    assert (item.value.system, item.value.code) in MEASURES["sleep-stage"].codes


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (point("com.google.activity.segment", {"intVal": 72}), "unknown-measure"),
        (point("com.google.calories.expended", {"fpVal": 70.0}), "unknown-measure"),
        (point(dataTypeName=5), "unknown-measure"),
        (point("com.google.sleep.segment", {"intVal": 99}), "unknown-value-code"),
        (point("com.google.blood_pressure", {"fpVal": 120}), "value-missing"),
        (point("com.google.blood_pressure", {"fpVal": 120}, {}), "value-not-a-number"),
        (point(value=[{"fpVal": "NaN"}]), "value-not-a-number"),
        (point(value=[5]), "value-not-a-number"),
        (point(value={}), "value-missing"),
        (point(originDataSourceId="x" * 300), "source-not-readable"),
    ],
)
def test_what_cannot_be_read_is_kept_and_costs_nothing_else(changed: Any, code: str) -> None:
    refused, good = parse(changed, point())
    assert (refused.code, refused.keep) == (code, True)
    assert isinstance(good, Reading)


@pytest.mark.parametrize("document", [1, [], {}, {"point": {}}, {"bucket": []}])
def test_what_is_no_dataset_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(json.dumps(document).encode())
    assert refusal.value.code == "not-google-fit"


def test_more_points_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b'{"point":[' + b"0," * ITEMS_MAX + b"0]}")
    assert (refusal.value.code, refusal.value.pointer) == ("too-many-items", "/point")


@settings(deadline=None)
@given(st.permutations(json.loads(FIXTURE.read_text())["point"]), st.integers(1, 7))
def test_any_order_and_any_batches_give_the_same_items(points: list[Any], size: int) -> None:
    batches = [item for start in range(0, len(points), size) for item in parse(*points[start : start + size])]
    whole = parse(*json.loads(FIXTURE.read_text())["point"])
    assert sorted(map(repr, map(place_free, batches))) == sorted(map(repr, map(place_free, whole)))


@needs_samples
def test_the_public_dataset_gives_what_stands_in_it() -> None:
    first, second = adapter.decode((SAMPLES / "google-fit" / "googlefit-merge-heart-rate.json").read_bytes())
    assert (first.measure, first.value, first.end) == ("heart-rate", Quantity(value="54", unit="/min"), None)
    assert first.time.instant == datetime(2015, 1, 30, 15, 37, 48, 186000, tzinfo=UTC)
    assert second.value == Quantity(value="58.0", unit="/min")
    assert (second.time.instant, second.end.instant) == (
        datetime(2015, 7, 10, 14, 34, 32, 914000, tzinfo=UTC),
        datetime(2015, 7, 10, 14, 34, 33, 915000, tzinfo=UTC),
    )
