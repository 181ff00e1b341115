"""What a bed's gateway posts, written from measurements: one bed a message. mapping.yaml has the form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, number, sort

NO_VALUE: Final = "---"
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "body-weight": ("weight", "kg"),
    "heart-rate": ("heart_rate", "bpm"),
    "respiratory-rate": ("respiratory_rate", "bpm"),
}
"""Measure -> the gateway's words for it and for its unit."""
Row = tuple[str, Mapping[str, Any]]
"""The bed, and one measurement of it."""


def _row(scene: Scene, values: Values) -> Row:
    kind, unit = WORDS[scene.sort.measure]
    value = NO_VALUE if values[""] is None else number(values[""])
    return scene.device, {"seq": scene.number, "kind": kind, "at": scene.at.isoformat(), "value": value, "unit": unit}


def _message(rows: Sequence[Row]) -> bytes:
    bed = {"serial": rows[0][0] if rows else "", "room": "0", "patient": "Simulated Nobody"}
    return dumps({"bed": bed, "measurements": [row for _, row in rows], "events": []})


SIMULATOR = Writer(
    sorts=[sort("body-weight", "kg", 2), sort("heart-rate", "/min"), sort("respiratory-rate", "/min")],
    unit="BED-{:05}",
    record=_row,
    payload=_message,
    one_unit=True,
)
