"""Dexcom Clarity exports: DEVICES 2.3 and the public file in shared/samples."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.dexcom_clarity import adapter
from adapters.kit.rules import place_free
from adapters.reading import Absent, Quantity, Reading
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "dexcom_clarity" / "export.csv"
HEADER = (
    "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Glucose Value (mg/dL),Insulin Value (u),Transmitter ID"
)


def parse(*lines: str, encoding: str = "utf-8", end: str = "\r\n") -> list[Any]:
    return list(adapter.decode((end.join(lines) + end).encode(encoding)))


def egv(value: str = "104", time: str = "2026-03-01T06:00:12", patient: str = "", transmitter: str = "TX-1") -> str:
    return f"6,{time},EGV,,{patient},{value},,{transmitter}"


def first(*lines: str) -> Any:
    return parse(HEADER, *lines)[0]


def test_a_value_has_its_unit_from_the_header_and_a_local_time() -> None:
    item = first(egv())
    assert isinstance(item, Reading)
    assert (item.measure, item.value, item.device) == ("glucose-interstitial", Quantity(value="104", unit="mg/dL"), "TX-1")
    assert item.time is not None
    assert (item.time.kind, item.time.wall) == ("local", datetime(2026, 3, 1, 6, 0, 12))  # noqa: DTZ001


def test_a_file_in_mmol_keeps_its_unit_and_a_decimal_comma() -> None:
    (item,) = parse(HEADER.replace("mg/dL", "mmol/L"), egv('"5,80"'))
    assert item.value == Quantity(value="5.80", unit="mmol/L")


@pytest.mark.parametrize(("text", "flag"), [("Low", "below-range"), ("High", "above-range"), ("LOW", "below-range")])
def test_low_and_high_are_no_numbers(text: str, flag: str) -> None:
    item = first(egv(text))
    assert (item.value, item.quality) == (Absent(reason="unsupported"), (flag,))


def test_the_fixture_is_read_whole_but_for_its_preamble() -> None:
    items = list(adapter.decode(FIXTURE.read_bytes()))
    assert [(item.measure, item.manual) if isinstance(item, Reading) else item.code for item in items] == [
        ("glucose-interstitial", False),
        ("glucose-interstitial", False),
        ("glucose-interstitial", False),
        ("glucose-capillary", True),
        ("insulin-rapid", True),
        ("insulin-long", True),
        ("carbohydrate-intake", True),
        "unknown-measure",
    ]
    assert [item.pointer for item in items] == [f"row {line}" for line in range(7, 15)]
    assert [item.device for item in items] == ["TX-1"] * 4 + [None] * 4


def test_names_are_nowhere_in_what_is_kept() -> None:
    items = [*adapter.decode(FIXTURE.read_bytes()), *parse(HEADER, egv(patient="Ada Lovelace"), egv("x", patient='"Lovelace, Ada"'))]
    assert "Ada" not in str(items)
    assert "Lovelace" not in str(items)


def test_a_row_whose_personal_cell_was_emptied_reads_as_before() -> None:
    with_name, without = first(egv(patient='"Lovelace, Ada"')), first(egv())
    assert place_free(with_name) == place_free(without)


def test_a_row_that_says_something_of_a_person_and_nothing_else_is_not_kept() -> None:
    """Law 4: with that cell emptied, nothing is left that could be read again."""
    item = first(",,,,1815-12-10,,,")
    assert (item.code, item.keep) == ("nothing-measured", False)
    assert b"1815" not in item.raw


@pytest.mark.parametrize("mark", ["", "\ufeff", '\ufeff"ï»¿""""', "ï»¿", '"ï»¿'])
def test_a_damaged_byte_order_mark_makes_no_difference(mark: str) -> None:
    head = f'{mark}Index"{HEADER.removeprefix("Index")}' if mark.count('"') % 2 else f"{mark}{HEADER}"
    assert parse(head, egv())[0].measure == "glucose-interstitial"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_line_ends_make_no_difference(delimiter: str, end: str) -> None:
    (item,) = parse(HEADER.replace(",", delimiter), egv().replace(",", delimiter), end=end)
    assert item.value == Quantity(value="104", unit="mg/dL")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (egv(""), "value-missing"),
        (egv("abc"), "value-not-a-number"),
        (egv("-5"), "value-not-a-number"),
        (egv(time=""), "no-time"),
        (egv(time="01/03/2026 06:00"), "time-not-readable"),
        (egv(transmitter="x" * 300), "device-not-readable"),
        ("6,2026-03-01T06:00:12,Exercise,,,,,", "unknown-measure"),
        ("6,2026-03-01T06:00:12,Insulin,Ultra,,,4,", "unknown-measure"),
        ("6,2026-03-01T06:00:12,Insulin,Fast-Acting,,,Low,", "value-not-a-number"),
    ],
)
def test_a_row_in_doubt_is_kept(line: str, code: str) -> None:
    item = first(line)
    assert (item.code, item.keep) == (code, True)


def test_a_file_without_a_unit_says_so() -> None:
    assert parse(HEADER.replace(" (mg/dL)", ""), egv())[0].code == "unit-unknown"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b"Datum,Uhrzeit\r\n1,2\r\n", "header-not-found"),
        (f"{HEADER},Event Type\r\n".encode(), "header-ambiguous"),
        (b"\x89PNG\x81\x8d", "encoding"),
    ],
)
def test_another_file_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == code


@settings(deadline=None)
@given(st.permutations([egv(), egv("Low", "2026-03-01T06:05:12"), egv("x"), egv("99", "2026-03-01T06:10:12"), egv(time="")]))
def test_the_order_of_rows_does_not_change_what_is_read(lines: list[str]) -> None:
    ordered = sorted(lines)
    assert sorted(map(str, map(place_free, parse(HEADER, *lines)))) == sorted(map(str, map(place_free, parse(HEADER, *ordered))))


@needs_samples
def test_the_public_export_is_read_whole() -> None:
    """389 rows with a time, after nine of preamble; values read off the file by hand."""
    items = list(adapter.decode((SAMPLES / "dexcom-clarity-csv" / "clarity-synthetic-head.csv").read_bytes()))
    assert all(isinstance(item, Reading) for item in items)
    readings = [item for item in items if isinstance(item, Reading)]
    assert Counter(item.measure for item in readings) == {"glucose-interstitial": 386, "insulin-rapid": 2, "insulin-long": 1}
    head = readings[0]
    assert head.time is not None
    assert (head.value, head.device, head.pointer) == (Quantity(value="144", unit="mg/dL"), "HBRPOI", "row 12")
    assert head.time.wall == datetime(1961, 4, 12, 0, 56, 47)  # noqa: DTZ001
    assert [(item.value, item.pointer) for item in readings if item.manual] == [
        (Quantity(value="27", unit="[iU]"), "row 79"),
        (Quantity(value="5", unit="[iU]"), "row 95"),
        (Quantity(value="4", unit="[iU]"), "row 215"),
    ]
    assert not any(b"Gagarin" in item.raw for item in items)
