"""What generic messages look like: DEVICES 2.11 (encodings, delimiters, numbers as text, times of every kind)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.reading import DeviceTime, Quantity, Reading, Rejected
from tests.support.mappings import AT, PULSE, adapter, decode, only

CSV = {"format": "csv", "header": ["at", "hr"]}
SHARED = {"device": "$document.preamble.Serial", "time": {"from": "$.at", "kind": "offset"}}


def table(**value: Any) -> Any:
    return adapter({"measure": "heart-rate", "value": {"from": "$.hr", "unit": "/min", **value}}, input=CSV, defaults=SHARED)


def timed(**time: Any) -> Any:
    return adapter(PULSE, time={"from": "$.t", **time})


def when(made: Any, **record: Any) -> Any:
    item = only(made, {"hr": 60, **record})
    return item.time if isinstance(item, Reading) else item.code


# -- tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_is_read_however_a_spreadsheet_saved_it(delimiter: str, encoding: str, newline: str) -> None:
    lines = ["Besitzer;Zoé", "Serial;É-1", "", "at;name;hr", f"{AT};Zoé;60", f"{AT};Zoé;"]
    items = decode(table(), newline.join(lines).replace(";", delimiter).encode(encoding))
    assert [(item.device, item.pointer) for item in items] == [("É-1", "row 5"), ("É-1", "row 6")]
    assert isinstance(items[0], Reading)
    assert items[0].value == Quantity(value="60", unit="/min")
    assert "Zoé".encode() not in items[0].raw


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks() -> None:
    items = decode(table(decimal="comma"), f'at,hr,note\n"{AT}","60,5","a ""b"",\nc"\n{AT},61,x')
    assert [item.value.value for item in items if isinstance(item, Reading) and isinstance(item.value, Quantity)] == ["60.5", "61"]


def test_a_decimal_comma_in_a_table_with_commas_is_said_and_costs_its_row() -> None:
    items = decode(table(decimal="comma"), f"at,hr\n{AT},60,5\n{AT},61")
    assert [item.code if isinstance(item, Rejected) else item.measure for item in items] == ["cells-misplaced", "heart-rate"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("at,x\n1,2", "header-not-found"), ("at,hr,x,x\n1,2,3,4", "header-ambiguous"), (" ", "empty"), ("at\n" * 3, "header-not-found")],
)
def test_what_is_no_such_table_is_refused_as_a_whole(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        decode(table(), text)
    assert refusal.value.code == code


def test_a_table_without_rows_gives_nothing() -> None:
    assert decode(table(), "at,hr\n") == []


# -- lines


def test_a_bad_line_costs_itself_only() -> None:
    made = adapter(PULSE, input={"format": "ndjson"}, foreach=None)
    good = json.dumps({"sn": "S", "at": AT, "hr": 60})
    items = decode(made, f"{good}\n\nnot json\n{good}\n")
    assert [(item.pointer, isinstance(item, Reading)) for item in items] == [("row 1", True), ("row 3", False), ("row 4", True)]


# -- XML


def test_xml_is_read_by_attributes_text_and_children() -> None:
    made = adapter(
        {"measure": "heart-rate", "value": {"from": "$.Pulse[0]['#text']", "unit": "/min"}},
        input={"format": "xml"},
        foreach=[{"unit": "$.Export.Device[*]"}, {"sample": "$.Sample[*]"}],
        defaults={"device": "$unit['@serial']", "time": {"from": "$['@at']", "kind": "offset"}},
    )
    payload = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?><e:Export xmlns:e="urn:e"><Owner>Zoé</Owner>'
        f'<Device serial="&lt;É&quot;1"><Sample at="{AT}"><Pulse> 60.50 </Pulse></Sample><Sample at="{AT}"/></Device></e:Export>'
    )
    items = decode(made, payload.encode("latin-1"))
    assert [item.pointer for item in items] == ["/Export/Device/0/Sample/0/Pulse/0/#text", "/Export/Device/0/Sample/1"]
    assert isinstance(items[0], Reading)
    assert (items[0].device, items[0].value) == ('<É"1', Quantity(value="60.50", unit="/min"))
    assert "Zoé".encode() not in items[0].raw


# -- times


@pytest.mark.parametrize(
    ("spec", "text", "instant"),
    [
        ({"kind": "utc"}, "2026-01-05T10:00:00Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ({"kind": "utc"}, "2026-01-05 10:00:00.1234567", datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)),
        ({"kind": "offset"}, "2026-01-05T10:00+0100", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ({"kind": "utc", "format": "epoch-s"}, 1767607200, datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ({"kind": "utc", "format": "epoch-s"}, "1767607200.5", datetime(2026, 1, 5, 10, 0, 0, 500000, UTC)),
        ({"kind": "utc", "format": "epoch-ms"}, 1767607200000, datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ({"kind": "utc", "format": "epoch-us"}, 1767607200000000, datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ({"kind": "utc", "format": "epoch-ns"}, "1767607200000000000", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ({"kind": "utc", "format": "DD.MM.YYYY hh:mm:ss A"}, "05.01.2026 12:00:00 am", datetime(2026, 1, 5, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_every_form_and_keeps_its_text(spec: Any, text: Any, instant: datetime) -> None:
    found = when(timed(**spec), t=text)
    assert (found.kind, found.text, found.instant) == (spec["kind"], str(text), instant)


@pytest.mark.parametrize(
    ("format_", "text"), [("iso", "2026-01-05T10:00:00"), ("DD/MM/YYYY HH:mm", "05/01/2026 10:00"), ("epoch-s", "1767607200")]
)
def test_a_wall_clock_stays_one_and_gets_no_zone(format_: str, text: str) -> None:
    """The last is how some write it: local time as if it were a count of UTC seconds."""
    assert when(timed(kind="local", format=format_), t=text) == DeviceTime(kind="local", text=text, wall=datetime(2026, 1, 5, 10))  # noqa: DTZ001


def test_ticks_are_kept_as_they_are() -> None:
    assert when(timed(kind="ticks"), t=4711) == DeviceTime(kind="ticks", text="4711")


@pytest.mark.parametrize(
    ("spec", "record", "code"),
    [
        ({"kind": "offset"}, {"t": "2026-01-05T10:00:00"}, "time-not-readable"),
        ({"kind": "local"}, {"t": "2026-01-05T10:00:00Z"}, "time-not-readable"),
        ({"kind": "utc"}, {"t": "0000-00-00T00:00:00"}, "time-not-readable"),
        ({"kind": "utc"}, {"t": "2026-02-29T00:00:00"}, "time-not-readable"),
        ({"kind": "utc", "format": "epoch-s"}, {"t": 0}, "time-not-readable"),
        ({"kind": "utc", "format": "epoch-s"}, {"t": "1e300"}, "time-not-readable"),
        ({"kind": "utc", "unset": ["2000-01-01T00:00:00Z"]}, {"t": "2000-01-01T00:00:00Z"}, "no-time"),
        ({"kind": "utc"}, {}, "no-time"),
        ({"kind": "offset", "zone": "$.tz"}, {"t": "2025-10-26T02:30:00", "tz": "Europe/Paris"}, "time-ambiguous"),
        ({"kind": "offset", "zone": "$.tz"}, {"t": "2025-03-30T02:30:00", "tz": "Europe/Paris"}, "time-nonexistent"),
        ({"kind": "offset", "zone": "$.tz"}, {"t": "2025-03-30T12:30:00", "tz": "Etc/GMT+5"}, "zone-not-readable"),
        ({"kind": "offset", "zone": "$.tz"}, {"t": "2025-03-30T12:30:00", "tz": "../../etc/passwd"}, "zone-not-readable"),
        ({"kind": "offset", "zone": "$.tz"}, {"t": "2025-03-30T12:30:00"}, "zone-not-readable"),
        ({"kind": "offset", "offset": {"from": "$.o", "unit": "minutes"}}, {"t": "2025-03-30T12:30:00", "o": 9000}, "zone-not-readable"),
    ],
)
def test_a_time_in_doubt_is_said_and_kept(spec: Any, record: Any, code: str) -> None:
    assert when(timed(**spec), **record) == code


@pytest.mark.parametrize(
    ("spec", "beside"),
    [
        ({"zone": "$.o"}, "Europe/Paris"),
        ({"offset": {"from": "$.o", "unit": "minutes"}}, 60),
        ({"offset": {"from": "$.o", "unit": "hours"}}, "1.0"),
        ({"offset": {"from": "$.o", "unit": "seconds"}}, 3600),
        ({"offset": {"from": "$.o", "unit": "text"}}, "+01:00"),
    ],
)
def test_what_stands_beside_a_wall_clock_settles_it_and_is_part_of_its_text(spec: Any, beside: Any) -> None:
    found = when(timed(kind="offset", **spec), t="2026-01-05T10:00:00", o=beside)
    assert (found.instant, found.text) == (datetime(2026, 1, 5, 9, tzinfo=UTC), f"2026-01-05T10:00:00 {beside}")
