"""Tables: each row is a document {"row": {column: text}, "preamble": {word: text}}; an empty cell is not there.

RFC 4180 as spreadsheets write it: UTF-8 with or without byte order mark, else Windows-1252; comma, semicolon or tab.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from adapters.contract import Unreadable
from adapters.declarative.source import Damaged, Document
from adapters.json_payload import UTF8_BOM, check_size
from adapters.limits import ITEMS_MAX, RAW_BYTES_MAX

DELIMITERS: Final = ",;\t"
HEADER_LINE_MAX: Final = 20
COLUMNS_MAX: Final = 1000
ROW_LINES_MAX: Final = 20
"""A cell may contain line breaks; a quotation mark that is never closed must not swallow the file."""

ROW, PREAMBLE = "row", "preamble"


@dataclass(frozen=True, slots=True)
class _Header:
    line: int
    delimiter: str
    columns: list[str]
    preamble: Mapping[str, str]


class CsvSource:
    """`required`: the columns by which the header is known."""

    media_types = ("text/csv",)

    def __init__(self, required: Sequence[str]) -> None:
        self.required = tuple(dict.fromkeys(name.strip() for name in required))

    def read(self, payload: bytes) -> Iterator[Document | Damaged]:
        check_size(payload)
        lines = StringIO(_decoded(payload), newline="").readlines()
        if len(lines) > ITEMS_MAX:
            raise Unreadable("too-many-items", f"The file has {len(lines)} lines; send at most {ITEMS_MAX} at once.")
        return _rows(lines, self._header(lines))

    def write(self, trees: Sequence[Any]) -> bytes:
        """Write preamble, header and rows; a column that no row fills is only there if the header is known by it."""
        out = StringIO(newline="")
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerows([word, text] for word, text in (trees[0].get(PREAMBLE) or {}).items())
        columns = list(dict.fromkeys([*self.required, *(name for tree in trees for name in tree.get(ROW) or ())]))
        writer.writerow(columns)
        writer.writerows([(tree.get(ROW) or {}).get(name, "") for name in columns] for tree in trees)
        return out.getvalue().encode()

    def _header(self, lines: list[str]) -> _Header:
        index = 0
        while index < min(len(lines), HEADER_LINE_MAX):
            span = _span(lines, index)
            text = "".join(lines[index : index + span]).rstrip("\r\n")
            for delimiter in DELIMITERS:
                cells = _cells(text, delimiter)
                if cells is not None and set(self.required) <= set(cells) and len(cells) <= COLUMNS_MAX:
                    return _Header(index + span, delimiter, _named(cells), _preamble(lines[:index]))
            index += span
        wanted = ", ".join(self.required)
        raise Unreadable("header-not-found", f"None of the first {HEADER_LINE_MAX} lines is a header with the columns {wanted}.")


def _preamble(lines: list[str]) -> dict[str, str]:
    """Read lines above the header: a word, then what it says."""
    said: dict[str, str] = {}
    index = 0
    while index < len(lines):
        span = _span(lines, index)
        text = "".join(lines[index : index + span]).rstrip("\r\n")
        index += span
        delimiter = next((one for one in ";\t," if one in text), "")
        cells = _cells(text, delimiter) if delimiter else None
        if cells and len(cells) > 1 and cells[0] and cells[1]:
            said.setdefault(cells[0], cells[1])
    return said


def _named(cells: list[str]) -> list[str]:
    """Return the names of the columns; of two that bear one name nothing says which is meant."""
    twice = {name for name in cells if name and cells.count(name) > 1}
    if twice:
        raise Unreadable("header-ambiguous", "Two columns bear the same name; rename one of them.")
    return cells


def _rows(lines: list[str], header: _Header) -> Iterator[Document | Damaged]:
    index, names = header.line, header.columns
    while index < len(lines):
        pointer, span, quoted = f"row {index + 1}", 1, '"' in lines[index]
        if quoted:
            span = _span(lines, index)
        text = "".join(lines[index : index + span]).rstrip("\r\n")
        cells = _cells(text, header.delimiter) if quoted else [cell.strip() for cell in text.split(header.delimiter)]
        index += span
        if cells is None or any(cells[len(names) :]) or any(cell and not name for name, cell in zip(names, cells, strict=False)):
            hint = "The row has more cells than the header has names, or a quotation mark without its pair: quote cells with a delimiter."
            yield Damaged(pointer, "cells-misplaced", hint, text.encode())
        elif any(cells):
            row = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
            yield Document({PREAMBLE: header.preamble, ROW: row}, pointer)


def _decoded(payload: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return payload.removeprefix(UTF8_BOM).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding", "The file is neither UTF-8 nor Windows-1252; save it as CSV UTF-8.")


def _span(lines: list[str], index: int) -> int:
    """Return how many lines a record takes whose quotation marks pair up (RFC 4180, 2.6); 1 if they do not in reach."""
    quotes = chars = 0
    for span, line in enumerate(lines[index : index + ROW_LINES_MAX], start=1):
        quotes, chars = quotes + line.count('"'), chars + len(line)
        if quotes % 2 == 0 or chars > RAW_BYTES_MAX:
            return span if quotes % 2 == 0 else 1
    return 1


def _cells(text: str, delimiter: str) -> list[str] | None:
    if len(text) > RAW_BYTES_MAX:
        return None
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return [cell.strip() for cell in rows[0]] if len(rows) == 1 else None
