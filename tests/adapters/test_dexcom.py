"""Dexcom API v3: DEVICES 2.2, https://developer.dexcom.com/docs/dexcomv3 (egvs, calibrations, events)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.dexcom import adapter
from adapters.kit.rules import place_free
from adapters.reading import Absent, Quantity, Reading

FIXTURES = Path(__file__).parent / "fixtures" / "dexcom"
EGV = {
    "recordId": "r-1",
    "systemTime": "2026-03-01T06:00:12Z",
    "displayTime": "2026-03-01T07:00:12+01:00",
    "transmitterId": "TX-1",
    "value": 104,
    "status": "ok",
    "trend": "flat",
    "unit": "mg/dL",
}
EVENT = {**EGV, "eventType": "insulin", "eventSubType": "fastActing", "value": 4.5, "unit": "units", "eventStatus": "created"}


def parse(*records: Any, type: str = "egv") -> list[Any]:
    return list(adapter.decode(json.dumps({"recordType": type, "userId": "u", "records": list(records)}).encode()))


def egv(**fields: Any) -> Any:
    return parse({**EGV, **fields})[0]


def event(**fields: Any) -> Any:
    return parse({**EVENT, **fields}, type="event")[0]


def test_a_value_has_its_unit_its_record_and_its_transmitter() -> None:
    item = egv()
    assert isinstance(item, Reading)
    assert (item.measure, item.value) == ("glucose-interstitial", Quantity(value="104", unit="mg/dL"))
    assert (item.source_id, item.device, item.manual, item.pointer) == ("r-1", "TX-1", False, "/records/0")


@pytest.mark.parametrize(
    ("status", "value", "flag"),
    [
        ("low", 39, "below-range"),
        ("high", 401, "above-range"),
        ("unknown", 39, "below-range"),
        (None, 401, "above-range"),
        ("low", 45, "below-range"),
    ],
)
def test_a_mark_for_out_of_range_is_no_number(status: str | None, value: int, flag: str) -> None:
    """DEVICES 2.2: 39 and 401 are marks."""
    item = egv(status=status, value=value)
    assert (item.value, item.quality) == (Absent(reason="unsupported"), (flag,))


@pytest.mark.parametrize("value", [40, 400])
def test_the_limits_themselves_are_values(value: int) -> None:
    assert egv(value=value).value == Quantity(value=str(value), unit="mg/dL")


def test_in_mmol_only_the_status_says_out_of_range() -> None:
    """39 and 40 mg/dL are both 2.2 mmol/L."""
    assert egv(value=2.2, unit="mmol/L").value == Quantity(value="2.2", unit="mmol/L")
    assert egv(value=2.2, unit="mmol/L", status="low").value == Absent(reason="unsupported")


@pytest.mark.parametrize(
    ("trend", "code"),
    [
        ("doubleUp", "rising-very-fast"),
        ("singleUp", "rising-fast"),
        ("fortyFiveUp", "rising"),
        ("flat", "steady"),
        ("fortyFiveDown", "falling"),
        ("singleDown", "falling-fast"),
        ("doubleDown", "falling-very-fast"),
        ("notComputable", "not-determinable"),
        ("rateOutOfRange", "not-determinable"),
    ],
)
def test_an_arrow_is_a_trend(trend: str, code: str) -> None:
    assert egv(trend=trend).context["trend"].code == code


@pytest.mark.parametrize("trend", ["none", "unknown", None])
def test_no_arrow_is_no_trend(trend: str | None) -> None:
    assert egv(trend=trend).context == {}


def test_the_instant_is_the_systems_and_the_offset_that_of_the_display() -> None:
    time = egv().time
    assert (time.kind, time.text) == ("offset", "2026-03-01T06:00:12Z")
    assert time.instant == datetime(2026, 3, 1, 6, 0, 12, tzinfo=UTC)
    assert time.instant.isoformat() == "2026-03-01T07:00:12+01:00"


def test_a_receiver_writes_utc_without_saying_so_and_gets_no_offset() -> None:
    """The vendor: records sourced from receivers will not have UTC offsets; an offset worked out would be the clock's fault too."""
    time = egv(systemTime="2026-03-01T06:00:12", displayTime="2026-03-01T07:07:12").time
    assert (time.kind, time.instant) == ("utc", datetime(2026, 3, 1, 6, 0, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("sub_type", "measure"),
    [("fastActing", "insulin-rapid"), ("longActing", "insulin-long"), (None, "insulin-bolus")],
)
def test_insulin_is_what_a_person_entered(sub_type: str | None, measure: str) -> None:
    item = event(eventSubType=sub_type)
    assert (item.measure, item.value, item.manual) == (measure, Quantity(value="4.5", unit="[iU]"), True)


def test_carbohydrates_and_a_finger_stick_are_events_too() -> None:
    assert event(eventType="carbs", eventSubType=None, value=45, unit="grams").value == Quantity(value="45", unit="g")
    item = event(eventType="bloodGlucose", eventSubType=None, value=118, unit="mg/dL")
    assert (item.measure, item.value) == ("glucose-capillary", Quantity(value="118", unit="mg/dL"))


def test_a_calibration_is_a_finger_stick_that_was_entered() -> None:
    (item,) = adapter.decode((FIXTURES / "calibrations.json").read_bytes())
    assert isinstance(item, Reading)
    assert (item.measure, item.value, item.quality, item.manual) == (
        "glucose-capillary",
        Quantity(value="118", unit="mg/dL"),
        ("calibration-entry",),
        True,
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"unit": "unknown"}, "unit-unknown"),
        ({"value": None}, "value-missing"),
        ({"value": "104"}, "value-not-a-number"),
        ({"status": "odd"}, "unknown-status"),
        ({"trend": "sideways"}, "unknown-trend"),
        ({"systemTime": None}, "no-time"),
        ({"systemTime": "yesterday"}, "time-not-readable"),
        ({"recordId": None}, "no-record-id"),
        ({"transmitterId": 5}, "device-not-readable"),
    ],
)
def test_a_value_in_doubt_waits(fields: dict[str, Any], code: str) -> None:
    item = egv(**fields)
    assert (item.code, item.keep) == (code, True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"eventStatus": "deleted"}, "deleted-at-source"),
        ({"eventType": "exercise"}, "unknown-measure"),
        ({"eventSubType": "ultraActing"}, "unknown-measure"),
        ({"unit": "mL"}, "unit-unknown"),
        ({"value": None}, "value-missing"),
    ],
)
def test_an_event_in_doubt_waits(fields: dict[str, Any], code: str) -> None:
    item = event(**fields)
    assert (item.code, item.keep) == (code, True)


def test_other_records_wait_and_what_is_no_record_is_refused() -> None:
    assert parse(EGV, type="alert")[0].code == "unknown-measure"
    assert (parse(5)[0].code, parse(5)[0].keep) == ("not-a-record", False)


@pytest.mark.parametrize("payload", [b"[]", b'{"records": []}', b'{"recordType": "egv"}', b'{"recordType": "egv", "records": {}}'])
def test_another_document_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(Unreadable, match="recordType"):
        adapter.decode(payload)


@pytest.mark.parametrize("name", ["egvs", "events", "calibrations"])
def test_account_and_notes_are_not_kept(name: str) -> None:
    items = list(adapter.decode((FIXTURES / f"{name}.json").read_bytes()))
    assert "ovelace" not in str(items)


@settings(deadline=None)
@given(data=st.data())
def test_order_portions_and_repetition_change_nothing(data: st.DataObject) -> None:
    records = json.loads((FIXTURES / "egvs.json").read_bytes())["records"]
    whole = {str(place_free(item)) for item in parse(*records)}
    shuffled = data.draw(st.permutations([*records, *records[:2]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert {str(place_free(item)) for item in (*parse(*shuffled[:cut]), *parse(*shuffled[cut:]))} == whole
