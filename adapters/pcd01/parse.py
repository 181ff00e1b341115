"""PCD-01 -> readings. Each OBX that measures gives one item; the pressures of one cuff or line give one together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.hl7v2.enumerations import CODED_TYPES, enumerated
from adapters.hl7v2.message import Message, Segment, orders, plain, read_payload
from adapters.hl7v2.terms import Term, term_of
from adapters.hl7v2.times import device_time, is_zoned
from adapters.hl7v2.values import Said, numeric, said_of
from adapters.limits import FIELD_CHARS_MAX
from adapters.pcd01.mapping import MESSAGE_TYPE, NUMERIC_TYPES, WAVEFORM_TYPE
from adapters.pcd01.tree import ORDER_NUMBER, Group, group, names_device, path_of
from adapters.pcd01.waveform import strip
from adapters.reading import Absent, Item, Reading, Rejected, Value
from adapters.refusal import ItemRefused, check_length

OBX_FIELDS = (2, 3, 4, 5, 6, 8, 11, 14, 18)
"""What of an OBX is kept. OBX-16 and OBX-25 name persons; the rest says nothing that a reading needs."""
NODE_FIELDS = (3, 4, 11, 18)
OBX_VALUE = 5
FACET_FIELDS = (2, 3, 4, 5, 6)


def parse(payload: bytes) -> Iterable[Item]:
    """Read one message or several. Raises Unreadable before the first item."""
    return read_payload(payload, MESSAGE_TYPE, _items)


def _items(message: Message) -> Iterator[Item]:
    for found in groups(message):
        yield from Reader(message, found).items()


def groups(message: Message) -> Iterator[Group]:
    """The order groups of a message; OBX before any OBR are one of their own."""
    found = group(None, (), {})
    for obr, rows in orders(message):
        found = group(obr, rows, found.nodes)
        yield found


@dataclass(frozen=True, slots=True)
class Part:
    """One OBX understood: the measure it belongs to, its value, what is said about it."""

    obx: Segment
    term: Term
    value: Value
    said: Said
    flags: tuple[str, ...]


class Reader:
    """Reads the rows of one order group."""

    def __init__(self, message: Message, found: Group) -> None:
        self._message, self._group = message, found

    def items(self) -> Iterator[Item]:
        """In the order of the rows; a reading of several rows stands at its first."""
        for one in self.understood():
            yield one if isinstance(one, Rejected) else self._reading(one)

    @property
    def group(self) -> Group:
        return self._group

    def understood(self) -> Iterable[list[Part] | Rejected]:
        """What each item is made of."""
        made: dict[object, list[Part] | Rejected] = {}
        for obx in self._group.rows:
            part = self._part(obx)
            if isinstance(part, Rejected):
                made[obx.row] = part
            elif part.term.component is None:
                made[obx.row] = [part]
            else:
                key = self._together(part, made)
                made.setdefault(key, []).append(part)  # type: ignore[union-attr]
        return made.values()

    def _together(self, part: Part, made: dict[object, list[Part] | Rejected]) -> object:
        """The key under which components meet: measure, channel, time. A second one of the same kind begins a reading of its own."""
        path = path_of(part.obx)
        key: tuple[object, ...] = (part.term.measure, None if path is None else path[:3], self._time_text(part.obx))
        before = made.get(key, [])
        again = not isinstance(before, Rejected) and any(one.term.component == part.term.component for one in before)
        return (*key, part.obx.row) if again else key

    def _part(self, obx: Segment) -> Part | Rejected:
        try:
            term = term_of(obx.components(3), strip=obx.field(2).strip() == WAVEFORM_TYPE)
            said = said_of(obx)
            value, flags = self._value(obx, term, said)
            return Part(obx, term, value, said, flags)
        except ItemRefused as refused:
            return self._rejected(obx, refused)

    def _value(self, obx: Segment, term: Term, said: Said) -> tuple[Value, tuple[str, ...]]:
        type = obx.field(2).strip()
        if type in NUMERIC_TYPES:
            return numeric(obx, said)
        if said.absent is not None:
            return Absent(reason=said.absent), ()
        if type == WAVEFORM_TYPE:
            return strip(obx, self._group.facets.get(path_of(obx) or (), ())), ()
        if type in CODED_TYPES:
            return enumerated(obx, term), ()
        raise ItemRefused("value-type", "OBX-2 must be NM, SN, NA or a coded type; free text and documents are not kept.", keep=False)

    def _time_text(self, obx: Segment) -> str:
        return obx.field(14).strip() or (self._group.obr.field(7).strip() if self._group.obr is not None else "")

    def _reading(self, parts: Sequence[Part]) -> Item:
        obx = parts[0].obx
        device, raw = None, self._raw([part.obx for part in parts], self._time_text(obx))
        try:
            check_length(raw)
            device = self._group.device(obx)
            path = source_of(obx, alone=parts[0].term.component is None)
            time = device_time(self._time_text(obx), self._message.header.field(7))
        except ItemRefused as refused:
            return refused.item(pointer=f"row {obx.row}", raw=raw, device=device)
        flags = [flag for part in parts for flag in (*part.said.flags, *part.flags)]
        alone = parts[0].term.component is None
        return Reading(
            measure=parts[0].term.measure,
            device=device,
            time=time,
            value=parts[0].value if alone else None,
            components={} if alone else {part.term.component or "": part.value for part in parts},
            source_id=path,
            pointer=f"row {obx.row}",
            raw=raw,
            preliminary=any(part.said.preliminary for part in parts),
            quality=tuple(dict.fromkeys([*flags, *_channel(obx)])),
        )

    def _rejected(self, obx: Segment, refused: ItemRefused) -> Rejected:
        """Kept with its value only if that can be no name."""
        keep = refused.keep and obx.field(2).strip() in NUMERIC_TYPES | {WAVEFORM_TYPE} and not any(map(str.isalpha, obx.field(OBX_VALUE)))
        try:
            device = self._group.device(obx)
        except ItemRefused:
            device = None
        raw = self._raw([obx], self._time_text(obx), value=keep)
        return ItemRefused(refused.code, refused.hint, keep=keep).item(pointer=f"row {obx.row}", raw=raw, device=device)

    def _raw(self, rows: Sequence[Segment], time: str, *, value: bool = True) -> bytes:
        """The item as a message: its rows, the device they belong to, nothing of the patient, nothing that a person wrote."""
        found = []
        if self._group.obr is not None:
            found.append(plain(self._group.obr, *((ORDER_NUMBER, 7) if names_device(self._group.obr) else (7,))))
        mds = self._group.mds(rows[0])
        if mds is not None:
            found.append(plain(mds, *NODE_FIELDS))
        for obx in rows:
            found.append(plain(obx, *(field for field in OBX_FIELDS if value or field != OBX_VALUE)))
            facets = self._group.facets.get(path_of(obx) or (), ()) if obx.field(2) == WAVEFORM_TYPE else ()
            found += [plain(facet, *FACET_FIELDS) for facet in facets]
        return self._message.excerpt(*found, zoned=not is_zoned(time))


def source_of(obx: Segment, *, alone: bool) -> str | None:
    """OBX-4: which of several channels measured is part of what a reading is. Of a reading of several rows, their channel."""
    path = path_of(obx)
    if path is not None:
        return ".".join(str(part) for part in (path if alone else path[:3]))
    text = obx.field(4).strip()
    if len(text) > FIELD_CHARS_MAX:
        raise ItemRefused("sub-id-too-long", f"OBX-4 has at most {FIELD_CHARS_MAX} characters.", keep=False)
    return text or None


def _channel(obx: Segment) -> tuple[str, ...]:
    """MDS, VMD and channel as the device numbers them, so that two channels of one pump stay apart."""
    path = path_of(obx)
    return () if path is None else (f"device-channel:{'x'.join(str(part) for part in path[:3])}",)
