"""Adapters that are written as mappings: DEVICES 6.3 (declarative), 2.11 (what generic formats look like). docs/guides/declarative.md."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.limits import RAW_BYTES_MAX
from adapters.reading import Absent, Coded, Quantity, Reading, Rejected, Samples
from tests.support.mappings import AT, PULSE, TIME, adapter, decode, only

PRESSURE = {
    "measure": "blood-pressure",
    "components": {
        "systolic": {"from": "$.v", "unit": "mm[Hg]", "when": {"$.kind": "SYS"}},
        "diastolic": {"from": "$.v", "unit": "mm[Hg]", "when": {"$.kind": "DIA"}},
    },
    "correlate": {"by": ["$.g"], "require": ["systolic", "diastolic"]},
}


def pulse(**value: Any) -> dict[str, Any]:
    return {"measure": "heart-rate", "value": {"from": "$.hr", "unit": "/min", **value}}


def codes(items: list[Any]) -> list[str]:
    return [item.code if isinstance(item, Rejected) else item.measure for item in items]


# -- the manifest


def test_the_mapping_carries_the_manifest_and_computes_measures_and_kinds_of_time() -> None:
    made = adapter(PULSE, {"measure": "body-weight", "time": {"from": "$.day", "kind": "local"}, "value": {"from": "$.kg", "unit": "kg"}})
    manifest = made.manifest
    assert (manifest.name, manifest.version, manifest.manufacturer) == ("demo", "1.0.0", "Demo SA")
    assert (manifest.measures, manifest.time_kinds) == (("body-weight", "heart-rate"), ("local", "offset"))
    assert (manifest.needs_time_zone, manifest.media_types) == (True, ("application/json",))


# -- records: foreach, match, drop


def test_steps_lead_to_records_and_each_step_can_be_asked() -> None:
    made = adapter(
        PULSE,
        foreach=[{"unit": "$.units[*]"}, {"sample": "$.samples[*]"}],
        device="$unit.serial",
        time={"from": ["$document.day", "$.at"], "format": "YYYY-MM-DD HH:mm:ssZ", "kind": "offset"},
    )
    items = decode(
        made,
        {
            "day": "2026-01-05",
            "units": [
                {"serial": "A", "samples": [{"hr": 60, "at": "10:00:00+01:00"}, {"hr": 61, "at": "10:01:00+01:00"}]},
                {"serial": "B", "samples": [{"hr": 62, "at": "10:00:00+01:00"}]},
            ],
        },
    )
    assert [(item.device, item.value.value, item.pointer) for item in items if isinstance(item, Reading)] == [
        ("A", "60", "/units/0/samples/0/hr"),
        ("A", "61", "/units/0/samples/1/hr"),
        ("B", "62", "/units/1/samples/0/hr"),
    ]
    assert items[0].time.text == "2026-01-05 10:00:00+01:00"
    assert items[0].time.instant == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_what_is_not_read_is_not_kept() -> None:
    """Law 4: names stand beside measurements in every vendor's messages."""
    made = adapter(PULSE)
    (item,) = decode(made, {"owner": {"name": "Ada Lovelace"}, "items": [{"sn": "S1", "at": AT, "hr": 60, "user": "Ada Lovelace"}, {}][:1]})
    assert json.loads(item.raw) == {"items": [{"sn": "S1", "at": AT, "hr": 60}]}


def test_what_keep_names_is_kept_so_that_a_later_mapping_can_read_it() -> None:
    item = only(adapter(PULSE, keep=["$.rr"]), {"hr": 60, "rr": 12, "user": "Ada"})
    assert json.loads(item.raw)["items"] == [{"sn": "S1", "at": AT, "hr": 60, "rr": 12}]


def test_a_record_that_no_rule_takes_is_reported_and_kept() -> None:
    made = adapter(PULSE, match={"$.kind": ["pulse", "hr"]})
    assert codes(decode(made, {"items": [{"kind": "hr", "sn": "S", "at": AT, "hr": 60}]})) == ["heart-rate"]
    refused = only(made, {"kind": "eda", "hr": 60})
    assert (refused.code, refused.keep) == ("unknown-record", True)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({"$.k": "1"}, True),
        ({"$.k": 1}, True),
        ({"$.k": {"not": [2, 3]}}, True),
        ({"$.k": {"not": 1}}, False),
        ({"$.k": {"exists": True}}, True),
        ({"$.none": {"exists": False}}, True),
        ({"$.null": {"exists": True}}, False),
        ({"$.null": None}, True),
        ({"$.none": None}, False),
        ({"$.yes": True}, True),
        ({"$.half": "0.5"}, True),
        ({"contains(tags, 'a')": True}, True),
        ({"$.k": 1, "$.yes": False}, False),
    ],
)
def test_conditions_compare_with_words_and_all_must_hold(conditions: Any, holds: bool) -> None:
    item = only(adapter(PULSE, match=conditions), {"hr": 60, "k": 1, "null": None, "yes": True, "half": 0.5, "tags": ["a"]})
    assert isinstance(item, Reading) == holds


def test_a_dropped_record_is_refused_with_the_mappings_own_reason() -> None:
    made = adapter(PULSE, drop=[{"when": {"$.goal": True}, "code": "user-goal", "reason": "A goal is no measurement."}])
    item = only(made, {"hr": 60, "goal": True})
    assert (item.code, item.hint, item.keep) == ("user-goal", "A goal is no measurement.", False)


def test_a_member_that_the_mapping_neither_reads_nor_ignores_is_reported_beside_what_is_read() -> None:
    made = adapter(PULSE, vocabulary={"ignore": ["battery"]})
    items = decode(made, {"items": [{"sn": "S1", "at": AT, "hr": 60, "battery": 9, "hrv": 41}]})
    assert codes(items) == ["unknown-field", "heart-rate"]
    assert json.loads(items[0].raw)["items"][0]["hrv"] == 41


def test_a_record_without_any_value_is_reported() -> None:
    assert only(adapter(PULSE), {"x": 1}).code == "unknown-measure"
    assert only(adapter(pulse(required=True)), {"x": 1}).code == "value-missing"


@pytest.mark.parametrize("payload", ["{}", "[]", '{"items": 3}', '{"other": []}', "1"])
def test_a_payload_of_another_product_is_refused_as_a_whole(payload: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        decode(adapter(PULSE), payload)
    assert refusal.value.code == "no-records"


def test_an_empty_list_of_records_gives_nothing() -> None:
    assert decode(adapter(PULSE), '{"items": []}') == []


def test_a_payload_that_is_not_accepted_is_refused_as_a_whole() -> None:
    made = adapter(PULSE, accept={"$.schema": "v1"})
    assert codes(decode(made, {"schema": "v1", "items": [{"sn": "S", "at": AT, "hr": 60}]})) == ["heart-rate"]
    with pytest.raises(Unreadable):
        decode(made, {"schema": "v2", "items": [{"sn": "S", "at": AT, "hr": 60}]})


@pytest.mark.parametrize(
    ("foreach", "payload"),
    [
        ("$.items[?@.hr]", {"items": [{"x": 1}, {"sn": "S", "at": AT, "hr": 60}]}),
        ("$..[?@.hr]", {"a": {"b": [{"sn": "S", "at": AT, "hr": 60}]}}),
        ("$.by_type.*", {"by_type": {"pulse": {"sn": "S", "at": AT, "hr": 60}}}),
        ("$.a[0].b[*]", {"a": [{"b": [{"sn": "S", "at": AT, "hr": 60}]}, {"b": [{"sn": "S", "at": AT, "hr": 61}]}]}),
    ],
)
def test_records_are_found_by_filters_descents_and_members(foreach: str, payload: Any) -> None:
    (item,) = decode(adapter(PULSE, foreach=foreach), payload)
    assert isinstance(item, Reading)
    assert item.value == Quantity(value="60", unit="/min")


# -- device, identity, flags


def test_the_first_identifier_that_is_there_counts_and_none_leaves_it_to_the_sender() -> None:
    made = adapter(PULSE, device=["$.mac", "$.serial"])
    assert only(made, {"hr": 60, "mac": " ", "serial": 77}).device == "77"
    assert only(made, {"hr": 60}).device is None
    assert only(made, {"hr": 60, "mac": "x" * 300}).code == "device-not-readable"


def test_the_records_id_is_joined_from_its_parts() -> None:
    made = adapter(PULSE, source_id=["$.id", {"literal": "hr"}])
    assert only(made, {"hr": 60, "id": 9}).source_id == "9:hr"
    assert only(made, {"hr": 60}).source_id is None


def test_modified_manual_and_preliminary_come_from_the_record() -> None:
    made = adapter(
        PULSE, modified={"from": "$.changed", "format": "epoch-ms", "kind": "utc"}, manual={"$.by": "hand"}, preliminary={"$.sure": False}
    )
    item = only(made, {"hr": 60, "changed": 1700000000500, "by": "hand", "sure": False})
    assert (item.modified, item.manual, item.preliminary) == (datetime(2023, 11, 14, 22, 13, 20, 500000, UTC), True, True)
    assert only(made, {"hr": 60}).modified is None


def test_quality_comes_from_conditions_and_tables_and_an_unknown_word_is_reported() -> None:
    flags = [{"flag": "no-sensor-contact", "when": {"$.contact": False}}, {"from": "$.q", "table": {"?": "questionable"}}]
    made = adapter({**PULSE, "quality": flags})
    assert only(made, {"hr": 60, "contact": False, "q": "?"}).quality == ("no-sensor-contact", "questionable")
    assert only(made, {"hr": 60, "contact": True}).quality == ()
    assert only(made, {"hr": 60, "q": "!"}).code == "unknown-quality"


def test_a_circumstance_is_a_code_and_an_unknown_word_is_reported() -> None:
    site = {"system": "http://snomed.info/sct", "code": "5951000", "display": "Structure of left wrist region"}
    made = adapter({**PULSE, "context": {"body-site": {"from": "$.where", "table": {"L": site}}}})
    assert only(made, {"hr": 60, "where": "L"}).context == {"body-site": Coded(**site)}
    assert only(made, {"hr": 60, "where": "K"}).code == "unknown-context"


# -- values


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (116.0, {}, "116.0"),
        ("74.10", {}, "74.10"),
        (" 74 ", {}, "74"),
        ("+7.5e1", {}, "75"),
        ("72,5", {"decimal": "comma"}, "72.5"),
        ("72.5", {"decimal": "either"}, "72.5"),
        (725, {"scale": "0.1"}, "72.5"),
        (7250, {"scale": "0.010"}, "72.500"),
        (36.6, {"add": "40"}, "76.6"),
        (90071992547409931, {}, "90071992547409931"),
    ],
)
def test_the_digits_of_a_value_are_kept(value: Any, spec: Any, text: str) -> None:
    assert only(adapter(pulse(**spec)), {"hr": value}).value.value == text


def test_json_numbers_keep_the_digits_they_were_written_with() -> None:
    """RFC 8259, 6: a parser that makes floats of them loses the precision of the device."""
    payload = '{"items":[{"sn":"S","at":"%s","hr":%s}]}'
    for digits in ("61.50", "0.10", "12345678901234567.5"):
        (item,) = decode(adapter(PULSE), payload % (AT, digits))
        assert isinstance(item, Reading)
        assert item.value == Quantity(value=digits, unit="/min")
        assert digits.encode() in item.raw


@pytest.mark.parametrize("value", ["--", "1.234,5", "1,234.5", "abc", True, [], {}, "0x10", "1" * 30, "72,5", "٧"])
def test_what_is_no_number_costs_its_record_only(value: Any) -> None:
    items = decode(adapter(PULSE), {"items": [{"sn": "S", "at": AT, "hr": value}, {"sn": "S", "at": AT, "hr": 61}]})
    assert codes(items) == ["value-not-a-number", "heart-rate"]


@pytest.mark.parametrize("value", [0, "0", "0.0", 0.0, "--", None, -1])
def test_a_sentinel_is_no_value_and_says_why(value: Any) -> None:
    made = adapter(pulse(absent={"0": "not-performed", "--": "not-performed", "null": "not-performed", "-1": "not-performed"}))
    assert only(made, {"hr": value}).value == Absent(reason="not-performed")


def test_a_sentinel_may_raise_a_flag() -> None:
    made = adapter(pulse(absent={"HI": {"reason": "unsupported", "quality": ["above-range"]}}))
    item = only(made, {"hr": "HI"})
    assert (item.value, item.quality) == (Absent(reason="unsupported"), ("above-range",))


def test_the_unit_may_stand_in_the_record_and_one_that_is_not_in_the_table_is_reported() -> None:
    unit = {"from": "$.u", "table": {"C": "Cel", "F": "[degF]"}}
    made = adapter({"measure": "body-temperature", "value": {"from": "$.t", "unit": unit}})
    assert only(made, {"t": "98.4", "u": "F"}).value == Quantity(value="98.4", unit="[degF]")
    assert only(made, {"t": "36.6", "u": "K"}).code == "unit-unknown"
    assert only(made, {"t": "36.6"}).code == "unit-missing"


def test_a_word_becomes_a_code_of_the_catalogue() -> None:
    made = adapter({"measure": "ecg-classification", "code": {"from": "$.c", "table": {"AF": "atrial-fibrillation"}}})
    item = only(made, {"c": "AF"})
    assert (item.value.code, item.value.display) == ("atrial-fibrillation", "Atrial fibrillation")
    assert only(made, {"c": "VT"}).code == "unknown-value-code"


@pytest.mark.parametrize(
    ("samples", "spec"),
    [
        ([1, -2, None, 2.5], {}),
        ("1 -2 null 2.5", {"split": "blank"}),
        ("1;-2;null;2.5", {"split": "semicolon"}),
        ("1,-2,null,2.5", {"split": "comma"}),
    ],
)
def test_a_strip_stays_in_the_devices_own_scaling(samples: Any, spec: Any) -> None:
    strip = {"from": "$.ecg", "unit": "uV", "rate_hz": "$.hz", "factor": "4.88", "special": {"null": "E"}, **spec}
    item = only(adapter({"measure": "ecg-lead-i", "strip": strip}), {"ecg": samples, "hz": 512})
    assert item.value == Samples(data="1 -2 E 2.5", period_ms="1.953125", unit="uV", factor="4.88")


@pytest.mark.parametrize(
    ("record", "code"), [({"ecg": [1, "x"], "hz": 1}, "strip-not-readable"), ({"ecg": [1], "hz": 0}, "strip-not-readable")]
)
def test_a_strip_that_cannot_be_read_is_kept_for_later(record: Any, code: str) -> None:
    made = adapter({"measure": "ecg-lead-i", "strip": {"from": "$.ecg", "unit": "uV", "rate_hz": "$.hz"}})
    assert only(made, record).code == code


# -- several records, one reading


def rows(*parts: tuple[str, int, int]) -> dict[str, Any]:
    return {"items": [{"sn": "S", "at": AT, "kind": kind, "g": group, "v": value} for kind, group, value in parts]}


def test_records_of_one_measurement_become_one_reading_whichever_came_first() -> None:
    made = adapter(PRESSURE)
    one = decode(made, rows(("SYS", 1, 120), ("DIA", 1, 80), ("DIA", 2, 70), ("SYS", 2, 110)))
    other = decode(made, rows(("SYS", 2, 110), ("DIA", 1, 80), ("DIA", 2, 70), ("SYS", 1, 120)))
    assert [item.components["systolic"].value for item in one if isinstance(item, Reading)] == ["120", "110"]
    assert {item.raw for item in one} == {item.raw for item in other}


def test_half_a_measurement_is_kept_and_never_stored_as_a_whole_one() -> None:
    (item,) = decode(adapter(PRESSURE), rows(("SYS", 1, 120)))
    assert isinstance(item, Rejected)
    assert (item.code, item.keep) == ("incomplete-group", True)


def test_two_answers_for_one_component_are_not_chosen_between() -> None:
    (item,) = decode(adapter(PRESSURE), rows(("SYS", 1, 120), ("DIA", 1, 80), ("SYS", 1, 130)))
    assert isinstance(item, Rejected)
    assert item.code == "ambiguous-group"


def test_a_record_sent_twice_in_a_group_counts_once() -> None:
    (item,) = decode(adapter(PRESSURE), rows(("SYS", 1, 120), ("DIA", 1, 80), ("SYS", 1, 120)))
    assert isinstance(item, Reading)


def test_lines_of_a_stream_may_be_one_reading_too() -> None:
    made = adapter(PRESSURE, input={"format": "ndjson"}, foreach=None)
    lines = [{"sn": "S", "at": AT, "kind": "SYS", "g": 1, "v": 120}, {"sn": "S", "at": AT, "kind": "DIA", "g": 1, "v": 80}]
    (item,) = decode(made, "\n".join(map(json.dumps, lines)))
    assert isinstance(item, Reading)
    assert item.raw.count(b"\n") == 1


# -- limits


def test_an_item_that_is_too_long_to_be_kept_is_refused() -> None:
    made = adapter({"measure": "ecg-lead-i", "strip": {"from": "$.ecg", "unit": "uV", "split": "blank", "period_ms": {"literal": "2"}}})
    item = only(made, {"ecg": "100000000 " * (RAW_BYTES_MAX // 10)})
    assert (item.code, item.keep) == ("item-too-long", False)


def test_the_pressure_of_one_record_needs_no_correlation() -> None:
    both = {key: {"from": f"$.{key}", "unit": "mm[Hg]"} for key in ("systolic", "diastolic")}
    item = only(adapter({"measure": "blood-pressure", "components": both}), {"systolic": 120, "diastolic": 80})
    assert item.components == {"systolic": Quantity(value="120", unit="mm[Hg]"), "diastolic": Quantity(value="80", unit="mm[Hg]")}
    assert TIME["kind"] == item.time.kind
