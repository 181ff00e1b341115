"""Data points of Open mHealth, written from measurements: https://www.openmhealth.org/documentation/#/schema-docs/schema-library"""

from collections.abc import Mapping
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, number, pressure, sort, zulu
from adapters.open_mhealth.mapping import FIELDS, SPECIMEN

SPECIMENS = {measure: word for word, measure in SPECIMEN.items()}


def _point(scene: Scene, values: Values) -> Mapping[str, Any]:
    specimen = SPECIMENS.get(scene.sort.measure)
    measure = "glucose-blood" if specimen else scene.sort.measure
    fields = {field.component or "": field for field in FIELDS if field.measure == measure}
    body: dict[str, Any] = {
        field.name: {"value": number(values[name]), "unit": _unit(field.units, scene.sort.unit)} for name, field in fields.items()
    }
    body |= {"specimen_source": specimen} if specimen else {}
    header = {
        "uuid": f"sim-{scene.number}",
        "source_creation_date_time": zulu(changed(scene)),
        "modality": "sensed",
        "user_id": "simulated",
    }
    return {"header": header, "body": {**body, "effective_time_frame": {"date_time": scene.at.isoformat()}}}


def _unit(units: Mapping[str, str], ucum: str) -> str:
    return next(word for word, code in units.items() if code == ucum)


SIMULATOR = Writer(
    sorts=[
        pressure(1),
        sort("heart-rate", "/min"),
        sort("body-weight", "kg", 2),
        sort("body-height", "cm"),
        sort("body-mass-index", "kg/m2", 1),
        sort("body-fat-percentage", "%", 1),
        sort("body-temperature", "Cel", 1),
        sort("glucose-blood", "mmol/L", 2),
        sort("glucose-interstitial", "mg/dL"),
        sort("oxygen-saturation", "%"),
        sort("respiratory-rate", "/min"),
    ],
    unit="APP-{:05}",
    record=_point,
    payload=lambda points: dumps(list(points)),
    sender_names_device=True,
)
