"""Code, unit and range, as a triple: what finds a diastolic pressure coded as heart rate, and a float with a biased exponent."""

from collections.abc import Iterator
from decimal import Decimal

from adapters.kit.rule import Subject
from adapters.reading import Coded, Quantity, Reading, Samples, Value
from fhir_profiles.catalogue import MEASURES, Measure


def measure_known(subject: Subject) -> Iterator[str]:
    for fixture, reading in subject.readings():
        measure = MEASURES.get(reading.measure)
        if measure is None:
            yield f"{fixture.name} {reading.pointer}: {reading.measure!r} is not in the catalogue"
            continue
        for name in reading.components:
            if name not in measure.components:
                yield f"{fixture.name} {reading.pointer}: {reading.measure} has no component {name!r}"


def unit_fits(subject: Subject) -> Iterator[str]:
    for place, measure, value in _values(subject):
        if isinstance(value, Quantity | Samples) and value.unit not in measure.units:
            yield f"{place}: {measure.key} is not measured in {value.unit!r} but in {', '.join(measure.units) or 'no unit at all'}"
        if isinstance(value, Coded) and (value.system, value.code) not in measure.codes:
            yield f"{place}: the code is not one of those that {measure.key} has in the catalogue"


def range_possible(subject: Subject) -> Iterator[str]:
    for place, measure, value in _values(subject):
        if isinstance(value, Quantity) and not _possible(measure, value):
            yield f"{place}: no person has this {measure.key}; check scale, unit, special values and the exponent of IEEE floats"


def _possible(measure: Measure, value: Quantity) -> bool:
    unit = measure.units.get(value.unit)
    if unit is None:
        return True
    try:
        number = Decimal(value.value)
    except ArithmeticError:
        return True
    return measure.low <= unit.conversion.forward(number) <= measure.high


def _values(subject: Subject) -> Iterator[tuple[str, Measure, Value]]:
    for fixture, reading in subject.readings():
        for measure, value in _measured(reading):
            yield f"{fixture.name} {reading.pointer}", measure, value


def _measured(reading: Reading) -> Iterator[tuple[Measure, Value]]:
    measure = MEASURES.get(reading.measure)
    if measure is None:
        return
    if reading.value is not None:
        yield measure, reading.value
    for name, value in reading.components.items():
        if name in measure.components:
            yield measure.components[name], value
