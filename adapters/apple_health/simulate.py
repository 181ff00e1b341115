"""An export of the Health app, written from measurements. README.md has the form."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.apple_health.mapping import TYPES
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, pressure, sort

QUANTITY = "HKQuantityTypeIdentifier"
NO_VALUE = ""


def _records(scene: Scene, values: Values) -> str:
    rows = [row for row in TYPES if row.measure == scene.sort.measure]
    halves = "".join(_record(scene, row.name, _unit(row.units, scene.sort.unit), values[row.component or ""]) for row in rows)
    if len(rows) == 1:
        return halves
    kind = "HKCorrelationTypeIdentifierBloodPressure"
    return f"{halves} <Correlation {_head(scene, kind)}>\n{halves} </Correlation>\n"


def _record(scene: Scene, name: str, unit: str, value: str | None) -> str:
    return f' <Record {_head(scene, QUANTITY + name)} unit="{unit}" value="{NO_VALUE if value is None else value}"/>\n'


def _head(scene: Scene, type_: str) -> str:
    at = _time(scene.at)
    return f'type="{type_}" sourceName="Simulated {scene.number}" creationDate="{_time(changed(scene))}" startDate="{at}" endDate="{at}"'


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %z}"


def _unit(units: Mapping[str, str], ucum: str) -> str:
    return next(word for word, code in units.items() if code == ucum)


def _export(records: Sequence[str]) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="fr_FR">\n{"".join(records)}</HealthData>\n'.encode()


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate", "/min"),
        sort("heart-rate-resting", "/min"),
        sort("respiratory-rate", "/min"),
        sort("body-temperature", "Cel", 2),
        sort("body-weight", "kg", 2),
        sort("body-height", "cm"),
        sort("body-mass-index", "kg/m2", 1),
        sort("fat-free-mass", "kg", 1, ("40", "70")),
        sort("glucose-blood", "mg/dL"),
        sort("oxygen-saturation", "1", 2, ("0.93", "0.99")),
        sort("body-fat-percentage", "1", 3, ("0.14", "0.38")),
        sort("skin-temperature", "Cel", 2),
        sort("distance-walked", "m", 0, ("100", "9000")),
        sort("energy-active", "kcal", 0, ("20", "600")),
        sort("exercise-duration", "min", 0, ("1", "60")),
        sort("stand-duration", "min", 0, ("1", "60")),
        pressure(),
    ],
    unit="PHONE-{:05}",
    record=_records,
    payload=_export,
    sender_names_device=True,
)
