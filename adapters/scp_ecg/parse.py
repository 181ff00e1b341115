"""SCP-ECG -> a strip for each lead of section 6, with an uncompressed record of its own as `raw`; a long record is one document.

Nobody is named in what is kept.

EN 1064, 5.6 (section 3, leads) and 5.9 (section 6, rhythm data). Bimodal compression, subtracted reference beats and Huffman tables of
a device's own are refused by name.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.contract import Unreadable
from adapters.json_payload import check_size
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Channel, Document, Item, Reading, Samples
from adapters.refusal import ItemRefused, check_length
from adapters.scp_ecg.huffman import decode
from adapters.scp_ecg.mapping import LEAD, RECORDING
from adapters.scp_ecg.sections import read_sections, write_record
from adapters.scp_ecg.tags import About, about
from adapters.signals import data_of, is_strip, written

ABOUT, TABLES, LEADS, RHYTHM = 1, 2, 3, 6
DEFAULT_TABLE = 19_999
LEAD_BYTES = 9
MEDIA_TYPE = "application/scp-ecg"
REFERENCE_BEAT = 0x01
LONGEST_SAMPLE = 1 << 15
BLOCK_BYTES_MAX = 0xFFFF
"""Of one lead: section 6 has two bytes for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead as section 3 numbers it: first and last sample from 1, and its stretch of section 6."""

    number: int
    first: int
    last: int
    block: bytes

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Section 6: a step in nanovolts, the distance of samples in microseconds, their difference, and whether they are packed."""

    step_nv: int
    period_us: int
    difference: int
    packed: bool
    fault: tuple[str, str] | None


def parse(payload: bytes) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    check_size(payload)
    sections = read_sections(payload)
    rhythm, leads = _read(sections)
    said = about(sections.get(ABOUT, b""))
    together = [lead for lead in leads if _is_sound(rhythm, lead)]
    if all(_is_strip(rhythm, lead) for lead in together):
        together = []
    return _items(said, rhythm, leads, together)


def _items(said: About, rhythm: Rhythm, leads: list[Lead], together: list[Lead]) -> Iterator[Item]:
    """Strips, or one document of all leads that can be read; what cannot is answered by itself."""
    if together:
        yield _recording(said, rhythm, together)
    for row, lead in enumerate(leads, start=1):
        if lead not in together:
            yield _item(said, rhythm, lead, f"row {row}")


def _is_sound(rhythm: Rhythm, lead: Lead) -> bool:
    """Can it hold as many samples as it says? A sample is two bytes, or one bit at least."""
    if rhythm.fault is not None or not rhythm.step_nv or not rhythm.period_us or lead.first < 1 or lead.count < 1:
        return False
    return lead.count <= (8 * len(lead.block) if rhythm.packed else len(lead.block) // 2)


def _is_strip(rhythm: Rhythm, lead: Lead) -> bool:
    """Short enough for an Observation, and for a section of its own, unpacked, which has two bytes for its length."""
    return 2 * lead.count <= BLOCK_BYTES_MAX and is_strip(lead.count, Decimal(lead.count * rhythm.period_us).scaleb(-6))


def _recording(said: About, rhythm: Rhythm, leads: list[Lead]) -> Item:
    """The record as it was compressed, of these leads, without what section 1 says of persons."""
    raw = _written(said, rhythm, leads)
    try:
        period, factor = written(Decimal(rhythm.period_us).scaleb(-3)), written(Decimal(rhythm.step_nv).scaleb(-3))
        channels = tuple(
            Channel(label=f"lead {one.number}", measure=LEAD.get(one.number), period_ms=period, unit="uV", origin="0", factor=factor)
            for one in leads
        )
        return Reading(
            measure=RECORDING,
            device=said.serial,
            time=said.moment((min(one.first for one in leads) - 1) * rhythm.period_us),
            end=said.moment(max(one.last for one in leads) * rhythm.period_us),
            value=Document(media_type=MEDIA_TYPE, channels=channels),
            source_id=" ".join(str(one.number) for one in leads)[:FIELD_CHARS_MAX],
            pointer="byte 0",
            raw=raw,
        )
    except ItemRefused as refusal:
        return refusal.item(pointer="byte 0", raw=raw, device=said.serial)


def _written(said: About, rhythm: Rhythm, leads: list[Lead]) -> bytes:
    definition = struct.pack("<BB", len(leads), 0) + b"".join(struct.pack("<IIB", one.first, one.last, one.number) for one in leads)
    data = struct.pack("<HHBB", rhythm.step_nv, rhythm.period_us, rhythm.difference, 0)
    data += b"".join(struct.pack("<H", len(one.block)) for one in leads) + b"".join(one.block for one in leads)
    tables = {TABLES: struct.pack("<H", DEFAULT_TABLE)} if rhythm.packed else {}
    return write_record({ABOUT: said.section(), LEADS: definition, RHYTHM: data} | tables)


def _read(sections: Mapping[int, bytes]) -> tuple[Rhythm, list[Lead]]:
    if LEADS not in sections or RHYTHM not in sections:
        raise Unreadable("no-rhythm", "The record has no rhythm data (sections 3 and 6): nothing of it becomes a strip.", pointer="byte 0")
    definition, data = sections[LEADS], sections[RHYTHM]
    count = definition[0] if definition else 0
    if not count or len(definition) < 2 + LEAD_BYTES * count or len(data) < 6 + 2 * count:
        raise Unreadable("section-not-readable", "Sections 3 and 6 do not fit each other.", pointer="byte 0")
    step, period, difference, bimodal = struct.unpack_from("<HHBB", data)
    lengths = struct.unpack_from(f"<{count}H", data, 6)
    place, leads = 6 + 2 * count, []
    for index, length in enumerate(lengths):
        first, last, number = struct.unpack_from("<IIB", definition, 2 + LEAD_BYTES * index)
        leads.append(Lead(number=number, first=first, last=last, block=data[place : place + length]))
        place += length
    fault = _fault(sections, definition[1], difference, bimodal)
    return Rhythm(step_nv=step, period_us=period, difference=difference, packed=TABLES in sections, fault=fault), leads


def _fault(sections: Mapping[int, bytes], flags: int, difference: int, bimodal: int) -> tuple[str, str] | None:
    """Why the samples cannot be read."""
    tables = sections.get(TABLES)
    if tables is not None and tables[:2] != struct.pack("<H", DEFAULT_TABLE):
        return "compression-not-read", "Huffman tables of a device's own are not read, only the default one."
    if bimodal or flags & REFERENCE_BEAT:
        return "compression-not-read", "Bimodal compression and subtracted reference beats are not read; export without them."
    if difference > 2:  # noqa: PLR2004
        return "compression-not-read", "Samples are read as they are, or as first or second differences."
    return None


def _item(said: About, rhythm: Rhythm, lead: Lead, pointer: str) -> Item:
    raw = b"-"
    try:
        samples = _samples(rhythm, lead)
        raw = _raw(said, rhythm, lead, samples)
        check_length(raw)
        return _reading(said, rhythm, lead, samples, pointer, raw)
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw, device=said.serial)


def _samples(rhythm: Rhythm, lead: Lead) -> list[int]:
    if rhythm.fault is not None:
        raise ItemRefused(*rhythm.fault, keep=False)
    count = lead.count
    if not rhythm.step_nv or not rhythm.period_us or lead.first < 1 or count < 1:
        raise ItemRefused("header-not-a-number", "A step, a distance or the numbers of the samples are zero.", keep=False)
    if not _is_sound(rhythm, lead):
        raise ItemRefused("samples-not-readable", "A lead has fewer samples than the record says.", keep=False)
    values = decode(lead.block, count) if rhythm.packed else list(struct.unpack_from(f"<{count}h", lead.block))
    return _summed(values, rhythm.difference)


def _summed(values: list[int], difference: int) -> list[int]:
    """The samples out of their first or second differences; the first one, or two, stand as they are."""
    made = values[:difference]
    for value in values[difference:]:
        made.append(value if difference == 0 else value + made[-1] if difference == 1 else value + 2 * made[-1] - made[-2])
    if any(not -LONGEST_SAMPLE <= value < LONGEST_SAMPLE for value in made):
        raise ItemRefused("samples-not-readable", "The differences add up to more than a sample can be.", keep=False)
    return made


def _reading(said: About, rhythm: Rhythm, lead: Lead, samples: list[int], pointer: str, raw: bytes) -> Reading:
    measure = LEAD.get(lead.number)
    if measure is None:
        raise ItemRefused("unknown-lead", "The lead is not one of the twelve standard ones.")
    before = (lead.first - 1) * rhythm.period_us
    return Reading(
        measure=measure,
        device=said.serial,
        time=said.moment(before),
        end=said.moment(before + len(samples) * rhythm.period_us),
        value=Samples(
            data=data_of(samples),
            period_ms=written(Decimal(rhythm.period_us).scaleb(-3)),
            unit="uV",
            factor=written(Decimal(rhythm.step_nv).scaleb(-3)),
        ),
        source_id=f"lead {lead.number}",
        pointer=pointer,
        raw=raw,
    )


def _raw(said: About, rhythm: Rhythm, lead: Lead, samples: list[int]) -> bytes:
    definition = struct.pack("<BBIIB", 1, 0, lead.first, lead.last, lead.number)
    data = struct.pack("<HHBBH", rhythm.step_nv, rhythm.period_us, 0, 0, 2 * len(samples))
    return write_record({ABOUT: said.section(), LEADS: definition, RHYTHM: data + struct.pack(f"<{len(samples)}h", *samples)})
