"""The header of EDF, EDF+, BDF and BDF+: who and when in 256 bytes, then 256 bytes a signal, all ASCII.

https://www.edfplus.info/specs/edf.html, https://www.edfplus.info/specs/edfplus.html, https://www.biosemi.com/faq/file_format.htm.
What the header says of persons (patient, technician) is blanked before anything is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from adapters.contract import Unreadable
from adapters.refusal import ItemRefused
from adapters.signals import number

HEAD_BYTES = 256
SIGNALS_MAX = 512
RECORDS_MAX = 1_000_000
RECORD_SAMPLES_MAX = 10_000_000
CLIPPING_YEAR = 85
"""EDF+ section 2.1.3.2: 85 to 99 are 1985 to 1999, 00 to 84 are 2000 to 2084."""
NOBODY = "X X X X"

EDF, BDF = b"0       ", b"\xffBIOSEMI"
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Label, transducer, dimension, physical minimum and maximum, digital minimum and maximum, filters, samples a record, reserved."""
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_STARTDATE = re.compile(r"Startdate ([0-9]{2})-([A-Z]{3})-([0-9]{4})(?: |$)")
_SERIAL = re.compile(r"(?:^| )SRN=([0-9A-Za-z-]{1,40})(?: |$)")
_DATE = re.compile(r"([0-9]{2})[.:/-]([0-9]{2})[.:/-]([0-9]{2}|yy)")
_TIME = re.compile(r"([0-9]{2})[.:]([0-9]{2})[.:]([0-9]{2})")
_ORDINAL = re.compile(r"ordinal ([1-9][0-9]{0,2})")
_FORMS = {"": "", "EDF+C": "C", "EDF+D": "D", "BDF+C": "C", "BDF+D": "D", "24BIT": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal as the header describes it, the numbers still text.

    samples  of one data record
    ordinal  the how-manieth of this label it is, from 1
    """

    label: str
    transducer: str
    dimension: str
    physical: tuple[str, str]
    digital: tuple[str, str]
    filters: str
    samples: int
    ordinal: int = 1

    @property
    def is_annotations(self) -> bool:
        return self.label in {"EDF Annotations", "BDF Annotations"}

    def range(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Physical minimum and maximum, digital minimum and maximum. Raises ItemRefused."""
        low, high = (number(text, "A physical limit") for text in self.physical)
        return (low, high, *(number(text, "A digital limit") for text in self.digital))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says before its data.

    wide      24 bits a sample (BDF) instead of 16
    form      "" of plain EDF, "C" or "D" of EDF+
    start     wall clock; `date` and `time` as written
    serial    of the device, where a maker writes it (SRN=)
    records   as said; -1 for unknown
    seconds   of one data record
    """

    wide: bool
    form: str
    start: datetime
    date: str
    time: str
    serial: str | None
    records: int
    seconds: Decimal
    signals: tuple[Signal, ...]

    @property
    def bytes(self) -> int:
        return HEAD_BYTES * (len(self.signals) + 1)

    @property
    def sample_bytes(self) -> int:
        return 3 if self.wide else 2

    @property
    def record_bytes(self) -> int:
        return self.sample_bytes * sum(signal.samples for signal in self.signals)

    def of(self, signals: Sequence[Signal], *, records: int, form: str) -> "Header":
        """The header of a file with these signals only."""
        return replace(self, signals=tuple(signals), records=records, form=form)


def read_header(payload: bytes) -> Header:
    """Raises Unreadable; never repeats what the header says."""
    wide = payload.startswith(BDF)
    if not wide and not payload.startswith(EDF):
        raise Unreadable("not-edf", "The payload does not begin as EDF, EDF+ or BDF does.", pointer="byte 0")
    if len(payload) < HEAD_BYTES:
        raise Unreadable("cut-off", "The header is cut off.", pointer=f"byte {len(payload)}")
    head = [_text(payload[start:end]) for start, end in ((88, 168), (168, 176), (176, 184), (192, 236), (236, 244), (244, 252), (252, 256))]
    recording, date, time, form, records, seconds, count = head
    signals = _signals(payload, _count(count, SIGNALS_MAX, "number of signals", 252))
    start = _start(date, time, recording)
    serial = _SERIAL.search(recording)
    header = Header(
        wide=wide,
        form=_FORMS.get(form[:5].strip(), ""),
        start=start,
        date=date,
        time=time,
        serial=None if serial is None else serial[1],
        records=-1 if records == "-1" else _count(records, RECORDS_MAX, "number of data records", 236),
        seconds=_seconds(seconds),
        signals=signals,
    )
    if not 0 < sum(signal.samples for signal in signals) <= RECORD_SAMPLES_MAX:
        raise Unreadable("header-not-readable", "A data record has no samples, or more than is read.", pointer="byte 256")
    return header


def write_header(header: Header) -> bytes:
    """The header as bytes, without a word about persons: patient and technician are nobody's."""
    started = f"{header.start:%d}-{_MONTHS[header.start.month - 1]}-{header.start:%Y}"
    recording = f"Startdate {started} X X X" + (f" SRN={header.serial}" if header.serial else "")
    letter = "BDF" if header.wide else "EDF"
    reserved = f"{letter}+{header.form}" if header.form else ("24BIT" if header.wide else "")
    fields = (
        (NOBODY, 80),
        (recording, 80),
        (header.date, 8),
        (header.time, 8),
        (str(header.bytes), 8),
        (reserved, 44),
        (str(header.records), 8),
        (format(header.seconds, "f"), 8),
        (str(len(header.signals)), 4),
    )
    columns = zip(*(_columns(signal) for signal in header.signals), strict=True)
    return (
        (BDF if header.wide else EDF)
        + b"".join(_padded(text, width) for text, width in fields)
        + b"".join(_padded(text, width) for column, width in zip(columns, _WIDTHS, strict=True) for text in column)
    )


def _columns(signal: Signal) -> tuple[str, ...]:
    ordinal = f"ordinal {signal.ordinal}" if signal.ordinal > 1 else ""
    named = (signal.label, signal.transducer, signal.dimension, *signal.physical, *signal.digital, signal.filters)
    return (*named, str(signal.samples), ordinal)


def _padded(text: str, width: int) -> bytes:
    return text.encode("latin-1", "replace")[:width].ljust(width)


def _text(field: bytes) -> str:
    """ASCII by the standard; older files hold a µ in Latin-1, some pad with zeros."""
    return field.decode("latin-1").strip(" \x00")


def _signals(payload: bytes, count: int) -> tuple[Signal, ...]:
    if len(payload) < HEAD_BYTES * (count + 1):
        raise Unreadable("cut-off", "The header is cut off.", pointer=f"byte {len(payload)}")
    columns, place = [], HEAD_BYTES
    for width in _WIDTHS:
        columns.append([_text(payload[place + width * index : place + width * (index + 1)]) for index in range(count)])
        place += width * count
    seen: dict[str, int] = {}
    return tuple(_signal(fields, seen) for fields in zip(*columns, strict=True))


def _signal(fields: Sequence[str], seen: dict[str, int]) -> Signal:
    label, transducer, dimension, low, high, digital_low, digital_high, filters, samples, reserved = fields
    given = _ORDINAL.fullmatch(reserved)
    seen[label] = int(given[1]) if given else seen.get(label, 0) + 1
    return Signal(
        label=label,
        transducer=transducer,
        dimension=dimension,
        physical=(low, high),
        digital=(digital_low, digital_high),
        filters=filters,
        samples=_count(samples, RECORD_SAMPLES_MAX, "number of samples", HEAD_BYTES),
        ordinal=seen[label],
    )


def _count(text: str, most: int, what: str, place: int) -> int:
    if not re.fullmatch(r"[0-9]{1,8}", text) or int(text) > most:
        raise Unreadable("header-not-readable", f"The {what} is not a number of at most {most}.", pointer=f"byte {place}")
    return int(text)


def _seconds(text: str) -> Decimal:
    problem = Unreadable("header-not-readable", "The duration of a data record is not a number of seconds.", pointer="byte 244")
    try:
        seconds = number(text, "")
    except ItemRefused:
        seconds = Decimal(-1)
    if not 0 <= seconds <= RECORDS_MAX:
        raise problem
    return seconds


def _start(date: str, time: str, recording: str) -> datetime:
    """The year of four digits in the recording field counts where it is there: two digits end in 2084."""
    problem = Unreadable("header-not-readable", "The start is not a date dd.mm.yy and a time hh.mm.ss.", pointer="byte 168")
    day, clock, said = _DATE.fullmatch(date), _TIME.fullmatch(time), _STARTDATE.match(recording)
    if day is None or clock is None:
        raise problem
    year = _full_year(day, said)
    start = None if year is None else _datetime(year, int(day[2]), int(day[1]), *(int(part) for part in clock.groups()))
    if start is None:
        raise problem
    return start


def _full_year(day: re.Match[str], said: re.Match[str] | None) -> int | None:
    if said is not None and said[2] in _MONTHS and (said[1], _MONTHS.index(said[2]) + 1) == (day[1], int(day[2])):
        return int(said[3])
    if day[3] == "yy":
        return None
    return (1900 if int(day[3]) >= CLIPPING_YEAR else 2000) + int(day[3])


def _datetime(*parts: int) -> datetime | None:
    try:
        made = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 -- a wall clock: the format has no zone
    except ValueError:
        return None
    return made if 1900 <= made.year <= 2199 else None  # noqa: PLR2004
