"""Records of Health Connect as an app posts them, written from measurements. schema.json has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.health_connect.mapping import RECORDS
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, listed, number, pressure, sort, zulu

TYPES = {row.measure: row for row in RECORDS if not row.interval}


def _record(scene: Scene, values: Values) -> Mapping[str, Any]:
    row = TYPES[scene.sort.measure]
    meta = {"id": f"sim-{scene.number}", "dataOrigin": "com.example.simulated", "lastModifiedTime": zulu(changed(scene))}
    fields = {
        field.name: {"value": number(values[field.component]), "unit": scene.sort.unit} if field.units else number(values[field.component])
        for field in row.fields
    }
    zone = f"{scene.at:%z}"
    return {"recordType": row.type, "metadata": meta, "time": zulu(scene.at), "zoneOffset": f"{zone[:3]}:{zone[3:]}", **fields}


SIMULATOR = Writer(
    sorts=[
        pressure(1),
        sort("heart-rate-resting", "/min"),
        sort("heart-rate-variability-rmssd", "ms", 1, ("20", "90")),
        sort("glucose-blood", "mmol/L", 2),
        sort("oxygen-saturation", "%", 1),
        sort("respiratory-rate", "/min", 1),
        sort("body-temperature", "Cel", 1),
        sort("body-weight", "kg", 2),
        sort("body-height", "m", 2, ("1.52", "1.94")),
        sort("body-fat-percentage", "%", 1),
        sort("fat-free-mass", "kg", 1, ("40", "70")),
        sort("bone-mass", "kg", 1, ("2.1", "3.9")),
        sort("body-water-mass", "kg", 1, ("28", "50")),
        sort("vo2max", "mL/min/kg", 2, ("25", "55")),
    ],
    unit="WATCH-{:05}",
    record=_record,
    payload=listed({"account": "simulated@example.org"}, "records"),
    sender_names_device=True,
)
