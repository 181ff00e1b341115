"""Summaries of nights of Withings' Sleep v2, written from measurements. README.md has the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, changed, epoch, number, sort
from adapters.withings_sleep.mapping import SUMMARY

NIGHT_S = 28_800
FIELDS = {row.measure: row.name for row in reversed(SUMMARY)}


def _night(scene: Scene, values: Values) -> Mapping[str, Any]:
    return {
        "id": scene.number + 1,
        "startdate": epoch(scene.at),
        "enddate": epoch(scene.at) + NIGHT_S,
        "modified": epoch(changed(scene)),
        "hash_deviceid": scene.device,
        "data": {FIELDS[scene.sort.measure]: number(values[""])},
    }


def _answer(nights: Sequence[Mapping[str, Any]]) -> bytes:
    return dumps({"status": 0, "body": {"series": list(nights), "more": False, "offset": 0}})


SIMULATOR = Writer(
    sorts=[
        sort("sleep-heart-rate-average", "/min"),
        sort("sleep-respiratory-rate-average", "/min", 0, ("10", "20")),
        sort("sleep-duration", "s", 0, ("18000", "28000")),
        sort("sleep-efficiency", "1", 3, ("0.7", "0.98")),
    ],
    unit="mat-{:08x}",
    record=_night,
    payload=_answer,
)
