"""https://developer.withings.com/api-reference#tag/heart; no public sample has a signal."""

import json
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.kit.rules import faults, parses_alone
from adapters.limits import SAMPLES_MAX
from adapters.reading import Quantity, Reading, Samples
from adapters.withings_heart import adapter

ECG = {"signalid": 48, "afib": 0, "signal": [-10, -13, 20, 0], "sampling_frequency": 300, "wearposition": 1}
RECORD = {"deviceid": "watch-1", "model": 93, "timestamp": 1594159644, "modified": 1594159700, "heart_rate": 82, "ecg": ECG}


def parse(document: Any) -> list[Any]:
    items = list(adapter.decode(json.dumps(document).encode()))
    assert [fault for item in items for fault in faults(item)] == []
    assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
    return items


def one(measure: str, **fields: Any) -> Any:
    return next(item for item in parse([RECORD | fields]) if getattr(item, "measure", None) == measure)


def codes(**fields: Any) -> list[str]:
    return [item.code for item in parse([RECORD | fields]) if not isinstance(item, Reading)]


def test_a_record_is_a_rate_a_class_and_a_strip() -> None:
    items = parse({"status": 0, "body": {"series": [RECORD], "more": False, "offset": 0}})
    assert [(item.measure, item.source_id, item.pointer) for item in items] == [
        ("heart-rate-ecg", "average", "/body/series/0/heart_rate"),
        ("ecg-classification", "48", "/body/series/0/ecg/afib"),
        ("ecg-lead-i", "48", "/body/series/0/ecg/signal"),
    ]
    assert {(item.device, item.time.text, item.modified.timestamp()) for item in items} == {("watch-1", "1594159644", 1594159700)}


def test_the_signal_is_a_strip_in_microvolts_at_the_distance_of_its_frequency() -> None:
    """1000/300 ms has no end; 500 Hz is 2 ms."""
    assert one("ecg-lead-i", ecg=ECG | {"sampling_frequency": 500}).value == Samples(data="-10 -13 20 0", period_ms="2", unit="uV")
    assert one("ecg-lead-i").value.period_ms.startswith("3.33333333")


@pytest.mark.parametrize(
    ("position", "measure", "site"),
    [
        (0, "ecg-lead-i", "9736006"),
        (1, "ecg-lead-i", "5951000"),
        (3, "ecg-lead-unspecified", "80768000"),
        (None, "ecg-lead-unspecified", None),
    ],
)
def test_a_wrist_is_lead_i_and_another_place_is_no_lead_that_we_know(position: Any, measure: str, site: str | None) -> None:
    item = one(measure, ecg=ECG | {"wearposition": position})
    assert (item.context["body-site"].code if item.context else None) == site


@pytest.mark.parametrize(
    ("afib", "code"), [(0, "no-atrial-fibrillation"), (1, "atrial-fibrillation"), (2, "inconclusive"), (5, "inconclusive-poor-recording")]
)
def test_the_class_is_coded(afib: int, code: str) -> None:
    assert one("ecg-classification", ecg=ECG | {"afib": afib}).value.code == code


@pytest.mark.parametrize("afib", [99, "1", None, 1.5])
def test_a_class_that_is_not_documented_waits_and_the_strip_is_read(afib: Any) -> None:
    assert codes(ecg=ECG | {"afib": afib}) == ["unknown-code"]


def test_a_record_of_a_cuff_has_a_pressure_and_a_rate_of_the_cuff() -> None:
    items = parse([{"deviceid": "cuff-1", "timestamp": 1594159644, "heart_rate": 61, "bloodpressure": {"diastole": 80, "systole": 120}}])
    assert [(item.measure, item.value) for item in items] == [("heart-rate", Quantity(value="61", unit="/min")), ("blood-pressure", None)]
    assert items[1].components == {"systolic": Quantity(value="120", unit="mm[Hg]"), "diastolic": Quantity(value="80", unit="mm[Hg]")}


@pytest.mark.parametrize(
    ("pressure", "code"),
    [
        (5, "value-not-a-number"),
        ({}, "no-value"),
        ({"systole": 120}, "no-value"),
        ({"systole": "120", "diastole": 80}, "value-not-a-number"),
    ],
)
def test_half_a_pressure_is_none(pressure: Any, code: str) -> None:
    assert codes(bloodpressure=pressure) == [code]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sampling_frequency": 0}, "strip-not-readable"),
        ({"sampling_frequency": "300"}, "strip-not-readable"),
        ({"signal": []}, "strip-not-readable"),
        ({"signal": [1, None]}, "strip-not-readable"),
        ({"signal": [1, [2]]}, "strip-not-readable"),
        ({"signal": "abc"}, "strip-not-readable"),
        ({"signal": [0] * (SAMPLES_MAX + 1)}, "strip-too-long"),
    ],
)
def test_a_signal_that_is_none_costs_the_strip_only(fields: Any, code: str) -> None:
    assert codes(ecg=ECG | fields) == [code]


def test_without_its_signal_id_an_ecg_has_no_identity() -> None:
    assert codes(ecg={name: value for name, value in ECG.items() if name != "signalid"}) == ["no-record-id", "no-record-id"]


@pytest.mark.parametrize("timestamp", [None, "1594159644", 0, 1594159644000])
def test_a_record_without_time_waits(timestamp: Any) -> None:
    (item,) = parse([RECORD | {"timestamp": timestamp}])
    assert (item.code, item.keep) == ("no-time", True)


def test_the_answer_of_get_alone_says_no_time() -> None:
    with pytest.raises(Unreadable) as refused:
        adapter.decode(json.dumps({"status": 0, "body": {"signal": [1], "sampling_frequency": 300}}).encode())
    assert refused.value.code == "no-time"


def test_what_else_stands_in_a_record_is_reported() -> None:
    assert codes(stetho={"signalid": 5, "vhd": 0}) == ["unknown-measure"]


@pytest.mark.parametrize("document", [{}, {"body": {}}, 5, {"series": 5}])
def test_what_is_no_list_of_records_is_refused(document: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(document)
    assert refused.value.code == "not-series"
