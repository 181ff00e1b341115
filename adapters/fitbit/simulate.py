"""Weight logs of Fitbit's Web API, written from measurements. README.md has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.fitbit.mapping import WEIGHT_FIELDS
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, listed, number, sort

FIELDS = {field.measure: field.name for field in WEIGHT_FIELDS}


def _log(scene: Scene, values: Values) -> Mapping[str, Any]:
    return {
        "logId": scene.number + 1,
        "date": f"{scene.at:%Y-%m-%d}",
        "time": f"{scene.at:%H:%M:%S}",
        "source": "Aria",
        FIELDS[scene.sort.measure]: number(values[""]),
    }


SIMULATOR = Writer(
    sorts=[sort("body-mass-index", "kg/m2", 2), sort("body-fat-percentage", "%", 1)],
    unit="ARIA-{:05}",
    record=_log,
    payload=listed({"user": {"fullName": "Simulated Nobody"}}, "weight"),
    sender_names_device=True,
)
