"""Batches of the patch's gateway, written from measurements: a block for each. mapping.yaml has the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, number, sort

FIELDS = {"heart-rate-ecg": ("hr", "255"), "respiratory-rate": ("rr", "255"), "oxygen-saturation": ("spo2", "127")}
"""Measure -> field, and the number that says there is no value."""


def _patch(scene: Scene, values: Values) -> Mapping[str, Any]:
    name, nothing = FIELDS[scene.sort.measure]
    block = {"start": scene.at.isoformat(), "state": "worn", "vitals": {name: number(values[""] or nothing)}}
    return {"uid": scene.device, "patient": "Simulated Nobody", "blocks": [block]}


def _batch(patches: Sequence[Mapping[str, Any]]) -> bytes:
    return dumps({"gateway": {"id": "GW-SIM", "operator": "Simulated Nobody"}, "patches": list(patches)})


SIMULATOR = Writer(
    sorts=[sort("heart-rate-ecg", "/min"), sort("respiratory-rate", "/min"), sort("oxygen-saturation", "%")],
    unit="MS-{:05}",
    record=_patch,
    payload=_batch,
)
