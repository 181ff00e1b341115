"""LibreLinkUp's graph, written from measurements: one sensor an answer. README.md has the form."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.json_payload import dumps
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, number, sort

STARTED = 1
"""In the first second of 1970, so that every point is of this sensor."""


def _point(scene: Scene, values: Values) -> Mapping[str, Any]:
    point = {"FactoryTimestamp": _us(scene.at.astimezone(UTC)), "Timestamp": _us(scene.at), "type": 0, "ValueInMgPerDl": number(values[""])}
    return {"sn": scene.device, "point": point}


def _us(at: datetime) -> str:
    """12/31/2026 11:59:59 PM, without zeros in front."""
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {'PM' if at.hour >= 12 else 'AM'}"  # noqa: PLR2004 - noon


def _answer(points: Sequence[Mapping[str, Any]]) -> bytes:
    sensor = {"sn": points[0]["sn"], "a": STARTED} if points else {}
    owner = {"firstName": "Simulated", "lastName": "Nobody", "sensor": sensor}
    return dumps({"status": 0, "data": {"connection": owner, "graphData": [one["point"] for one in points]}})


SIMULATOR = Writer(sorts=[sort("glucose-interstitial", "mg/dL")], unit="LIBRE{:06}", record=_point, payload=_answer, one_unit=True)
