"""A page of heart rates of the Oura API, written from measurements. README.md has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, listed, number, sort


def _entry(scene: Scene, values: Values) -> Mapping[str, Any]:
    return {"timestamp": scene.at.isoformat(), "bpm": number(values[""]), "source": "awake"}


SIMULATOR = Writer(
    sorts=[sort("heart-rate", "/min")],
    unit="RING-{:05}",
    record=_entry,
    payload=listed({"next_token": None}, "data"),
    sender_names_device=True,
)
