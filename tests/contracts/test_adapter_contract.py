"""What every installed adapter promises (adapters/contract.py), whoever wrote it."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Adapter, Unreadable
from adapters.discovery import adapters
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Absent, Coded, Document, Item, Quantity, Reading, Rejected, Samples, Value
from fhir_profiles.catalogue import CONTEXT, MEASURES, Measure, knows_flag
from tests.support.known import SAMPLES_OF, fixtures
from tests.support.payloads import SAMPLES, needs_samples

ADAPTERS = list(adapters().values())
FIXTURES = fixtures()
every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.manifest.name)
every_fixture = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
VENDOR_WORDS = [
    "status",
    "body",
    "measuregrps",
    "grpid",
    "attrib",
    "date",
    "modified",
    "category",
    "deviceid",
    "measures",
    "type",
    "value",
    "unit",
    "position",
    "comment",
    "frames",
    "characteristic",
    "hex",
    "receivedAt",
    "deviceInfo",
    "systemId",
    "macAddress",
    "serialNumber",
]
VENDOR_VALUES = st.sampled_from([0, 1, 2, 9, 10, -3, 1700000000, "2A35", "2A37", "0055", "2024-05-06T07:08:09Z", "74E8FFFEFF051C00"])
VENDOR_JSON = st.recursive(
    VENDOR_VALUES | JSON,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(VENDOR_WORDS), inner, max_size=10),
    max_leaves=40,
)
CSV_CELLS = st.sampled_from(
    [
        "",
        '"',
        "a",
        "0",
        "1",
        "3",
        "13-05-2024 07:00",
        "04-05-2024 07:00",
        "98",
        "5,4",
        "LO",
        "é",
        "SN",
        "\x00",
        "Device Timestamp",
        "Record Type",
    ]
)
CSV_LINES = st.lists(st.lists(CSV_CELLS, max_size=6).map(",".join), max_size=8)


def read(adapter: Adapter, payload: bytes) -> list[Item] | None:
    """Items, or None for Unreadable; nothing else may come out."""
    try:
        return list(adapter.decode(payload))
    except Unreadable as refusal:
        sound = re.fullmatch(r"[a-z0-9-]+", refusal.code) and refusal.hint.strip()
    return None if sound else pytest.fail("Unreadable without code or hint")


def assert_sound(adapter: Adapter, items: Iterable[Item]) -> None:
    for item in items:
        assert faults(item) == ()
        if isinstance(item, Reading) or item.keep:
            assert parses_alone(adapter.decode, item), item


def fixture_adapter(fixture: Path) -> Adapter:
    """The folder of fixtures is called as the adapter's package, which has no hyphens."""
    return adapters()[fixture.parent.name.replace("_", "-")]


def package(adapter: Adapter) -> str:
    return adapter.manifest.name.replace("-", "_")


def fixture_items(fixture: Path) -> tuple[Adapter, list[Item]]:
    adapter = fixture_adapter(fixture)
    return adapter, list(adapter.decode(fixture.read_bytes()))


@every_adapter
def test_the_manifest_says_what_the_hub_must_know(adapter: Adapter) -> None:
    """SemVer 2.0.0, RFC 6838 media types, an absolute URI as identifier system (FHIR Identifier.system)."""
    manifest = adapter.manifest
    assert re.fullmatch(r"[a-z][a-z0-9-]*", manifest.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest.version)
    assert manifest.product
    assert manifest.manufacturer
    assert manifest.media_types
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", media_type) for media_type in manifest.media_types)
    assert re.match(r"(https?://|urn:)\S+$", manifest.identifier_system)


@every_adapter
def test_every_adapter_has_a_fixture_and_a_page(adapter: Adapter) -> None:
    assert any(fixture.parent.name == package(adapter) for fixture in FIXTURES)
    module = Path(__file__).resolve().parents[2] / "adapters" / package(adapter)
    found = {path.name for path in module.iterdir()}
    assert {"__init__.py", "README.md"} <= found
    assert "mapping.yaml" in found or {"parse.py", "mapping.py"} <= found


@every_fixture
def test_every_fixture_gives_sound_items_that_can_be_read_again_alone(fixture: Path) -> None:
    adapter, items = fixture_items(fixture)
    assert any(isinstance(item, Reading) for item in items)
    assert_sound(adapter, items)


@needs_samples
@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in SAMPLES_OF.items() for path in paths])
def test_every_real_payload_gives_sound_items_that_can_be_read_again_alone(name: str, path: str) -> None:
    items = list(adapters()[name].decode((SAMPLES / path).read_bytes()))
    assert items
    assert_sound(adapters()[name], items)


@pytest.mark.parametrize("item", [Reading, Rejected])
def test_an_adapter_has_no_word_for_a_patient(item: type) -> None:
    """Law 7: it chooses no patient; whose a reading is, the pairing of the device says."""
    assert [
        field.name
        for field in fields(item)
        if re.search("patient|subject|person|owner|reference", f"{field.name} {field.type}", re.IGNORECASE)
    ] == []


@every_fixture
def test_the_same_bytes_give_the_same_items(fixture: Path) -> None:
    """Law 7: no clock, no environment, no chance."""
    adapter, items = fixture_items(fixture)
    assert list(adapter.decode(fixture.read_bytes())) == items


@every_fixture
def test_measures_components_and_units_are_those_of_the_catalogue(fixture: Path) -> None:
    """What a fixture gives, the hub can store: known measure, unit or code, context and flags."""
    adapter, items = fixture_items(fixture)
    for reading in (item for item in items if isinstance(item, Reading)):
        assert reading.measure in adapter.manifest.measures
        for row, value in catalogued(reading):
            assert fits(row, value), (reading.measure, value)
        assert reading.context.keys() <= CONTEXT.keys()
        assert all(knows_flag(flag) for flag in reading.quality)


def catalogued(reading: Reading) -> Iterator[tuple[Measure, Value]]:
    row = MEASURES[reading.measure]
    if reading.value is not None:
        yield row, reading.value
    for name, value in reading.components.items():
        yield row.components[name], value


def fits(row: Measure, value: Value) -> bool:
    match value:
        case Absent():
            return True
        case Coded():
            return (value.system, value.code) in row.codes
        case Document():
            return row.document and all(one.measure is None or one.measure in MEASURES for one in value.channels)
        case Quantity() | Samples():
            return value.unit in row.units and row.sampled == isinstance(value, Samples)


@every_fixture
def test_times_without_zone_come_only_from_adapters_that_say_so(fixture: Path) -> None:
    adapter, items = fixture_items(fixture)
    local = any(isinstance(item, Reading) and item.time and item.time.kind == "local" for item in items)
    assert not local or adapter.manifest.needs_time_zone


@every_fixture
def test_nobody_named_in_a_payload_reaches_a_hint_a_log_or_an_identity(fixture: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Law 4. Each fixture names an invented person outside the measurements."""
    with caplog.at_level(logging.DEBUG):
        _, items = fixture_items(fixture)
    assert caplog.records == []
    assert "ovelace" not in str(items)
    assert "ada@" not in str(items)


@every_fixture
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_cut_off_payload_is_refused_or_read_in_part(fixture: Path, keep: float) -> None:
    adapter, payload = fixture_adapter(fixture), fixture.read_bytes()
    assert_sound(adapter, read(adapter, payload[: int(len(payload) * keep)]) or [])


@every_fixture
@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_payload_never_crashes_a_parser(fixture: Path, data: st.DataObject) -> None:
    adapter, payload = fixture_adapter(fixture), bytearray(fixture.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(adapter, read(adapter, bytes(payload)) or [])


@every_adapter
@settings(deadline=None)
@given(payload=st.binary(max_size=200))
def test_any_bytes_give_items_or_unreadable(adapter: Adapter, payload: bytes) -> None:
    assert_sound(adapter, read(adapter, payload) or [])


@every_adapter
@settings(deadline=None)
@given(document=JSON | VENDOR_JSON)
def test_any_json_gives_items_or_unreadable(adapter: Adapter, document: Any) -> None:
    try:
        payload = orjson.dumps(document)
    except TypeError:  # integers beyond 64 bits and lone surrogates cannot be written
        return
    assert_sound(adapter, read(adapter, payload) or [])


@every_adapter
@settings(deadline=None)
@given(lines=CSV_LINES, delimiter=st.sampled_from([",", ";"]))
def test_any_table_gives_items_or_unreadable(adapter: Adapter, lines: list[str], delimiter: str) -> None:
    header = "Serial Number,Device Timestamp,Record Type,Historic Glucose mg/dL,Scan Glucose mmol/L,Ketone mmol/L"
    payload = "\n".join([header, *lines]).replace(",", delimiter).encode()
    assert_sound(adapter, read(adapter, payload) or [])


@every_adapter
@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"body":' * 50_000,
        b'{"measuregrps":[{"grpid":1,"attrib":0,"category":1,"date":1e999,"measures":[{"type":1,"value":1,"unit":0}]}]}',
        b'{"measuregrps":[{"grpid":' + b"9" * 5000 + b',"measures":[{"type":1}]}]}',
        b'[{"characteristic":"2A37","hex":"' + b"00" * 100_000 + b'"}]',
        b'"' * 100_000,
        (b'"\n' * 3000) + b"Device Timestamp,Record Type\n" + b'"a,\n' * 3000,
        b"Device Timestamp,Record Type\n" + (b'"' + b"," * 5000 + b"\n") * 200,
        b"\x00" * 10_000,
        b"\xef\xbb\xbf",
        b"\xff\xfe{\x00}\x00",
    ],
    ids=[
        "deep list",
        "deep object",
        "infinite date",
        "endless integer",
        "long hex",
        "quotes",
        "open quotes",
        "wide rows",
        "zeros",
        "only a BOM",
        "UTF-16",
    ],
)
def test_hostile_payloads_are_refused_or_read_within_limits(adapter: Adapter, payload: bytes) -> None:
    assert_sound(adapter, read(adapter, payload) or [])


@every_adapter
def test_unreadable_carries_nothing_of_the_payload(adapter: Adapter) -> None:
    """A traceback prints chained exceptions, and those of parsers hold the document."""
    with pytest.raises(Unreadable) as refusal:
        list(adapter.decode(b'{"patient": "Ada Lovelace", '))
    assert refusal.value.__context__ is None
    assert "Lovelace" not in f"{refusal.value}{refusal.value.hint}{refusal.value.pointer}"


@every_fixture
def test_readings_and_refusals_say_where_they_stood(fixture: Path) -> None:
    _, items = fixture_items(fixture)
    assert all(item.pointer for item in items)
    assert len({(item.pointer, item.measure if isinstance(item, Reading) else "") for item in items}) == len(items)


@every_fixture
def test_an_upload_sent_twice_has_the_same_identities(fixture: Path) -> None:
    """DESIGN 7: device, measure, the device's own time text and source id, never the value."""
    adapter, items = fixture_items(fixture)
    again = list(adapter.decode(fixture.read_bytes() + b"\n"))
    assert [place_free(item) for item in again] == [place_free(item) for item in items]
    kept = [item for item in items if isinstance(item, Rejected) and item.keep]
    assert all(item.raw for item in kept)
