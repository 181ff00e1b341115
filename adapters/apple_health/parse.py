"""export.xml -> readings. One item per Record and per blood pressure; what else an export holds is said to be unread."""

import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from xml.sax.saxutils import quoteattr

from adapters.apple_health.mapping import (
    ATTRIBUTES_KEPT,
    BLOOD_PRESSURE,
    IN_BED,
    METADATA_KEPT,
    PRESSURE_CORRELATION,
    SLEEP_ANALYSIS,
    SLEEP_STAGE,
    STAGE,
    TIME_ZONE,
    TYPE,
    UNREAD,
    USER_ENTERED,
    Type,
    unit_of,
)
from adapters.apple_health.text import device_model, source_digest
from adapters.apple_health.xml_stream import Broken, Element, Elements, Source, open_stream
from adapters.apple_time import moment
from adapters.contract import Unreadable
from adapters.decimal_text import written_decimal
from adapters.json_payload import check_size
from adapters.limits import FIELD_CHARS_MAX, ITEMS_MAX
from adapters.reading import DeviceTime, Item, Quantity, Reading, Rejected, Value
from adapters.refusal import ItemRefused, check_length

PRESSURES_MAX, PRESSURES_CHARS_MAX = 50_000, 32 * 1024 * 1024
"""Pressures outside a correlation that are held until the correlation comes: twenty years of three a day."""

PressureKey = tuple[str, str, str]
"""Source, start and end: what the two halves of a pressure and their correlation share."""

NO_COMPONENTS: Mapping[str, Value] = {}
_SPECIAL = re.compile(r'[&<>"\n\r\t]')

__all__ = ["Source", "parse", "parse_stream"]


def parse(payload: bytes) -> Iterator[Item]:
    """Read a whole export. Raises Unreadable: empty, payload-too-large, too-many-items and those of `parse_stream`."""
    check_size(payload)
    if payload.count(b"<Record") > ITEMS_MAX:
        raise Unreadable("too-many-items", f"The export has more than {ITEMS_MAX} records; import it as a file instead.")
    return parse_stream(BytesIO(payload))


def parse_stream(source: Source) -> Iterator[Item]:
    """Read an export in pieces. Raises Unreadable before the first item; where it breaks later, the last item says so."""
    elements = open_stream(source)
    return _items(elements)


def _items(elements: Elements) -> Iterator[Item]:
    pressures = Pressures()
    try:
        for element in elements:
            yield from _element_items(element, pressures)
    except Broken as broken:
        place = f"byte {broken.offset}"
        yield Rejected(code=broken.code, hint=broken.hint, pointer=place, raw=place.encode(), keep=False)
    yield from pressures.rest()


def _element_items(element: Element, pressures: "Pressures") -> Iterator[Item]:
    if element.name == "Record":
        row = TYPE.get(element.attributes.get("type", ""))
        if row is not None and row.component is not None:
            yield from pressures.hold(element)
        else:
            yield _record(element, row)
    elif element.name == "Correlation" and element.attributes.get("type") == PRESSURE_CORRELATION:
        records = [child for child in element.children if child.name == "Record"]
        yield _pressure(records, _document(_written(element)), f"byte {element.offset}")
        pressures.correlated(element)
    elif element.name == "Correlation":
        yield _unread(
            element, "correlation-not-read", "Only correlations of a blood pressure are read; its records stand in the file, too."
        )
    elif element.name not in UNREAD:
        yield _unread(element, "element-not-read", "Only records and blood pressures are read, no workouts, summaries or documents.")


def _unread(element: Element, code: str, hint: str) -> Rejected:
    """For good: nothing but its kind is kept, because what else stands there may be about anything."""
    raw = element.name[:FIELD_CHARS_MAX].encode()
    return Rejected(code=code, hint=hint, pointer=f"byte {element.offset}", raw=raw, keep=False)


def _record(element: Element, row: Type | None) -> Item:
    raw, pointer = _document(_written(element)), f"byte {element.offset}"
    try:
        check_length(raw)
        measure, value = _measured(element, row)
        return _reading([element], measure, raw, pointer, value=value)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _measured(element: Element, row: Type | None) -> tuple[str, Value]:
    if row is not None:
        return row.measure, _quantity(element, row)
    if element.attributes.get("type") == SLEEP_ANALYSIS:
        return SLEEP_STAGE, _stage(element)
    raise ItemRefused("unknown-measure", "This type has no measure in this version; the record is kept.")


def _reading(
    records: list[Element],
    measure: str,
    raw: bytes,
    pointer: str,
    *,
    value: Value | None = None,
    components: Mapping[str, Value] = NO_COMPONENTS,
) -> Reading:
    """Make one reading of one record, or of the two halves of a pressure, which share source and times."""
    first = records[0]
    zone = _metadata(first, TIME_ZONE)
    start, end = _moment(first, "startDate", zone), _moment(first, "endDate", zone)
    created = first.attributes.get("creationDate", "")
    return Reading(
        measure=measure,
        device=None,
        time=start,
        end=None if end.instant == start.instant else end,
        value=value,
        components=components,
        source_id=_source_id(first, end),
        modified=moment(created, None).instant if created else None,
        pointer=pointer,
        raw=raw,
        manual=any(_metadata(record, USER_ENTERED) == "1" for record in records),
    )


def _source_id(record: Element, end: DeviceTime) -> str:
    """Source and end, as the export has no id of a record. Being in bed is no stage: it may be said beside one."""
    kind = ":in-bed" if record.attributes.get("value") == IN_BED else ""
    return f"{source_digest(record.attributes.get('sourceName', ''))}:{end.text}{kind}"


def _moment(record: Element, name: str, zone: str | None) -> DeviceTime:
    return moment(record.attributes.get(name, ""), zone)


def _metadata(record: Element, key: str) -> str | None:
    for child in record.children:
        if child.name == "MetadataEntry" and child.attributes.get("key") == key:
            return child.attributes.get("value")
    return None


def _quantity(record: Element, row: Type) -> Quantity:
    unit = unit_of(row, record.attributes.get("unit", ""))
    if unit is None:
        raise ItemRefused("unit-unknown", "The unit is missing or none that this type is known to have.")
    number = written_decimal(record.attributes.get("value", ""))
    if number is None:
        raise ItemRefused("value-not-a-number", "The value is missing or no decimal number.")
    return Quantity(value=number, unit=unit)


def _stage(record: Element) -> Value:
    stage = STAGE.get(record.attributes.get("value", ""))
    if stage is None:
        raise ItemRefused("unknown-value-code", "The value is none of HKCategoryValueSleepAnalysis that is known here; the record is kept.")
    return stage


def _pressure(records: list[Element], raw: bytes, pointer: str) -> Item:
    """Make one reading of the records of a correlation, or of two halves that stand alone."""
    records = sorted(records, key=lambda record: record.attributes.get("type", ""))
    try:
        check_length(raw)
        halves = _halves(records)
        return _reading(records, BLOOD_PRESSURE, raw, pointer, components=halves)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _halves(records: list[Element]) -> Mapping[str, Value]:
    halves: dict[str, Value] = {}
    for record in records:
        row = TYPE.get(record.attributes.get("type", ""))
        if row is not None and row.component is not None:
            halves[row.component] = _quantity(record, row)
    if len(halves) != 2 or len(records) != 2:  # noqa: PLR2004 - systolic and diastolic
        raise ItemRefused("half-a-pressure", "A blood pressure needs one systolic and one diastolic record of the same source and time.")
    return halves


class Pressures:
    """Pressures at the top level. An export says each one twice, there and in its correlation, which comes later.

    Those that are in a correlation are one record said twice and give nothing of their own; those that are in none are
    paired at the end.
    """

    def __init__(self) -> None:
        self._held: dict[PressureKey, list[Element]] = {}
        self._correlated: set[PressureKey] = set()
        self._count = self._chars = 0

    def hold(self, record: Element) -> Iterator[Item]:
        key = _pressure_key(record)
        if key in self._correlated:
            return
        self._count += 1
        self._chars += record.chars()
        if self._count > PRESSURES_MAX or self._chars > PRESSURES_CHARS_MAX:
            yield ItemRefused("too-many-pressures", "More pressures without a correlation than can be paired; it is kept.").item(
                pointer=f"byte {record.offset}", raw=_document(_written(record))
            )
            return
        self._held.setdefault(key, []).append(record)

    def correlated(self, correlation: Element) -> None:
        for record in correlation.children:
            if record.name == "Record":
                key = _pressure_key(record)
                for held in self._held.pop(key, ()):
                    self._count, self._chars = self._count - 1, self._chars - held.chars()
                if len(self._correlated) < PRESSURES_MAX:
                    self._correlated.add(key)

    def rest(self) -> Iterator[Item]:
        for records in self._held.values():
            yield _pressure(records, _document(*map(_written, records)), f"byte {records[0].offset}")


def _pressure_key(record: Element) -> PressureKey:
    given = record.attributes
    start, end = given.get("startDate", "")[:FIELD_CHARS_MAX], given.get("endDate", "")[:FIELD_CHARS_MAX]
    return source_digest(given.get("sourceName", "")), start, end


def _document(*written: str) -> bytes:
    return f"<HealthData>{''.join(written)}</HealthData>".encode()


_KEPT_AS: Mapping[str, Callable[[str], str]] = {"sourceName": source_digest, "device": device_model}


def _written(element: Element) -> str:
    """Write an element with what is kept of it, readable again by itself."""
    given = element.attributes
    head = " ".join(f"{name}={_quoted(_kept(name, given[name]))}" for name in ATTRIBUTES_KEPT if name in given)
    inner = "".join(_written_child(child) for child in element.children)
    return f"<{element.name} {head}>{inner}</{element.name}>" if inner else f"<{element.name} {head}/>"


def _quoted(text: str) -> str:
    """Hardly any attribute has a character that must be escaped; looking first takes a sixth of the time."""
    return quoteattr(text) if _SPECIAL.search(text) else f'"{text}"'


def _kept(name: str, value: str) -> str:
    rewrite = _KEPT_AS.get(name)
    return value if rewrite is None else rewrite(value)


def _written_child(child: Element) -> str:
    if child.name == "Record":
        return _written(child)
    if child.name == "MetadataEntry" and (key := child.attributes.get("key", "")) in METADATA_KEPT:
        return f"<MetadataEntry key={_quoted(key)} value={_quoted(child.attributes.get('value', ''))}/>"
    return ""
