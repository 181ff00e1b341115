"""A series of more than half a minute is one document: the series in our own writing, with the leads that belong to it."""

from collections.abc import Sequence as Several

from adapters.aecg.document import Sequence, Series
from adapters.aecg.mapping import LEAD_PREFIX, RECORDING
from adapters.aecg.times import moment
from adapters.aecg.values import device_of, is_digits, measure_of, scaling, seconds_of, written_series
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Channel, Document, Item, Reading
from adapters.refusal import ItemRefused
from adapters.signals import is_strip, period_ms

MEDIA_TYPE = "application/xml"


def long_ones(series: Series) -> tuple[Sequence, ...]:
    """Every sequence of samples of a series of which at least one is too long for a strip; nothing where none is."""
    try:
        step = seconds_of(series.increment, "The increment")
    except ItemRefused:
        return ()
    readable = tuple(one for one in series.sequences if is_digits(one))
    lengths = [_count(one) for one in readable]
    return readable if step > 0 and not all(is_strip(count, step * count) for count in lengths) else ()


def recording(series: Series, sequences: Several[Sequence]) -> Item:
    raw, pointer, device = written_series(series, sequences), sequences[0].pointer, device_of(series)
    try:
        step = seconds_of(series.increment, "The increment")
        after = seconds_of(series.head, "The head of the relative time") if series.head is not None else step * 0
        channels = tuple(_channel(one, period_ms(step, 1)) for one in sequences)
        return Reading(
            measure=RECORDING,
            device=device,
            time=moment(series.start, after),
            end=moment(series.start, after + step * max(map(_count, sequences))),
            value=Document(media_type=MEDIA_TYPE, channels=channels),
            source_id=" ".join(one.code for one in sequences)[:FIELD_CHARS_MAX],
            pointer=pointer,
            raw=raw,
        )
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw, device=device)


def _count(sequence: Sequence) -> int:
    return len(sequence.digits.split())


def _channel(sequence: Sequence, period: str) -> Channel:
    """Where unit or scaling is not understood, that is left open: the document has it."""
    try:
        unit, origin, factor = scaling(sequence)
    except ItemRefused:
        return Channel(label=_label(sequence), measure=None, period_ms=period, unit=None, origin="0", factor="1")
    return Channel(label=_label(sequence), measure=measure_of(sequence), period_ms=period, unit=unit, origin=origin, factor=factor)


def _label(sequence: Sequence) -> str:
    return sequence.code.removeprefix(LEAD_PREFIX)[:FIELD_CHARS_MAX] or "-"
