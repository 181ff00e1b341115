"""Entries of a Nightscout site, written from measurements. README.md has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, epoch, number, sort

FIELDS = {"glucose-interstitial": "sgv", "glucose-capillary": "mbg"}
ERROR_CODE = "5"


def _entry(scene: Scene, values: Values) -> Mapping[str, Any]:
    name, offset = FIELDS[scene.sort.measure], scene.at.utcoffset()
    value = values[""] or (ERROR_CODE if name == "sgv" else None)
    return {
        "type": name,
        "date": epoch(scene.at) * 1000,
        name: number(value),
        "utcOffset": int(offset.total_seconds()) // 60 if offset else 0,
    }


SIMULATOR = Writer(
    sorts=[sort(measure, "mg/dL") for measure in FIELDS],
    unit="site-{:05}",
    record=_entry,
    payload=lambda entries: dumps(list(entries)),
    sender_names_device=True,
)
