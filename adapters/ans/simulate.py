"""Transaction Bundles of "Mesures de santé", written from measurements: one Observation and its Device each. README.md has the form."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.ans.mapping import BASES, PHD_DEVICE, PROFILES
from adapters.fhir.write import id_of, observation
from adapters.json_payload import dumps
from adapters.json_values import Json
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort
from fhir_profiles.canonical import LOINC

SOURCE: Final = "urn:oid:1.2.250.1.999"
UNITS: Final = f"{SOURCE}.7"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
PROFILE: Final[Mapping[str, str]] = {measure: f"{BASES[0]}{row.id}" for row in PROFILES for measure in row.measures}


def _bundle(scene: Scene, values: Values) -> Json:
    system, _, value = scene.device.partition("|")
    device = {
        "resourceType": "Device",
        "id": id_of(scene.device),
        "meta": {"profile": [PHD_DEVICE]},
        "identifier": [{"system": system, "value": value}],
        "manufacturer": "Simulated",
        "modelNumber": "S1",
    }
    measured = {
        **observation(scene, values, systems=(LOINC,)),
        "meta": {"source": SOURCE, "profile": [PROFILE[scene.sort.measure]]},
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
    }
    entries = [
        _posted(device, f"urn:uuid:00000000-0000-4000-9000-{value}", ifNoneExist=f"identifier={scene.device}"),
        _posted(measured, f"urn:uuid:00000000-0000-4000-8000-{scene.number:012x}"),
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _posted(resource: Json, full_url: str, **request: Any) -> Json:
    return {"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}


SIMULATOR = Writer(
    sorts=[
        sort("body-weight", "kg", 2),
        sort("body-height", "cm"),
        sort("body-temperature", "Cel", 1),
        sort("oxygen-saturation", "%"),
        sort("heart-rate", "/min"),
        sort("respiratory-rate", "/min"),
        pressure(),
    ],
    unit=f"{UNITS}|{{:012}}",
    record=_bundle,
    payload=lambda bundles: dumps(list(bundles)),
)
