"""A dataset of Google Fit, written from measurements. README.md has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.google_fit.mapping import GLUCOSE, SPECIMEN, TYPES
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, epoch, listed, number, pressure, sort

NAMES = {row.measure: row for row in TYPES}
SPECIMENS = {measure: code for code, measure in SPECIMEN.items()}
GIGA, KILO = 10**9, 10**3


def _point(scene: Scene, values: Values) -> Mapping[str, Any]:
    specimen, at = SPECIMENS.get(scene.sort.measure), str(epoch(scene.at) * GIGA)
    type_ = NAMES[scene.sort.measure if specimen is None else GLUCOSE]
    return {
        "startTimeNanos": at,
        "endTimeNanos": at,
        "dataTypeName": type_.name,
        "originDataSourceId": f"raw:{type_.name}:com.example.simulated:{scene.number}",
        "value": [
            *({"fpVal": number(values[name])} for name, _ in type_.values),
            *([{}, {}, {}, {"intVal": specimen}] if specimen else []),
        ],
        "modifiedTimeMillis": str(epoch(changed(scene)) * KILO),
    }


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate", "/min", 1),
        sort("body-weight", "kg", 2),
        sort("body-height", "m", 2, ("1.52", "1.94")),
        sort("body-fat-percentage", "%", 1),
        sort("body-temperature", "Cel", 1),
        sort("distance-walked", "m", 0, ("100", "9000")),
        sort("oxygen-saturation", "%"),
        sort("glucose-blood", "mmol/L", 1),
        sort("glucose-capillary", "mmol/L", 1),
        pressure(),
    ],
    unit="PHONE-{:05}",
    record=_point,
    payload=listed({"dataSourceId": "merged"}, "point"),
    sender_names_device=True,
)
