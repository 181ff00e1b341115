"""The header of a WFDB record: one line for the record, one for each signal.

https://wfdb.io/spec/header-files.html (header(5) of the WFDB Applications Guide). Comments are not read: they hold age, sex, diagnoses.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from adapters.contract import Unreadable
from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.refusal import ItemRefused
from adapters.signals import number

SIGNALS_MAX = 128
SAMPLES_EACH_MAX = 100_000_000
FREQUENCY_DEFAULT, UNITS_DEFAULT = "250", "mV"
_NUMBER = r"[+-]?[0-9]{1,12}(?:\.[0-9]{0,12})?(?:[eE][+-]?[0-9]{1,2})?"
_FREQUENCY = re.compile(rf"({_NUMBER})(?:/[^\s]*)?")
_FORMAT = re.compile(r"([0-9]{1,3})(?:x([0-9]+))?(?::([0-9]+))?(?:\+([0-9]{1,9}))?")
_GAIN = re.compile(rf"({_NUMBER})(?:\((-?[0-9]{{1,9}})\))?(?:/(\S+))?")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")
_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal line. `gain` in samples for a unit, None where the amplitude is not calibrated; `checksum` None where none is said.

    fault  why the line cannot be used, a code and a hint, or None
    """

    file: str
    format: int
    skip: int
    gain: Decimal | None
    baseline: int
    units: str
    checksum: int | None
    description: str
    fault: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A record. `frequency` as written; `samples` of each signal, or None; `time` and `date` as written, `start` what they come to."""

    frequency: str
    samples: int | None
    time: str
    date: str
    start: datetime | None
    signals: tuple[Signal, ...]


def read_header(text: str) -> Header:
    """Raises Unreadable; never repeats what the header says."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise Unreadable("header-not-readable", "The header has no record line.", pointer="row 1")
    words = lines[0].split()
    if "/" in words[0]:
        raise Unreadable("multi-segment", "A record of several segments is not read; send its segments one by one.", pointer="row 1")
    count = _integer(words[1] if len(words) > 1 else "", SIGNALS_MAX, "number of signals")
    if count == 0 or len(lines) <= count:
        raise Unreadable("header-not-readable", "The header has fewer signal lines than it says.", pointer="row 1")
    frequency = _FREQUENCY.fullmatch(words[2] if len(words) > 2 else FREQUENCY_DEFAULT)  # noqa: PLR2004
    if frequency is None or _not_positive(frequency[1]):
        raise Unreadable("header-not-readable", "The sampling frequency is not a number above zero.", pointer="row 1")
    samples = _integer(words[3], SAMPLES_EACH_MAX, "number of samples") if len(words) > 3 else 0  # noqa: PLR2004
    time, date = (words[4] if len(words) > 4 else ""), (words[5] if len(words) > 5 else "")  # noqa: PLR2004
    return Header(
        frequency=frequency[1],
        samples=samples or None,
        time=time,
        date=date,
        start=_start(time, date),
        signals=tuple(_signal(line, row) for row, line in enumerate(lines[1 : count + 1], start=2)),
    )


def _not_positive(text: str) -> bool:
    try:
        return number(text, "") <= 0
    except ItemRefused:
        return True


def _integer(text: str, most: int, what: str) -> int:
    if not _INTEGER.fullmatch(text) or not 0 <= int(text) <= most:
        raise Unreadable("header-not-readable", f"The {what} is not a number of at most {most}.", pointer="row 1")
    return int(text)


def _start(time: str, date: str) -> datetime | None:
    """None where the header has no date: a time of day alone is no time."""
    clock, day = _TIME.fullmatch(time), _DATE.fullmatch(date)
    if clock is None or day is None:
        return None
    try:
        parts = int(day[3]), int(day[2]), int(day[1]), int(clock[1]), int(clock[2]), int(clock[3] or 0)
        made = datetime(*parts, int((clock[4] or "0").ljust(6, "0")))  # noqa: DTZ001 -- a wall clock: the format has no zone
    except ValueError:
        return None
    return made if YEAR_MIN <= made.year <= YEAR_MAX else None


def _signal(line: str, row: int) -> Signal:
    """File format gain(baseline)/units resolution zero first checksum block description; all after the format may be missing."""
    words = line.split(maxsplit=8)
    form = _FORMAT.fullmatch(words[1]) if len(words) > 1 else None
    if form is None:
        raise Unreadable("header-not-readable", "A signal line has no file and format.", pointer=f"row {row}")
    gain = _GAIN.fullmatch(words[2]) if len(words) > 2 else None  # noqa: PLR2004
    numbers = [int(word) if _INTEGER.fullmatch(word) else None for word in words[3:7]]
    zero = (numbers[1] if len(numbers) > 1 else None) or 0
    return Signal(
        file=words[0],
        format=int(form[1]),
        skip=int(form[4] or 0),
        gain=None if gain is None else _calibrated(gain[1]),
        baseline=zero if gain is None or gain[2] is None else int(gain[2]),
        units=UNITS_DEFAULT if gain is None or gain[3] is None else gain[3],
        checksum=numbers[3] if len(numbers) > 3 else None,  # noqa: PLR2004
        description=" ".join(words[8].split()) if len(words) > 8 else "",  # noqa: PLR2004
        fault=_fault(form),
    )


def _calibrated(text: str) -> Decimal | None:
    """A gain of zero says that the amplitude is not calibrated."""
    try:
        return number(text, "") or None
    except ItemRefused:
        return None


def _fault(form: re.Match[str]) -> tuple[str, str] | None:
    if (form[2] or "1") != "1" or (form[3] or "0") != "0":
        return "frames-not-read", "Several samples a frame, or a skew between signals, are not read."
    return None
