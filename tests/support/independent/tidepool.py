"""Data of the Tidepool platform."""

from collections.abc import Iterator
from typing import Any

from tests.support.independent.said import OURS, Said, at, coded, digits, loinc, ours, quantity

_ALARMS = {"no_delivery": "alarm-no-delivery"}


def tidepool(payload: bytes) -> Iterator[Said]:
    """The data model, https://developer.tidepool.org/data-model/: `type`, `time` (an instant), `deviceId`, and what the type has.

    cbg is glucose by a continuous monitor in `units` of either case. A deviceEvent is an alarm, a change of reservoir, of state (status),
    of the clock, or priming with its volume in units; the `status` within an event is a datum of its own, `previous` a copy.
    """
    for datum in digits(payload):
        yield _read(datum)
        if isinstance(datum.get("status"), dict):
            yield _read(datum["status"])


def _read(datum: dict[str, Any]) -> Said:
    place = {"start": at(datum["time"]), "device": datum["deviceId"]}
    if datum["type"] == "cbg":
        milligrams = datum["units"].lower() == "mg/dl"
        unit, code = ("mg/dL", "99504-3") if milligrams else ("mmol/L", "105272-9")
        return Said(code=loinc(code), value=quantity(datum["value"], unit), **place)
    match datum["subType"]:
        case "status":
            return Said(code=ours("insulin-delivery-mode"), value=coded(f"{OURS}/insulin-delivery-mode", datum["status"]), **place)
        case "prime":
            return Said(code=ours(f"insulin-priming-{datum['primeTarget']}"), value=quantity(datum["volume"], "[iU]"), **place)
        case "alarm":
            return _event(_ALARMS[datum["alarmType"]], place)
        case "reservoirChange":
            return _event("reservoir-change", place)
        case "timeChange":
            return _event("clock-change", place)
        case other:
            raise AssertionError(f"{other} is in none of the files")


def _event(code: str, place: dict[str, str]) -> Said:
    return Said(code=ours("insulin-pump-event"), value=coded(f"{OURS}/insulin-pump-event", code), **place)
