"""Devices with a parent and DeviceMetrics -> the parts of a unit. http://hl7.org/fhir/uv/pocd, https://hl7.org/fhir/R4/devicemetric.html"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from adapters.device_tree import CalibrationState, DeviceTree, Limits, Metric, OperationalState, Part
from adapters.fhir.bundle import Bundle, bundles
from adapters.fhir.devices import unit_of
from adapters.fhir.items import document, items
from adapters.fhir.observation import Shape
from adapters.fhir.terms import codings, names_in
from adapters.fhir.values import digits
from adapters.hl7v2.units import BY_CODE
from adapters.json_fields import word
from adapters.json_values import Json, listed, part
from adapters.reading import Coded, Reading
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC, UCUM

RANGE = "http://hl7.org/fhir/StructureDefinition/reference-range"
ALARM = ("http://hl7.org/fhir/uv/pocd/CodeSystem/reference-range-type", "alarm-limits")
"""HL7 PoCD: an extension of DeviceMetric that says what kind of range it is."""
STATES: Mapping[str, OperationalState] = MappingProxyType({"on": "on", "off": "off", "standby": "standby"})
CALIBRATIONS: Mapping[str, CalibrationState] = MappingProxyType(
    {
        "not-calibrated": "not-calibrated",
        "calibration-required": "calibration-required",
        "calibrated": "calibrated",
        "unspecified": "unspecified",
    }
)


def parse_trees(payload: bytes, shape: Shape) -> Iterable[DeviceTree]:
    """What the payload says of parts. Raises Unreadable before the first."""
    return (tree for bundle in bundles(document(payload)) for tree in _trees(bundle, shape))


def _trees(bundle: Bundle, shape: Shape) -> Iterator[DeviceTree]:
    """One for each unit whose readings name a metric."""
    told = {id: entry.resource for entry in bundle.of_type("DeviceMetric") if (id := word(entry.resource, "id")) is not None}
    found: dict[str, dict[tuple[str, str], Metric]] = {}
    for item in items(bundle, shape):
        if isinstance(item, Reading) and item.device is not None and item.source_id in told:
            metric = _metric(bundle, told[item.source_id], item, shape)
            if metric is not None:
                found.setdefault(item.device, {})[metric.source_id, metric.measure] = metric
    for device, metrics in found.items():
        yield DeviceTree(device=device, parts=tuple(_parts(bundle, device, shape)), metrics=tuple(metrics.values()))


def _parts(bundle: Bundle, unit: str, shape: Shape) -> Iterator[Part]:
    for entry in bundle.of_type("Device"):
        id, type = word(entry.resource, "id"), _type(entry.resource.get("type"))
        if id is not None and type is not None and _is_part(bundle, entry.resource, unit, shape):
            yield Part(path=id, parent=_above(bundle, entry.resource, shape), type=type)


def _is_part(bundle: Bundle, fields: Json, unit: str, shape: Shape) -> bool:
    """Of this unit, and not the unit itself."""
    try:
        return shape.identify(fields) is None and unit_of(bundle, {"device": fields.get("parent")}, shape.identify)[0] == unit
    except ItemRefused:
        return False


def _above(bundle: Bundle, fields: Json, shape: Shape) -> str | None:
    above = bundle.follow(fields.get("parent"), inside=fields)
    try:
        return None if above is None or shape.identify(above) is not None or _type(above.get("type")) is None else word(above, "id")
    except ItemRefused:
        return None


def _metric(bundle: Bundle, fields: Json, reading: Reading, shape: Shape) -> Metric | None:
    type = _type(fields.get("type"))
    if type is None or reading.source_id is None:
        return None
    state, unit = STATES.get(word(fields, "operationalStatus") or "on"), _unit(fields.get("unit"))
    return Metric(
        source_id=reading.source_id,
        measure=reading.measure,
        parent=_above(bundle, fields, shape),
        type=type,
        unit=unit,
        state=state or "on",
        calibration=_calibration(fields),
        limits=tuple(_limits(fields, type)),
    )


def _calibration(fields: Json) -> CalibrationState | None:
    """As it stands after the last."""
    states = [CALIBRATIONS.get(word(one, "state") or "") for one in listed(fields, "calibration") if type(one) is dict]
    return states[-1] if states else None


def _limits(fields: Json, of: Coded) -> Iterator[Limits]:
    for one in listed(fields, "extension"):
        if type(one) is not dict or one.get("url") != RANGE:
            continue
        said = {url: inner for inner in listed(one, "extension") if type(inner) is dict and (url := word(inner, "url")) is not None}
        kinds = {(coding["system"], coding["code"]) for coding in codings(part(said, "type").get("valueCodeableConcept"))}
        ends = {name: part(part(said, name), "valueQuantity") for name in ("low", "high")}
        units = {_unit({"coding": [end]}) for end in ends.values() if end}
        if ALARM in kinds and len(units) == 1 and (unit := units.pop()) is not None:
            low, high = (_number(end) for end in ends.values())
            yield Limits(of=of, low=low, high=high, unit=unit)


def _number(end: Json) -> str | None:
    try:
        return digits(end.get("value"), "value") if end else None
    except ItemRefused:
        return None


def _unit(concept: Any) -> str | None:
    """In UCUM, or in MDC."""
    for coding in codings(concept):
        if coding["system"] == UCUM:
            return str(coding["code"])
        if coding["system"] == MDC and coding["code"] in BY_CODE:
            return BY_CODE[coding["code"]].ucum
    return None


def _type(concept: Any) -> Coded | None:
    for coding in codings(concept):
        if coding["system"] == MDC and coding["code"].isdigit():
            names = [name for name in names_in(coding.get("display")) if name.startswith("MDC_")]
            return Coded(system=MDC, code=coding["code"], display=names[0] if names else coding["code"])
    return None
