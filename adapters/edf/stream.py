"""EDF of any length, read record by record: the samples are passed over, and what the document consists of is said instead of held.

What is short enough for strips, and ResMed's daily figures, are read as a whole. docs/adr/0020-uploads.md
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain

from adapters.contract import Source, Unreadable
from adapters.edf.annotations import TALS_MAX, record_onset
from adapters.edf.events import Mark, annotation_items, marks
from adapters.edf.header import HEAD_BYTES, SIGNALS_MAX, Header, Signal, read_header
from adapters.edf.parse import Run, blank_header, long_reading, parse, without_onset
from adapters.edf.summary import is_summary
from adapters.json_payload import check_size
from adapters.limits import PAYLOAD_BYTES_MAX
from adapters.reading import Item, Span
from adapters.signals import is_strip

HEADER_BYTES_MAX = HEAD_BYTES * (SIGNALS_MAX + 1)
READ_BYTES = 1024 * 1024
PADDING_BYTES_MAX = 1024 * 1024
"""Line ends and end-of-file marks that some writers leave behind the last record."""


class Bytes:
    """A source whose beginning has been looked at already."""

    def __init__(self, source: Source, ahead: bytes = b"") -> None:
        self._source, self._ahead, self._place = source, ahead, 0

    def exactly(self, size: int) -> bytes:
        """So many bytes, or what is left."""
        made = self._ahead[self._place : self._place + size]
        self._place += len(made)
        if len(made) == size:
            return made
        self._ahead, self._place = b"", 0
        parts = [made]
        while (left := size - sum(map(len, parts))) and (piece := self._source.read(min(left, READ_BYTES))):
            parts.append(piece)
        return parts[1] if len(parts) == 2 and not made else b"".join(parts)  # noqa: PLR2004


def parse_stream(source: Source) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    head = Bytes(source).exactly(HEADER_BYTES_MAX)
    check_size(head)
    header = read_header(head)
    ahead = Bytes(source, head)
    if is_summary(header) or (header.records >= 0 and not _is_long(header, header.records)):
        return parse(_whole(ahead))
    if header.records < 0:
        begun = ahead.exactly(min(PAYLOAD_BYTES_MAX, header.bytes + _records_of_strips(header) * header.record_bytes + READ_BYTES))
        if not _is_long(header, (len(begun) - header.bytes) // header.record_bytes):
            return parse(_whole(ahead, begun))
        ahead = Bytes(source, begun)
    return iter(_recording(header, ahead))


def _whole(ahead: Bytes, begun: bytes = b"") -> bytes:
    payload = begun + ahead.exactly(PAYLOAD_BYTES_MAX + 1 - len(begun))
    check_size(payload)
    return payload


def _is_long(header: Header, records: int) -> bool:
    """As `parse` tells strips from a document."""
    return not all(is_strip(signal.samples * records, header.seconds * records) for signal in header.signals if not signal.is_annotations)


def _records_of_strips(header: Header) -> int:
    """More records than strips can have."""
    records = 1
    while records * header.record_bytes < PAYLOAD_BYTES_MAX and not _is_long(header, records):
        records *= 2
    return records


@dataclass(slots=True)
class _Heard:
    """What was found on the way through the records."""

    records: int = 0
    first: str = "+0"
    run: Run = field(default_factory=lambda: Run(onset="+0", first=0, count=0))
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    count: int = 0
    without_onset: int | None = None

    def follow(self, header: Header, onset: str | None) -> None:
        """One record more, which says when it began, if it says so."""
        began = onset or "+0"
        if self.records == 0:
            self.first, self.run = began, Run(onset=began, first=0, count=1)
        elif header.form == "D" and onset is not None and Decimal(began) != Decimal(self.run.onset) + header.seconds * self.run.count:
            self.run = Run(onset=began, first=self.records, count=1)
        else:
            self.run = Run(onset=self.run.onset, first=self.run.first, count=self.run.count + 1)
        self.records += 1


def _recording(header: Header, ahead: Bytes) -> Iterator[Item]:
    """Everything has been read when the first item comes: its end may be the last thing that a file says. Raises Unreadable."""
    ahead.exactly(header.bytes)
    heard = _Heard()
    keepers = [(place, signal) for place, signal in _places(header) if signal.is_annotations]
    while header.records < 0 or heard.records < header.records:
        block = ahead.exactly(header.record_bytes)
        if len(block) < header.record_bytes:
            _check_end(header, heard.records, block)
            break
        _listen(header, heard, keepers, block)
    if header.records >= 0:
        _check_end(header, heard.records, ahead.exactly(PADDING_BYTES_MAX))
    if heard.without_onset is not None:  # after what is said of the end: `parse`, which sees it first, says that first
        raise without_onset(heard.without_onset)
    return _items(header, heard)


def _listen(header: Header, heard: _Heard, keepers: list[tuple[int, Signal]], block: bytes) -> None:
    at = header.bytes + heard.records * header.record_bytes
    onset = None
    for number, (place, signal) in enumerate(keepers):
        own = block[place : place + signal.samples * header.sample_bytes]
        if number == 0 and header.form and (header.form == "D" or heard.records == 0):
            onset = record_onset(own)
            if onset is None and header.form == "D" and heard.without_onset is None:
                heard.without_onset = at
        kept = heard.marks.setdefault(number, [])
        for mark in marks(own, at + place):
            heard.count += 1
            if heard.count <= TALS_MAX + 1:
                kept.append(mark)
    heard.follow(header, onset)


def _check_end(header: Header, records: int, rest: bytes) -> None:
    end = header.bytes + records * header.record_bytes
    if records < header.records:
        raise Unreadable("cut-off", "The file is shorter than its header says; send it whole.", pointer=f"byte {end + len(rest)}")
    if rest.strip(b"\r\n\x1a"):
        raise Unreadable("header-not-readable", "The file is longer than its header says.", pointer=f"byte {end}")


def _items(header: Header, heard: _Heard) -> Iterator[Item]:
    data = Span(start=header.bytes, length=heard.records * header.record_bytes)
    yield long_reading(header, heard.first, heard.run, b"", (blank_header(header, heard.records), data))
    yield from annotation_items(header, chain.from_iterable(heard.marks.values()))


def _places(header: Header) -> Iterator[tuple[int, Signal]]:
    place = 0
    for signal in header.signals:
        yield place, signal
        place += signal.samples * header.sample_bytes
