"""Answers of the iHealth Open API, written from measurements: the clock on the wall as a count. README.md has the form."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from adapters.ihealth.mapping import LISTS
from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, epoch, number, pressure, sort

UNITS: Mapping[str, Any] = {"BPUnit": 0, "BGUnit": 0, "WeightUnit": 0}
"""mmHg, mg/dL, kg"""


def _record(scene: Scene, values: Values) -> tuple[str, Mapping[str, Any]]:
    row = next(one for one in LISTS if scene.sort.measure in {field.measure for field in one.fields})
    record = {
        "DataID": f"sim-{scene.number}",
        "DataSource": "FromDevice",
        "MDate": epoch(scene.at.replace(tzinfo=UTC)),
        "TimeZone": f"{scene.at:%z}",
        "LastChangeTime": epoch(changed(scene)),
        "Note": "Simulated Nobody",
    }
    fields = [field for field in row.fields if field.measure == scene.sort.measure]
    return row.name, {**record, **{field.name: number(values[field.component or ""]) for field in fields}}


def _answer(records: Sequence[tuple[str, Mapping[str, Any]]]) -> bytes:
    lists: dict[str, list[Mapping[str, Any]]] = {row.name: [] for row in LISTS}
    for name, record in records:
        lists[name].append(record)
    return dumps({**lists, **UNITS, "UserID": "simulated"})


SIMULATOR = Writer(
    sorts=[
        pressure(),
        sort("glucose-capillary", "mg/dL"),
        sort("body-weight", "kg", 2),
        sort("oxygen-saturation", "%"),
    ],
    unit="IH-{:05}",
    record=_record,
    payload=_answer,
    sender_names_device=True,
)
