"""A CSV file as rows (RFC 4180, loosely): encoding, delimiter, quoted cells. What cannot be read in one row costs that row only."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO

from adapters.contract import Unreadable
from adapters.json_payload import UTF8_BOM, check_size
from adapters.limits import ITEMS_MAX, RAW_BYTES_MAX
from adapters.refusal import ItemRefused

DELIMITERS = ",;\t"
ROW_LINES_MAX = 20
"""A note may contain line breaks; a quotation mark that is never closed must not swallow the file."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record: number of its first line (from 1), text without line end, stripped cells."""

    line: int
    text: str
    cells: list[str]


def lines_of(payload: bytes) -> list[str]:
    """Return the lines with their ends. Raises Unreadable: empty, payload-too-large, encoding, too-many-items."""
    check_size(payload)
    lines = StringIO(_decode(payload), newline="").readlines()
    if len(lines) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"The file has {len(lines)} lines; send at most {ITEMS_MAX} at once.")
    return lines


def _decode(payload: bytes) -> str:
    """UTF-8, or else the Windows code page that spreadsheets save in. Files that were joined have a mark at each seam: none is content."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return payload.removeprefix(UTF8_BOM).decode(encoding).replace("\ufeff", "")
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding", "The file is neither UTF-8 nor Windows-1252; save it as CSV UTF-8.")


def rows(lines: list[str], first: int, delimiter: str) -> Iterator[Row]:
    """Yield the rows from the line with this index on, in their order, but for those without any content."""
    index = first
    while index < len(lines):
        span, text, found = _row(lines, index, delimiter)
        index += span
        if any(found):
            yield Row(index - span + 1, text, found)


def _row(lines: list[str], index: int, delimiter: str) -> tuple[int, str, list[str]]:
    """Return how many lines the row at `index` takes, its text and its cells."""
    text = lines[index].rstrip("\r\n")
    if '"' not in text:
        return 1, text, [cell.strip() for cell in text.split(delimiter)]
    span = _span(lines, index)
    record = "".join(lines[index : index + span]).rstrip("\r\n")
    found = cells(record, delimiter, strict=True)
    return (span, record, found) if found is not None else (1, text, cells(text, delimiter) or text.split(delimiter))


def _span(lines: list[str], index: int) -> int:
    """Return how many lines a record takes whose quotation marks pair up (RFC 4180, 2.6); 1 if they do not in reach."""
    quotes = chars = 0
    for span, line in enumerate(lines[index : index + ROW_LINES_MAX], start=1):
        quotes, chars = quotes + line.count('"'), chars + len(line)
        if quotes % 2 == 0 or chars > RAW_BYTES_MAX:
            return span if quotes % 2 == 0 else 1
    return 1


def cells(text: str, delimiter: str, *, strict: bool = False) -> list[str] | None:
    """Split one record that may have quoted cells (RFC 4180, to the letter if strict); None if it is not one record."""
    if len(text) > RAW_BYTES_MAX:
        return None
    try:
        found = list(csv.reader([text], delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    return [cell.strip() for cell in found[0]] if len(found) == 1 else None


def without(row: Row, places: Collection[int], delimiter: str) -> str:
    """Return the text of a row without the cells at `places`, which a person wrote; empty if nothing else stands in it."""
    if not any(row.cells[place] for place in places if place < len(row.cells)):
        return row.text
    left = ["" if place in places else cell for place, cell in enumerate(row.cells)]
    return written(left, delimiter) if any(left) else ""


def check_left(text: str) -> None:
    """Raise ItemRefused if nothing is left of a row (`without`): there is nothing that could be read again."""
    if not text:
        raise ItemRefused("nothing-measured", "The row says something of a person and nothing else; it is not kept.", keep=False)


def written(row: list[str], delimiter: str) -> str:
    """Write one record, quoted where it has to be: a row again after a cell of it was emptied."""
    out = StringIO()
    # The writer puts into quotes what holds a letter of the line's end: a carriage return alone ends a line, too.
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(row)
    return out.getvalue().removesuffix("\r\n")
