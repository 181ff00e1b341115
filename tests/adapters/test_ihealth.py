"""http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBP.htm and the public answer in shared/samples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.ihealth import adapter
from adapters.ihealth.mapping import LISTS
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Absent, Quantity, Reading
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "ihealth" / "user.json"


def pressure(**fields: Any) -> dict[str, Any]:
    given = {"DataID": "1", "DataSource": "FromDevice", "HP": 120, "LP": 90, "IsArr": 0, "LastChangeTime": 1442520270, "MDate": 1442491463}
    return given | {"TimeZone": "-0800"} | fields


def parse(document: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(document).encode()))


def pressures(*records: Any, unit: Any = 0) -> list[Any]:
    return parse({"BPDataList": list(records), "BPUnit": unit})


def test_the_time_is_the_clock_on_the_wall_and_not_seconds_since_1970() -> None:
    """MDate 1442491463 is 12:04:23 at -0800; LastChangeTime, real UTC, is seven seconds later."""
    (item,) = pressures(pressure())
    assert (item.time.kind, item.time.text) == ("offset", "2015-09-17T12:04:23-08:00")
    assert item.time.instant == datetime(2015, 9, 17, 20, 4, 23, tzinfo=UTC)
    assert (item.modified - item.time.instant).total_seconds() == 7


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("-0800", "-08:00"),
        ("+02:00", "+02:00"),
        ("0200", "+02:00"),
        (200, "+02:00"),
        (-800, "-08:00"),
        ("+0530", "+05:30"),
        ("-2", "-02:00"),
    ],
)
def test_an_offset_is_read_as_text_and_as_a_number(zone: Any, offset: str) -> None:
    assert pressures(pressure(TimeZone=zone))[0].time.text == f"2015-09-17T12:04:23{offset}"


@pytest.mark.parametrize("zone", [None, ""])
def test_without_an_offset_the_time_is_a_wall_clock_without_zone(zone: Any) -> None:
    (item,) = pressures(pressure(TimeZone=zone))
    assert (item.time.kind, item.time.wall, item.time.instant) == ("local", datetime(2015, 9, 17, 12, 4, 23), None)  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["Europe/Paris", "+15", "+0960", {}, True, "--0800"])
def test_an_offset_that_is_none_costs_that_record_only(zone: Any) -> None:
    refused, good = pressures(pressure(TimeZone=zone), pressure())
    assert (refused.code, refused.keep) == ("time-not-readable", True)
    assert isinstance(good, Reading)


@pytest.mark.parametrize("date", [None, 0, -5, "soon", 1442491463.5, 10**12])
def test_a_record_without_a_usable_time_is_kept(date: Any) -> None:
    assert pressures(pressure(MDate=date))[0].code == "no-time"


@pytest.mark.parametrize(("unit", "ucum"), [(0, "mm[Hg]"), (1, "kPa")])
def test_the_unit_of_the_list_is_the_unit_of_its_values(unit: int, ucum: str) -> None:
    (item,) = pressures(pressure(), unit=unit)
    assert item.components == {"systolic": Quantity(value="120", unit=ucum), "diastolic": Quantity(value="90", unit=ucum)}


@pytest.mark.parametrize("unit", [None, 2, "mmHg", True])
def test_a_list_without_a_known_unit_gives_no_value(unit: Any) -> None:
    """The number says nothing without it, and is not guessed from its size."""
    assert pressures(pressure(), unit=unit)[0].code == "unit-unknown"


def test_units_are_those_of_the_catalogue() -> None:
    for row in LISTS:
        for field in row.fields:
            measure = MEASURES[field.measure].components.get(field.component or "", MEASURES[field.measure])
            assert {field.unit} - {""} | set((row.units or {}).values() if not field.unit else ()) <= measure.units.keys()


def test_zero_is_said_to_be_not_measured_where_the_field_is_always_there() -> None:
    item = pressures(pressure(HR=0))[1]
    assert (item.measure, item.value) == ("heart-rate", Absent(reason="not-performed"))


@pytest.mark.parametrize(("found", "flags"), [(2, ("irregular-pulse",)), (1, ()), (3, ()), (0, ()), (-1, ()), (None, ())])
def test_an_irregular_pulse_is_a_flag(found: Any, flags: tuple[str, ...]) -> None:
    """Of a normal pulse (1) none: http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBloodPressure.htm"""
    assert pressures(pressure(IsArr=found))[0].quality == flags


def test_a_note_and_a_place_are_not_kept() -> None:
    items = list(adapter.decode(FIXTURE.read_bytes()))
    assert "stairs" not in repr(items)
    assert "43.6" not in repr(items)


def test_a_value_keeps_its_digits() -> None:
    (item,) = adapter.decode(b'{"BGDataList":[{"BG":5.40,"DataID":"1","MDate":1442491463,"TimeZone":"+0200"}],"BGUnit":1}')
    assert item.value == Quantity(value="5.40", unit="mmol/L")


def test_steps_are_those_of_the_whole_local_day() -> None:
    """A day that is synchronised twice is one reading with two values, and the later one stays."""
    days = [parse({"ARDataList": [pressure(Steps=steps, MDate=1442491463 + steps)]})[0] for steps in (21, 4398)]
    assert {(day.time.text, day.end.text, day.source_id) for day in days} == {
        ("2015-09-17T00:00:00-08:00", "2015-09-18T00:00:00-08:00", "1")
    }


@pytest.mark.parametrize("record", [pressure(DataID=None), pressure(DataID=5), pressure(DataID="x" * 300)])
def test_a_record_without_its_id_is_kept(record: Any) -> None:
    assert pressures(record)[0].code == "no-record-id"


def test_half_a_pressure_is_not_stored() -> None:
    assert pressures(pressure(LP=None))[0].code == "value-not-a-number"


def test_a_record_without_any_value_is_said_to_have_none() -> None:
    assert parse({"WeightDataList": [{"DataID": "1", "BoneValue": 3}]})[0].code == "unknown-measure"


@pytest.mark.parametrize("entry", [None, 5, "x", []])
def test_an_entry_that_is_no_record_is_one_refused_item(entry: Any) -> None:
    refused, good = pressures(entry, pressure())
    assert (refused.code, refused.keep, refused.pointer, good.measure) == ("not-a-record", False, "/BPDataList/0", "blood-pressure")


@pytest.mark.parametrize("document", [1, [], {}, {"BPDataList": {}}, {"data": []}])
def test_what_is_no_answer_of_ihealth_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(document)
    assert refusal.value.code == "not-ihealth"


def test_more_records_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b'{"BPDataList":[' + b"0," * ITEMS_MAX + b"0]}")
    assert refusal.value.code == "too-many-items"


@settings(deadline=None)
@given(st.permutations([pressure(DataID=str(number), HP=100 + number) for number in range(5)]), st.integers(1, 5))
def test_any_order_and_any_batches_give_the_same_items(records: list[Any], size: int) -> None:
    batches = [item for start in range(0, 5, size) for item in pressures(*records[start : start + size])]
    whole = [item for number in range(5) for item in pressures(pressure(DataID=str(number), HP=100 + number))]
    assert sorted(map(repr, map(place_free, batches))) == sorted(map(repr, map(place_free, whole)))


@needs_samples
def test_the_public_answer_gives_what_stands_in_it() -> None:
    """Both instants lie within ten seconds before `LastChangeTime` (20:04:30 and 20:07:45 UTC), which proves offset and wall clock."""
    items = list(adapter.decode((SAMPLES / "ihealth" / "ihealth-bp.json").read_bytes()))
    assert [(item.measure, item.time.text, item.manual, item.source_id[:4]) for item in items] == [
        ("blood-pressure", "2015-09-17T12:04:23-08:00", False, "c62b"),
        ("heart-rate", "2015-09-17T12:04:23-08:00", False, "c62b"),
        ("blood-pressure", "2015-09-17T14:07:45-06:00", True, "d6c0"),
        ("heart-rate", "2015-09-17T14:07:45-06:00", True, "d6c0"),
    ]
    assert [item.components["systolic"].value + "/" + item.components["diastolic"].value for item in items[::2]] == ["120/90", "130/95"]
    assert [item.value for item in items[1::2]] == [Quantity(value="100", unit="/min"), Quantity(value="75", unit="/min")]
    assert all(0 <= (item.modified - item.time.instant).total_seconds() < 10 for item in items)
