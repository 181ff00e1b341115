"""Answers of Withings' Measure - Getmeas, written from measurements. The form is that of mapping.py and README.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters import json_payload
from adapters.kit.scene import Scene, Sort
from adapters.withings.mapping import TYPES

SENT_AFTER_S = 21
CORRECTED_AFTER_S = 3_600
BLOOD_PRESSURE = {"systolic": ("104", "148"), "diastolic": ("58", "92")}


class Simulator:
    """See adapters/kit/scene.py."""

    sorts = (
        Sort(measure="body-weight", unit="kg", decimals=3, usual={"": ("52", "98")}),
        Sort(measure="body-temperature", unit="Cel", decimals=1, usual={"": ("36.1", "37.9")}),
        Sort(measure="heart-rate", unit="/min", decimals=0, usual={"": ("52", "104")}),
        Sort(measure="blood-pressure", unit="mm[Hg]", decimals=0, usual=BLOOD_PRESSURE),
    )

    def device(self, number: int) -> str:
        return f"sim{number:08x}"

    def write(self, scenes: Sequence[Scene]) -> bytes:
        return _answer([_group(scene, [_measure(scene, name, text) for name, text in scene.values.items()]) for scene in scenes])

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        """Withings has no word for it: `value` is null."""
        return _answer([_group(scene, [_null(scene, name) for name in scene.values]) for scene in scenes])


def _answer(groups: Sequence[Mapping[str, Any]]) -> bytes:
    latest = max((group["modified"] for group in groups), default=0)
    return json_payload.dumps({"status": 0, "body": {"updatetime": latest, "timezone": "Europe/Paris", "measuregrps": groups}})


def _group(scene: Scene, measures: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    measured = int(scene.at.timestamp())
    sent = measured + SENT_AFTER_S
    return {
        "grpid": scene.number + 1,
        "attrib": 0,
        "date": measured,
        "created": sent,
        "modified": sent + scene.revision * CORRECTED_AFTER_S,
        "category": 1,
        "deviceid": scene.device,
        "measures": measures,
    }


def _measure(scene: Scene, component: str, text: str) -> Mapping[str, int]:
    """74.126 is 74126·10^-3."""
    whole, _, fraction = text.partition(".")
    return {"type": _type(scene, component), "value": int(whole + fraction), "unit": -len(fraction)}


def _type(scene: Scene, component: str) -> int:
    return next(row.type for row in reversed(TYPES) if row.measure == scene.sort.measure and (row.component or "") == component)


def _null(scene: Scene, component: str) -> Mapping[str, Any]:
    return {"type": _type(scene, component), "value": None, "unit": 0}
