"""CareLink export -> readings: an item for each column of a row that measures something."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from adapters import csv_rows
from adapters.carelink.mapping import (
    ALARM,
    AMOUNTS,
    AUTOMATED_SOURCES,
    BOLUS,
    CARBOHYDRATES,
    DATE,
    NORMAL,
    OTHER_ALARM,
    RESERVOIR_CHANGE,
    RESUMED,
    REWIND,
    SELECTED,
    SOURCE,
    SUSPEND,
    SUSPENDED,
    TIME,
    Amount,
)
from adapters.carelink.table import Section, sections
from adapters.csv_rows import Row
from adapters.limits import FIELD_CHARS_MAX, YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:[.,][0-9]{1,6})?")
_STAMP = re.compile(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})")

Found = tuple[str, Value, str, bool, tuple[str, ...]]
"""Measure, value, kind, whether a person entered it, flags."""


def parse(payload: bytes) -> Iterable[Item]:
    """Read an export in English, in any order of its rows. Raises Unreadable before the first item."""
    return _items(sections(payload))


def _items(rows: Iterable[tuple[Section, Row]]) -> Iterator[Item]:
    for section, row in rows:
        yield from _row_items(section, row)


def _row_items(section: Section, row: Row) -> Iterator[Item]:
    kept = section.kept(row)
    raw, pointer, device = f"{section.head}{kept}".encode(), f"row {row.line}", None
    try:
        check_length(raw)
        csv_rows.check_left(kept)
        device = _device(section)
        time = _time(section, row)
        names = _filled(section, row)
    except ItemRefused as refused:
        yield refused.item(pointer=pointer, raw=raw, device=device)
        return
    for name in names:
        try:
            measure, value, kind, manual, quality = _found(section, row, name)
        except ItemRefused as refused:
            yield refused.item(pointer=pointer, raw=raw, device=device)
            continue
        yield Reading(
            measure=measure,
            device=device,
            time=time,
            value=value,
            source_id=kind,
            pointer=pointer,
            raw=raw,
            manual=manual,
            quality=quality,
        )


def _device(section: Section) -> str | None:
    if len(section.serial) > FIELD_CHARS_MAX:
        raise ItemRefused("device-not-readable", f"A serial number has at most {FIELD_CHARS_MAX} characters.")
    return section.serial or None


def _time(section: Section, row: Row) -> DeviceTime:
    """Rows write the year first whatever the language of the file is."""
    text = f"{section.cell(row, DATE)} {section.cell(row, TIME)}".strip()
    if not text:
        raise ItemRefused("no-time", "The row has neither date nor time.")
    form = _STAMP.fullmatch(text)
    if form is None or not YEAR_MIN <= int(form[1]) <= YEAR_MAX:
        raise ItemRefused("time-not-readable", "Date and time of a row must be written as 2026/12/31 and 23:59:59.")
    try:
        wall = datetime(*(int(part) for part in form.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 - six numbers, local
    except ValueError:
        raise ItemRefused("time-not-readable", "Date and time of the row are no day of the calendar or no time of the day.") from None
    return DeviceTime(kind="local", text=text, wall=wall)


def _filled(section: Section, row: Row) -> list[str]:
    """Return the columns of a row that measure something. Food of 0 g is a calculation without food."""
    names = [name for name in (*(amount.column for amount in AMOUNTS), ALARM, SUSPEND, REWIND) if section.cell(row, name)]
    names = [name for name in names if name != CARBOHYDRATES or section.cell(row, name).strip("0,.")]
    if not names:
        raise ItemRefused("unknown-measure", "The row has nothing in a column that has a measure in this version; it is kept.")
    return names


def _found(section: Section, row: Row, name: str) -> Found:
    text = section.cell(row, name)
    if name == ALARM:
        return "insulin-pump-event", OTHER_ALARM, "alarm", False, ()
    if name == REWIND:
        return "insulin-pump-event", RESERVOIR_CHANGE, "rewind", False, ()
    if name == SUSPEND:
        return "insulin-delivery-mode", _mode(text), "suspend", False, ()
    amount = next(one for one in AMOUNTS if one.column == name)
    value = Quantity(value=_number(text), unit=amount.unit)
    return amount.measure, value, amount.kind, amount.manual, amount.quality + _flags(section, row, amount, value)


def _mode(text: str) -> Value:
    if text.upper() == NORMAL:
        return RESUMED
    if SUSPEND.upper() in text.upper():
        return SUSPENDED
    raise ItemRefused("unknown-status", "The column Suspend holds a word that is not known; the row is kept.")


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ItemRefused("value-not-a-number", "The value is not a number.")
    return text.replace(",", ".")


def _flags(section: Section, row: Row, amount: Amount, value: Quantity) -> tuple[str, ...]:
    """What was delivered counts; less than what was selected was interrupted."""
    if amount.column != BOLUS:
        return ()
    selected = section.cell(row, SELECTED)
    less = bool(_NUMBER.fullmatch(selected)) and Decimal(value.value) < Decimal(selected.replace(",", "."))
    automated = section.cell(row, SOURCE).upper() in AUTOMATED_SOURCES
    return ("automated-delivery",) * automated + ("interrupted",) * less
