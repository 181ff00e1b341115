"""The file as sections: each opens with a line that names the device, then a header, then rows until the next such line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters import csv_rows
from adapters.carelink.mapping import PERSONAL, READ, REQUIRED, SECTION_MARK
from adapters.contract import Unreadable
from adapters.csv_rows import DELIMITERS, Row

SERIAL = 3
"""Place of the serial number in the line that opens a section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Device and columns of the rows that follow. `head`: its two lines, which each item keeps."""

    head: str
    delimiter: str
    serial: str
    column: Mapping[str, int]

    def cell(self, row: Row, name: str) -> str:
        index = self.column.get(name)
        return row.cells[index] if index is not None and index < len(row.cells) else ""

    def kept(self, row: Row) -> str:
        """Return the text of the row; written anew without them if it has cells that a person wrote."""
        places = [self.column[name] for name in PERSONAL if self.cell(row, name)]
        if not places:
            return row.text
        return csv_rows.written(["" if place in places else cell for place, cell in enumerate(row.cells)], self.delimiter)


def sections(payload: bytes) -> Iterator[tuple[Section, Row]]:
    """Give each row with its section. Raises Unreadable at once if no section is found; what stands above the first is never looked at."""
    lines = csv_rows.lines_of(payload)
    delimiter, first = _first(lines)
    return _rows(lines, first, delimiter)


def _first(lines: list[str]) -> tuple[str, int]:
    for index, line in enumerate(lines):
        for delimiter in DELIMITERS:
            if line.startswith(SECTION_MARK + delimiter) and _header(lines, index, delimiter) is not None:
                return delimiter, index
    raise Unreadable(
        "section-not-found",
        f"No line begins with {SECTION_MARK} and is followed by a header in English (Index, Date, Time, …): "
        "this is no export of CareLink Personal.",
    )


def _header(lines: list[str], index: int, delimiter: str) -> list[str] | None:
    """Return the names of the columns in the line after a section's first, or None if that is no header."""
    text = lines[index + 1] if index + 1 < len(lines) else ""
    names = [name.lower() for name in csv_rows.cells(text.rstrip("\r\n"), delimiter) or []]
    return names if set(names) >= REQUIRED else None


def _rows(lines: list[str], first: int, delimiter: str) -> Iterator[tuple[Section, Row]]:
    section: Section | None = None
    opening: Row | None = None
    for row in csv_rows.rows(lines, first, delimiter):
        if row.cells[0] == SECTION_MARK:
            section, opening = None, row
        elif opening is not None:
            section, opening = _section(opening, row, delimiter), None
        elif section is not None:
            yield section, row


def _section(opening: Row, header: Row, delimiter: str) -> Section | None:
    names = [name.lower() for name in header.cells]
    column = {name: place for place, name in reversed(list(enumerate(names))) if name in READ}
    if not column.keys() >= REQUIRED:
        return None
    serial = opening.cells[SERIAL] if len(opening.cells) > SERIAL else ""
    return Section(head=f"{opening.text}\r\n{header.text}\r\n", delimiter=delimiter, serial=serial, column=column)
