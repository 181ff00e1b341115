"""CareLink Personal exports: DEVICES 2.3. All payloads are ours: real ones hold names and are not published."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.carelink import adapter
from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.reading import Coded, Quantity, Reading

FIXTURES = Path(__file__).parent / "fixtures" / "carelink"
PREAMBLE = "Last Name,First Name\r\nLovelace,Ada\r\n"
OPENING = "-------,MiniMed 780G,Pump,NG1,-------"
COLUMNS = {
    "bg": "BG Reading (mg/dL)",
    "basal": "Basal Rate (U/h)",
    "selected": "Bolus Volume Selected (U)",
    "delivered": "Bolus Volume Delivered (U)",
    "alarm": "Alarm",
    "suspend": "Suspend",
    "rewind": "Rewind",
    "carbs": "BWZ Carb Input (grams)",
    "calibration": "Sensor Calibration BG (mg/dL)",
    "sensor": "Sensor Glucose (mg/dL)",
    "marker": "Event Marker",
    "source": "Bolus Source",
}
HEADER = ",".join(["Index", "Date", "Time", *COLUMNS.values()])


def row(date: str = "2026/03/01", time: str = "08:05:00", **cells: str) -> str:
    return ",".join(["1", date, time, *(cells.get(name, "") for name in COLUMNS)])


def parse(*lines: str, head: str = f"{PREAMBLE}{OPENING}\r\n{HEADER}", encoding: str = "utf-8") -> list[Any]:
    return list(adapter.decode("\r\n".join([head, *lines, ""]).encode(encoding)))


def one(**cells: str) -> Any:
    (item,) = parse(row(**cells))
    return item


def said(item: Any) -> tuple[str, str]:
    match item.value:
        case Quantity(value=value, unit=unit):
            return item.measure, f"{value} {unit}"
        case Coded(code=code):
            return item.measure, code
    raise AssertionError


def test_a_sensor_value_has_the_serial_number_of_its_section_and_a_local_time() -> None:
    item = one(sensor="108")
    assert isinstance(item, Reading)
    assert (said(item), item.device) == (("glucose-interstitial", "108 mg/dL"), "NG1")
    assert item.time is not None
    assert (item.time.kind, item.time.wall) == ("local", datetime(2026, 3, 1, 8, 5))  # noqa: DTZ001
    assert item.time.text == "2026/03/01 08:05:00"


@pytest.mark.parametrize(
    ("cells", "wanted", "quality"),
    [
        ({"bg": "112"}, ("glucose-capillary", "112 mg/dL"), ()),
        ({"calibration": "118"}, ("glucose-capillary", "118 mg/dL"), ("calibration-entry",)),
        ({"basal": "0.850"}, ("insulin-basal", "0.850 [iU]/h"), ()),
        ({"delivered": "4.5", "selected": "4.5"}, ("insulin-bolus", "4.5 [iU]"), ()),
        ({"delivered": "3.2", "selected": "4.5"}, ("insulin-bolus", "3.2 [iU]"), ("interrupted",)),
        ({"delivered": "0.1", "source": "CLOSED_LOOP_MICRO_BOLUS"}, ("insulin-bolus", "0.1 [iU]"), ("automated-delivery",)),
        ({"delivered": "5", "source": "CLOSED_LOOP_FOOD_BOLUS"}, ("insulin-bolus", "5 [iU]"), ()),
        ({"carbs": "45"}, ("carbohydrate-intake", "45 g"), ()),
        ({"alarm": "NO DELIVERY (7)"}, ("insulin-pump-event", "alarm-other"), ()),
        ({"rewind": "Rewind"}, ("insulin-pump-event", "reservoir-change"), ()),
        ({"suspend": "NORMAL_PUMPING"}, ("insulin-delivery-mode", "resumed"), ()),
        ({"suspend": "PREDICTED_LOW_SG_SUSPEND"}, ("insulin-delivery-mode", "suspended"), ()),
    ],
)
def test_each_column_is_a_measure(cells: dict[str, str], wanted: tuple[str, str], quality: tuple[str, ...]) -> None:
    item = one(**cells)
    assert (said(item), item.quality) == (wanted, quality)


def test_a_row_with_several_columns_gives_several_items_that_do_not_correct_each_other() -> None:
    items = parse(row(sensor="104", bg="112", calibration="118"))
    assert [said(item) for item in items] == [
        ("glucose-interstitial", "104 mg/dL"),
        ("glucose-capillary", "112 mg/dL"),
        ("glucose-capillary", "118 mg/dL"),
    ]
    assert len({item.source_id for item in items}) == 3


def test_a_bad_column_does_not_take_the_others_with_it() -> None:
    good, bad = parse(row(sensor="104", bg="HI"))
    assert (said(good)[1], bad.code) == ("104 mg/dL", "value-not-a-number")


def test_semicolons_and_decimal_commas_are_read() -> None:
    """DEVICES 2.3: EU files."""
    lines = [PREAMBLE + OPENING, HEADER, row(basal="0,85")]
    head, header, line = (text.replace(",", ";") for text in (lines[0], lines[1], row(basal="X")))
    (item,) = parse(line.replace("X", "0,85"), head=f"{head}\r\n{header}")
    assert said(item) == ("insulin-basal", "0.85 [iU]/h")


def fixtures() -> list[Any]:
    return [item for name in ("pump.csv", "sensor.csv") for item in adapter.decode((FIXTURES / name).read_bytes())]


def test_the_european_fixtures_are_read_whole() -> None:
    items = fixtures()
    assert [said(item) if isinstance(item, Reading) else item.code for item in items] == [
        ("insulin-pump-event", "reservoir-change"),
        ("insulin-delivery-mode", "resumed"),
        ("insulin-delivery-mode", "suspended"),
        ("insulin-pump-event", "alarm-other"),
        ("insulin-bolus", "3.2 [iU]"),
        ("carbohydrate-intake", "45 g"),
        ("insulin-bolus", "0.125 [iU]"),
        ("insulin-basal", "0.85 [iU]/h"),
        ("glucose-capillary", "112 mg/dL"),
        "unknown-measure",
        ("glucose-interstitial", "108 mg/dL"),
        ("glucose-interstitial", "104 mg/dL"),
        ("glucose-capillary", "118 mg/dL"),
    ]
    assert {item.device for item in items} == {"NG1234567H"}


def test_names_are_nowhere_in_what_is_kept() -> None:
    items = [*fixtures(), *parse(row(sensor="104", marker="with Ada Lovelace"))]
    assert not any(word in str(items) for word in ("Ada", "Lovelace", "1815", "example.org"))


def test_each_section_has_its_own_device() -> None:
    items = parse(row(sensor="104"), "-------,Guardian,Sensor,GT2,-------", HEADER, row(sensor="105"))
    assert [item.device for item in items] == ["NG1", "GT2"]


def test_a_section_opens_alike_wherever_it_stands_and_its_rows_read_alone_as_they_did_in_the_file() -> None:
    """Blanks and quotation marks around the mark, at the top as further down."""
    for opening in (f"\t{OPENING}", OPENING.replace("-------,", '"-------",', 1), OPENING.replace("NG1", '"NG1')):
        for head in (f"{PREAMBLE}{opening}\r\n{HEADER}", f"{PREAMBLE}{OPENING}\r\n{HEADER}\r\n{opening}\r\n{HEADER}"):
            (item,) = parse(row(sensor="108"), head=head)
            assert [place_free(again) for again in adapter.decode(item.raw)] == [place_free(item)]


def test_a_row_that_says_what_a_person_wrote_and_nothing_else_is_not_kept() -> None:
    """Law 4: with that cell emptied, nothing is left that could be read again."""
    (item,) = parse(",".join(["", "", "", *("Ada's walk" if name == "marker" else "" for name in COLUMNS)]))
    assert (item.code, item.keep) == ("nothing-measured", False)
    assert b"Ada" not in item.raw


def test_a_section_without_a_header_has_no_rows() -> None:
    items = parse(row(sensor="104"), "-------,Guardian,Sensor,GT2,-------", "nonsense", row(sensor="105"))
    assert [item.device for item in items] == ["NG1"]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"date": "01/03/2026", "sensor": "104"}, "time-not-readable"),
        ({"date": "2026/02/30", "sensor": "104"}, "time-not-readable"),
        ({"date": "", "time": "", "sensor": "104"}, "no-time"),
        ({"sensor": "-5"}, "value-not-a-number"),
        ({"suspend": "WHO_KNOWS"}, "unknown-status"),
        ({}, "unknown-measure"),
        ({"carbs": "0"}, "unknown-measure"),
        ({"carbs": "0.0"}, "unknown-measure"),
    ],
)
def test_a_row_in_doubt_is_kept(cells: dict[str, str], code: str) -> None:
    item = one(**cells)
    assert (item.code, item.keep, item.device) == (code, True, "NG1")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b"Last Name,First Name\r\nLovelace,Ada\r\n", "section-not-found"),
        (f"{OPENING}\r\nIndex,Datum,Zeit\r\n".encode(), "section-not-found"),
        (b"\x89PNG\x81\x8d", "encoding"),
    ],
)
def test_another_file_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == code
    assert "Lovelace" not in str(refusal.value)


@settings(deadline=None)
@given(st.permutations([row(sensor="104"), row(bg="x"), row(basal="1"), row(time="08:10:00", sensor="105"), row(date="")]))
def test_the_order_of_rows_does_not_change_what_is_read(lines: list[str]) -> None:
    """DEVICES 2.3: newest first."""
    ordered = sorted(lines)
    assert sorted(map(str, map(place_free, parse(*lines)))) == sorted(map(str, map(place_free, parse(*ordered))))
