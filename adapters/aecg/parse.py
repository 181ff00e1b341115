"""aECG -> strips, one for each lead of each series. Each item's `raw` is an aECG of its own, with that lead and without the subject."""

import re
from collections.abc import Iterator
from decimal import Decimal
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from adapters.aecg.document import Sequence, Series, derived, read_document, series_of
from adapters.aecg.mapping import LEAD_PREFIX, SECONDS, VOLT
from adapters.aecg.times import moment
from adapters.json_payload import check_size
from adapters.leads import lead
from adapters.limits import FIELD_CHARS_MAX, SAMPLES_MAX
from adapters.reading import Item, Reading, Rejected, Samples
from adapters.refusal import ItemRefused, check_length
from adapters.signals import is_strip, number, period_ms, written

_DIGITS = re.compile(r"-?[0-9]{1,9}(?:\s+-?[0-9]{1,9})*")
_AUTHOR = "<author><seriesAuthor><manufacturedSeriesDevice><id extension={}/></manufacturedSeriesDevice></seriesAuthor></author>"
_PLAIN = re.compile(r"[\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]*")


def parse(payload: bytes) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    check_size(payload)
    return _items(read_document(payload))


def _items(root: Element) -> Iterator[Item]:
    for series in series_of(root):
        for sequence in series.sequences:
            yield _item(series, sequence)
    if derived(root):
        hint = "Representative beats and annotations of an aECG are not read; the rhythms are."
        yield Rejected(code="derived-not-read", hint=hint, pointer="/component", raw=b"-", keep=False)


def _item(series: Series, sequence: Sequence) -> Item:
    raw = _raw(series, sequence)
    device = series.device if series.device and len(series.device) <= FIELD_CHARS_MAX and _PLAIN.fullmatch(series.device) else None
    try:
        check_length(raw)
        return _reading(series, sequence, device, raw)
    except ItemRefused as refusal:
        return refusal.item(pointer=sequence.pointer, raw=raw, device=device)


def _reading(series: Series, sequence: Sequence, device: str | None, raw: bytes) -> Reading:
    measure = lead(sequence.code.removeprefix(LEAD_PREFIX)) if sequence.code.startswith(LEAD_PREFIX) else None
    if measure is None:
        raise ItemRefused("unknown-lead", "The code of the sequence is not one of the twelve standard leads (MDC_ECG_LEAD_…).")
    samples = _samples(sequence)
    step = _seconds(series.increment, "The increment")
    if not is_strip(len(samples), step * len(samples)):
        hint = "A lead of more than half a minute does not become an Observation; send the recording as EDF."
        raise ItemRefused("recording-too-long", hint, keep=False)
    after = Decimal(0) if series.head is None else _seconds(series.head, "The head of the relative time")
    return Reading(
        measure=measure,
        device=device,
        time=moment(series.start, after),
        end=moment(series.start, after + step * len(samples)),
        value=_value(sequence, samples, step),
        source_id=sequence.code,
        pointer=sequence.pointer,
        raw=raw,
    )


def _samples(sequence: Sequence) -> list[str]:
    if not _DIGITS.fullmatch(sequence.digits):
        raise ItemRefused("samples-not-readable", "The digits are not whole numbers with blanks between them.")
    samples = sequence.digits.split(maxsplit=SAMPLES_MAX)
    return [str(int(sample)) for sample in samples[:SAMPLES_MAX]] + (["0"] if len(samples) > SAMPLES_MAX else [])


def _value(sequence: Sequence, samples: list[str], step: Decimal) -> Samples:
    """Value = origin + scale * digit; both have to speak in one unit."""
    unit = VOLT.get(sequence.scale[1])
    if unit is None or sequence.origin[1] not in {sequence.scale[1], ""}:
        raise ItemRefused("unknown-unit", "Origin and scale must both be in uV, or both in mV.")
    factor = written(number(sequence.scale[0], "The scale"))
    if factor == "0":
        raise ItemRefused("scaling-impossible", "The scale is zero: every sample would mean the same.")
    origin = written(number(sequence.origin[0] or "0", "The origin"))
    return Samples(data=" ".join(samples), period_ms=period_ms(step, 1), unit=unit, origin=origin, factor=factor)


def _seconds(quantity: tuple[str, str], what: str) -> Decimal:
    power = SECONDS.get(quantity[1])
    if power is None:
        raise ItemRefused("unknown-unit", f"{what} is not in s, ms or us.")
    seconds = number(quantity[0], what).scaleb(power)
    if abs(seconds) > 10**9:
        raise ItemRefused("header-not-a-number", f"{what} is longer than thirty years.")
    return seconds


def _raw(series: Series, sequence: Sequence) -> bytes:
    """The same series with this sequence alone, in our own writing: nothing of the subject or the trial."""
    device = _AUTHOR.format(quoteattr(series.device)) if series.device else ""
    if series.head is None:
        time = f'<code code="TIME_ABSOLUTE"/><value><head value={quoteattr(series.start)}/>{_tag("increment", series.increment)}</value>'
    else:
        time = f'<code code="TIME_RELATIVE"/><value>{_tag("head", series.head)}{_tag("increment", series.increment)}</value>'
    made = (
        '<AnnotatedECG xmlns="urn:hl7-org:v3"><component><series>'
        f"<effectiveTime><low value={quoteattr(series.start)}/></effectiveTime>{device}"
        f"<component><sequenceSet><component><sequence>{time}</sequence></component><component><sequence>"
        f"<code code={quoteattr(sequence.code)}/><value>{_tag('origin', sequence.origin)}{_tag('scale', sequence.scale)}"
        f"<digits>{escape(sequence.digits)}</digits></value></sequence></component></sequenceSet></component></series></component></AnnotatedECG>"
    )
    return made.encode()


def _tag(name: str, quantity: tuple[str, str]) -> str:
    return f"<{name} value={quoteattr(quantity[0])} unit={quoteattr(quantity[1])}/>"
