"""ResMed's STR.edf: one record a day, each figure a signal of few samples.

The day runs from noon to noon of the device's clock and is the number of days since 1970 in the signal `Date`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.edf.header import Header, Signal, write_header
from adapters.edf.mapping import DAILY
from adapters.edf.samples import samples
from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused
from adapters.signals import line

DAY_SECONDS = 86_400
DATE, USAGE = "Date", "Duration"
_EPOCH = datetime(1970, 1, 1, 12)  # noqa: DTZ001 -- a wall clock
_DAYS_MAX = 84_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A signal and its first sample of a record, as bytes."""

    signal: Signal
    at: int
    sample: bytes


def is_summary(header: Header) -> bool:
    """One record a day with a signal `Date` is no recording."""
    return header.seconds == DAY_SECONDS and any(signal.label == DATE for signal in header.signals)


def summary(header: Header, payload: bytes, records: int) -> Iterator[Item]:
    """Each figure of each day; what the file has besides (settings, times of the mask) is no figure of a person."""
    for record in range(records):
        start = header.bytes + record * header.record_bytes
        places = list(_places(header, payload, start))
        day = next(place for place in places if place.signal.label == DATE)
        usage = next((place for place in places if place.signal.label == USAGE), None)
        for place in places:
            if place.signal.label in DAILY:
                yield _figure(header, day, usage, place)


def _places(header: Header, payload: bytes, start: int) -> Iterator[_Place]:
    for signal in header.signals:
        if signal.samples:
            yield _Place(signal=signal, at=start, sample=payload[start : start + header.sample_bytes])
        start += signal.samples * header.sample_bytes


def _figure(header: Header, day: _Place, usage: _Place | None, place: _Place) -> Item:
    pointer, raw = f"byte {place.at}", _raw(header, day, usage, place)
    daily = DAILY[place.signal.label]
    try:
        unit = daily.units.get(place.signal.dimension)
        if unit is None:
            raise ItemRefused("unknown-unit", "The physical dimension is not one that this figure comes in.")  # noqa: TRY301
        begins, ends = _day(header, day)
        value = _value(header, usage, place, unit)
        return Reading(measure=daily.measure, device=header.serial, time=begins, end=ends, value=value, pointer=pointer, raw=raw)
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw, device=header.serial)


def _value(header: Header, usage: _Place | None, place: _Place, unit: str) -> Value:
    """Below zero the device had nothing to sum up; nor had it on a day without therapy, on which it writes zeros."""
    value = _physical(header, place)
    if usage is not None and place.signal.label != USAGE and samples(usage.sample, header.wide)[0] <= 0:
        return Absent(reason="not-performed")
    return Absent(reason="not-performed") if value.startswith("-") else Quantity(value=value, unit=unit)


def _physical(header: Header, place: _Place) -> str:
    """With as many decimals as a step of the samples has, or its first digit where it ends nowhere."""
    low, high, low_sample, high_sample = place.signal.range()
    factor, origin = (Decimal(text) for text in line(low, high, low_sample, high_sample))
    value = origin + factor * samples(place.sample, header.wide)[0]
    step = max(-int(factor.normalize().as_tuple().exponent), 0)
    places = step if step <= 4 else max(0, 1 - factor.adjusted())  # noqa: PLR2004
    return format(value.quantize(Decimal(1).scaleb(-places)), "f").replace("-0", "0", 1 if value == 0 else 0)


def _day(header: Header, day: _Place) -> tuple[DeviceTime, DeviceTime]:
    days = samples(day.sample, header.wide)[0]
    if not 0 < days <= _DAYS_MAX:
        raise ItemRefused("no-time", "The record does not say which day it is of.")
    begins = _EPOCH + timedelta(days=days)
    if not YEAR_MIN <= begins.year <= YEAR_MAX:
        raise ItemRefused("no-time", "The record does not say which day it is of.")
    return (
        DeviceTime(kind="local", text=f"day {days}", wall=begins),
        DeviceTime(kind="local", text=f"day {days + 1}", wall=begins + timedelta(days=1)),
    )


def _raw(header: Header, day: _Place, usage: _Place | None, place: _Place) -> bytes:
    """A file of one day and one figure, with how long the therapy was."""
    places = [day, place] if usage is None or usage is place else [day, usage, place]
    head = write_header(header.of([_single(one.signal) for one in places], records=1, form=""))
    return head + b"".join(one.sample for one in places)


def _single(signal: Signal) -> Signal:
    return Signal(
        label=signal.label,
        transducer=signal.transducer,
        dimension=signal.dimension,
        physical=signal.physical,
        digital=signal.digital,
        filters=signal.filters,
        samples=1,
        ordinal=signal.ordinal,
    )
