"""The file as a table: which line is the header, what its columns are, and how dates are to be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters import csv_rows
from adapters.contract import Unreadable
from adapters.csv_rows import DELIMITERS, Row
from adapters.libreview.dates import DATE_ORDERS, DateOrder
from adapters.libreview.mapping import REQUIRED_ROLES, column_of, plain

HEADER_LINE_MAX = 10
"""Lines above the header: a preamble with a person's name, perhaps a statement of the date order, blank lines."""

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
class Table:
    header: Header
    lines: list[str]
    first: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows in their order, but for those without any content."""
        return csv_rows.rows(self.lines, self.first, self.header.delimiter)


def read_table(payload: bytes) -> Table:
    """Find header and rows. Raises Unreadable: empty, payload-too-large, encoding, too-many-items, header-…"""
    lines = csv_rows.lines_of(payload)
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


def _header(text: str, stated_order: DateOrder | None) -> Header | None:
    for delimiter in DELIMITERS:
        column, unit = _columns(text, delimiter)
        if column.keys() >= REQUIRED_ROLES:
            return Header(text=text, delimiter=delimiter, column=column, unit=unit, stated_order=stated_order)
    return None


def _columns(text: str, delimiter: str) -> tuple[dict[str, int], dict[str, str | None]]:
    column: dict[str, int] = {}
    unit: dict[str, str | None] = {}
    for index, heading in enumerate(csv_rows.cells(text, delimiter) or []):
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
