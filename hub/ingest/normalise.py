"""Reading -> Measurement: catalogue, units and time settled, or the doubt that keeps it waiting.

Pure: the same reading gives the same answer, whoever asks and whenever, but for `received_us`. Never guesses; whatever
is not in the catalogue waits, because an item that waits can be replayed and a wrong one in a record cannot be unread.
"""

import base64
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from adapters.limits import SAMPLES_MAX
from adapters.reading import Absent, Channel, Coded, DeviceTime, Document, Quantity, Reading, Samples, Value
from fhir_profiles.catalogue import CONTEXT, MEASURES, Measure, knows_flag
from fhir_profiles.measurement import AbsentValue, Amount, Coding, MeasuredValue, Measurement, Recorded, RecordedChannel, Strip
from fhir_profiles.observation import is_sample_data
from fhir_profiles.units import is_decimal
from hub.ingest import doubt
from hub.ingest.doubt import Doubt
from hub.ingest.effective import effective, effective_us
from hub.ingest.weighed import SIZE_BYTES_MAX, Content, Weighed, content_of

__all__ = ["Doubt", "effective_us", "last_us", "normalise", "reading_key", "span_us", "value_text"]

_NOTHING: Mapping[str, MeasuredValue] = {}
_NO_CONTEXT: Mapping[str, Coding] = {}


def normalise(reading: Reading, *, time_zone: str | None, patient: str, device: str | None, received_us: int) -> Measurement | Doubt:
    """Settle measure, unit and time of a reading.

    time_zone        IANA name that the sender states for local times, or None
    patient, device  "Patient/id" and "Device/id", from the pairing; a value typed in by hand gets no device
    received_us      now, in microseconds since 1970 UTC
    """
    measure = MEASURES.get(reading.measure)
    if measure is None:
        return doubt.UNKNOWN_MEASURE
    found = _value(measure, reading)
    if isinstance(found, Doubt):
        return found
    if not all(knows_flag(flag) for flag in reading.quality):
        return doubt.UNKNOWN_QUALITY
    if not reading.context.keys() <= CONTEXT.keys() or (measure.resource_type != "Observation" and reading.context):
        return doubt.UNKNOWN_CONTEXT
    moment = effective(reading.time, time_zone=time_zone, received_us=received_us)
    if isinstance(moment, Doubt):
        return moment
    until = None if reading.end is None else _until(reading.end, moment, time_zone=time_zone, received_us=received_us)
    if isinstance(until, Doubt):
        return until
    value, components = found
    return Measurement(
        measure=reading.measure,
        patient=patient,
        device=None if reading.manual else device,
        effective=moment,
        until=until,
        value=value,
        components=components,
        manual=reading.manual,
        preliminary=reading.preliminary,
        context=_context(reading.context) if reading.context else _NO_CONTEXT,
        quality=reading.quality,
    )


def reading_key(reading: Reading, device_identifier: str) -> str:
    """Canonical text of what makes a reading itself on one patient: device, measure, the device's own time text, source id.

    Never the value, and never the resolved time: the same device text under another zone is the same reading, so that
    the contradiction shows. DESIGN 7. Of what lasts and has no record id, the end tells it from others that began then.
    """
    time = None if reading.time is None else reading.time.text
    parts: tuple[str | None, ...] = (device_identifier, reading.measure, time, reading.source_id)
    if reading.end is not None and reading.source_id is None:
        parts = (*parts, reading.end.text)
    return orjson.dumps(parts).decode()


def value_text(measurement: Measurement) -> bytes:
    """Canonical bytes of what a measurement says, for telling a duplicate from a correction.

    The digits count (74.1 and 74.10 differ in precision, which is part of a decimal's meaning), and so do unit,
    components, status, flags and context; patient, device and time do not. A converted value speaks with its original,
    so that a better conversion factor corrects nothing.
    """
    said: tuple[Any, ...] = (
        _said(measurement.value),
        {key: _said(value) for key, value in measurement.components.items()},
        measurement.manual,
        measurement.preliminary,
        sorted(measurement.quality),
        {key: (coding.system, coding.code) for key, coding in measurement.context.items()},
    )
    if measurement.until is not None:
        said = (*said, measurement.until)
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def span_us(measurement: Measurement) -> tuple[int, int]:
    """Start and end of what was measured, the end exclusive, in microseconds since 1970 UTC."""
    start_us, end_us = effective_us(measurement.effective)
    return start_us, end_us if measurement.until is None else effective_us(measurement.until)[1]


def last_us(measurement: Measurement) -> int:
    """The last microsecond of what was measured: of a moment itself, of what lasts the one before its end."""
    start_us = effective_us(measurement.effective)[0]
    return start_us if measurement.until is None else max(start_us, effective_us(measurement.until)[0] - 1)


def _until(end: DeviceTime, start: str, *, time_zone: str | None, received_us: int) -> str | Doubt:
    until = effective(end, time_zone=time_zone, received_us=received_us)
    if isinstance(until, str) and effective_us(until)[0] < effective_us(start)[0]:
        return doubt.PERIOD_REVERSED
    return until


def _said(value: MeasuredValue | None) -> tuple[str | None, ...]:
    match value:
        case Amount(original=Amount() as original):
            return "quantity", original.value, original.unit
        case Amount():
            return "quantity", value.value, value.unit
        case Coding():
            return "coded", value.system, value.code
        case AbsentValue():
            return "absent", value.reason
        case Strip():
            return "strip", value.data, value.period_ms, value.unit, value.origin, value.factor, value.lower, value.upper
        case Recorded():
            return "recorded", value.media_type, str(value.size_bytes), value.sha1
        case None:
            return ()


def _value(measure: Measure, reading: Reading) -> tuple[MeasuredValue | None, Mapping[str, MeasuredValue]] | Doubt:
    if measure.document:
        if not isinstance(reading.value, Document):
            return doubt.VALUE_NOT_A_RECORDING
        content = content_of(reading)
        return doubt.RECORDING_TOO_LONG if len(content) > SIZE_BYTES_MAX else (_recorded(measure, reading.value, content), _NOTHING)
    if not measure.components:
        if reading.components:
            return doubt.UNKNOWN_COMPONENT
        value = _measured(measure, reading.value)
        return value if isinstance(value, Doubt) else (value, _NOTHING)
    match reading.value:
        case None if not reading.components:
            return doubt.NO_VALUE
        case None:
            return _components(measure, reading.components)
        case Absent(reason=reason) if not reading.components:
            return AbsentValue(reason=reason), _NOTHING
        case _:
            return doubt.VALUE_NOT_A_QUANTITY


def _components(measure: Measure, given: Mapping[str, Value]) -> tuple[None, Mapping[str, MeasuredValue]] | Doubt:
    components: dict[str, MeasuredValue] = {}
    for key, value in given.items():
        component = measure.components.get(key)
        if component is None:
            return doubt.UNKNOWN_COMPONENT
        measured = _measured(component, value)
        if isinstance(measured, Doubt):
            return measured
        components[key] = measured
    return None, components


def _measured(measure: Measure, value: Value | None) -> MeasuredValue | Doubt:
    match value:
        case Absent(reason=reason) if measure.medication is None:
            return AbsentValue(reason=reason)
        case None | Absent():  # a dose that is not known is none that was given
            return doubt.NO_VALUE
        case Coded() if measure.codes:
            return _coding(measure, value)
        case Samples() if measure.sampled:
            return _strip(measure, value)
        case Quantity() if measure.units and not measure.sampled:
            return _amount(measure, value)
    if measure.codes:
        return doubt.VALUE_NOT_A_CODE
    return doubt.VALUE_NOT_A_STRIP if measure.sampled else doubt.VALUE_NOT_A_QUANTITY


def _coding(measure: Measure, coded: Coded) -> Coding | Doubt:
    """With the catalogue's own display: what the vendor calls it is not kept under a code that others read."""
    display = measure.codes.get((coded.system, coded.code))
    return doubt.UNKNOWN_VALUE_CODE if display is None else Coding(system=coded.system, code=coded.code, display=display)


def _strip(measure: Measure, samples: Samples) -> Strip | Doubt:
    """In the device's own scaling: converting a strip would lose what the device measured to the digit."""
    unit = measure.units.get(samples.unit)
    if unit is None or unit.stored != samples.unit:
        return doubt.unit_not_allowed(tuple(one.ucum for one in measure.units.values() if one.stored == one.ucum))
    if samples.data.count(" ") >= SAMPLES_MAX:
        return doubt.STRIP_TOO_LONG
    limits = [limit for limit in (samples.lower, samples.upper) if limit is not None]
    if not all(is_decimal(text) for text in (samples.period_ms, samples.origin, samples.factor, *limits)):
        return doubt.STRIP_UNREADABLE
    if not is_sample_data(samples.data) or Decimal(samples.period_ms) <= 0:
        return doubt.STRIP_UNREADABLE
    return Strip(
        data=samples.data,
        period_ms=samples.period_ms,
        unit=samples.unit,
        origin=samples.origin,
        factor=samples.factor,
        lower=samples.lower,
        upper=samples.upper,
    )


def _recorded(measure: Measure, document: Document, content: Content) -> Recorded:
    """The facts of a recording. Where its parts will lie is not known before it is bound to a patient."""
    sha1 = document.sha1 if isinstance(document, Weighed) else _sha1(content[:])
    return Recorded(
        part="Observation" if measure.report is None else "DiagnosticReport",
        media_type=document.media_type,
        size_bytes=len(content),
        sha1=sha1,
        channels=tuple(_channel(channel) for channel in document.channels),
        document="DocumentReference/_",
        content="Binary/_",
    )


def _sha1(content: bytes) -> str:
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _channel(channel: Channel) -> RecordedChannel:
    measure = MEASURES.get(channel.measure or "")
    return RecordedChannel(
        label=channel.label,
        codings=() if measure is None else measure.codings or next((unit.codings for unit in measure.units.values()), ()),
        period_ms=channel.period_ms,
        unit=channel.unit,
        origin=channel.origin,
        factor=channel.factor,
    )


def _amount(measure: Measure, quantity: Quantity) -> Amount | Doubt:
    """In the unit in which the measure is stored. Digits stay as they are unless the value really has to be converted."""
    unit = measure.units.get(quantity.unit)
    if unit is None:
        return doubt.unit_not_allowed(tuple(measure.units))
    if not is_decimal(quantity.value):
        return doubt.VALUE_NOT_A_NUMBER
    value = Decimal(quantity.value)
    canonical = value if unit.conversion.is_identity else unit.conversion.forward(value)
    if not measure.low <= canonical <= measure.high:
        return doubt.IMPLAUSIBLE_VALUE
    if unit.keeps:
        return Amount(value=quantity.value, unit=unit.stored)
    return Amount(value=unit.conversion.text(value), unit=unit.stored, original=Amount(value=quantity.value, unit=quantity.unit))


def _context(given: Mapping[str, Coded]) -> Mapping[str, Coding]:
    return {key: Coding(system=coded.system, code=coded.code, display=coded.display) for key, coded in given.items()}
