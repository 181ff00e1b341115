"""EDF, EDF+, BDF bytes -> items: strips of short files, long ones as a document, annotations, ResMed's daily figures.

Every item's `raw` is an EDF file of its own, header without persons, that gives the item again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice

from adapters.contract import Unreadable
from adapters.edf.annotations import TALS_MAX, record_onset, write_tal
from adapters.edf.events import Mark, annotation_items, annotation_signal, marks
from adapters.edf.header import Header, Signal, read_header, write_header
from adapters.edf.mapping import LABELS, row_of
from adapters.edf.samples import samples
from adapters.edf.summary import is_summary, summary
from adapters.edf.times import moment, plus
from adapters.json_payload import check_size
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Channel, Coded, Document, Item, Reading, Rejected, Samples, Span
from adapters.refusal import ItemRefused, check_length
from adapters.signals import data_of, is_strip, line, period_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file read as far as its header; `records` are there."""

    header: Header
    payload: bytes
    records: int

    def block(self, record: int, place: int, length: int) -> bytes:
        """Bytes of one record, from `place` in it."""
        start = self.header.bytes + record * self.header.record_bytes + place
        return self.payload[start : start + length]

    def places(self) -> Iterator[tuple[int, Signal]]:
        """Each signal with where it begins in a record."""
        place = 0
        for signal in self.header.signals:
            yield place, signal
            place += signal.samples * self.header.sample_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Records that follow one another without a gap, from `onset` seconds (as written) after the start."""

    onset: str
    first: int
    count: int


def parse(payload: bytes) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    check_size(payload)
    header = read_header(payload)
    file = File(header=header, payload=payload, records=_records(header, payload))
    runs = tuple(_runs(file))
    return _items(file, runs)


def _items(file: File, runs: Sequence[Run]) -> Iterator[Item]:
    header = file.header
    if is_summary(header):
        yield from summary(header, file.payload, file.records)
        return
    ordinary = [(place, signal) for place, signal in file.places() if not signal.is_annotations]
    if all(is_strip(signal.samples * file.records, header.seconds * file.records) for _, signal in ordinary):
        for run in runs:
            for place, signal in ordinary:
                yield _strip(file, run, place, signal)
    else:
        yield _long(file, runs)
    keepers = [(place, signal) for place, signal in file.places() if signal.is_annotations]
    yield from annotation_items(header, islice(chain.from_iterable(_found(file, *keeper) for keeper in keepers), TALS_MAX + 1))


def _records(header: Header, payload: bytes) -> int:
    """How many data records there are. Raises Unreadable where the file is shorter than it says, or longer."""
    there = (len(payload) - header.bytes) // header.record_bytes
    if header.records > there:
        raise Unreadable("cut-off", "The file is shorter than its header says; send it whole.", pointer=f"byte {len(payload)}")
    end = header.bytes + (there if header.records < 0 else header.records) * header.record_bytes
    if payload[end:].strip(b"\r\n\x1a"):
        raise Unreadable("header-not-readable", "The file is longer than its header says.", pointer=f"byte {end}")
    return (end - header.bytes) // header.record_bytes


def _runs(file: File) -> Iterator[Run]:
    """Plain files and EDF+C have one; in EDF+D each record says when it began."""
    if file.records == 0:
        return
    keeper = next(((place, signal) for place, signal in file.places() if signal.is_annotations), None)
    if keeper is None or not file.header.form:
        yield Run(onset="+0", first=0, count=file.records)
        return
    onsets = _onsets(file, *keeper)
    first = 0
    for record in range(1, file.records + 1):
        whole = record == file.records
        if whole or (file.header.form == "D" and Decimal(onsets[record]) != Decimal(onsets[record - 1]) + file.header.seconds):
            yield Run(onset=onsets[first], first=first, count=record - first)
            first = record


def _onsets(file: File, place: int, signal: Signal) -> list[str]:
    """When each record began. Raises Unreadable where EDF+D does not say, for its samples would have no time."""
    length = signal.samples * file.header.sample_bytes
    found = [record_onset(file.block(record, place, length)) for record in range(file.records if file.header.form == "D" else 1)]
    if file.header.form == "D" and None in found:
        raise without_onset(file.header.bytes + found.index(None) * file.header.record_bytes)
    if file.header.form == "D":
        return [onset or "+0" for onset in found]
    return [found[0] or "+0"] + [""] * (file.records - 1)


def without_onset(place: int) -> Unreadable:
    """What a data record at `place` makes of a file of EDF+D."""
    return Unreadable("record-without-onset", "A data record of EDF+D does not say when it began.", pointer=f"byte {place}")


def _strip(file: File, run: Run, place: int, signal: Signal) -> Item:
    pointer = f"byte {file.header.bytes + run.first * file.header.record_bytes + place}"
    raw = _strip_raw(file, run, place, signal)
    try:
        check_length(raw)
        return _strip_reading(file.header, run, signal, raw, pointer)
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw, device=file.header.serial)


def _strip_reading(header: Header, run: Run, signal: Signal, raw: bytes, pointer: str) -> Reading:
    row = row_of(signal.label)
    if row is None:
        raise ItemRefused("unknown-signal", "The catalogue has no measure for a signal of this label (EDF+ standard texts).")
    unit = row.units.get(signal.dimension)
    if unit is None:
        raise ItemRefused("unknown-unit", "The physical dimension is not one that signals of this label come in.")
    low, high, low_sample, high_sample = signal.range()
    factor, origin = line(low, high, low_sample, high_sample)
    values = (
        samples(raw[-signal.samples * header.sample_bytes * run.count :], header.wide) if _sole(run) else _values(header, run, signal, raw)
    )
    label = label_of(signal)
    return Reading(
        measure=row.measure,
        device=header.serial,
        time=moment(header, run.onset),
        end=moment(header, plus(run.onset, header.seconds * run.count)),
        value=Samples(data=data_of(values), period_ms=period_ms(header.seconds, signal.samples), unit=unit, origin=origin, factor=factor),
        source_id=label,
        pointer=pointer,
        raw=raw,
        context={"body-site": Coded(system=LABELS, code=label, display=label)} if row.sited else {},
    )


def _sole(run: Run) -> bool:
    """Nothing but the signal lies in its `raw`: the file's first record began with the file."""
    return Decimal(run.onset) == 0


def _values(header: Header, run: Run, signal: Signal, raw: bytes) -> list[int]:
    """The samples out of `raw`, where each record ends with an annotation of when it began."""
    own = signal.samples * header.sample_bytes
    start = len(raw) - run.count * (own + _keeper_bytes(run, header))
    width = own + _keeper_bytes(run, header)
    return [
        value for record in range(run.count) for value in samples(raw[start + record * width : start + record * width + own], header.wide)
    ]


def _keeper_bytes(run: Run, header: Header) -> int:
    return -(-len(write_tal(run.onset)) // header.sample_bytes) * header.sample_bytes


def _strip_raw(file: File, run: Run, place: int, signal: Signal) -> bytes:
    """A file with this signal alone; one that begins later than its start says so as EDF+ does, in each record."""
    header, own = file.header, signal.samples * file.header.sample_bytes
    blocks = [file.block(record, place, own) for record in range(run.first, run.first + run.count)]
    if _sole(run):
        return write_header(header.of([signal], records=run.count, form="")) + b"".join(blocks)
    keeper = _keeper_bytes(run, header)
    head = write_header(header.of([signal, annotation_signal(header, keeper)], records=run.count, form="C"))
    return head + b"".join(block + write_tal(run.onset).ljust(keeper, b"\x00") for block in blocks)


def _long(file: File, runs: Sequence[Run]) -> Item:
    """The file as a document, with a header that names nobody."""
    header = file.header
    # One copy of what may be long, not two.
    raw = b"".join(
        (blank_header(header, file.records), memoryview(file.payload)[header.bytes : header.bytes + file.records * header.record_bytes])
    )
    return long_reading(header, runs[0].onset, runs[-1], raw, ())


def blank_header(header: Header, records: int) -> bytes:
    return write_header(header.of(header.signals, records=records, form=header.form))


def long_reading(header: Header, onset: str, last: Run, raw: bytes, content: tuple[bytes | Span, ...]) -> Item:
    """A recording from `onset` to the end of the last run. Its bytes are `raw`, or what `content` names."""
    pointer = f"byte {header.bytes}"
    try:
        return Reading(
            measure="signal-recording",
            device=header.serial,
            time=moment(header, onset),
            end=moment(header, plus(last.onset, header.seconds * last.count)),
            value=Document(
                media_type="application/edf",
                channels=tuple(channel_of(header, signal) for signal in header.signals if not signal.is_annotations),
                content=content,
            ),
            source_id=" ".join(label_of(signal) for signal in header.signals)[:FIELD_CHARS_MAX],
            pointer=pointer,
            raw=raw,
        )
    except ItemRefused as refusal:
        return Rejected(
            code=refusal.code, hint=refusal.hint, pointer=pointer, raw=blank_header(header, 0), device=header.serial, keep=False
        )


def channel_of(header: Header, signal: Signal) -> Channel:
    """What the document holds of one signal. Where its dimension or its scaling is not understood, that is left open."""
    row = row_of(signal.label)
    period = period_ms(header.seconds, signal.samples or 1)
    unit = None if row is None else row.units.get(signal.dimension)
    try:
        factor, origin = line(*signal.range())
    except ItemRefused:
        unit, factor, origin = None, "1", "0"
    measure = None if row is None or unit is None else row.measure
    return Channel(label=label_of(signal), measure=measure, period_ms=period, unit=unit, origin=origin, factor=factor)


def _found(file: File, place: int, signal: Signal) -> Iterator[Mark]:
    length = signal.samples * file.header.sample_bytes
    for record in range(file.records):
        start = file.header.bytes + record * file.header.record_bytes + place
        yield from marks(file.block(record, place, length), start)


def label_of(signal: Signal) -> str:
    """The label with single blanks; the second of the same name says that it is."""
    label = " ".join(signal.label.split()) or "-"
    return label if signal.ordinal == 1 else f"{label} #{signal.ordinal}"
