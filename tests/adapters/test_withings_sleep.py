"""https://developer.withings.com/api-reference#tag/sleep and the summary in shared/samples."""

import json
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Quantity, Reading
from adapters.withings_sleep import adapter
from adapters.withings_sleep.mapping import SUMMARY
from tests.support.payloads import SAMPLES, needs_samples

NIGHT = {
    "id": 12345,
    "startdate": 1594245600,
    "enddate": 1594274400,
    "modified": 1594280000,
    "hash_deviceid": "mat-1",
    "timezone": "Europe/Paris",
}
STAGE = {"startdate": 1594245600, "enddate": 1594247400, "state": 1, "hash_deviceid": "mat-1"}


def parse(payload: bytes) -> list[Any]:
    items = list(adapter.decode(payload))
    assert [fault for item in items for fault in faults(item)] == []
    assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
    return items


def night(text: str) -> list[Any]:
    return parse(json.dumps([NIGHT | {"data": {}}]).replace('"data": {}', f'"data": {{{text}}}').encode())


def stages(*entries: Any) -> list[Any]:
    return parse(json.dumps({"status": 0, "body": {"series": entries, "model": 32}}).encode())


# -- the summary


@pytest.mark.parametrize("row", SUMMARY, ids=lambda row: row.name)
def test_each_field_of_a_night_is_a_measure_over_the_night(row: Any) -> None:
    (item,) = night(f'"{row.name}": 7')
    assert (item.measure, item.value) == (row.measure, Quantity(value="7", unit=row.unit))
    assert (item.time.text, item.end.text, item.source_id, item.device) == ("1594245600", "1594274400", "12345", "mat-1")
    assert item.pointer == f"/0/data/{row.name}"


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    assert night('"sleep_efficiency": 0.930')[0].value == Quantity(value="0.930", unit="1")


def test_the_old_name_of_a_field_gives_way_to_the_new_one() -> None:
    items = night('"durationtosleep": 240, "sleep_latency": 300')
    assert [(item.measure, item.value.value) for item in items] == [("sleep-latency", "300")]


def test_a_field_that_is_null_is_answered_and_not_kept() -> None:
    (item,) = night('"hr_average": null')
    assert (item.code, item.keep) == ("no-value", False)


@pytest.mark.parametrize("field", ['"surprise": 5', '"night_events": {"1": [0]}'])
def test_a_field_that_is_not_mapped_is_kept(field: str) -> None:
    (item,) = night(field)
    assert (item.code, item.keep) == ("unknown-measure", True)


@pytest.mark.parametrize("value", ['"58"', "true", "[58]", "{}"])
def test_a_value_that_is_no_number_costs_that_field_only(value: str) -> None:
    items = night(f'"hr_average": {value}, "hr_min": 48')
    assert [getattr(item, "code", "read") for item in items] == ["value-not-a-number", "read"]


@pytest.mark.parametrize("fields", [{"startdate": None}, {"enddate": "1594274400"}, {"startdate": 0}])
def test_a_night_without_its_times_waits(fields: Any) -> None:
    (item,) = parse(json.dumps([NIGHT | fields | {"data": {"hr_average": 58}}]).encode())
    assert (item.code, item.keep) == ("no-time", True)


# -- stages and series


@pytest.mark.parametrize(
    ("state", "code", "manual"),
    [
        (0, "awake", False),
        (1, "light", False),
        (2, "deep", False),
        (3, "rem", False),
        (4, "asleep", True),
        (5, "asleep", False),
        (15, "out-of-bed", False),
    ],
)
def test_a_state_is_a_stage_of_sleep(state: int, code: str, manual: bool) -> None:
    (item,) = stages(STAGE | {"state": state})
    assert (item.measure, item.value.code, item.manual) == ("sleep-stage", code, manual)
    assert (item.time.text, item.end.text, item.source_id) == ("1594245600", "1594247400", None)


@pytest.mark.parametrize("state", [6, -1, "1", None, 1.5])
def test_a_state_that_is_not_documented_waits(state: Any) -> None:
    assert stages(STAGE | {"state": state})[0].code == "unknown-code"


def test_each_value_of_a_series_has_its_own_second() -> None:
    series = {
        "hr": {"1594245660": 61, "1594246260": 59},
        "rr": {"1594245660": 14},
        "sdnn_1": {"1594245660": 45},
        "rmssd": {"1594245660": 38},
    }
    items = stages(STAGE | series)[1:]
    assert [(item.measure, item.value.value, item.value.unit, item.time.text, item.source_id) for item in items] == [
        ("heart-rate", "61", "/min", "1594245660", "sleep:hr"),
        ("heart-rate", "59", "/min", "1594246260", "sleep:hr"),
        ("respiratory-rate", "14", "/min", "1594245660", "sleep:rr"),
        ("heart-rate-variability-sdnn", "45", "ms", "1594245660", "sleep:sdnn_1"),
        ("heart-rate-variability-rmssd", "38", "ms", "1594245660", "sleep:rmssd"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "code"), [("x", 60, "no-time"), ("1594245660000", 60, "no-time"), ("1594245660", "60", "value-not-a-number")]
)
def test_a_value_that_cannot_be_read_costs_itself_only(key: str, value: Any, code: str) -> None:
    items = stages(STAGE | {"hr": {key: value, "1594246260": 59}})
    assert sorted(getattr(item, "code", "read") for item in items) == sorted([code, "read", "read"])


def test_a_series_that_is_not_mapped_is_kept() -> None:
    item = stages(STAGE | {"snoring": {"1594245660": 30}})[1]
    assert (item.code, item.keep, item.pointer) == ("unknown-measure", True, "/body/series/0/snoring")


def test_the_order_and_repetition_of_entries_change_no_identity() -> None:
    entries = [STAGE | {"hr": {"1594245660": 61}}, STAGE | {"startdate": 1594247400, "enddate": 1594249200, "state": 3}]
    facts = [{str(place_free(item)) for item in stages(*order)} for order in (entries, entries[::-1], entries * 2)]
    assert facts[0] == facts[1] == facts[2]


@pytest.mark.parametrize("entry", [None, 5, [], {}, {"startdate": 1}])
def test_an_entry_that_is_no_night_is_one_refused_item(entry: Any) -> None:
    refused, good = stages(entry, STAGE)
    assert (refused.code, refused.keep, good.measure) == ("not-a-night", False, "sleep-stage")


@pytest.mark.parametrize("document", [{}, {"body": {}}, 5, {"series": 5}])
def test_what_is_no_answer_of_sleep_is_refused(document: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(json.dumps(document).encode())
    assert refused.value.code == "not-series"


@needs_samples
def test_the_nights_of_the_sample() -> None:
    """No device: the account's tracker (model 16) is named by whoever sends it."""
    items = parse((SAMPLES / "withings" / "withings-sleep-summary.json").read_bytes())
    assert [(item.source_id, item.measure, item.value.value) for item in items] == [
        ("123", "sleep-duration-light", "3360"),
        ("123", "sleep-duration-deep", "7800"),
        ("123", "awake-duration", "0"),
        ("123", "sleep-latency", "240"),
        ("123", "wake-up-count", "4"),
        ("124", "sleep-duration-light", "15900"),
        ("124", "sleep-duration-deep", "13800"),
        ("124", "awake-duration", "2700"),
        ("124", "sleep-latency", "0"),
        ("124", "wake-up-count", "0"),
    ]
    assert {(item.time.text, item.end.text) for item in items[:5]} == {("1504307700", "1504319100")}
    assert {item.device for item in items} == {None}
