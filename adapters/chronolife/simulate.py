"""Sessions of the T-shirt, written from measurements: one garment a message. mapping.yaml has the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, epoch, number, sort

KINDS = {
    "heart-rate-ecg": ("heart_rate", "0"),
    "respiratory-rate-thoracic": ("thoracic_breathing_rate", "0"),
    "skin-temperature": ("skin_temperature", "-1000"),
}
"""Measure -> word, and the number that says there is no value."""


def _value(scene: Scene, values: Values) -> Mapping[str, Any]:
    kind, nothing = KINDS[scene.sort.measure]
    value = {"id": f"sim-{scene.number}", "kind": kind, "t": epoch(scene.at) * 1000, "v": number(values[""] or nothing)}
    return {"serial": scene.device, "value": value}


def _session(records: Sequence[Mapping[str, Any]]) -> bytes:
    garment = {"serial": records[0]["serial"] if records else ""}
    return dumps(
        {"source": "chronolife", "wearer": {"name": "Simulated Nobody"}, "garment": garment, "values": [one["value"] for one in records]}
    )


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate-ecg", "/min", 1),
        sort("respiratory-rate-thoracic", "/min", 1, ("10", "22")),
        sort("skin-temperature", "Cel", 2),
    ],
    unit="KEESENSE-{:05}",
    record=_value,
    payload=_session,
    one_unit=True,
)
