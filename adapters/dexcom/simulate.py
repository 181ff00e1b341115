"""Dexcom's egvs, written from measurements: https://developer.dexcom.com/docs/dexcomv3"""

from collections.abc import Mapping
from typing import Any

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, listed, number, sort, zulu


def _record(scene: Scene, values: Values) -> Mapping[str, Any]:
    return {
        "recordId": f"sim-{scene.number}",
        "systemTime": zulu(scene.at),
        "displayTime": scene.at.isoformat(),
        "transmitterId": scene.device,
        "value": number(values[""]),
        "status": "ok",
        "trend": "flat",
        "unit": scene.sort.unit,
    }


SIMULATOR = Writer(
    sorts=[sort("glucose-interstitial", "mg/dL")],
    unit="TX-{:06}",
    record=_record,
    payload=listed({"recordType": "egv", "recordVersion": "3.0", "userId": "simulated"}, "records"),
)
