"""IDCO -> readings: one for each OBX with a code of IEEE 11073-10103, and the report; the implant is named in PID-3."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters.hl7v2.enumerations import CODED_TYPES, enumerated
from adapters.hl7v2.message import Kept, Message, Segment, orders, plain, read_payload
from adapters.hl7v2.terms import Term, term_of
from adapters.hl7v2.times import device_time, is_zoned
from adapters.hl7v2.values import Said, numeric, said_of
from adapters.idco.mapping import DOCUMENT_TYPES, MESSAGE_TYPE, NUMERIC_TYPES, REPORT_MEASURE
from adapters.idco.report import Places, Report, fields_kept, kept_report, report_in
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Absent, Item, Reading, Rejected, Value
from adapters.refusal import ItemRefused, check_length

OBX_FIELDS = (2, 3, 4, 5, 6, 8, 11, 14)
OBX_VALUE = 5
_IMPLANT = re.compile(r"MODEL:(?P<model>[^/]{1,64})/SERIAL:(?P<serial>[^/]{1,64})", re.IGNORECASE)


def parse(payload: bytes) -> Iterable[Item]:
    """Read one message or several, or a report as it is kept. Raises Unreadable before the first item."""
    kept = kept_report(payload)
    return read_payload(payload, MESSAGE_TYPE, _items) if kept is None else _items(*kept)


def _items(message: Message, content: bytes | None = None) -> Iterator[Item]:
    """`content`: the PDF, of a report that was kept."""
    implant, places = implant_of(message), Places()
    for obr, rows in orders(message):
        for obx in rows:
            row = Row(message, implant, obr, obx)
            yield row.report(places, content) if obx.field(2).strip() in DOCUMENT_TYPES else row.item()


@dataclass(frozen=True, slots=True)
class Implant:
    """`text`: the repetition of PID-3 that names it, nothing else of PID."""

    identifier: str
    text: str
    segment: Segment


def implant_of(message: Message) -> Implant | None:
    """`MODEL:…/SERIAL:…^^^maker^U` in PID-3; other identifiers in it are the patient's and are not looked at."""
    for segment in message.segments:
        for text in segment.repetitions(3) if segment.name == "PID" else ():
            parts = segment.split(text)
            found = _IMPLANT.fullmatch(parts[0])
            if found is not None:
                maker = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - CX-4, the assigning authority
                name = f"MODEL:{found['model'].strip()}/SERIAL:{found['serial'].strip()}"
                return Implant(f"{maker}/{name}" if maker else name, text, segment)
    return None


@dataclass(frozen=True, slots=True)
class Row:
    """One OBX with what it needs of the message."""

    message: Message
    implant: Implant | None
    obr: Segment | None
    obx: Segment

    def item(self) -> Item:
        raw = self._raw()
        try:
            check_length(raw)
            term, said = self._understood()
            value, flags = self._value(term, said)
            time = device_time(self._time_text(), self.message.header.field(7))
            instance = self._instance()
            device = self._device()
        except ItemRefused as refused:
            return self._rejected(refused)
        return Reading(
            measure=term.measure,
            device=device,
            time=time,
            value=value,
            source_id=instance,
            pointer=f"row {self.obx.row}",
            raw=raw,
            preliminary=said.preliminary,
            quality=tuple(dict.fromkeys((*said.flags, *flags))),
        )

    def report(self, places: Places, content: bytes | None) -> Item:
        """The PDF as a document; of one that cannot be, nothing is kept."""
        instance = places.instance(self._time_text(), self.obx)
        try:
            said = said_of(self.obx)
            report = Report(report_in(self.obx, content), _short(instance))
            time = device_time(self._time_text(), self.message.header.field(7))
            device = self._device()
        except ItemRefused as refused:
            return self._rejected(refused)
        raw, document = report.kept(self._excerpt(fields_kept(self.obx, instance)))
        return Reading(
            measure=REPORT_MEASURE,
            device=device,
            time=time,
            value=document,
            source_id=instance or None,
            pointer=f"row {self.obx.row}",
            raw=raw,
            preliminary=said.preliminary,
            quality=said.flags,
        )

    def _understood(self) -> tuple[Term, Said]:
        return term_of(self.obx.components(3)), said_of(self.obx)

    def _value(self, term: Term, said: Said) -> tuple[Value, tuple[str, ...]]:
        type = self.obx.field(2).strip()
        if type in NUMERIC_TYPES:
            return numeric(self.obx, said, plain_units=True)
        if said.absent is not None:
            return Absent(reason=said.absent), ()
        if type in CODED_TYPES:
            return enumerated(self.obx, term), ()
        raise ItemRefused("value-type", "OBX-2 must be NM, SN or a coded type; times, free text and others are not kept.", keep=False)

    def _time_text(self) -> str:
        return self.obx.field(14).strip() or (self.obr.field(7).strip() if self.obr is not None else "")

    def _instance(self) -> str | None:
        """OBX-4: which lead, zone, episode or battery, where a device has several."""
        return _short(self.obx.field(4).strip()) or None

    def _device(self) -> str | None:
        identifier = self.implant.identifier if self.implant is not None else None
        if identifier is not None and len(identifier) > FIELD_CHARS_MAX:
            raise ItemRefused(
                "device-not-readable", f"Maker, model and serial number have at most {FIELD_CHARS_MAX} characters.", keep=False
            )
        return identifier

    def _rejected(self, refused: ItemRefused) -> Rejected:
        """Kept with its value only if that can be no name."""
        keep = refused.keep and self.obx.field(2).strip() in NUMERIC_TYPES and not any(map(str.isalpha, self.obx.field(OBX_VALUE)))
        device = None if self.implant is None else self.implant.identifier[:FIELD_CHARS_MAX].strip()
        refusal = ItemRefused(refused.code, refused.hint, keep=keep)
        return refusal.item(pointer=f"row {self.obx.row}", raw=self._raw(value=keep), device=device)

    def _raw(self, *, value: bool = True) -> bytes:
        return self._excerpt({number: self.obx.field(number) for number in OBX_FIELDS if value or number != OBX_VALUE})

    def _excerpt(self, fields: Mapping[int, str]) -> bytes:
        found: list[Kept] = []
        if self.implant is not None:
            found.append((self.implant.segment, {3: self.implant.text}))
        if self.obr is not None:
            found.append(plain(self.obr, 7))
        found.append((self.obx, fields))
        return self.message.excerpt(*found, zoned=not is_zoned(self._time_text()))


def _short(instance: str) -> str:
    """Raises ItemRefused."""
    if len(instance) > FIELD_CHARS_MAX:
        raise ItemRefused("sub-id-too-long", f"OBX-4 has at most {FIELD_CHARS_MAX} characters.", keep=False)
    return instance
