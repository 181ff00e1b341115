"""Records of Health Connect as an app posts them, written from measurements. schema.json has the form."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.health_connect.mapping import RECORDS, SPECIMEN
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, listed, number, pressure, sort, zulu

TYPES = {row.measure: row for row in RECORDS if not row.series}
SPECIMENS = {measure: word for word, measure in SPECIMEN.items()}
LASTS = timedelta(minutes=10)


def _record(scene: Scene, values: Values) -> Mapping[str, Any]:
    specimen = SPECIMENS.get(scene.sort.measure)
    row = TYPES["glucose-blood" if specimen else scene.sort.measure]
    meta = {"id": f"sim-{scene.number}", "dataOrigin": "com.example.simulated", "lastModifiedTime": zulu(changed(scene))}
    fields = {
        field.name: {"value": number(values[field.component]), "unit": scene.sort.unit} if field.units else number(values[field.component])
        for field in row.fields
    }
    made = {"recordType": row.type, "metadata": meta, **fields} | ({"specimenSource": specimen} if specimen else {})
    if row.interval:
        ends = {"endTime": zulu(scene.at + LASTS), "endZoneOffset": _zone(scene.at + LASTS)}
        return {**made, "startTime": zulu(scene.at), "startZoneOffset": _zone(scene.at), **ends}
    return {**made, "time": zulu(scene.at), "zoneOffset": _zone(scene.at)}


def _zone(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:]


SIMULATOR = Writer(
    sorts=[
        pressure(1),
        sort("heart-rate-resting", "/min"),
        sort("heart-rate-variability-rmssd", "ms", 1, ("20", "90")),
        sort("glucose-blood", "mmol/L", 2),
        sort("glucose-interstitial", "mmol/L", 2),
        sort("distance-walked", "m", 0, ("100", "9000")),
        sort("energy-active", "kcal", 0, ("20", "600")),
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
