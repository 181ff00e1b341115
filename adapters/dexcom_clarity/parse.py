"""Clarity export -> readings. Every row with a time gives exactly one item."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters import csv_rows
from adapters.contract import Unreadable
from adapters.csv_rows import DELIMITERS, Row
from adapters.dexcom_clarity.mapping import COLUMNS, EVENT, GLUCOSE, OUT_OF_RANGE, PERSONAL, PREAMBLE, REQUIRED, Event
from adapters.iso_time import device_time
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

HEADER_LINE_MAX = 5
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:[.,][0-9]{1,6})?")
_TRANSMITTER = re.compile(r"[0-9A-Z-]{4,32}")
_DAMAGED_BOM = "\N{LATIN SMALL LETTER I WITH DIAERESIS}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{INVERTED QUESTION MARK}"
"""The mark of UTF-8, read as if it were Windows-1252 and written again: what a file has that was opened and saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where the columns are, and the header line that each item keeps: without it a row has no unit."""

    lines: list[str]
    first: int
    head: str
    delimiter: str
    column: Mapping[str, int]

    def cell(self, row: Row, role: str) -> str:
        """Return a cell; rows of some events have one less, and spreadsheets cut empty ones off the end."""
        index = self.column.get(role)
        return row.cells[index] if index is not None and index < len(row.cells) else ""


def parse(payload: bytes) -> Iterable[Item]:
    """Read an export in English. Raises Unreadable before the first item."""
    lines = csv_rows.lines_of(payload)
    for index, line in enumerate(lines[:HEADER_LINE_MAX]):
        table = _table(lines, index, line.rstrip("\r\n"))
        if table is not None:
            return _items(table)
    raise Unreadable(
        "header-not-found",
        f"None of the first {HEADER_LINE_MAX} lines is the header of a Clarity export in English "
        "(Index, Timestamp (YYYY-MM-DDThh:mm:ss), Event Type, …).",
    )


def _table(lines: list[str], index: int, text: str) -> Table | None:
    for delimiter in DELIMITERS:
        names = [_plain(cell) for cell in csv_rows.cells(text, delimiter) or []]
        column = {COLUMNS[name]: place for place, name in enumerate(names) if name in COLUMNS}
        if column.keys() >= REQUIRED:
            if len(column) < sum(name in COLUMNS for name in names):
                raise Unreadable("header-ambiguous", "Two columns have the same meaning.")
            return Table(lines=lines, first=index + 1, head=text, delimiter=delimiter, column=column)
    return None


def _plain(heading: str) -> str:
    return heading.replace(_DAMAGED_BOM, "").strip('\ufeff" ').lower()


def _items(table: Table) -> Iterator[Item]:
    for row in csv_rows.rows(table.lines, table.first, table.delimiter):
        if table.cell(row, "timestamp") or table.cell(row, "type").lower() not in PREAMBLE:
            yield _item(table, row)


def _item(table: Table, row: Row) -> Item:
    kept = csv_rows.without(row, [table.column[role] for role in PERSONAL if role in table.column], table.delimiter)
    raw, pointer, device = f"{table.head}\r\n{kept}".encode(), f"row {row.line}", None
    try:
        check_length(raw)
        csv_rows.check_left(kept)
        device = _device(table, row)
        event = _event(table, row)
        time = _time(table.cell(row, "timestamp"))
        value, quality = _value(table, row, event)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw, device=device)
    return Reading(
        measure=event.measure,
        device=device,
        time=time,
        value=value,
        source_id=event.type,
        pointer=pointer,
        raw=raw,
        manual=event.manual,
        quality=event.quality + quality,
    )


def _device(table: Table, row: Row) -> str | None:
    """The transmitter; `Source Device ID` names a kind of phone ("android G6") and identifies nothing."""
    transmitter = table.cell(row, "transmitter")
    if transmitter and not _TRANSMITTER.fullmatch(transmitter):
        raise ItemRefused("device-not-readable", "A transmitter ID consists of capital letters and digits.")
    return transmitter or None


def _event(table: Table, row: Row) -> Event:
    event = EVENT.get((table.cell(row, "type").lower(), table.cell(row, "sub-type").lower()))
    if event is None:
        raise ItemRefused("unknown-measure", "The event type or subtype has no measure in this version; the row is kept.")
    return event


def _time(text: str) -> DeviceTime:
    if not text or len(text) > FIELD_CHARS_MAX:
        raise ItemRefused("no-time", "The row has no timestamp.")
    return device_time(text)


def _value(table: Table, row: Row, event: Event) -> tuple[Value, tuple[str, ...]]:
    column = event.column or next((role for role in GLUCOSE if role in table.column), "")
    unit, text = event.unit or GLUCOSE.get(column), table.cell(row, column)
    if unit is None:
        raise ItemRefused("unit-unknown", "No column is called Glucose Value (mg/dL) or Glucose Value (mmol/L).")
    if not text or len(text) > FIELD_CHARS_MAX:
        raise ItemRefused("value-missing", "The column for this event is missing, empty or overlong in this row.")
    flag = None if event.column else OUT_OF_RANGE.get(text.lower())
    if flag is not None:
        return Absent(reason="unsupported"), (flag,)
    if not _NUMBER.fullmatch(text):
        raise ItemRefused("value-not-a-number", "The value is neither a number nor Low or High.")
    return Quantity(value=text.replace(",", "."), unit=unit), ()
