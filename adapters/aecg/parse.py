"""aECG -> a strip for each lead, with an aECG of its own without the subject as `raw`; a long series is one document."""

from collections.abc import Iterator
from decimal import Decimal
from xml.etree.ElementTree import Element

from adapters.aecg.document import Sequence, Series, derived, read_document, series_of
from adapters.aecg.recording import long_ones, recording
from adapters.aecg.times import moment
from adapters.aecg.values import device_of, is_digits, measure_of, scaling, seconds_of, written_series
from adapters.json_payload import check_size
from adapters.reading import Item, Reading, Rejected, Samples
from adapters.refusal import ItemRefused, check_length
from adapters.signals import period_ms


def parse(payload: bytes) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    check_size(payload)
    return _items(read_document(payload))


def _items(root: Element) -> Iterator[Item]:
    for series in series_of(root):
        together = long_ones(series)
        if together:
            yield recording(series, together)
        for sequence in series.sequences:
            if sequence not in together:
                yield _item(series, sequence)
    if derived(root):
        hint = "Representative beats and annotations of an aECG are not read; the rhythms are."
        yield Rejected(code="derived-not-read", hint=hint, pointer="/component", raw=b"-", keep=False)


def _item(series: Series, sequence: Sequence) -> Item:
    raw = written_series(series, [sequence])
    device = device_of(series)
    try:
        check_length(raw)
        return _reading(series, sequence, device, raw)
    except ItemRefused as refusal:
        return refusal.item(pointer=sequence.pointer, raw=raw, device=device)


def _reading(series: Series, sequence: Sequence, device: str | None, raw: bytes) -> Reading:
    measure = measure_of(sequence)
    if measure is None:
        raise ItemRefused("unknown-lead", "The code of the sequence is not one of the twelve standard leads (MDC_ECG_LEAD_…).")
    samples = _samples(sequence)
    step = seconds_of(series.increment, "The increment")
    unit, origin, factor = scaling(sequence)
    after = Decimal(0) if series.head is None else seconds_of(series.head, "The head of the relative time")
    return Reading(
        measure=measure,
        device=device,
        time=moment(series.start, after),
        end=moment(series.start, after + step * len(samples)),
        value=Samples(data=" ".join(samples), period_ms=period_ms(step, 1), unit=unit, origin=origin, factor=factor),
        source_id=sequence.code,
        pointer=sequence.pointer,
        raw=raw,
    )


def _samples(sequence: Sequence) -> list[str]:
    if not is_digits(sequence):
        raise ItemRefused("samples-not-readable", "The digits are not whole numbers with blanks between them.")
    return [str(int(sample)) for sample in sequence.digits.split()]
