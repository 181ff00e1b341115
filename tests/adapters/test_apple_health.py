"""https://developer.apple.com/documentation/healthkit, DEVICES 2.6 and the public export in shared/samples."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.apple_health import adapter
from adapters.apple_health.mapping import IN_BED, STAGE, TYPES
from adapters.apple_health.parse import PRESSURES_CHARS_MAX
from adapters.apple_health.text import device_model
from adapters.apple_health.xml_stream import CHILDREN_MAX, CHUNK_BYTES, DEPTH_MAX, TOKEN_BYTES_MAX
from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.limits import ITEMS_MAX, RAW_BYTES_MAX
from adapters.reading import Quantity, Reading, Rejected
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "apple_health" / "export.xml"
HEART_RATE = "HKQuantityTypeIdentifierHeartRate"
SYSTOLIC, DIASTOLIC = "HKQuantityTypeIdentifierBloodPressureSystolic", "HKQuantityTypeIdentifierBloodPressureDiastolic"
SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"
AT = "2025-07-14 09:00:00 +0100"


def tag(name: str, inner: str = "", **attributes: str) -> str:
    return f"<{name} {' '.join(f'{key}={quoteattr(value)}' for key, value in attributes.items())}>{inner}</{name}>"


def metadata(**entries: str) -> str:
    return "".join(tag("MetadataEntry", key=key, value=value) for key, value in entries.items())


def record(type: str = HEART_RATE, value: str = "61", inner: str = "", **more: str) -> str:
    given = {"type": type, "sourceName": "Watch", "unit": "count/min", "creationDate": AT, "startDate": AT, "endDate": AT, "value": value}
    return tag("Record", inner, **(given | more))


def export(*inner: str, head: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<HealthData locale="fr_FR">{"".join(inner)}</HealthData>'.encode()


def parse(*inner: str) -> list[Any]:
    return list(adapter.decode(export(*inner)))


def only(*inner: str) -> Any:
    (item,) = parse(*inner)
    return item


def pressures(source: str = "Cuff", at: str = AT, systolic: str = "121", diastolic: str = "78") -> tuple[str, str, str]:
    """Both halves as they stand at the top level, and the correlation that says them again."""
    halves = [
        record(kind, value, unit="mmHg", sourceName=source, startDate=at, endDate=at)
        for kind, value in ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
    ]
    around = {"type": "HKCorrelationTypeIdentifierBloodPressure", "sourceName": source, "startDate": at, "endDate": at}
    return halves[0], halves[1], tag("Correlation", "".join(halves), **around)


class Dribble:
    """A file that gives a few bytes at a time."""

    def __init__(self, payload: bytes, size: int) -> None:
        self._file, self._size = BytesIO(payload), size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))


# -- values and units


@pytest.mark.parametrize("row", [row for row in TYPES if row.component is None], ids=lambda row: row.name)
def test_each_type_becomes_its_measure_in_units_that_the_catalogue_has(row: Any) -> None:
    for unit, ucum in row.units.items():
        item = only(record(f"HKQuantityTypeIdentifier{row.name}", "12.50", unit=unit))
        assert (item.measure, item.value) == (row.measure, Quantity(value="12.50", unit=ucum))
        assert ucum in MEASURES[row.measure].units


@pytest.mark.parametrize("type", ["OxygenSaturation", "BodyFatPercentage"])
def test_percent_is_a_ratio_of_one_and_is_said_to_be_one(type: str) -> None:
    """HKUnit.percent(): 0.97 with the sign % is 97 %. The catalogue converts, and the value as written is kept."""
    item = only(record(f"HKQuantityTypeIdentifier{type}", "0.97", unit="%"))
    assert item.value == Quantity(value="0.97", unit="1")
    assert MEASURES[item.measure].units["1"].conversion.forward(Decimal("0.97")) == 97


@pytest.mark.parametrize("unit", ["mmol<180.1558800000541>/L", "mmol<180.15588>/L", "mmol/L"])
def test_the_molar_mass_in_the_unit_of_glucose_is_no_part_of_the_unit(unit: str) -> None:
    item = only(record("HKQuantityTypeIdentifierBloodGlucose", "5.40", unit=unit))
    assert (item.measure, item.value) == ("glucose-blood", Quantity(value="5.40", unit="mmol/L"))


@pytest.mark.parametrize("unit", ["", "furlong", "count/s", "mmol<>/L", "%"])
def test_a_unit_that_the_type_never_has_is_not_guessed(unit: str) -> None:
    item = only(record(unit=unit))
    assert (item.code, item.keep) == ("unit-unknown", True)


@pytest.mark.parametrize("value", ["", "NaN", "inf", "61 bpm", "6,1", "1e400"])
def test_a_value_that_is_no_number_costs_that_record_only(value: str) -> None:
    refused, good = parse(record(value=value), record())
    assert (refused.code, refused.keep, good.value.value) == ("value-not-a-number", True, "61")


def test_a_type_without_a_measure_is_kept_and_said() -> None:
    item = only(record("HKQuantityTypeIdentifierDietaryFiber", "3", unit="g"))
    assert (item.code, item.keep) == ("unknown-measure", True)


@pytest.mark.parametrize("value", STAGE)
def test_each_stage_of_sleep_is_a_code(value: str) -> None:
    item = only(record(SLEEP, value))
    assert (item.measure, item.value) == ("sleep-stage", STAGE[value])
    assert (item.value.system, item.value.code) in MEASURES["sleep-stage"].codes


def test_a_stage_nobody_knows_is_kept() -> None:
    assert only(record(SLEEP, "HKCategoryValueSleepAnalysisDreaming")).code == "unknown-value-code"


def test_being_in_bed_and_sleeping_at_the_same_time_are_two_readings() -> None:
    """Older phones write both for the same period; one must not correct the other."""
    bed, asleep = parse(record(SLEEP, IN_BED), record(SLEEP, "HKCategoryValueSleepAnalysisAsleep"))
    assert bed.source_id != asleep.source_id


def test_what_a_person_typed_in_is_marked() -> None:
    assert [item.manual for item in parse(record(), record(inner=metadata(HKWasUserEntered="1")))] == [False, True]


# -- time


@pytest.mark.parametrize("offset", ["+0000", "+0100", "+0200", "-0930", "+1400"])
def test_the_offset_of_the_exporting_phone_changes_nothing(offset: str) -> None:
    """The same evening stands with another offset in an export that was made in another season; the instant is the same."""
    hours = timedelta(hours=int(offset[:3]), minutes=int(offset[0] + offset[3:]))
    local = (datetime(2025, 7, 14, 8, 0, tzinfo=UTC) + hours).strftime("%Y-%m-%d %H:%M:%S")
    item = only(record(startDate=f"{local} {offset}", endDate=f"{local} {offset}"))
    assert (item.time.kind, item.time.text, item.time.instant) == ("utc", "2025-07-14T08:00:00Z", datetime(2025, 7, 14, 8, tzinfo=UTC))


def test_the_zone_of_the_metadata_gives_local_time_with_its_offset() -> None:
    """HKMetadataKeyTimeZone: the zone in which the sample was made. At the repeated hour both halves stay apart."""
    night = [record(SLEEP, IN_BED, metadata(HKTimeZone="Europe/Paris"), startDate=f"2025-10-26 0{hour}:30:00 +0000") for hour in (0, 1)]
    assert [item.time.text for item in parse(*night)] == ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "UTC+11"])
def test_a_zone_nobody_knows_is_not_used(zone: str) -> None:
    item = only(record(inner=metadata(HKTimeZone=zone)))
    assert (item.time.kind, item.time.text) == ("utc", "2025-07-14T08:00:00Z")


@pytest.mark.parametrize("bad", ["", "2025-07-14", "2025-07-14 09:00:00", "0000-00-00 00:00:00 +0000", "2025-02-29 09:00:00 +0100"])
def test_a_time_that_is_none_costs_that_record_only(bad: str) -> None:
    """Without an offset it would be a wall clock of nowhere."""
    refused, good = parse(record(startDate=bad), record())
    assert refused.code in {"no-time", "time-not-readable"}
    assert refused.keep
    assert isinstance(good, Reading)


def test_what_lasts_has_an_end_and_a_moment_has_none() -> None:
    moment, walk = parse(record(), record("HKQuantityTypeIdentifierStepCount", "412", unit="count", endDate="2025-07-14 09:10:00 +0100"))
    assert (moment.end, walk.end.text) == (None, "2025-07-14T08:10:00Z")


# -- identity


def test_two_sources_of_one_moment_are_two_readings() -> None:
    watch, phone = parse(record(), record(sourceName="Phone"))
    assert (watch.time, watch.measure) == (phone.time, phone.measure)
    assert watch.source_id != phone.source_id


def test_the_address_in_the_device_text_is_no_part_of_anything() -> None:
    """<<HKDevice: 0x301a2b3c0> is where the object lay in the phone's memory: other in every record."""
    texts = [
        f"<<HKDevice: {address}>, name:Ada’s Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:10.2>"
        for address in ("0x3012772a0", "0x3008d6850")
    ]
    one, two = parse(*(record(device=text) for text in texts))
    assert place_free(one) == place_free(two)
    assert b"model:Watch, hardware:Watch6,7, software:10.2" in one.raw
    assert b"0x" not in one.raw


@settings(deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="modelhardwae:, 0x<>", max_size=300))
def test_any_device_text_is_reduced_once_and_for_all(text: str) -> None:
    assert device_model(device_model(text)) == device_model(text)


def test_the_names_of_owner_source_and_device_are_not_kept() -> None:
    """Law 4. A watch is called after its owner."""
    items = list(adapter.decode(FIXTURE.read_bytes()))
    said = repr(items)
    assert "Ada" not in said
    assert "ovelace" not in said
    assert "1915" not in said
    assert "example.org" not in said


# -- blood pressure


def test_a_pressure_that_stands_twice_is_read_once() -> None:
    systolic, diastolic, correlation = pressures()
    item = only(systolic, diastolic, correlation)
    assert item.measure == "blood-pressure"
    assert item.components == {"systolic": Quantity(value="121", unit="mm[Hg]"), "diastolic": Quantity(value="78", unit="mm[Hg]")}


@given(st.permutations([*pressures(), *pressures(at="2025-07-14 10:00:00 +0100"), *pressures("Other"), record(), record(value="70")]))
@settings(deadline=None)
def test_any_order_gives_the_same_items(shuffled: list[str]) -> None:
    found = sorted(repr((item.measure, item.source_id, item.time, sorted(item.components), item.value)) for item in parse(*shuffled))
    assert len(found) == 5
    assert found == sorted(
        repr((item.measure, item.source_id, item.time, sorted(item.components), item.value)) for item in parse(*sorted(shuffled))
    )


def test_halves_without_a_correlation_are_paired_to_the_same_reading() -> None:
    systolic, diastolic, correlation = pressures()
    paired, correlated = only(diastolic, systolic), only(correlation)
    assert (paired.components, paired.time, paired.source_id) == (correlated.components, correlated.time, correlated.source_id)


@pytest.mark.parametrize("halves", [1, 3])
def test_a_pressure_that_is_no_pair_is_kept_and_not_stored_in_part(halves: int) -> None:
    item = only(*(pressures()[0:1] * halves))
    assert (item.code, item.keep) == ("half-a-pressure", True)


# -- the file


def test_a_dtd_that_is_written_wrongly_costs_nothing() -> None:
    """Several versions of iOS declare an attribute twice or leave out a bracket; libxml refuses those files."""
    head = "<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*>\n<!ATTLIST Record type CDATA #REQUIRED type CDATA\n]>\n"
    (item,) = adapter.decode(export(record(), head=head))
    assert item.value.value == "61"


def test_the_place_of_an_item_is_its_first_byte_in_the_file() -> None:
    payload = export(record(), head="<!DOCTYPE HealthData [\n]>\n")
    (item,) = adapter.decode(payload)
    assert item.pointer == f"byte {payload.index(b'<Record')}"


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE HealthData [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE HealthData [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE HealthData [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]>',
    ],
    ids=["billion laughs", "external", "parameter"],
)
def test_a_file_with_entities_is_refused(head: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        list(adapter.decode(export(record(value="&a;"), head=head)))
    assert refusal.value.code == "entities-forbidden"


@pytest.mark.parametrize("entity", ["&a;", "&nbsp;", "&#0;"])
def test_an_entity_that_nobody_declared_ends_the_reading_there(entity: str) -> None:
    good, broken = parse(record(), record().replace("61", entity))
    assert isinstance(good, Reading)
    assert (broken.code, broken.keep) == ("xml-broken", False)


def test_an_external_dtd_is_not_fetched() -> None:
    (item,) = adapter.decode(export(record(), head='<!DOCTYPE HealthData SYSTEM "http://127.0.0.1:1/a.dtd">'))
    assert isinstance(item, Reading)


def test_a_second_document_type_is_refused() -> None:
    items = parse(record(), "<!DOCTYPE x [<!ENTITY y 'z'>]>")
    assert [getattr(item, "code", "read") for item in items] == ["read", "xml-broken"]


def test_deep_nesting_is_refused() -> None:
    assert parse(record(), "<a>" * DEPTH_MAX + "</a>" * DEPTH_MAX)[-1].code == "xml-too-deep"


@pytest.mark.parametrize("dribble", [CHUNK_BYTES, 1000])
def test_a_tag_without_end_is_refused_before_it_fills_the_memory(dribble: int) -> None:
    payload = export(record(), f'<Record value="{"x" * 4 * TOKEN_BYTES_MAX}"/>')
    assert list(adapter.decode_stream(Dribble(payload, dribble)))[-1].code == "xml-tag-too-long"


def test_a_record_too_long_to_be_kept_is_refused_for_good() -> None:
    item = only(record(value="6" * RAW_BYTES_MAX))
    assert (item.code, item.keep, len(item.raw)) == ("item-too-long", False, RAW_BYTES_MAX)


def test_children_beyond_the_limit_are_not_looked_at() -> None:
    entries = metadata(x="y") * CHILDREN_MAX + metadata(HKWasUserEntered="1")
    assert not only(record(inner=entries)).manual


def test_children_are_looked_at_as_long_as_they_are_short() -> None:
    """A thousand children may each have a tag of a megabyte: what one record takes of memory stays bounded."""
    entries = metadata(x="y" * 100_000) * 3 + metadata(HKWasUserEntered="1")
    assert not only(record(inner=entries)).manual


def test_pressures_that_take_too_much_memory_are_not_held() -> None:
    """They wait for their correlation, however long each of them is."""
    kind, long = "HKQuantityTypeIdentifierBloodPressureSystolic", "x" * (TOKEN_BYTES_MAX - 1_000)
    pressures = (record(type=kind, value="120", unit="mmHg", sourceName=f"cuff {number}", junk=long) for number in range(40))
    codes = [item.code for item in adapter.decode_stream(BytesIO(export(*pressures)))]
    assert codes.count("too-many-pressures") == 40 - PRESSURES_CHARS_MAX // len(long)


@pytest.mark.parametrize("payload", [b"<Health", b"<html/>", b"\xff\xfe<\x00H\x00", b"x" * 200_000, "<?xml?><HealthDat/>".encode("utf-16")])
def test_what_is_no_export_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == "not-apple-health"
    assert refusal.value.__context__ is None


def test_more_records_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b"<HealthData>" + b"<Record/>" * (ITEMS_MAX + 1) + b"</HealthData>")
    assert refusal.value.code == "too-many-items"


def test_a_file_that_is_cut_off_gives_what_came_before_and_says_where_it_ends() -> None:
    payload = export(record(), record(value="70"))
    first, last = adapter.decode(payload[: payload.rindex(b"<Record") + 20])
    assert (first.value.value, last.code, last.keep) == ("61", "xml-broken", False)


def test_workouts_and_summaries_are_said_to_be_unread() -> None:
    workout, ring = parse(
        tag("Workout", tag("WorkoutEvent", type="x"), sourceName="Ada’s Watch"), tag("ActivitySummary", dateComponents="x")
    )
    assert [(item.code, item.keep, item.raw) for item in (workout, ring)] == [
        ("element-not-read", False, b"Workout"),
        ("element-not-read", False, b"ActivitySummary"),
    ]


# -- streaming


@pytest.mark.parametrize("size", [1, 7, 100, 5000, CHUNK_BYTES])
def test_a_stream_in_any_pieces_gives_what_the_bytes_give(size: int) -> None:
    payload = FIXTURE.read_bytes()
    assert list(adapter.decode_stream(Dribble(payload, size))) == list(adapter.decode(payload))


def test_a_stream_gives_items_before_it_has_been_read_to_the_end() -> None:
    """What makes memory independent of the size of the file."""
    file = BytesIO(export(*[record(value=str(value)) for value in range(40, 200)] * 100))
    next(adapter.decode_stream(file))
    assert file.tell() <= 2 * CHUNK_BYTES


def test_a_stream_has_no_limit_of_items() -> None:
    many = ITEMS_MAX // 100
    assert sum(1 for _ in adapter.decode_stream(BytesIO(export(record() * many)))) == many


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 8))
def test_a_damaged_export_gives_items_or_is_unreadable(seed: int, count: int) -> None:
    chance, payload = random.Random(seed), bytearray(FIXTURE.read_bytes())
    for _ in range(count):
        place = chance.randrange(len(payload))
        payload[place : place + chance.randrange(4)] = chance.choice([b"<", b">", b"&", b'"', b"\x00", b"<!--", b"]]>", b"\xc3", b""])
    try:
        items = list(adapter.decode(bytes(payload)))
    except Unreadable:
        return
    assert all(isinstance(item, Reading | Rejected) for item in items)


# -- the public export


@needs_samples
def test_the_public_export_gives_what_stands_in_it() -> None:
    """Amsterdam in January is an hour ahead of UTC, the phone that exported in June two: 01:01:36 +0200 was 00:01:36 there."""
    items = list(adapter.decode((SAMPLES / "apple-health" / "export.xml").read_bytes()))
    found = [(item.measure, getattr(item.value, "value", getattr(item.value, "code", None)), item.time.text) for item in items]
    assert found == [
        ("heart-rate", "74", "2023-12-31T23:01:36Z"),
        ("heart-rate", "75", "2023-12-31T23:01:37Z"),
        ("energy-active", "0.12", "2023-12-31T23:02:27Z"),
        ("energy-active", "0.08", "2024-01-01T23:52:27Z"),
        ("exercise-duration", "1", "2024-01-01T13:16:00Z"),
        ("stand-duration", "2", "2023-12-31T23:10:00Z"),
        ("sleep-stage", "in-bed", "2023-12-31T23:55:28+01:00"),
        ("sleep-stage", "light", "2024-01-01T02:27:53+01:00"),
    ]
    assert [item.value.unit for item in items[:6]] == ["/min", "/min", "kcal", "kcal", "min", "min"]
    assert [item.end and item.end.text for item in items[1:3]] == [None, "2023-12-31T23:02:58Z"]
    assert "Test" not in repr(items)
