"""Interrogations of an implant as a collection Bundle, written from measurements: an IDCO Observation for each. README.md has the form."""

from collections.abc import Sequence
from typing import Final

from adapters.cied.mapping import MEASURES
from adapters.fhir.write import NOBODY, bundle, component, id_of
from adapters.json_values import Json
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, of_catalogue, sort
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES as CATALOGUE

IDCO: Final = "720908"
MAKER, MODEL = "SIM", "S1"
PROFILE: Final = "http://hl7.org/fhir/uv/cardx-cied/StructureDefinition"
SORTS: Final = [
    sort("cied-battery-voltage", "V", 2, ("2.6", "3.2")),
    sort("cied-battery-longevity", "mo", 0, ("12", "120")),
    sort("cied-ra-impedance", "Ohm", 0, ("300", "900")),
]
USUAL_DAY: Final = frozenset(one.measure for one in SORTS)


def _record(scene: Scene, values: Values) -> tuple[Json, Json]:
    device = {
        "resourceType": "Device",
        "id": id_of(scene.device),
        "meta": {"profile": [f"{PROFILE}/cied-device"]},
        "manufacturer": MAKER,
        "modelNumber": MODEL,
        "serialNumber": scene.device.rpartition(":")[2],
    }
    observation = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{PROFILE}/IdcoObservation"]},
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": IDCO}]},
        "subject": NOBODY,
        "device": {"reference": f"Device/{device['id']}"},
        "effectiveDateTime": scene.at.isoformat(),
        "component": [component(scene.sort, CATALOGUE[scene.sort.measure], values[""])],
    }
    return device, observation


def _payload(records: Sequence[tuple[Json, Json]]) -> bytes:
    return bundle("collection", [device for device, _ in records], [measured for _, measured in records])


SIMULATOR = Writer(
    sorts=SORTS,
    more=[of_catalogue(measure) for measure in MEASURES if measure not in USUAL_DAY],
    unit=f"{MAKER}/MODEL:{MODEL}/SERIAL:PZC{{:06}}S",
    record=_record,
    payload=_payload,
)
