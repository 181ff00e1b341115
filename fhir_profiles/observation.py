"""Measurement -> FHIR R4 Observation as JSON bytes, valid by construction.

https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/observation-vitalsigns.html. What does not change
from one Observation of a measure to the next is rendered once; digits of values are written as they came, because a
JSON number loses 116.0 as soon as it is read into a float. How flags, manual entries and conversions are coded is
said in `structure_definitions/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

import orjson

from fhir_profiles.canonical import (
    ACT_REASON,
    DATA_ABSENT_REASON,
    MEASUREMENT_QUALITY,
    METHOD_SYSTEM,
    OBSERVATION_CATEGORY,
    ORIGINAL_VALUE,
    QUALITY_SYSTEM,
    UCUM,
)
from fhir_profiles.catalogue import (
    ABSENT_REASONS,
    CATEGORIES,
    CONTEXT,
    FLAG_PARAMETERS,
    MEASURES,
    METHODS,
    QUALITY,
    Measure,
    Unit,
    knows_flag,
)
from fhir_profiles.derivation import meta_json, replaces_json
from fhir_profiles.measurement import AbsentValue, Amount, Coding, MeasuredValue, Measurement, Recorded, RecordedChannel, Strip
from fhir_profiles.primitives import ID_PATTERN
from fhir_profiles.units import is_decimal

FLAGS_KEPT_MAX: Final = 1024
"""Rendered flags kept; there are few codes, but a flag may carry a parameter of the device's choice."""

TEST_FLAG: Final = "test-data"
"""Flag of what a device in test or demonstration mode sends; whoever reads the Observation must see it in the security label."""

_ID: Final = re.compile(ID_PATTERN)
_PATIENT: Final = re.compile(rf"Patient/{ID_PATTERN}")
_DEVICE: Final = re.compile(rf"Device/{ID_PATTERN}")
_MEASURING: Final = re.compile(rf"Device(?:Metric)?/{ID_PATTERN}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)
"""https://hl7.org/fhir/R4/datatypes.html#instant; a dateTime with a time has the same form."""

_SAMPLES: Final = re.compile(r"(?:[EUL]|-?[0-9]+(?:\.[0-9]+)?)(?: (?:[EUL]|-?[0-9]+(?:\.[0-9]+)?))*")
"""https://hl7.org/fhir/R4/datatypes.html#SampledData; without exponents, which no device writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """The parts of a measure's Observations that are always the same, as JSON."""

    profile: orjson.Fragment | None
    category: orjson.Fragment
    code: Mapping[str, orjson.Fragment]
    """By UCUM code, because for glucose the LOINC code depends on it; "" where there is no quantity."""


def observation(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """Build the Observation as UTF-8 JSON.

    id            logical id; version from 1; last_updated FHIR instant
    Raises ValueError, naming the part but no value, when the measurement is not one that the catalogue allows.
    """
    measure = MEASURES.get(measurement.measure)
    if measure is None or measure.resource_type != "Observation":
        raise ValueError("measure is not in the catalogue, or becomes no Observation")
    template = _template(measure.key)
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": is_id(id),
        "meta": _meta(template, measurement, version, last_updated),
        "status": "preliminary" if measurement.preliminary else "final",
        "category": template.category,
        "code": _measure_code(measure, template, measurement.value),
        "subject": {"reference": is_patient(measurement.patient)},
    } | effective_json(measurement)
    if measurement.device is not None:
        resource["device"] = {"reference": is_measuring(measurement.device)}
    if measurement.manual:
        resource["performer"] = [resource["subject"]]
        resource["method"] = _MANUAL_ENTRY
    if measurement.flags or measurement.context or measurement.replaces:
        _qualify(resource, measurement)
    if measure.components:
        _put_components(resource, measure, measurement)
    else:
        _put_value(resource, measure, measurement.value)
    return orjson.dumps(resource)


def is_sample_data(text: str) -> bool:
    """Is this SampledData.data that our builder takes: decimals, E, L and U with one space between them?"""
    return _SAMPLES.fullmatch(text) is not None


def is_id(text: str) -> str:
    """The text, if it has the form; raises ValueError. So do the next two."""
    return _matching(_ID, text, "id")


def is_patient(reference: str) -> str:
    return _matching(_PATIENT, reference, "patient")


def is_device(reference: str) -> str:
    return _matching(_DEVICE, reference, "device")


def is_measuring(reference: str) -> str:
    """Observation.device may also be what measured in the device."""
    return _matching(_MEASURING, reference, "device")


def _matching(form: re.Pattern[str], text: str, part: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError(f"{part} does not have the form that FHIR asks for")
    return text


def effective_json(measurement: Measurement) -> dict[str, Any]:
    """The element effective[x]: a moment, or a period for what lasts."""
    start = _matching(_INSTANT, measurement.effective, "effective")
    if measurement.until is None:
        return {"effectiveDateTime": start}
    return {"effectivePeriod": {"start": start, "end": _matching(_INSTANT, measurement.until, "until")}}


def _meta(template: _Template, measurement: Measurement, version: int, last_updated: str) -> dict[str, Any]:
    if version < 1:
        raise ValueError("version starts at 1")
    meta = meta_json(measurement, version, _matching(_INSTANT, last_updated, "last_updated"))
    if template.profile is not None:
        meta["profile"] = template.profile
    return meta | security_json(measurement)


def security_json(measurement: Measurement) -> dict[str, Any]:
    """Of meta: the label of test data, where it is that."""
    return {"security": _TEST_DATA} if TEST_FLAG in measurement.quality else {}


def category_json(measure: Measure) -> dict[str, Any]:
    """The category of the measure, by which consents and searches know it."""
    return _concept(Coding(system=OBSERVATION_CATEGORY, code=measure.category, display=CATEGORIES[measure.category]))


def _measure_code(measure: Measure, template: _Template, value: MeasuredValue | None) -> orjson.Fragment:
    """An absent value has no unit: the canonical one speaks."""
    unit = value.unit if isinstance(value, Amount | Strip) and not measure.components else measure.canonical
    code = template.code.get(unit)
    if code is None:
        raise ValueError("unit is not one in which the measure is stored")
    return code


def _put_components(resource: dict[str, Any], measure: Measure, measurement: Measurement) -> None:
    """R4 bp profile: systolic and diastolic are always there, if only with the reason why they have no value."""
    if measurement.components.keys() - measure.components.keys():
        raise ValueError("component is not one of the measure's")
    value = measurement.value
    if value is not None and not isinstance(value, AbsentValue):
        raise ValueError("measure consists of components and has no value of its own")
    if not measurement.components and value is None:
        raise ValueError("value is missing")
    missing = value or _UNKNOWN
    resource["component"] = [
        _component(measure.key, component, measurement.components.get(key, missing))
        for key, component in measure.components.items()
        if component.required or key in measurement.components
    ]


def _component(measure_key: str, component: Measure, value: MeasuredValue) -> dict[str, Any]:
    body: dict[str, Any] = {"code": _component_code(measure_key, component.key)}
    _put_value(body, component, value)
    return body


def _put_value(body: dict[str, Any], measure: Measure, value: MeasuredValue | None) -> None:
    match value:
        case Amount() if not measure.sampled:
            body["valueQuantity"] = quantity_json(measure, value)
        case Strip() if measure.sampled:
            body["valueSampledData"] = _sampled(measure, value)
        case Coding() if (value.system, value.code) in measure.codes:
            body["valueCodeableConcept"] = _concept(value)
        case Recorded() if measure.document:
            body["derivedFrom"] = [{"reference": value.document}]
            body["component"] = [_channel(channel) for channel in value.channels]
        case AbsentValue(reason=reason):
            body["dataAbsentReason"] = _absent(reason)
        case None:
            raise ValueError("value is missing")
        case _:
            raise ValueError("value is not of the kind that the measure takes")


def quantity_json(measure: Measure, amount: Amount) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/datatypes.html#Quantity with the unit that the profile of the measure fixes."""
    unit = measure.units.get(amount.unit)
    if unit is None or unit.stored != amount.unit:
        raise ValueError("unit is not one in which the measure is stored")
    quantity = _number(amount.value, unit)
    if amount.original is not None:
        original = measure.units.get(amount.original.unit)
        if original is None:
            raise ValueError("unit of the original value is not one of the measure's")
        quantity["extension"] = [{"url": ORIGINAL_VALUE, "valueQuantity": _number(amount.original.value, original)}]
    return quantity


def _sampled(measure: Measure, strip: Strip) -> dict[str, Any]:
    """One dimension; factor and limits are left out where they say nothing."""
    unit = measure.units.get(strip.unit)
    if unit is None or unit.stored != strip.unit:
        raise ValueError("unit is not one in which the measure is stored")
    if not is_sample_data(strip.data):
        raise ValueError("samples are not decimals, E, L or U with a space between them")
    written: dict[str, Any] = {"origin": _number(strip.origin, unit), "period": _decimal(strip.period_ms)}
    if strip.factor != "1":
        written["factor"] = _decimal(strip.factor)
    for name, limit in (("lowerLimit", strip.lower), ("upperLimit", strip.upper)):
        if limit is not None:
            written[name] = _decimal(limit)
    return {**written, "dimensions": 1, "data": strip.data}


def _channel(channel: RecordedChannel) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/datatypes.html#SampledData without data: the samples lie in the document that it derives from."""
    code: dict[str, Any] = {"coding": [coding_json(coding) for coding in channel.codings]} if channel.codings else {}
    body: dict[str, Any] = {"code": {**code, "text": channel.label}}
    if channel.unit is None:
        return {**body, "dataAbsentReason": _absent("unsupported")}
    origin = {"value": _decimal(channel.origin), "system": UCUM, "code": channel.unit}
    scaling = {"origin": origin, "period": _decimal(channel.period_ms), "factor": _decimal(channel.factor), "dimensions": 1}
    return {**body, "valueSampledData": scaling}


def _decimal(value: str) -> orjson.Fragment:
    if not is_decimal(value):
        raise ValueError("value is not the text of a decimal")
    return orjson.Fragment(value)


def _number(value: str, unit: Unit) -> dict[str, Any]:
    quantity: dict[str, Any] = {"value": _decimal(value), "system": UCUM, "code": unit.ucum}
    if unit.label:
        quantity["unit"] = unit.label
    return quantity


def _qualify(resource: dict[str, Any], measurement: Measurement) -> None:
    """Flags and posture as extensions; body site and method in their own elements.

    A method that the source names takes the place of "manual-entry": that a person typed it in is still said by the
    performer.
    """
    extensions: list[Any] = [flag_json(code) for code in measurement.flags]
    for key, coding in measurement.context.items():
        place = CONTEXT.get(key)
        if place is None:
            raise ValueError("context is not in the catalogue")
        if place.startswith("http:"):
            extensions.append({"url": place, "valueCodeableConcept": _concept(coding)})
        else:
            resource[place] = _concept(coding)
    if measurement.replaces:
        extensions.append(replaces_json("Observation", measurement.replaces))
    if extensions:
        resource["extension"] = extensions


def _concept(coding: Coding) -> dict[str, Any]:
    return {"coding": [coding_json(coding)]}


def coding_json(coding: Coding) -> dict[str, str]:
    written = {"system": coding.system, "code": coding.code}
    if coding.display is not None:
        written["display"] = coding.display
    return written


def _fragment(value: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(value))


def _code(text: str, codings: tuple[Coding, ...]) -> orjson.Fragment:
    return _fragment({"coding": [coding_json(coding) for coding in codings], "text": text})


@cache
def _template(key: str) -> _Template:
    measure = MEASURES[key]
    codes = {unit.stored: _code(measure.text, unit.codings) for unit in measure.units.values()}
    return _Template(
        profile=None if measure.profile is None else _fragment([measure.profile]),
        category=_fragment([category_json(measure)]),
        code=MappingProxyType(codes or {"": _code(measure.text, measure.codings)}),
    )


@cache
def _component_code(measure_key: str, component_key: str) -> orjson.Fragment:
    component = MEASURES[measure_key].components[component_key]
    return _code(component.text, component.codings)


@cache
def _absent(reason: str) -> orjson.Fragment:
    if reason not in ABSENT_REASONS:
        raise ValueError("reason is not a code of data-absent-reason that a device can cause")
    return _fragment(_concept(Coding(system=DATA_ABSENT_REASON, code=reason, display=ABSENT_REASONS[reason])))


@lru_cache(FLAGS_KEPT_MAX)
def flag_json(flag: str) -> orjson.Fragment:
    if not knows_flag(flag):
        raise ValueError("quality flag is not in our code system")
    name, _, parameter = flag.partition(":")
    if parameter:
        return _fragment({"url": FLAG_PARAMETERS[name], "valueString": parameter})
    return _fragment(
        {"url": MEASUREMENT_QUALITY, "valueCoding": coding_json(Coding(system=QUALITY_SYSTEM, code=name, display=QUALITY[name]))}
    )


_TEST_DATA: Final = _fragment([coding_json(Coding(system=ACT_REASON, code="HTEST", display="test health data"))])
"""https://terminology.hl7.org/CodeSystem-v3-ActReason.html#v3-ActReason-HTEST, as HL7's PHD and PoCD guides use it."""
_UNKNOWN: Final = AbsentValue(reason="unknown")
_MANUAL_ENTRY: Final = _fragment(_concept(Coding(system=METHOD_SYSTEM, code="manual-entry", display=METHODS["manual-entry"])))
