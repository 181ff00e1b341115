"""The file as a table: encoding, delimiter, header, rows. What it cannot read in one row costs that row only."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from adapters.contract import Unreadable
from adapters.json_payload import UTF8_BOM, check_size
from adapters.libreview.dates import DATE_ORDERS, DateOrder
from adapters.libreview.mapping import REQUIRED_ROLES, column_of, plain
from adapters.limits import ITEMS_MAX, RAW_BYTES_MAX

DELIMITERS = ",;\t"
HEADER_LINE_MAX = 10
"""Lines above the header: a preamble with a person's name, perhaps a statement of the date order, blank lines."""

ROW_LINES_MAX = 20
"""A note may contain line breaks; a quotation mark that is never closed must not swallow the file."""

DATE_ORDER_LINE = "date-order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the columns are. `text` is the header line, which each item keeps: without it the row has no unit."""

    text: str
    delimiter: str
    column: Mapping[str, int]
    unit: Mapping[str, str | None]
    stated_order: DateOrder | None


@dataclass(frozen=True, slots=True)
class Row:
    """One record: number of its first line (from 1), text without line end, stripped cells."""

    line: int
    text: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    header: Header
    lines: list[str]
    first: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows in their order, but for those without any content."""
        index, delimiter = self.first, self.header.delimiter
        while index < len(self.lines):
            span, text, cells = _row(self.lines, index, delimiter)
            index += span
            if any(cells):
                yield Row(index - span + 1, text, cells)


def read_table(payload: bytes) -> Table:
    """Find header and rows. Raises Unreadable: empty, payload-too-large, encoding, too-many-items, header-…"""
    check_size(payload)
    lines = StringIO(_decode(payload), newline="").readlines()
    if len(lines) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"The file has {len(lines)} lines; send at most {ITEMS_MAX} at once.")
    stated: DateOrder | None = None
    for index, line in enumerate(lines[:HEADER_LINE_MAX]):
        text = line.rstrip("\r\n")
        header = _header(text, stated)
        if header is not None:
            return Table(header, lines, index + 1)
        stated = _stated_order(text) or stated
    raise Unreadable(
        "header-not-found",
        f"None of the first {HEADER_LINE_MAX} lines is the header of a LibreView export in English or French "
        "(Device Timestamp, Record Type, … or Horodatage de l'appareil, Type d'enregistrement, …).",
    )


def _decode(payload: bytes) -> str:
    """UTF-8, or else the Windows code page that spreadsheets save in."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return payload.removeprefix(UTF8_BOM).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding", "The file is neither UTF-8 nor Windows-1252; save it as CSV UTF-8.")


def _header(text: str, stated_order: DateOrder | None) -> Header | None:
    for delimiter in DELIMITERS:
        column, unit = _columns(text, delimiter)
        if column.keys() >= REQUIRED_ROLES:
            return Header(text=text, delimiter=delimiter, column=column, unit=unit, stated_order=stated_order)
    return None


def _columns(text: str, delimiter: str) -> tuple[dict[str, int], dict[str, str | None]]:
    column: dict[str, int] = {}
    unit: dict[str, str | None] = {}
    for index, heading in enumerate(_cells(text, delimiter) or []):
        found = column_of(heading)
        if found is None:
            continue
        role, unit_ = found
        if role in column:
            raise Unreadable("header-ambiguous", f"Columns {column[role] + 1} and {index + 1} have the same meaning.")
        column[role], unit[role] = index, unit_
    return column, unit


def _stated_order(text: str) -> DateOrder | None:
    """Read our own line `date-order,day-first`: the sender's word, and how a kept row remembers its file's proof."""
    for delimiter in DELIMITERS:
        cells = [plain(cell) for cell in text.split(delimiter)]
        if len(cells) > 1 and cells[0] == DATE_ORDER_LINE:
            return next((order for order in DATE_ORDERS if order == cells[1]), None)
    return None


def _row(lines: list[str], index: int, delimiter: str) -> tuple[int, str, list[str]]:
    """Return how many lines the row at `index` takes, its text and its cells."""
    text = lines[index].rstrip("\r\n")
    if '"' not in text:
        return 1, text, [cell.strip() for cell in text.split(delimiter)]
    span = _span(lines, index)
    record = "".join(lines[index : index + span]).rstrip("\r\n")
    cells = _cells(record, delimiter, strict=True)
    return (span, record, cells) if cells is not None else (1, text, _cells(text, delimiter) or text.split(delimiter))


def _span(lines: list[str], index: int) -> int:
    """Return how many lines a record takes whose quotation marks pair up (RFC 4180, 2.6); 1 if they do not in reach."""
    quotes = chars = 0
    for span, line in enumerate(lines[index : index + ROW_LINES_MAX], start=1):
        quotes, chars = quotes + line.count('"'), chars + len(line)
        if quotes % 2 == 0 or chars > RAW_BYTES_MAX:
            return span if quotes % 2 == 0 else 1
    return 1


def _cells(text: str, delimiter: str, *, strict: bool = False) -> list[str] | None:
    """Split one record that may have quoted cells (RFC 4180, to the letter if strict); None if it is not one record."""
    if len(text) > RAW_BYTES_MAX:
        return None
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    return [cell.strip() for cell in rows[0]] if len(rows) == 1 else None
