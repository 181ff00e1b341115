"""Nights of a patch that nobody makes, written from measurements: one list of rows for each, in French."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort

WORDS = {
    "heart-rate": ("FC", "bpm"),
    "oxygen-saturation": ("SPO2", "%"),
    "body-temperature": ("TEMP", "°C"),
    "blood-pressure": ("TA", "mmHg"),
}
NO_VALUE = "--"


def _night(scene: Scene, values: Values) -> Mapping[str, Any]:
    word, unit = WORDS[scene.sort.measure]
    texts = [(text or NO_VALUE).replace(".", ",") for text in values.values()]
    value = texts if len(texts) > 1 else texts[0]
    row = {"n": scene.number, "k": word, "t": f"{scene.at:%d/%m/%Y %H:%M:%S}", "v": value, "u": unit}
    return {"capteur": {"sn": scene.device}, "fuseau": "Europe/Paris", "lignes": [row]}


def _payload(nights: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"meta": {"porteur": {"nom": "Nobody"}}, "nuits": list(nights)}, ensure_ascii=False).encode()


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate", "/min"),
        sort("oxygen-saturation", "%", 1),
        sort("body-temperature", "Cel", 2),
        pressure(),
    ],
    unit="TD-{:05}",
    record=_night,
    payload=_payload,
)
