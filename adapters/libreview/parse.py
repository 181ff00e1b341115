"""LibreView export -> readings. Every data row gives one item; two, if it names a dose of each kind of insulin."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from adapters.csv_rows import Row
from adapters.libreview.dates import DATE_ORDERS, DateOrder, order_of, proven_orders, wall_time
from adapters.libreview.mapping import CLAMP, RECORD_TYPE, SENTINELS, UNMAPPED, RecordType, plain
from adapters.libreview.table import DATE_ORDER_LINE, Header, Table, read_table
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Absent, Coded, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:[.,][0-9]{1,6})?")
NO_COMPONENTS: Mapping[str, Value] = {}
NO_CONTEXT: Mapping[str, Coded] = {}


def parse(payload: bytes) -> Iterable[Item]:
    """Read an export in English or French. Raises Unreadable before the first item."""
    return _items(read_table(payload))


def _items(table: Table) -> Iterator[Item]:
    header = table.header
    stamp = header.column["timestamp"]
    stated = header.stated_order
    orders = (stated,) if stated else proven_orders(_cell(row, stamp) for row in table.rows())
    heads = _raw_heads(header)
    for row in table.rows():
        yield from _row_items(header, orders, row, heads[order_of(_cell(row, stamp), orders)])


def _raw_heads(header: Header) -> Mapping[DateOrder | None, str]:
    """Lines that make one row a file of its own again: how its date is to be read, and the header. Never a preamble."""
    plain_head = f"{header.text}\r\n"
    return {None: plain_head} | {order: f"{DATE_ORDER_LINE}{header.delimiter}{order}\r\n{plain_head}" for order in DATE_ORDERS}


def _row_items(header: Header, orders: tuple[DateOrder, ...], row: Row, raw_head: str) -> Iterator[Item]:
    raw, pointer, device = f"{raw_head}{row.text}".encode(), f"row {row.line}", None
    try:
        check_length(raw)
        device = _serial(header, row)
        record_types = _record_types(header, row)
        time = _time(_cell(row, header.column["timestamp"]), orders)
    except ItemRefused as refused:
        yield refused.item(pointer=pointer, raw=raw, device=device)
        return
    for record_type in record_types:
        try:
            value, quality = _value(header, row, record_type)
        except ItemRefused as refused:
            yield refused.item(pointer=pointer, raw=raw, device=device)
            continue
        yield Reading(
            measure=record_type.measure,
            device=device,
            time=time,
            value=value,
            components=NO_COMPONENTS,
            source_id=record_type.code,
            pointer=pointer,
            raw=raw,
            manual=record_type.manual,
            context=NO_CONTEXT,
            quality=quality,
        )


def _cell(row: Row, index: int) -> str:
    """Return a cell; spreadsheets cut empty cells off the end of a row."""
    return row.cells[index] if index < len(row.cells) else ""


def _serial(header: Header, row: Row) -> str | None:
    serial = _cell(row, header.column["serial"]) if "serial" in header.column else ""
    if len(serial) > FIELD_CHARS_MAX:
        raise ItemRefused("device-not-readable", f"A serial number has at most {FIELD_CHARS_MAX} characters.")
    return serial or None


def _record_types(header: Header, row: Row) -> tuple[RecordType, ...]:
    """Return what the row may hold; of several columns those that it fills, or the first if it fills none."""
    code = _cell(row, header.column["record-type"])
    rows = RECORD_TYPE.get(code, ())
    if rows:
        return tuple(one for one in rows if len(rows) == 1 or _role_cell(header, row, one.role)) or rows[:1]
    what = UNMAPPED.get(code)
    known = f"Record type {code} is {what}: it" if what else "The record type is not known; the row"
    raise ItemRefused("unknown-measure", f"{known} has no measure in this version and is kept.")


def _role_cell(header: Header, row: Row, role: str) -> str:
    return _cell(row, header.column[role]) if role in header.column else ""


def _time(stamp: str, orders: tuple[DateOrder, ...]) -> DeviceTime:
    if len(stamp) > FIELD_CHARS_MAX:
        raise ItemRefused("time-not-readable", f"A device timestamp has at most {FIELD_CHARS_MAX} characters.")
    return DeviceTime(kind="local", text=stamp, wall=wall_time(stamp, orders))


def _value(header: Header, row: Row, record_type: RecordType) -> tuple[Value, tuple[str, ...]]:
    role = record_type.role
    text = _role_cell(header, row, role)
    if not text or len(text) > FIELD_CHARS_MAX:
        raise ItemRefused("value-missing", f"The column for record type {record_type.code} is missing, empty or overlong in this row.")
    unit = record_type.unit or header.unit[role]
    if unit is None:
        raise ItemRefused("unit-unknown", "The column's name names no unit; it must end in mg/dL or mmol/L.")
    value, flags = _amount(text, unit, record_type.clamped)
    return value, record_type.quality + flags


@lru_cache(4096)
def _amount(text: str, unit: str, clamped: bool) -> tuple[Value, tuple[str, ...]]:
    """Number as written, or a word for "out of range": a word is no number and is not made one."""
    if _NUMBER.fullmatch(text):
        number = text.replace(",", ".")
        return Quantity(value=number, unit=unit), _at_limit(number, unit) if clamped else ()
    if unit not in CLAMP:
        raise ItemRefused("value-not-a-number", "The value is not a number.")
    word = plain(text)
    flag = SENTINELS.get(word) or (SENTINELS.get(word[:1]) if _NUMBER.fullmatch(word[1:].strip()) else None)
    if flag is None:
        raise ItemRefused("value-not-a-number", "The value is neither a number nor a word for out of range (LO, HI, <40).")
    return Absent(reason="unsupported"), (flag,)


def _at_limit(number: str, unit: str) -> tuple[str, ...]:
    flag = CLAMP[unit].get(Decimal(number))
    return () if flag is None else (flag,)
