"""What every item of every adapter must obey, whoever wrote it: the first rules of the conformance kit."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from adapters.limits import FIELD_CHARS_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX, SAMPLES_MAX, YEAR_MAX, YEAR_MIN
from adapters.reading import Absent, Coded, DeviceTime, Document, Item, Quantity, Reading, Rejected, Samples, Value
from fhir_profiles.catalogue import MEASURES

_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_QUALITY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?::[a-z0-9]+)?")
_POINTER = re.compile(r"(?:/[^/]*)*|row [1-9][0-9]*|byte [0-9]+")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
"""https://hl7.org/fhir/R4/datatypes.html#decimal, without the exponent it also allows."""
_SPECIAL = frozenset("EUL")
_UCUM = re.compile(r"[!-~]+")


def faults(item: Item) -> tuple[str, ...]:
    """Return the rules that an item breaks, as sentences; empty if none."""
    return tuple(_common_faults(item)) + tuple(_rejected_faults(item) if isinstance(item, Rejected) else _reading_faults(item))


def place_free(item: Item) -> Item:
    """Return the item without its place in the payload, for comparing payloads that differ in order."""
    return replace(item, pointer="")


def parses_alone(parse: Callable[[bytes], Iterable[Item]], item: Item) -> bool:
    """Say whether `raw` of an item that is kept, read on its own, gives the item again: what replay and re-derivation rest on."""
    return place_free(item) in [place_free(other) for other in parse(item.raw)]


def _common_faults(item: Item) -> Iterator[str]:
    if not _POINTER.fullmatch(item.pointer):
        yield "pointer is neither JSON pointer, `row n` nor `byte n`"
    longest = PAYLOAD_BYTES_MAX if isinstance(item, Reading) and isinstance(item.value, Document) else RAW_BYTES_MAX
    if not item.raw or len(item.raw) > longest:
        yield "raw is empty or too long"
    if item.device is not None and not 0 < len(item.device.strip()) == len(item.device) <= FIELD_CHARS_MAX:
        yield "device is blank, padded or too long"


def _rejected_faults(item: Rejected) -> Iterator[str]:
    if not _KEBAB.fullmatch(item.code):
        yield "code is not kebab-case"
    if not item.hint.strip():
        yield "there is no hint"


def _reading_faults(reading: Reading) -> Iterator[str]:
    if (reading.value is None) == (not reading.components):
        yield "there must be a value or components"
    for name in (reading.measure, *reading.components, *reading.context):
        if not _KEBAB.fullmatch(name):
            yield "a catalogue key is not kebab-case"
    for value in (reading.value, *reading.components.values(), *reading.context.values()):
        yield from _value_faults(value)
    if isinstance(reading.value, Document):
        yield from _content_faults(reading, reading.value)
    if not all(_QUALITY.fullmatch(flag) for flag in reading.quality):
        yield "a quality flag is not kebab-case"
    if reading.modified is not None and reading.modified.utcoffset() is None:
        yield "modified has no zone"
    if reading.source_id is not None and not 0 < len(reading.source_id) <= FIELD_CHARS_MAX:
        yield "source_id is empty or too long"
    yield from _period_faults(reading)


def _period_faults(reading: Reading) -> Iterator[str]:
    if reading.end is not None and reading.time is None:
        yield "there is an end without a start"
    for time in (reading.time, reading.end):
        if time is not None:
            yield from _time_faults(time)


def _value_faults(value: Value | None) -> Iterator[str]:
    match value:
        case Quantity(value=number, unit=unit) if not _DECIMAL.fullmatch(number) or not _UCUM.fullmatch(unit):
            yield "a quantity is not decimal text with a UCUM code"
        case Coded(system=system, code=code) if not system or not code:
            yield "a coded value lacks system or code"
        case Samples():
            yield from _strip_faults(value)
        case Document():
            yield from _document_faults(value)
        case Quantity() | Coded() | Absent() | None:
            pass


def _document_faults(document: Document) -> Iterator[str]:
    if "/" not in document.media_type:
        yield "a document lacks its media type"
    for channel in document.channels:
        if not all(_DECIMAL.fullmatch(number) for number in (channel.period_ms, channel.origin, channel.factor)):
            yield "a channel's period, origin and factor are not decimal text"
        if not 0 < len(channel.label) <= FIELD_CHARS_MAX:
            yield "a channel's label is empty or too long"


def _content_faults(reading: Reading, document: Document) -> Iterator[str]:
    measure = MEASURES.get(reading.measure)
    if not document.channels and (measure is None or measure.report is None):
        yield "a recording lacks its channels; only a report has none"
    if not document.content and not 0 <= document.start < len(reading.raw):
        yield "a document does not begin inside of raw"


def _strip_faults(strip: Samples) -> Iterator[str]:
    numbers = (strip.period_ms, strip.origin, strip.factor, *(limit for limit in (strip.lower, strip.upper) if limit is not None))
    if not all(_DECIMAL.fullmatch(number) for number in numbers) or not _UCUM.fullmatch(strip.unit):
        yield "a strip's period, origin, factor and limits are not decimal text with a UCUM code"
    samples = strip.data.split(" ")
    if len(samples) > SAMPLES_MAX or not all(sample in _SPECIAL or _DECIMAL.fullmatch(sample) for sample in samples):
        yield "samples are not decimals, E, L or U with one space between them, or too many"


def _time_faults(time: DeviceTime) -> Iterator[str]:
    if not 0 < len(time.text) <= FIELD_CHARS_MAX:
        yield "time text is empty or too long"
    zoned = time.kind in {"utc", "offset"}
    if (time.instant is not None) != zoned or (time.wall is not None) != (time.kind == "local"):
        yield "utc and offset have an instant, local has a wall time, nothing has both"
    if time.instant is not None and time.instant.utcoffset() is None:
        yield "the instant has no zone"
    if time.wall is not None and time.wall.tzinfo is not None:
        yield "the wall time has a zone"
    when = time.instant or time.wall
    if when is not None and not YEAR_MIN <= when.year <= YEAR_MAX:
        yield "the year is out of bounds"
