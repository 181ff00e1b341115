"""Data of the Tidepool platform, written from measurements. README.md has the form."""

from collections.abc import Mapping
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, number, sort, zulu

TYPES = {"glucose-interstitial": "cbg", "glucose-capillary": "smbg", "ketone-blood": "bloodKetone", "insulin-bolus": "bolus"}


def _datum(scene: Scene, values: Values) -> Mapping[str, Any]:
    offset, type_ = scene.at.utcoffset(), TYPES[scene.sort.measure]
    made = {
        "type": type_,
        "deviceId": scene.device,
        "time": zulu(scene.at),
        "timezoneOffset": int(offset.total_seconds()) // 60 if offset else 0,
    }
    if type_ == "bolus":
        return {**made, "subType": "normal", "normal": number(values[""])}
    return {**made, "value": number(values[""]), "units": scene.sort.unit}


SIMULATOR = Writer(
    sorts=[
        sort("glucose-interstitial", "mmol/L", 2),
        sort("glucose-capillary", "mg/dL"),
        sort("ketone-blood", "mmol/L", 1),
        sort("insulin-bolus", "[iU]", 2, ("0.5", "8.0")),
    ],
    unit="SENSOR-{:05}",
    record=_datum,
    payload=lambda data: dumps(list(data)),
)
