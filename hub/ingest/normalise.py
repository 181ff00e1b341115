"""Reading -> Measurement: catalogue, units and time settled, or the doubt that keeps it waiting.

Pure: the same reading gives the same answer, whoever asks and whenever, but for `received_us`. Never guesses; whatever
is not in the catalogue waits, because an item that waits can be replayed and a wrong one in a record cannot be unread.
"""

from collections.abc import Mapping
from decimal import Decimal

import orjson

from adapters.reading import Absent, Coded, Quantity, Reading, Value
from fhir_profiles.catalogue import CONTEXT, MEASURES, Measure, knows_flag
from fhir_profiles.measurement import AbsentValue, Amount, Coding, MeasuredValue, Measurement
from fhir_profiles.units import is_decimal
from hub.ingest import doubt
from hub.ingest.doubt import Doubt
from hub.ingest.effective import effective, effective_us

__all__ = ["Doubt", "effective_us", "normalise", "reading_key", "value_text"]

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
    if not reading.context.keys() <= CONTEXT.keys():
        return doubt.UNKNOWN_CONTEXT
    moment = effective(reading.time, time_zone=time_zone, received_us=received_us)
    if isinstance(moment, Doubt):
        return moment
    value, components = found
    return Measurement(
        measure=reading.measure,
        patient=patient,
        device=None if reading.manual else device,
        effective=moment,
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
    the contradiction shows. DESIGN 7.
    """
    time = None if reading.time is None else reading.time.text
    return orjson.dumps((device_identifier, reading.measure, time, reading.source_id)).decode()


def value_text(measurement: Measurement) -> bytes:
    """Canonical bytes of what a measurement says, for telling a duplicate from a correction.

    The digits count (74.1 and 74.10 differ in precision, which is part of a decimal's meaning), and so do unit,
    components, status, flags and context; patient, device and time do not. A converted value speaks with its original,
    so that a better conversion factor corrects nothing.
    """
    said = (
        _said(measurement.value),
        {key: _said(value) for key, value in measurement.components.items()},
        measurement.manual,
        measurement.preliminary,
        sorted(measurement.quality),
        {key: (coding.system, coding.code) for key, coding in measurement.context.items()},
    )
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _said(value: MeasuredValue | None) -> tuple[str, ...]:
    match value:
        case Amount(original=Amount() as original):
            return "quantity", original.value, original.unit
        case Amount():
            return "quantity", value.value, value.unit
        case Coding():
            return "coded", value.system, value.code
        case AbsentValue():
            return "absent", value.reason
        case None:
            return ()


def _value(measure: Measure, reading: Reading) -> tuple[MeasuredValue | None, Mapping[str, MeasuredValue]] | Doubt:
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
        case Quantity():
            return _amount(measure, value)
        case Absent(reason=reason):
            return AbsentValue(reason=reason)
        case Coded():
            return doubt.VALUE_NOT_A_QUANTITY
        case None:
            return doubt.NO_VALUE


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
