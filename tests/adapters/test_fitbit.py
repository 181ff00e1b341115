"""https://dev.fitbit.com/build/reference/web-api/ and the public answer in shared/samples."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.fitbit import adapter
from adapters.fitbit.mapping import LEVEL, SERIES, WEIGHT_FIELDS
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Quantity, Reading
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "fitbit" / "day.json"


def parse(document: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(document).encode()))


def minutes(*entries: Any, days: Any = ("2015-08-21",), name: str = "activities-heart", **dense: Any) -> list[Any]:
    given = {"dataset": list(entries), "datasetInterval": 1, "datasetType": "minute"} | dense
    return parse({name: [{"dateTime": day} for day in days], f"{name}-intraday": given})


def sleep(*entries: Any, **log: Any) -> list[Any]:
    return parse({"sleep": [{"logId": 7, "levels": {"data": list(entries)}} | log]})


MINUTE = {"time": "00:01:00", "value": 64}
STAGE = {"dateTime": "2016-12-13T09:59:00.000", "level": "deep", "seconds": 3780}


def test_a_minute_is_a_heart_rate_at_a_wall_clock_without_zone() -> None:
    (item,) = minutes(MINUTE)
    assert (item.measure, item.value, item.end) == ("heart-rate", Quantity(value="64", unit="/min"), None)
    assert (item.time.kind, item.time.text, item.time.wall) == ("local", "2015-08-21T00:01:00", datetime(2015, 8, 21, 0, 1))  # noqa: DTZ001


@pytest.mark.parametrize("days", [(), ("2015-08-21", "2015-08-22"), (None,), (5,)])
def test_without_exactly_one_day_a_minute_has_no_date(days: Any) -> None:
    assert minutes(MINUTE, days=days)[-1].code == "no-time"


@pytest.mark.parametrize("time", [None, "", "25:00:00", "1 am", "00:01:00Z", 5])
def test_a_time_that_is_none_costs_that_minute_only(time: Any) -> None:
    refused, good = minutes({"time": time, "value": 64}, MINUTE)
    assert refused.keep
    assert refused.code in {"no-time", "time-not-readable"}
    assert isinstance(good, Reading)


@pytest.mark.parametrize(("interval", "type", "end"), [(1, "minute", "14:29:00"), (15, "minute", "14:43:00"), (1, "second", "14:28:01")])
def test_steps_are_those_of_the_interval(interval: int, type: str, end: str) -> None:
    (item,) = minutes({"time": "14:28:00", "value": 52}, name="activities-steps", datasetInterval=interval, datasetType=type)
    assert (item.measure, item.end.text) == ("steps", f"2015-08-21T{end}")


@pytest.mark.parametrize(
    "dense", [{"datasetType": "fortnight"}, {"datasetInterval": 0}, {"datasetInterval": None}, {"datasetInterval": 10**9}]
)
def test_steps_of_an_interval_nobody_knows_are_kept(dense: Any) -> None:
    (item,) = minutes({"time": "14:28:00", "value": 52}, name="activities-steps", **dense)
    assert (item.code, item.keep) == ("time-not-readable", True)


def test_the_steps_of_a_day_last_from_midnight_to_midnight() -> None:
    (item,) = parse({"activities-steps": [{"dateTime": "2015-08-23", "value": "175"}]})
    assert (item.value, item.time.text, item.end.text) == (
        Quantity(value="175", unit="{steps}"),
        "2015-08-23T00:00:00",
        "2015-08-24T00:00:00",
    )


@pytest.mark.parametrize("value", ["64.2", 64.2])
def test_the_mean_of_a_day_is_a_statistic_and_no_reading(value: Any) -> None:
    (item,) = parse({"activities-heart": [{"dateTime": "2015-08-21", "value": value}]})
    assert (item.code, item.keep) == ("statistic-not-a-reading", True)


def test_the_resting_heart_rate_of_a_day_is_a_measure_of_its_own() -> None:
    (item,) = parse({"activities-heart": [{"dateTime": "2015-08-21", "value": {"restingHeartRate": 58, "heartRateZones": []}}]})
    assert (item.measure, item.value.value) == ("heart-rate-resting", "58")


def test_a_day_with_zones_alone_is_kept() -> None:
    (item,) = parse({"activities-heart": [{"dateTime": "2015-08-21", "value": {"heartRateZones": []}}]})
    assert (item.code, item.keep) == ("unknown-measure", True)


def test_a_weight_without_its_unit_is_not_guessed_and_what_has_one_is_read() -> None:
    """The unit follows the Accept-Language of the question, which the answer does not repeat."""
    weight, bmi = parse({"weight": [{"bmi": 21.48, "date": "2015-05-13", "logId": 1431541739000, "time": "18:28:59", "weight": 56.7}]})
    assert (weight.code, weight.keep) == ("unit-unknown", True)
    assert (bmi.measure, bmi.value, bmi.source_id) == ("body-mass-index", Quantity(value="21.48", unit="kg/m2"), "1431541739000")


@pytest.mark.parametrize("level", LEVEL)
def test_each_level_of_sleep_is_a_code_of_the_catalogue(level: str) -> None:
    (item,) = sleep(STAGE | {"level": level})
    assert (item.value.system, item.value.code) in MEASURES["sleep-stage"].codes
    assert item.end.text == "2016-12-13T11:02:00"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (STAGE | {"level": "restless"}, "unknown-value-code"),
        (STAGE | {"level": None}, "unknown-value-code"),
        (STAGE | {"seconds": 0}, "value-missing"),
        (STAGE | {"seconds": 10**9}, "value-missing"),
        (STAGE | {"dateTime": None}, "time-not-readable"),
        (STAGE | {"dateTime": "2016-12-13T09:59:00.000Z"}, "time-not-readable"),
    ],
)
def test_a_stage_that_cannot_be_read_is_kept_and_costs_nothing_else(entry: Any, code: str) -> None:
    refused, good = sleep(entry, STAGE)
    assert (refused.code, refused.keep) == (code, True)
    assert isinstance(good, Reading)


def test_a_short_waking_within_a_stage_is_another_reading() -> None:
    """`shortData` lies over `data`: both may begin at the same moment."""
    one, two = parse({"sleep": [{"logId": 7, "levels": {"data": [STAGE], "shortData": [STAGE | {"level": "wake", "seconds": 30}]}}]})
    assert one.time == two.time
    assert one.source_id != two.source_id


@pytest.mark.parametrize("log", [{"logId": None}, {"logId": "x"}])
def test_a_log_without_its_id_is_kept(log: Any) -> None:
    assert sleep(STAGE, **log)[0].code == "no-record-id"


@pytest.mark.parametrize(
    "document",
    [
        {"weight": [5]},
        {"weight": [{}]},
        {"sleep": ["x"]},
        {"sleep": [{}]},
        {"activities-steps": [None]},
        {"sleep": [{"levels": {"data": [5]}}]},
    ],
)
def test_an_entry_without_anything_is_one_refused_item(document: Any) -> None:
    (item,) = parse(document)
    assert item.code in {"not-a-record", "unknown-measure"}


@pytest.mark.parametrize("document", [1, [], {}, {"sleep": {}}, [{"dateTime": "08/21/15 00:01:00", "value": {"bpm": 64}}]])
def test_what_is_no_answer_of_fitbit_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(document)
    assert refusal.value.code == "not-fitbit"


def test_more_records_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b'{"activities-heart":[],"activities-heart-intraday":{"dataset":[' + b"0," * ITEMS_MAX + b"0]}}")
    assert refusal.value.code == "too-many-items"


def test_units_are_those_of_the_catalogue() -> None:
    assert all(row.unit in MEASURES[row.measure].units for row in SERIES)
    assert all(row.unit is None or row.unit in MEASURES[row.measure].units for row in WEIGHT_FIELDS)


def test_parts_of_an_answer_sent_one_by_one_give_the_same_items() -> None:
    document = json.loads(FIXTURE.read_text())
    pairs = [("activities-heart", "activities-heart-intraday"), ("activities-steps", "activities-steps-intraday"), ("weight",), ("sleep",)]
    alone = [item for names in pairs for item in parse({name: document[name] for name in names})]
    assert sorted(map(repr, map(place_free, alone))) == sorted(map(repr, map(place_free, parse(document))))


@needs_samples
def test_the_public_answer_gives_what_stands_in_it() -> None:
    """The mean of the day, 64.2, is that of its five minutes."""
    mean, *rest = adapter.decode((SAMPLES / "fitbit" / "fitbit-activities-heart-1d-1m-intraday.json").read_bytes())
    assert (mean.code, mean.pointer) == ("statistic-not-a-reading", "/activities-heart/0")
    assert [(item.time.text, item.value.value, item.value.unit) for item in rest] == [
        ("2015-08-21T00:01:00", "64", "/min"),
        ("2015-08-21T00:02:00", "63", "/min"),
        ("2015-08-21T00:03:00", "64", "/min"),
        ("2015-08-21T00:04:00", "65", "/min"),
        ("2015-08-21T00:05:00", "65", "/min"),
    ]
