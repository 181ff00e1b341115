"""value[x] and dataAbsentReason -> Value. https://hl7.org/fhir/R4/observation.html#value"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from adapters.decimal_text import written_decimal
from adapters.fhir.terms import check_names, codings, names_in, said_of
from adapters.json_fields import is_number
from adapters.json_payload import Number
from adapters.json_values import Json, part
from adapters.limits import FIELD_CHARS_MAX, SAMPLES_MAX, STRIP_SECONDS_MAX
from adapters.reading import Absent, AbsentReason, Coded, Quantity, Samples, Value
from adapters.refusal import ItemRefused
from fhir_profiles import ucum
from fhir_profiles.canonical import DATA_ABSENT_REASON, MDC, UCUM
from fhir_profiles.catalogue import ABSENT_REASONS, MEASURES, Measure

VALUES = ("valueQuantity", "valueCodeableConcept", "valueSampledData")
OTHER_VALUES = (
    "valueString",
    "valueBoolean",
    "valueInteger",
    "valueRange",
    "valueRatio",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
    "valueAttachment",
)
OUT_OF_RANGE: Mapping[str, str] = MappingProxyType({">": "above-range", ">=": "above-range", "<": "below-range", "<=": "below-range"})
MILLISECONDS = 1000
ONE = "1"
"""A measure that has no other unit is a count, and a count may come without."""
BEYOND = frozenset({"L", "U"})
SPECIAL = BEYOND | {"E"}
LIMITS = ("lowerLimit", "upperLimit")


def _labels() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for measure in MEASURES.values():
        for row in (measure, *measure.components.values()):
            for unit in row.units.values():
                for text in {unit.label, unit.ucum} - {""}:
                    found.setdefault(text.casefold(), set()).add(unit.ucum)
    return MappingProxyType({label: frozenset(units) for label, units in found.items()})


LABELS = _labels()
"""Words for units, in lower case -> the units of UCUM that are called so."""


def has_value(fields: Json) -> bool:
    """Is there a value, or the reason why there is none?"""
    return any(name in fields for name in (*VALUES, *OTHER_VALUES, "dataAbsentReason"))


def value_of(fields: Json, row: Measure) -> tuple[Value, tuple[str, ...]]:
    """The value with the flags that it brings. `fields`: an Observation or one of its components. Raises ItemRefused."""
    given = [name for name in (*VALUES, *OTHER_VALUES) if name in fields]
    absent = "dataAbsentReason" in fields
    if len(given) + absent > 1:
        raise ItemRefused("value-contradicts", "There is one value, or the reason why there is none; here is more.", keep=False)
    if absent:
        return Absent(reason=absent_reason(fields["dataAbsentReason"])), ()
    if not given:
        raise ItemRefused("value-missing", "There is neither a value nor a dataAbsentReason.", keep=False)
    if given[0] not in VALUES:
        raise ItemRefused("value-type", "A value must be a Quantity, a CodeableConcept or SampledData; others are not kept.", keep=False)
    if given[0] == "valueQuantity":
        return quantity(part(fields, "valueQuantity"), row)
    if given[0] == "valueSampledData":
        return samples(part(fields, "valueSampledData"), row), ()
    return coded(fields["valueCodeableConcept"], row), ()


def absent_reason(concept: Any) -> AbsentReason:
    """Reasons that no device can cause are "unknown": https://hl7.org/fhir/R4/codesystem-data-absent-reason.html."""
    for coding in codings(concept):
        if coding["system"] == DATA_ABSENT_REASON and coding["code"] in ABSENT_REASONS:
            reason: AbsentReason = coding["code"]
            return reason
    return "unknown"


def quantity(fields: Json, row: Measure) -> tuple[Value, tuple[str, ...]]:
    """A number in the unit of UCUM that it has. Raises ItemRefused."""
    comparator = fields.get("comparator")
    if comparator is not None and (type(comparator) is not str or comparator not in OUT_OF_RANGE):
        raise ItemRefused("value-not-a-number", "`comparator` must be <, <=, >= or >.", keep=False)
    value, unit = digits(fields.get("value"), "value"), unit_of(fields, row)
    if comparator is not None:
        return Absent(reason="unsupported"), (OUT_OF_RANGE[comparator],)
    return Quantity(value=value, unit=unit), ()


def digits(value: Any, name: str) -> str:
    """A JSON number with the digits that it has. Raises ItemRefused."""
    text = written_decimal(value.text if isinstance(value, Number) else str(value)) if is_number(value) else None
    if text is None:
        raise ItemRefused("value-not-a-number", f"`{name}` is missing or no number.", keep=False)
    return text


def unit_of(fields: Json, row: Measure) -> str:
    """The unit by its code; `unit` is for people, but must not say another. Raises ItemRefused."""
    code = fields.get("code")
    if row.units.keys() == {ONE} and fields.keys().isdisjoint({"system", "code", "unit"}):
        return ONE
    if fields.get("system") != UCUM or type(code) is not str or not ucum.is_valid(code):
        raise ItemRefused("unit-unknown", "A quantity needs `system` http://unitsofmeasure.org and a `code` of it; the item is kept.")
    one = ucum.canonical(Decimal(1), code)
    label = fields.get("unit")
    said = LABELS.get(label.strip().casefold(), frozenset()) if type(label) is str else frozenset()
    if said and all(ucum.canonical(Decimal(1), unit) != one for unit in said):
        raise ItemRefused("unit-mismatch", "`unit` and `code` of the quantity name different units; correct the sender.", keep=False)
    return code if code in row.units else _same(code, row)


def _same(code: str, row: Measure) -> str:
    """Another spelling of an allowed unit becomes that; a unit of another dimension cannot be the measure's."""
    one = ucum.canonical(Decimal(1), code)
    alike = [unit for unit in row.units if ucum.canonical(Decimal(1), unit) == one]
    if alike:
        return alike[0]
    kinds = {found[1] for unit in row.units if (found := ucum.canonical(Decimal(1), unit)) is not None}
    if one is None or (kinds and one[1] not in kinds):
        raise ItemRefused("code-unit-mismatch", "The unit cannot be one of what the code measures; correct the sender's table.", keep=False)
    return code


def coded(concept: Any, row: Measure) -> Coded:
    """The value's code as the catalogue has it; by number, or by reference identifier. Raises ItemRefused."""
    for one in said_of(concept):
        check_names(one, {})
    found = {place for coding in codings(concept) for place in _places(coding, row)}
    if len(found) != 1:
        raise ItemRefused(
            "unknown-value-code", "The value is not one code that the catalogue has for this measure, or code and name differ."
        )
    system, code = found.pop()
    return Coded(system=system, code=code, display=row.codes[system, code])


def _places(coding: Json, row: Measure) -> set[tuple[str, str]]:
    own = {place for place in row.codes if coding["code"] == place[1] and coding["system"] in {place[0], MDC}}
    names = [name for name in names_in(coding.get("display")) if coding["system"] == MDC]
    named = {place for place, display in row.codes.items() if any(name in {display, place[1]} for name in names)}
    return own | named


def samples(fields: Json, row: Measure) -> Samples:
    """https://hl7.org/fhir/R4/datatypes.html#SampledData with one dimension. Raises ItemRefused.

    Limits are kept where a sample lies beyond them: HL7's PHD guide writes them scaled, and what they are needed for is L and U alone.
    """
    origin, data = part(fields, "origin"), fields.get("data")
    if not is_number(fields.get("dimensions")) or fields["dimensions"] != 1 or type(data) is not str:
        raise ItemRefused("strip-unreadable", "SampledData must have one dimension, and data.", keep=False)
    values, period = data.split(), digits(fields.get("period"), "period")
    if len(values) > SAMPLES_MAX or Decimal(period) * len(values) > STRIP_SECONDS_MAX * MILLISECONDS:
        raise ItemRefused("strip-too-long", f"A strip has {STRIP_SECONDS_MAX} seconds at most; send longer ones as a document.", keep=False)
    written = [value if value in SPECIAL else written_decimal(value) for value in values]
    if not written or None in written or Decimal(period) <= 0:
        raise ItemRefused("strip-unreadable", "Samples are decimals, E, L or U, with a period between them.", keep=False)
    limits = {name: digits(fields[name], name) for name in LIMITS if name in fields and not BEYOND.isdisjoint(values)}
    return Samples(
        data=" ".join(filter(None, written)),
        period_ms=period,
        unit=unit_of(origin, row),
        origin=digits(origin.get("value"), "origin"),
        factor=digits(fields.get("factor", 1), "factor"),
        lower=limits.get("lowerLimit"),
        upper=limits.get("upperLimit"),
    )


def is_label(text: Any) -> bool:
    """Is it a word for a unit, and no other word?"""
    return type(text) is str and len(text) <= FIELD_CHARS_MAX and text.strip().casefold() in LABELS
