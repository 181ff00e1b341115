"""A WFDB record -> a strip for each signal, with a record of its own as `raw`; a long one is one document. Format 16, no comments."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context as DecimalContext
from decimal import Decimal

from adapters import reading
from adapters.contract import Unreadable
from adapters.json_payload import check_size
from adapters.limits import FIELD_CHARS_MAX, PAYLOAD_BYTES_MAX, YEAR_MAX
from adapters.reading import Coded, DeviceTime, Document, Item, Reading, Samples
from adapters.refusal import ItemRefused, check_length
from adapters.signals import DIGITS_MAX, is_strip, number, period_ms, written
from adapters.wfdb.container import HEADER_BYTES_MAX, pack, unpack
from adapters.wfdb.header import Header, Signal, read_header
from adapters.wfdb.mapping import DESCRIPTIONS, RECORDING, row_of
from adapters.wfdb.samples import INVALID, READERS, bytes_of

INVALID_16 = INVALID[16]
MEDIA_TYPE = "application/zip"
_WIDE = DecimalContext(prec=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A signal with its samples; None where they could not be read, for `fault`."""

    signal: Signal
    samples: list[int]
    fault: tuple[str, str] | None


def parse(payload: bytes) -> Iterator[Item]:
    """Raises Unreadable before the first item, or never."""
    check_size(payload)
    text, files = unpack(payload)
    header = read_header(text)
    for signal in header.signals:
        if signal.file not in files:
            raise Unreadable("not-a-record", "The header names a signal file that is not in the ZIP.", pointer="row 2")
    channels = _channels(header, files)
    seconds = _WIDE.divide(Decimal(max((len(one.samples) for one in channels), default=0)), number(header.frequency, ""))
    placed = [(f"row {place}", channel) for place, channel in enumerate(channels, start=2)]
    together = [channel for _, channel in placed if _is_sound(channel)]
    if all(is_strip(len(channel.samples), seconds) for channel in together):
        together = []
    return _items(header, seconds, placed, together)


def _items(header: Header, seconds: Decimal, placed: list[tuple[str, Channel]], together: list[Channel]) -> Iterator[Item]:
    """Strips, or one document of all signals that can be read; what cannot is answered by itself."""
    if together:
        yield _recording(header, seconds, together)
    for pointer, channel in placed:
        if channel not in together:
            yield _item(header, seconds, channel, pointer)


def _is_sound(channel: Channel) -> bool:
    """Can its samples be relied on?"""
    try:
        _check_sum(channel)
    except ItemRefused:
        return False
    return channel.fault is None and bool(channel.samples)


def _channels(header: Header, files: Mapping[str, bytes]) -> list[Channel]:
    """Signals of one file lie interleaved, sample by sample."""
    found: list[Channel] = []
    for file in dict.fromkeys(signal.file for signal in header.signals):
        group = [signal for signal in header.signals if signal.file == file]
        found += _group(header, group, files[file])
    order = {id(signal): place for place, signal in enumerate(header.signals)}
    return sorted(found, key=lambda channel: order[id(channel.signal)])


def _group(header: Header, group: list[Signal], content: bytes) -> list[Channel]:
    fault = next((signal.fault for signal in group if signal.fault), None)
    form = group[0].format
    if form not in READERS or len({signal.format for signal in group}) > 1:
        fault = fault or ("format-not-read", "Signal files of formats 16, 80 and 212 are read, one format a file.")
    if fault is not None:
        return [Channel(signal=signal, samples=[], fault=fault) for signal in group]
    data = content[group[0].skip :]
    if header.samples is not None:
        wanted = bytes_of(form, header.samples * len(group))
        if len(data) < wanted:
            raise Unreadable("cut-off", "A signal file is shorter than the header says; send it whole.", pointer="row 1")
        data = data[:wanted]
    samples = READERS[form](data)
    return [Channel(signal=signal, samples=samples[place :: len(group)], fault=None) for place, signal in enumerate(group)]


def _item(header: Header, seconds: Decimal, channel: Channel, pointer: str) -> Item:
    raw = b""
    try:
        if channel.fault is not None:
            raise ItemRefused(*channel.fault, keep=False)  # noqa: TRY301
        if not channel.samples:
            raise ItemRefused("no-samples", "A signal of no samples does not become an Observation.", keep=False)  # noqa: TRY301
        _check_sum(channel)
        samples = _sixteen(channel)
        raw = _raw(header, [(channel.signal, samples)])
        check_length(raw)
        return _reading(header, channel.signal, samples, seconds, pointer, raw)
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw or b"-")


def _check_sum(channel: Channel) -> None:
    """The sum of all samples in 16 bits, with or without sign."""
    said = channel.signal.checksum
    if said is not None and (sum(channel.samples) - said) % 65536:
        raise ItemRefused("checksum-wrong", "The samples do not add up to the checksum of the header; send the record again.", keep=False)


def _reading(header: Header, signal: Signal, samples: list[int], seconds: Decimal, pointer: str, raw: bytes) -> Reading:
    row = row_of(signal.description)
    if row is None:
        raise ItemRefused("unknown-signal", "The catalogue has no measure for a signal of this description.")
    unit = row.units.get(signal.units)
    if unit is None:
        raise ItemRefused("unknown-unit", "The unit is not one that signals of this description come in.")
    if signal.gain is None:
        raise ItemRefused("not-calibrated", "The header gives no gain: what a sample means is not known.")
    origin, factor = _scaling(signal)
    return Reading(
        measure=row.measure,
        device=None,
        time=_moment(header, Decimal(0)),
        end=_moment(header, seconds),
        value=Samples(
            data=" ".join("E" if sample == INVALID_16 else str(sample) for sample in samples),
            period_ms=period_ms(_WIDE.divide(Decimal(1), number(header.frequency, "")), 1),
            unit=unit,
            origin=origin,
            factor=factor,
        ),
        source_id=signal.description,
        pointer=pointer,
        raw=raw,
        context={"body-site": Coded(system=DESCRIPTIONS, code=signal.description, display=signal.description)} if row.sited else {},
    )


def _moment(header: Header, seconds: Decimal) -> DeviceTime | None:
    """None where the header has no date and time; the text is the header's, with how long after it."""
    if header.start is None:
        return None
    wall = header.start + timedelta(microseconds=int(seconds * 1_000_000))
    if wall.year > YEAR_MAX:
        raise ItemRefused("onset-out-of-range", "The year is out of bounds.", keep=False)
    after = "" if seconds == 0 else f" +{written(seconds)}"
    return DeviceTime(kind="local", text=f"{header.date} {header.time}{after}", wall=wall)


def _sixteen(channel: Channel) -> list[int]:
    """Samples of format 16, in which another value says that there is none."""
    return [INVALID_16 if sample == INVALID[channel.signal.format] else sample for sample in channel.samples]


def _scaling(signal: Signal) -> tuple[str, str]:
    """Origin and factor of a calibrated signal. Raises ItemRefused."""
    if signal.gain is None:
        raise ItemRefused("not-calibrated", "The header gives no gain: what a sample means is not known.")
    factor = written(_WIDE.divide(Decimal(1), signal.gain))
    if factor == "0":
        raise ItemRefused("scaling-impossible", f"A sample means less than can be written with {DIGITS_MAX} decimals.")
    return written(_WIDE.divide(Decimal(-signal.baseline), signal.gain)), factor


def _recording(header: Header, seconds: Decimal, channels: list[Channel]) -> Item:
    """A record of all these signals, as a document in format 16 and without comments. Where one is shorter, its end has no samples."""
    length = max(len(channel.samples) for channel in channels)
    signals = [(one.signal, (samples := _sixteen(one)) + [INVALID_16] * (length - len(samples))) for one in channels]
    raw = b""
    try:
        if 2 * length * len(channels) + HEADER_BYTES_MAX > PAYLOAD_BYTES_MAX:
            hint = f"Written out it is longer than {PAYLOAD_BYTES_MAX} bytes; send it in parts."
            raise ItemRefused("recording-too-long", hint, keep=False)  # noqa: TRY301
        raw = _raw(header, signals)
        return Reading(
            measure=RECORDING,
            device=None,
            time=_moment(header, Decimal(0)),
            end=_moment(header, seconds),
            value=Document(media_type=MEDIA_TYPE, channels=tuple(_channel(header, one.signal) for one in channels)),
            source_id=" ".join(one.signal.description or "-" for one in channels)[:FIELD_CHARS_MAX],
            pointer="row 1",
            raw=raw,
        )
    except ItemRefused as refusal:
        return refusal.item(pointer="row 1", raw=raw or b"-")


def _channel(header: Header, signal: Signal) -> reading.Channel:
    """What the document holds of one signal. Where its unit or its scaling is not understood, that is left open."""
    row, label = row_of(signal.description), signal.description[:FIELD_CHARS_MAX] or "-"
    period = period_ms(_WIDE.divide(Decimal(1), number(header.frequency, "")), 1)
    unit = None if row is None else row.units.get(signal.units)
    try:
        origin, factor = _scaling(signal)
    except ItemRefused:
        unit, origin, factor = None, "0", "1"
    measure = None if row is None or unit is None else row.measure
    return reading.Channel(label=label, measure=measure, period_ms=period, unit=unit, origin=origin, factor=factor)


def _raw(header: Header, signals: list[tuple[Signal, list[int]]]) -> bytes:
    when = f" {header.time} {header.date}" if header.start is not None else ""
    head = f"r {len(signals)} {header.frequency} {len(signals[0][1])}{when}\n"
    lines = []
    for signal, samples in signals:
        gain = f"{format(signal.gain or 0, 'f')}({signal.baseline})/{signal.units}"
        lines.append(f"r.dat 16 {gain} 16 0 {samples[0]} {sum(samples) % 65536} 0 {signal.description}\n")
    frames = [sample for frame in zip(*(samples for _, samples in signals), strict=True) for sample in frame]
    return pack(head + "".join(lines), struct.pack(f"<{len(frames)}h", *frames))
