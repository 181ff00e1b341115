"""One ECG file -> the strip and what the watch made of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal

from adapters.apple_ecg.mapping import CLASSES, CLASSIFICATION, LEAD, LEAD_I, RATE, RECORDED, UNITS, plain
from adapters.apple_time import moment
from adapters.contract import Unreadable
from adapters.json_payload import UTF8_BOM, check_size
from adapters.limits import FIELD_CHARS_MAX, SAMPLES_MAX
from adapters.reading import Coded, DeviceTime, Item, Reading, Samples
from adapters.refusal import ItemRefused, check_length

HEAD_LINES_MAX = 40
_SAMPLE = re.compile(r"-?[0-9]{1,7}(?:[.,][0-9]{1,9})?")
_AROUND = '"' + "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())
"""Quotation marks and blanks; the last blank of Unicode is U+3000."""
_PERIOD = Context(prec=15)
MS_PER_S, US_PER_MS = 1000, 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the head: its number from 1 and its value, without the heading and its quotation marks."""

    row: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The lines of the head that are read; those with name and birth date are not among them. `first` is the first sample's row."""

    recorded: Line
    classification: Line | None
    rate: Line | None
    lead: Line | None
    unit: Line | None
    first: int


def parse(payload: bytes) -> Iterable[Item]:
    """Read one file. Raises Unreadable before the first item: empty, payload-too-large, encoding, not-apple-ecg."""
    check_size(payload)
    lines = _decoded(payload).splitlines()
    head = _head(lines)
    if head is None:
        raise Unreadable("not-apple-ecg", "This is no electrocardiogram of Apple Health: no line of the head has the recorded date.")
    return _items(head, lines)


def _decoded(payload: bytes) -> str:
    text = _utf8(payload.removeprefix(UTF8_BOM))
    if text is None:  # raised out here because the decoder's own error holds the payload
        raise Unreadable("encoding", "The file is not UTF-8.")
    return text


def _utf8(payload: bytes) -> str | None:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _head(lines: list[str]) -> Head | None:
    """Find the lines by the form of their values: the headings are translated, and in order."""
    found = [Line(index + 1, _value(line)) for index, line in enumerate(lines[:HEAD_LINES_MAX])]
    at = next((index for index, line in enumerate(found) if RECORDED.fullmatch(line.value)), None)
    if at is None:
        return None
    after = found[at + 1 :]
    unit_at = next((index for index, line in enumerate(after) if line.value in UNITS and "," in lines[line.row - 1]), None)
    rate = next((line for line in after[:unit_at] if RATE.fullmatch(line.value)), None)  # behind the unit there are samples
    unit = None if unit_at is None else after[unit_at]
    before_unit = after[unit_at - 1] if unit_at else None
    return Head(
        recorded=found[at],
        classification=after[0] if after and after[0].value and after[0] not in (rate, unit) else None,
        rate=rate,
        lead=before_unit if before_unit and before_unit.value and before_unit != rate else None,
        unit=unit,
        first=len(lines) if unit is None else unit.row,
    )


def _value(line: str) -> str:
    """Return what stands behind the first comma, without quotation marks and blanks around it: written between such, it is the same."""
    return line.partition(",")[2].strip(_AROUND)[:FIELD_CHARS_MAX].strip(_AROUND)


def _items(head: Head, lines: list[str]) -> Iterator[Item]:
    if head.unit is not None or head.rate is not None:
        yield _strip_item(head, lines)
    if head.classification is not None:
        yield _class_item(head, head.classification)


def _kept(head: Head, *named: tuple[str, Line | None]) -> str:
    """Write the lines that are kept under English headings, readable again by themselves."""
    lines = (("Recorded Date", head.recorded), *named)
    return "".join(f'{name},"{line.value}"\n' for name, line in lines if line is not None)


# -- the strip


def _strip_item(head: Head, lines: list[str]) -> Item:
    samples = [line.strip() for line in lines[head.first :]]
    # Without a rate an empty line stands in its place: the one after the date would be taken for the classification.
    head_text = _kept(head, ("Sample Rate", head.rate or Line(0, "")), ("Lead", head.lead), ("Unit", head.unit))
    body = "\n".join(sample for sample in samples if sample)
    raw, pointer = f"{head_text}{body}".encode(), f"row {(head.unit or head.rate or head.recorded).row}"
    try:
        check_length(raw)
        start = moment(head.recorded.value, None)
        strip = _strip(head, body)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)
    return Reading(measure=LEAD_I, device=None, time=start, end=_end(start, strip), value=strip, pointer=pointer, raw=raw)


def _strip(head: Head, body: str) -> Samples:
    lead = LEAD.fullmatch(head.lead.value) if head.lead else None
    if lead is None or lead[1] != "I":
        raise ItemRefused("unknown-measure", "Only lead I, which a watch records, has a measure here.")
    unit = UNITS.get(head.unit.value) if head.unit else None
    if unit is None:
        raise ItemRefused("unit-unknown", "The head names no unit (µV).")
    samples = body.split("\n") if body else []
    if not samples or len(samples) > SAMPLES_MAX:
        raise ItemRefused("value-missing", f"A strip has from 1 to {SAMPLES_MAX} samples.")
    if not all(map(_SAMPLE.fullmatch, samples)):
        raise ItemRefused("value-not-a-number", "A sample is no decimal number, with point or comma.")
    return Samples(data=" ".join(map(_digits, samples)), period_ms=_period_ms(head), unit=unit)


def _digits(sample: str) -> str:
    """Return the digits as written, with a point for the comma and without zeros in front."""
    sign, digits = ("-", sample[1:]) if sample[0] == "-" else ("", sample)
    whole, point, fraction = digits.replace(",", ".").partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{point}{fraction}"


def _period_ms(head: Head) -> str:
    """Return milliseconds from sample to sample: 1.953125 at 512 Hz, to fifteen digits where it does not come out even."""
    form = RATE.fullmatch(head.rate.value) if head.rate else None
    rate = Decimal(form[1].replace(",", ".")) if form else Decimal(0)
    if not rate:
        raise ItemRefused("rate-unknown", "The head names no sample rate (512 hertz).")
    return format(_PERIOD.divide(Decimal(MS_PER_S), rate), "f")


def _end(start: DeviceTime, strip: Samples) -> DeviceTime | None:
    """Return when the last sample's time was over, to the millisecond."""
    millis = int(Decimal(strip.period_ms) * (strip.data.count(" ") + 1))
    if start.instant is None or not millis:
        return None
    end = start.instant + timedelta(microseconds=millis * US_PER_MS)
    return DeviceTime(kind="utc", text=f"{end.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z", instant=end)


# -- what the watch made of it


def _class_item(head: Head, line: Line) -> Item:
    raw = _kept(head, ("Classification", line)).encode()
    pointer = f"row {line.row}"
    try:
        check_length(raw)
        time, value = moment(head.recorded.value, None), _class(line)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)
    return Reading(measure=CLASSIFICATION, device=None, time=time, value=value, pointer=pointer, raw=raw)


def _class(line: Line) -> Coded:
    known = CLASSES.get(plain(line.value))
    if known is None:
        raise ItemRefused("unknown-value-code", "The class is none that is known here, or in a language that is not; it is kept.")
    return known
