"""The list of Withings' Heart v2, written from measurements. README.md has the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, epoch, number, pressure, sort


def _entry(scene: Scene, values: Values) -> Mapping[str, Any]:
    made = {"deviceid": scene.device, "model": 44, "timestamp": epoch(scene.at), "modified": epoch(changed(scene))}
    if "systolic" in values:
        return {**made, "bloodpressure": {"diastole": number(values["diastolic"]), "systole": number(values["systolic"])}}
    return {**made, "heart_rate": number(values[""])}


def _answer(entries: Sequence[Mapping[str, Any]]) -> bytes:
    return dumps({"status": 0, "body": {"series": list(entries), "more": False, "offset": 0}})


SIMULATOR = Writer(sorts=[sort("heart-rate", "/min"), pressure()], unit="core-{:08x}", record=_entry, payload=_answer)
