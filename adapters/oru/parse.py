"""ORU with LOINC -> readings. Pressures of one order that have one time and sub-id are one reading."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.hl7v2.message import Message, Segment, orders, plain, read_payload
from adapters.hl7v2.times import device_time, is_zoned
from adapters.hl7v2.units import PLACES
from adapters.hl7v2.values import Said, numeric, said_of
from adapters.limits import FIELD_CHARS_MAX
from adapters.oru.mapping import BY_LOINC, LOINC_NAMES, MESSAGE_TYPE, NUMERIC_TYPES, Row
from adapters.reading import Item, Reading, Rejected, Value
from adapters.refusal import ItemRefused, check_length

OBX_FIELDS = (2, 3, 4, 5, 6, 8, 11, 14, 18)
OBX_VALUE, OBX_EQUIPMENT = 5, 18


def parse(payload: bytes) -> Iterable[Item]:
    """Read one message or several. Raises Unreadable before the first item."""
    return read_payload(payload, MESSAGE_TYPE, _items)


def _items(message: Message) -> Iterator[Item]:
    for obr, rows in orders(message):
        yield from Order(message, obr).items(rows)


@dataclass(frozen=True, slots=True)
class Part:
    """One OBX understood."""

    obx: Segment
    row: Row
    value: Value
    said: Said
    flags: tuple[str, ...]


class Order:
    """The results of one OBR."""

    def __init__(self, message: Message, obr: Segment | None) -> None:
        self._message, self._obr = message, obr

    def items(self, rows: Sequence[Segment]) -> Iterator[Item]:
        """In the order of the rows; a reading of several rows stands at its first."""
        made: dict[object, list[Part] | Rejected] = {}
        for obx in rows:
            part = self._part(obx)
            if isinstance(part, Rejected):
                made[obx.row] = part
                continue
            key = (part.row.measure, obx.field(4), self._time_text(obx)) if part.row.component else obx.row
            before = made.get(key, [])
            if not isinstance(before, Rejected) and part.row.component not in {one.row.component for one in before}:
                made[key] = [*before, part]
            else:
                made[obx.row] = [part]
        for one in made.values():
            yield one if isinstance(one, Rejected) else self._reading(one)

    def _part(self, obx: Segment) -> Part | Rejected:
        try:
            check_type(obx)
            row, said = row_of(obx), said_of(obx)
            value, flags = numeric(obx, said, plain_units=True)
            return Part(obx, row, value, said, flags)
        except ItemRefused as refused:
            keep = refused.keep and not any(map(str.isalpha, obx.field(OBX_VALUE)))
            raw = self._raw([obx], value=keep)
            return ItemRefused(refused.code, refused.hint, keep=keep).item(pointer=f"row {obx.row}", raw=raw, device=_device(obx))

    def _time_text(self, obx: Segment) -> str:
        return obx.field(14).strip() or (self._obr.field(7).strip() if self._obr is not None else "")

    def _reading(self, parts: Sequence[Part]) -> Item:
        obx, raw = parts[0].obx, self._raw([part.obx for part in parts])
        device = _device(obx)
        try:
            check_length(raw)
            time = device_time(self._time_text(obx), self._message.header.field(7))
            source = self._source(obx)
        except ItemRefused as refused:
            return refused.item(pointer=f"row {obx.row}", raw=raw, device=device)
        alone = parts[0].row.component is None
        return Reading(
            measure=parts[0].row.measure,
            device=device,
            time=time,
            value=parts[0].value if alone else None,
            components={} if alone else {part.row.component or "": part.value for part in parts},
            source_id=source,
            pointer=f"row {obx.row}",
            raw=raw,
            preliminary=any(part.said.preliminary for part in parts),
            quality=tuple(dict.fromkeys(flag for part in parts for flag in (*part.said.flags, *part.flags))),
        )

    def _source(self, obx: Segment) -> str | None:
        """OBX-4 keeps several results of one kind apart."""
        text = obx.field(4).strip()
        if len(text) > FIELD_CHARS_MAX:
            raise ItemRefused("sub-id-too-long", f"OBX-4 has at most {FIELD_CHARS_MAX} characters.", keep=False)
        return text or None

    def _raw(self, rows: Sequence[Segment], *, value: bool = True) -> bytes:
        found = [] if self._obr is None else [plain(self._obr, 7)]
        found += [plain(obx, *(field for field in OBX_FIELDS if value or field != OBX_VALUE)) for obx in rows]
        return self._message.excerpt(*found, zoned=not is_zoned(self._time_text(rows[0])))


def check_type(obx: Segment) -> None:
    """Raise ItemRefused for what is no number: it may name a person."""
    if obx.field(2).strip() not in NUMERIC_TYPES:
        raise ItemRefused("value-type", "OBX-2 must be NM or SN; text, codes, documents and references are not kept.", keep=False)


def row_of(obx: Segment) -> Row:
    """What OBX-3 means. Raises ItemRefused."""
    components = [*obx.components(3), *[""] * 6]
    for code, _, system in PLACES:
        if components[system].upper() in LOINC_NAMES and components[code] in BY_LOINC:
            return BY_LOINC[components[code]]
    raise ItemRefused("unknown-measure", "OBX-3 has no LOINC code that this version reads; the item is kept.")


def _device(obx: Segment) -> str | None:
    """The first identifier of OBX-18, as written; overlong ones are none."""
    identifier = obx.component(OBX_EQUIPMENT, 1)
    return identifier if 0 < len(identifier) <= FIELD_CHARS_MAX else None
