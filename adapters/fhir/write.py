"""Observations and Devices written from measurements, for the simulators of products that send FHIR. Codes and units: the catalogue's.

https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from adapters.fhir.devices import EUI_64_SYSTEM
from adapters.json_payload import Number, dumps
from adapters.json_values import Json
from adapters.kit.scene import Scene, Sort
from adapters.kit.writing import Values, Writer, of_catalogue
from fhir_profiles.canonical import DATA_ABSENT_REASON, MDC, UCUM
from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.measurement import Coding

NOBODY: Final[Json] = {"identifier": {"system": "urn:hds-hub:nobody", "value": "simulated"}}
PERIOD_MS: Final = 4
EUI_64_FIRST: Final = 0x0009FBFFFF000000


def eui64_of(number: int) -> str:
    """An identifier of a unit as IEEE 11073 has it, pairs in capitals with dashes."""
    return (EUI_64_FIRST + number).to_bytes(8, "big").hex("-").upper()


def observation(scene: Scene, values: Values, *, systems: tuple[str, ...] = (MDC,)) -> Json:
    """An Observation of the scene's Device, `Device/{id_of(device)}`, with the codes of these systems."""
    row = MEASURES[scene.sort.measure]
    parts = [(row.components[name], text) for name, text in values.items() if name]
    said = value(scene.sort, row, values[""]) if not parts else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(row, scene.sort.unit, systems),
        "subject": NOBODY,
        "effectiveDateTime": scene.at.isoformat(),
        "device": {"reference": f"Device/{id_of(scene.device)}"},
        **said,
        **({"component": [component(scene.sort, one, text, systems) for one, text in parts]} if parts else {}),
    }


def component(sort: Sort, row: Measure, text: str | None, systems: tuple[str, ...] = (MDC,)) -> Json:
    return {"code": concept(row, sort.unit, systems), **value(sort, row, text)}


def concept(row: Measure, unit: str, systems: tuple[str, ...]) -> Json:
    """What the catalogue calls the measure; where the code depends on the unit, that of this unit."""
    found = (*row.codings, *(row.units[unit].codings if unit in row.units else ()))
    return {"coding": [_coding(one) for one in dict.fromkeys(found) if one.system in systems]}


def _coding(coding: Coding) -> Json:
    return {"system": coding.system, "code": coding.code, **({"display": coding.display} if coding.display else {})}


def value(sort: Sort, row: Measure, text: str | None) -> Json:
    """value[x] of a number, a strip or a code; dataAbsentReason where there is none."""
    if text is None:
        return {"dataAbsentReason": {"coding": [{"system": DATA_ABSENT_REASON, "code": "not-a-number"}]}}
    if sort.codes:
        display = row.codes[sort.unit, text]
        return {"valueCodeableConcept": {"coding": [{"system": sort.unit, "code": text, "display": display}]}}
    quantity = {"value": Number("0" if sort.samples else text), "unit": sort.unit, "system": UCUM, "code": sort.unit}
    if not sort.samples:
        return {"valueQuantity": quantity}
    return {"valueSampledData": {"origin": quantity, "period": PERIOD_MS, "factor": 1, "dimensions": 1, "data": text}}


def id_of(device: str) -> str:
    """An id (https://hl7.org/fhir/R4/datatypes.html#id) of a Device that is the same in each payload."""
    return "".join(char if char.isalnum() else "-" for char in device)[-64:]


def unit(device: str, *, profile: str) -> Json:
    """A Device that says its EUI-64."""
    return {
        "resourceType": "Device",
        "id": id_of(device),
        "meta": {"profile": [profile]},
        "identifier": [{"system": EUI_64_SYSTEM, "value": device}],
        "manufacturer": "Simulated",
        "modelNumber": "S1",
    }


def bundle(kind: str, devices: Iterable[Json], observations: Iterable[Json]) -> bytes:
    """A Bundle with each Device once, before what it measured."""
    once = {one["id"]: one for one in devices}
    return dumps({"resourceType": "Bundle", "type": kind, "entry": [_entry(kind, one) for one in (*once.values(), *observations)]})


def _entry(kind: str, resource: Json) -> Mapping[str, Any]:
    entry: dict[str, Any] = {"resource": resource}
    if "id" in resource:
        entry["fullUrl"] = f"http://gateway.example/fhir/{resource['resourceType']}/{resource['id']}"
    if kind == "transaction":
        entry["request"] = {"method": "POST", "url": resource["resourceType"]}
        identifier = resource.get("identifier")
        if resource["resourceType"] == "Device" and identifier:
            entry["request"]["ifNoneExist"] = f"identifier={identifier[0]['system']}|{identifier[0]['value']}"
    return entry


def simulator(sorts: Sequence[Sort], measures: Iterable[str], *, kind: str, profile: str) -> Writer[tuple[Json, Json]]:
    """Of units with an EUI-64, each a Device of this profile: `sorts` on a usual day, and each of the measures besides."""
    usual = {one.measure for one in sorts}
    return Writer(
        sorts=sorts,
        more=[of_catalogue(measure) for measure in measures if measure not in usual],
        unit=eui64_of,
        record=lambda scene, values: (unit(scene.device, profile=profile), observation(scene, values)),
        payload=lambda records: bundle(kind, [device for device, _ in records], [measured for _, measured in records]),
    )
