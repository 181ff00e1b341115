"""Measurements for the tests: one of each row in each unit, and the small pieces they are made of."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fhir_profiles.building import build
from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.measurement import Amount, Coding, Measurement, Strip

WHEN = "2015-05-30T23:06:23-07:00"
UPDATED = "2026-11-22T09:30:00.123Z"


def amount(measure: Measure, unit: str) -> Amount:
    """A possible value, given in that unit and stored as the catalogue says."""
    row = measure.units[unit]
    middle = (measure.low + measure.high) / 2
    text = format(round(row.conversion.backward(middle), 1), "f")
    if row.keeps:
        return Amount(value=text, unit=row.stored)
    return Amount(value=row.conversion.text(Decimal(text)), unit=row.stored, original=Amount(value=text, unit=unit))


def strip(unit: str) -> Strip:
    return Strip(data="12 -3 E 4.0 L U", period_ms="1.953125", unit=unit, origin="0", factor="0.5", lower="-100", upper="100")


def measurement(key: str, **changes: Any) -> Measurement:
    measure = MEASURES[key]
    made = Measurement(measure=key, patient="Patient/p1", device="Device/d1", effective=WHEN)
    if measure.codes:
        system, code = next(iter(measure.codes))
        made = replace(made, value=Coding(system=system, code=code, display=measure.codes[system, code]))
    elif measure.sampled:
        made = replace(made, value=strip(measure.canonical))
    elif measure.components:
        made = replace(made, components={name: amount(one, one.canonical) for name, one in measure.components.items()})
    else:
        made = replace(made, value=amount(measure, measure.canonical))
    return replace(made, **changes)


def one_of_each(resource_type: str = "Observation") -> Iterator[tuple[str, Measurement]]:
    """Every row of the catalogue that becomes such a resource, in every unit it may come in."""
    for key, measure in MEASURES.items():
        if measure.resource_type != resource_type:
            continue
        if measure.codes:
            for system, code in measure.codes:
                yield f"{key} {code}", measurement(key, value=Coding(system=system, code=code, display=measure.codes[system, code]))
            continue
        parts = measure.components or {"": measure}
        for unit in next(iter(parts.values())).units:
            if measure.components:
                yield f"{key} {unit}", measurement(key, components={name: amount(one, unit) for name, one in parts.items()})
            else:
                yield f"{key} {unit}", measurement(key, value=strip(unit) if measure.sampled else amount(measure, unit))


def built(made: Measurement) -> bytes:
    return build(made, id="o1", version=1, last_updated=UPDATED)
