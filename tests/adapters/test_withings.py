"""https://developer.withings.com/api-reference#tag/measure/operation/measure-getmeas and the real answers in shared/samples."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX, RAW_BYTES_MAX
from adapters.reading import Quantity, Reading, Rejected
from adapters.withings import adapter
from adapters.withings.mapping import ATTRIBUTIONS, TYPES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURES = Path(__file__).parent / "fixtures" / "withings"

WEIGHT = {"type": 1, "value": 74126, "unit": -3}
DIASTOLIC, SYSTOLIC = {"type": 9, "value": 68, "unit": 0}, {"type": 10, "value": 104, "unit": 0}


def group(*measures: Any, **fields: Any) -> dict[str, Any]:
    head = {"grpid": 7, "attrib": 0, "date": 1700000000, "modified": 1700000100, "category": 1, "deviceid": "scale-1"}
    return head | fields | {"measures": list(measures)}


def parse(document: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(document).encode()))


def only(document: Any) -> Any:
    (item,) = parse(document)
    return item


def sample(name: str) -> list[Any]:
    return list(adapter.decode((SAMPLES / "withings" / name).read_bytes()))


# -- the form of the payload


@pytest.mark.parametrize(
    ("wrap", "pointer"),
    [
        (lambda groups: {"status": 0, "body": {"measuregrps": groups}}, "/body/measuregrps/0/measures/0"),
        (lambda groups: {"measuregrps": groups}, "/measuregrps/0/measures/0"),
        (lambda groups: groups, "/0/measures/0"),
    ],
    ids=["answer", "body", "list"],
)
def test_answer_body_and_list_are_read_alike_and_pointed_into(wrap: Any, pointer: str) -> None:
    """RFC 6901: the pointer leads to the measure in what was sent."""
    item = only(wrap([group(WEIGHT)]))
    assert item.pointer == pointer
    assert place_free(item) == place_free(only([group(WEIGHT)]))


@pytest.mark.parametrize("document", [1, "x", None, {}, {"body": {}}, {"body": []}, {"measuregrps": {}}, {"body": {"series": []}}])
def test_what_is_no_getmeas_answer_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(document)
    assert refusal.value.code == "not-getmeas"


@pytest.mark.parametrize(("status", "hint"), [(401, "refresh"), (601, "wait"), (2554, "2554"), ("Ada", "not a number")])
def test_an_error_of_the_vendor_is_passed_on_with_what_to_do(status: Any, hint: str) -> None:
    with pytest.raises(Unreadable, match=hint) as refusal:
        parse({"status": status, "body": {}})
    assert (refusal.value.code, refusal.value.pointer) == ("vendor-error", "/status")


def test_an_answer_without_groups_gives_nothing() -> None:
    assert parse({"status": 0, "body": {"measuregrps": []}}) == []


def test_more_measures_than_the_limit_are_refused_before_the_first_item() -> None:
    payload = b'[{"measures":[' + b"0," * ITEMS_MAX + b"0]}]"
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == "too-many-items"


# -- values


@pytest.mark.parametrize("row", [row for row in TYPES if row.component is None and row.unit], ids=lambda row: row.measure)
def test_each_type_becomes_its_measure_with_the_unit_of_the_documentation(row: Any) -> None:
    item = only([group({"type": row.type, "value": 125, "unit": -1} | ({"position": 3} if row.segment else {}))])
    assert (item.measure, item.value) == (row.measure, Quantity(value="12.5", unit=row.unit))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(74126, -3, "74.126"), (118000, -3, "118.000"), (37, 0, "37"), (-1000, -3, "-1.000"), (5, 2, "500"), (0, -1, "0.0")],
)
def test_the_value_is_exact_and_keeps_its_decimals(value: int, unit: int, text: str) -> None:
    """Real value = value·10^unit; never through a float."""
    assert only([group({"type": 1, "value": value, "unit": unit})]).value.value == text


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(-20, 20))
def test_the_value_is_exact_for_every_mantissa_and_unit(value: int, unit: int) -> None:
    assert Decimal(only([group({"type": 1, "value": value, "unit": unit})]).value.value) == Decimal(value).scaleb(unit)


@pytest.mark.parametrize("bad", ["74126", 74.126, None, True, [74126], 10**30])
def test_a_value_that_is_no_integer_costs_that_measure_only(bad: Any) -> None:
    """A number beyond 64 bits arrives as a float, too."""
    refused, good = parse([group({"type": 1, "value": bad, "unit": 0}, {"type": 6, "value": 20, "unit": 0})])
    assert (refused.code, refused.keep, good.measure) == ("value-not-a-number", True, "body-fat-percentage")


@pytest.mark.parametrize(("value", "unit"), [(1, 21), (1, -21), (10**18, 0), (-(10**18), 0), (1, 10**9)])
def test_a_value_of_absurd_size_is_not_written_out(value: int, unit: int) -> None:
    assert only([group({"type": 1, "value": value, "unit": unit})]).code == "value-out-of-bounds"


# -- blood pressure


def test_the_two_pressures_of_a_group_are_one_reading() -> None:
    item = only([group(DIASTOLIC, SYSTOLIC)])
    assert (item.measure, item.value, item.source_id, item.pointer) == ("blood-pressure", None, "7:bp", "/0")
    assert item.components == {"diastolic": Quantity(value="68", unit="mm[Hg]"), "systolic": Quantity(value="104", unit="mm[Hg]")}


def test_the_pulse_beside_a_pressure_is_a_reading_of_its_own() -> None:
    pulse, pressure = parse([group(DIASTOLIC, {"type": 11, "value": 41, "unit": 0}, SYSTOLIC)])
    assert (pulse.measure, pulse.value.unit, pressure.measure) == ("heart-rate", "/min", "blood-pressure")


def test_a_pressure_alone_is_read_with_the_one_component() -> None:
    assert only([group(SYSTOLIC)]).components == {"systolic": Quantity(value="104", unit="mm[Hg]")}


def test_a_pressure_with_an_unreadable_half_is_refused_whole() -> None:
    """Half a pressure would mislead; what was sent is kept."""
    item = only([group(DIASTOLIC, SYSTOLIC | {"value": "104"})])
    assert (item.code, item.keep, json.loads(item.raw)[0]["measures"]) == (
        "value-not-a-number",
        True,
        [DIASTOLIC, SYSTOLIC | {"value": "104"}],
    )


@pytest.mark.parametrize(("second", "result"), [(104, Reading), (105, Rejected)], ids=["same", "other"])
def test_two_pressures_in_one_group_are_paired_only_if_nothing_is_left_to_guess(second: int, result: type) -> None:
    item = only([group(DIASTOLIC, SYSTOLIC, SYSTOLIC | {"value": second})])
    assert isinstance(item, result)
    assert getattr(item, "code", "ambiguous-group") == "ambiguous-group"


# -- what is known about a group


def test_time_is_the_instant_in_utc_and_its_digits_are_the_text() -> None:
    item = only([group(WEIGHT, timezone="Asia/Tokyo")])
    assert (item.time.kind, item.time.text, item.time.instant, item.time.wall) == (
        "utc",
        "1700000000",
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        None,
    )


@pytest.mark.parametrize("date", [None, "1700000000", 0, -1, 1700000000.5, 1700000000000, True])
def test_a_group_without_a_usable_date_keeps_its_measures_for_later(date: Any) -> None:
    """Milliseconds would lie in the year 55840: refused, not divided."""
    items = parse([group(WEIGHT, SYSTOLIC, date=date), group(WEIGHT)])
    assert [getattr(item, "code", "read") for item in items] == ["no-time", "no-time", "read"]
    assert [item.device for item in items] == ["scale-1"] * 3


@pytest.mark.parametrize(("modified", "expected"), [(1700000100, datetime(2023, 11, 14, 22, 15, tzinfo=UTC)), (None, None), ("x", None)])
def test_modified_orders_corrections_where_it_is_known(modified: Any, expected: datetime | None) -> None:
    assert only([group(WEIGHT, modified=modified)]).modified == expected


@pytest.mark.parametrize("row", ATTRIBUTIONS, ids=lambda row: f"attrib {row.attrib}")
def test_attribution_says_whose_and_how(row: Any) -> None:
    item = only([group(WEIGHT, attrib=row.attrib)])
    assert (item.preliminary, item.manual, item.quality) == (row.preliminary, row.manual, row.quality)


def test_an_ambiguous_user_makes_it_preliminary_and_manual_entry_is_marked() -> None:
    """attrib 1: the device was not sure who stood on it; 2 and 4: typed in."""
    assert only([group(WEIGHT, attrib=1)]).preliminary
    assert [only([group(WEIGHT, attrib=attrib)]).manual for attrib in (0, 2, 4, 8)] == [False, True, True, False]


@pytest.mark.parametrize("attrib", [99, None, "0", {}])
def test_an_attribution_nobody_knows_is_doubtful(attrib: Any) -> None:
    item = only([group(WEIGHT, attrib=attrib)])
    assert (item.preliminary, item.quality) == (True, ("attribution-unknown",))


def test_a_user_goal_is_no_measurement() -> None:
    """category 2 is what the user aims at: refused for good, measure by measure."""
    items = parse([group(WEIGHT, SYSTOLIC, category=2)])
    assert [(item.code, item.keep) for item in items] == [("user-goal", False)] * 2


@pytest.mark.parametrize("category", [None, 3, "1", {}])
def test_another_category_is_kept(category: Any) -> None:
    item = only([group(WEIGHT, category=category)])
    assert (item.code, item.keep) == ("unknown-category", True)


@pytest.mark.parametrize(("deviceid", "device"), [("scale-1", "scale-1"), (None, None), ("", None), (" s ", "s")])
def test_device_is_the_deviceid_or_nothing(deviceid: Any, device: str | None) -> None:
    assert only([group(WEIGHT, deviceid=deviceid)]).device == device


@pytest.mark.parametrize("fields", [{"deviceid": 5}, {"deviceid": "x" * 257}, {"deviceid": {"a": 1}}])
def test_a_device_that_is_no_short_text_is_not_cut_to_fit(fields: dict[str, Any]) -> None:
    item = only([group(WEIGHT, **fields)])
    assert (item.code, item.keep, item.device) == ("device-not-readable", True, None)


@pytest.mark.parametrize("grpid", [None, "7", 7.5, []])
def test_without_its_group_id_a_measure_has_no_identity(grpid: Any) -> None:
    assert only([group(WEIGHT, grpid=grpid)]).code == "no-record-id"


@pytest.mark.parametrize("entry", [None, 5, "Ada", [], {}, {"measures": 5}])
def test_an_entry_that_is_no_group_is_one_refused_item(entry: Any) -> None:
    refused, good = parse([entry, group(WEIGHT)])
    assert (refused.code, refused.keep, refused.pointer, good.measure) == ("not-a-measuregrp", False, "/0", "body-weight")


# -- identity


def test_the_same_group_sent_as_attrib_0_and_8_has_one_identity() -> None:
    """DEVICES 2.1: the hub answers the second with duplicate."""
    one, two = parse([group(WEIGHT, attrib=0), group(WEIGHT, attrib=8)])
    assert (one.source_id, one.time, one.value, one.quality) == (two.source_id, two.time, two.value, two.quality)


def test_the_position_is_part_of_the_identity_and_of_the_context() -> None:
    item = only([group({"type": 8, "value": 1866, "unit": -2, "position": 7})])
    assert (item.source_id, item.context["body-site"].code) == ("7:8:7", "38266002")


def test_a_position_without_a_code_stays_in_the_identity() -> None:
    item = only([group({"type": 8, "value": 1866, "unit": -2, "position": 8})])
    assert (item.source_id, item.context) == ("7:8:8", {})


@pytest.mark.parametrize("position", ["7", 7.0, [7]])
def test_a_position_that_is_no_integer_is_not_ignored(position: Any) -> None:
    assert only([group(WEIGHT | {"position": position})]).code == "position-not-readable"


@pytest.mark.parametrize("type_", [18, 139, 9999])
def test_a_type_that_is_not_mapped_is_kept_and_named(type_: int) -> None:
    """Nothing is dropped in silence; -1000 of type 18 is nobody's measurement."""
    item = only([group({"type": type_, "value": -1000, "unit": -3})])
    assert (item.code, item.keep, str(type_) in item.hint) == ("unknown-measure", True, True)


@pytest.mark.parametrize("measure", [None, 5, [], {}, {"type": "1"}, {"type": [1]}])
def test_a_measure_without_a_type_is_kept(measure: Any) -> None:
    assert only([group(measure)]).code == "unknown-measure"


# -- what is kept


def test_raw_is_the_group_reduced_to_that_measure_and_holds_nothing_of_the_account() -> None:
    item = next(iter(adapter.decode((FIXTURES / "evening.json").read_bytes())))
    (kept,) = json.loads(item.raw)
    assert kept["measures"] == [{"type": 11, "value": 62, "unit": 0}]
    assert kept["comment"] == "after dinner"
    assert not {"account", "userid"} & kept.keys()
    assert b"ada@example.org" not in item.raw


def test_a_group_with_more_than_an_item_may_hold_is_refused_measure_by_measure() -> None:
    items = parse([group(WEIGHT, SYSTOLIC, comment="x" * RAW_BYTES_MAX), group(WEIGHT, comment="x" * RAW_BYTES_MAX, category=2)])
    assert [(item.code, item.keep, len(item.raw)) for item in items] == [("item-too-long", False, RAW_BYTES_MAX)] * 3


@settings(deadline=None)
@given(st.permutations([*range(4)]))
def test_the_order_of_groups_and_measures_does_not_change_what_is_read(order: list[int]) -> None:
    groups = [group(DIASTOLIC, WEIGHT, SYSTOLIC), group(WEIGHT, grpid=8), group(SYSTOLIC, category=2), group(WEIGHT, {"type": 18}, grpid=9)]
    shuffled = [groups[index] | {"measures": groups[index]["measures"][::-1]} for index in order]
    facts = [
        sorted(
            str((i.measure, i.value, dict(sorted(i.components.items())), i.source_id, i.time) if isinstance(i, Reading) else i.code)
            for i in parse(d)
        )
        for d in (groups, shuffled)
    ]
    assert facts[0] == facts[1]


# -- the real answers


@needs_samples
def test_the_shimmer_sample_gives_what_a_reader_of_the_documents_expects() -> None:
    items: list[Any] = sample("withings-body-measures.json")
    read = [
        (i.measure, i.value.value if i.value else {n: v.value for n, v in i.components.items()}) for i in items if not hasattr(i, "code")
    ]
    assert read == [
        ("heart-rate", "41"),
        ("body-weight", "74.126"),
        ("blood-pressure", {"diastolic": "68", "systolic": "104"}),
        ("body-weight", "74.128"),
        ("heart-rate", "51"),
        ("heart-rate", "47"),
        ("body-height", "1.930"),
        ("body-temperature", "37"),
    ]
    assert [(i.code, i.keep) for i in items if isinstance(i, Rejected)] == [("unknown-measure", True)] * 3
    assert [i.manual for i in items if not hasattr(i, "code")] == [False] * 4 + [True] * 4


@needs_samples
def test_the_sample_that_sends_a_group_twice_gives_one_identity() -> None:
    items = sample("getmeas.json")
    assert [(i.source_id, i.value.value, i.time.text, i.device) for i in items] == [
        ("4815757309:1", "118.003", "1693651151", "f998be4b9ccc9e136fd8cd8e8e344c31ec3b271d")
    ] * 2


@needs_samples
def test_the_segmental_sample_keeps_every_segment() -> None:
    """28 measures in each of two groups, all read: trunk, left and right legs and arms add up to the whole within the scale's rounding."""
    items = sample("getmeas-positions.json")
    assert Counter(getattr(i, "code", "read") for i in items) == {"read": 56}
    assert items[27].value == Quantity(value="19.467", unit="%")
    read = {i.source_id.removeprefix("5149666502:"): f"{i.value.value} {i.value.unit}" for i in items[:28]}
    assert {name: read[name] for name in ("168:7", "169:7", "170:7", "226:7")} == {
        "168:7": "21.62 kg",
        "169:7": "30.43 kg",
        "170:7": "3.2 1",
        "226:7": "2263 kcal/d",
    }
    assert [read[f"175:{place}"] for place in (12, 10, 3, 11, 2)] == ["38.23 kg", "12.77 kg", "4.42 kg", "13.30 kg", "4.63 kg"]
    assert [read[f"174:{place}"] for place in (12, 10, 3, 11, 2)] == ["12.09 kg", "2.41 kg", "1.07 kg", "2.07 kg", "0.99 kg"]


@needs_samples
@pytest.mark.parametrize("name", ["withings-sleep-summary.json", "user-getdevice.json"])
def test_other_answers_of_the_same_vendor_are_refused_as_a_whole(name: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        sample(name)
    assert refusal.value.code == "not-getmeas"


# -- classes and parts of the body


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "no-atrial-fibrillation"),
        (1, "atrial-fibrillation"),
        (2, "inconclusive"),
        (3, "inconclusive-poor-recording"),
        (4, "unrecognized"),
        (5, "inconclusive-poor-recording"),
        (6, "inconclusive-low-heart-rate"),
        (7, "inconclusive-high-heart-rate"),
        (8, "inconclusive"),
        (9, "no-atrial-fibrillation"),
        (10, "no-atrial-fibrillation"),
        (11, "atrial-fibrillation"),
        (12, "atrial-fibrillation"),
        (13, "inconclusive"),
    ],
)
def test_type_130_is_a_class_and_no_quantity(value: int, code: str) -> None:
    """The table of the measure object: 0 is negative, which is no sinus rhythm that somebody recognised."""
    item = only([group({"type": 130, "value": value, "unit": 0})])
    assert (item.measure, item.value.code) == ("ecg-classification", code)


@pytest.mark.parametrize("value", [14, -1, "1", None])
def test_a_class_that_is_not_documented_waits(value: Any) -> None:
    assert only([group({"type": 130, "value": value, "unit": 0})]).code == "unknown-code"


@pytest.mark.parametrize("type_", [173, 174, 175])
def test_a_mass_of_a_part_of_the_body_says_of_which(type_: int) -> None:
    arm = only([group({"type": type_, "value": 382, "unit": -2, "position": 3})])
    assert (arm.source_id, arm.context["body-site"].code, arm.measure[-8:]) == (f"7:{type_}:3", "80768000", "-segment")
    assert only([group({"type": type_, "value": 382, "unit": -2})]).code == "position-missing"


@pytest.mark.parametrize(("type_", "site"), [(158, "22335008"), (159, "7769000"), (197, "22335008"), (198, "7769000")])
def test_a_type_that_names_its_foot_has_it_as_body_site(type_: int, site: str) -> None:
    item = only([group({"type": type_, "value": 70, "unit": 0})])
    assert (item.context["body-site"].code, item.source_id) == (site, f"7:{type_}")
