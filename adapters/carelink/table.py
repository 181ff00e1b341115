"""The file as sections: each opens with a line that names the device, then a header, then rows until the next such line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

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
        """Return the text of the row without the cells that a person wrote; empty if nothing else stands in it."""
        return csv_rows.without(row, [self.column[name] for name in PERSONAL if name in self.column], self.delimiter)


def sections(payload: bytes) -> Iterator[tuple[Section, Row]]:
    """Give each row with its section. Raises Unreadable at once if no section is found; what stands above the first is never looked at."""
    lines = csv_rows.lines_of(payload)
    delimiter, first = _first(lines)
    return _rows(lines, first, delimiter)


def _first(lines: list[str]) -> tuple[str, int]:
    """Return the delimiter and the line where the first section opens, seen with the same eyes as every later one."""
    for index, line in enumerate(lines):
        for delimiter in DELIMITERS if SECTION_MARK in line else "":
            if _opens(lines, index, delimiter):
                return delimiter, index
    raise Unreadable(
        "section-not-found",
        f"No line begins with {SECTION_MARK} and is followed by a header in English (Index, Date, Time, …): "
        "this is no export of CareLink Personal.",
    )


def _opens(lines: list[str], index: int, delimiter: str) -> bool:
    """Does a section open in this line, with a header in English in the next row?"""
    match list(islice(csv_rows.rows(lines, index, delimiter), 2)):
        case [opening, header]:
            return opening.line == index + 1 and _is_opening(opening) and _section(opening, header, delimiter) is not None
        case _:
            return False


def _is_opening(row: Row) -> bool:
    return row.cells[0] == SECTION_MARK


def _rows(lines: list[str], first: int, delimiter: str) -> Iterator[tuple[Section, Row]]:
    section: Section | None = None
    opening: Row | None = None
    for row in csv_rows.rows(lines, first, delimiter):
        if _is_opening(row):
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
    head = f"{_alone(opening, delimiter)}\r\n{_alone(header, delimiter)}\r\n"
    return Section(head=head, delimiter=delimiter, serial=serial, column=column)


def _alone(row: Row, delimiter: str) -> str:
    """Return a line of the head that reads the same whatever follows it: no quotation mark is left open."""
    return csv_rows.written(row.cells, delimiter) if '"' in row.text else row.text
