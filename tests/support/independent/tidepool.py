"""Data of the Tidepool platform."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.independent.said import OURS, Said, absent, at, coded, digits, loinc, ours, quantity

_ALARMS: Final = {"no_delivery": "alarm-no-delivery", "low_insulin": "alarm-low-insulin"}
_GLUCOSE: Final = {
    ("cbg", "mg/dl"): "99504-3",
    ("cbg", "mmol/l"): "105272-9",
    ("smbg", "mg/dl"): "2339-0",
    ("calibration", "mg/dl"): "2339-0",
}
_UNITS: Final = {"mg/dl": "mg/dL", "mmol/l": "mmol/L"}
_ATC: Final = "http://www.whocc.no/atc"
_ACTING: Final = {"rapid": f"{_ATC}|A10AB", "intermediate": f"{_ATC}|A10AC", "long": f"{_ATC}|A10AE"}
_INSULIN: Final = f"{_ATC}|A10A"
_MODES: Final = {"automated": "automated", "suspend": "suspended"}
_OF_ITS_OWN: Final = ("bolus", "status")
_NO_MEASUREMENT: Final = ("upload",)

Datum = dict[str, Any]
Place = dict[str, Any]


def tidepool(payload: bytes) -> Iterator[Said]:
    """The data model, https://tidepool.redocly.app/docs/device-data/data-types: `type`, `time` (an instant), `deviceId`, and more by type.

    cbg is glucose by a continuous monitor, smbg by a meter, in `units` of either case; a value annotated out of range is a limit and none.
    basal is a rate in units an hour for `duration` milliseconds, none while suspended; bolus an amount at once (normal) and one over a time
    (extended), each what was delivered; insulin what a person wrote down; food and wizard have carbohydrate in grams.

    A deviceEvent is an alarm, a change of reservoir, of state (status), of the clock, or priming with its volume in units, or what a user
    entered to calibrate. A `status` or `bolus` within a datum is one of its own, `previous` a copy.
    """
    for datum in digits(payload):
        yield from _read(datum)
        for name in _OF_ITS_OWN:
            if isinstance(datum.get(name), dict):
                yield from _read(datum[name])


def _read(datum: Datum) -> Iterator[Said]:
    place = {"start": at(datum["time"]), "device": datum["deviceId"]}
    kind = datum["type"]
    if kind in _NO_MEASUREMENT:
        return
    yield from {
        "cbg": _glucose,
        "smbg": _glucose,
        "bloodKetone": _ketone,
        "basal": _basal,
        "bolus": _bolus,
        "insulin": _insulin,
        "food": _food,
        "wizard": _wizard,
        "deviceEvent": _event,
    }.get(kind, _unknown)(datum, place)


def _glucose(datum: Datum, place: Place) -> Iterator[Said]:
    unit = datum["units"].lower()
    beyond = any(one["code"] == "bg/out-of-range" for one in datum.get("annotations", ()))
    said = absent("unsupported") if beyond else quantity(datum["value"], _UNITS[unit])
    kind = datum["subType"] if datum["type"] == "deviceEvent" else datum["type"]
    manual = datum.get("subType") in ("manual", "calibration")
    yield Said(code=loinc(_GLUCOSE[kind, unit]), value=said, manual=manual, **place)


def _ketone(datum: Datum, place: Place) -> Iterator[Said]:
    assert datum["units"] == "mmol/L"
    yield Said(code=loinc("53061-8"), value=quantity(datum["value"], "mmol/L"), **place)


def _basal(datum: Datum, place: Place) -> Iterator[Said]:
    lasting = {**place, "end": _after(datum)}
    yield Said(code=_INSULIN, value=quantity(datum.get("rate", "0"), "[iU]/h"), **lasting)
    yield _mode(_MODES[datum["deliveryType"]], lasting)


def _bolus(datum: Datum, place: Place) -> Iterator[Said]:
    if "normal" in datum:
        yield Said(code=_INSULIN, value=quantity(datum["normal"], "[iU]"), **place)
    if "extended" in datum:
        yield Said(code=_INSULIN, value=quantity(datum["extended"], "[iU]"), end=_after(datum), **place)


def _insulin(datum: Datum, place: Place) -> Iterator[Said]:
    assert datum["dose"]["units"] == "Units"
    code = _ACTING[datum["formulation"]["simple"]["actingType"]]
    yield Said(code=code, value=quantity(datum["dose"]["total"], "[iU]"), manual=True, **place)


def _food(datum: Datum, place: Place) -> Iterator[Said]:
    eaten = datum["nutrition"]["carbohydrate"]
    assert eaten["units"] == "grams"
    yield Said(code=loinc("9059-7"), value=quantity(eaten["net"], "g"), manual=True, **place)


def _wizard(datum: Datum, place: Place) -> Iterator[Said]:
    assert datum["carbUnits"] == "grams"
    yield Said(code=loinc("9059-7"), value=quantity(datum["carbInput"], "g"), manual=True, **place)


def _event(datum: Datum, place: Place) -> Iterator[Said]:
    match datum["subType"]:
        case "status":
            yield _mode(datum["status"], place)
        case "zen":
            hours = timedelta(hours=int(datum["duration"]["value"]))
            yield _mode("automated-raised-target", {**place, "end": at(datetime.fromisoformat(datum["time"]) + hours)})
        case "prime":
            yield Said(code=ours(f"insulin-priming-{datum['primeTarget']}"), value=quantity(datum["volume"], "[iU]"), **place)
        case "calibration":
            yield from _glucose(datum, place)
        case "alarm":
            yield _pump(_ALARMS[datum["alarmType"]], place)
        case "reservoirChange":
            yield _pump("reservoir-change", place)
        case "timeChange":
            yield _pump("clock-change", place)
        case other:
            yield Said(code=f"tidepool|{other}", **place)


def _unknown(datum: Datum, place: Place) -> Iterator[Said]:
    yield Said(code=f"tidepool|{datum['type']}", **place)


def _mode(code: str, place: Place) -> Said:
    return Said(code=ours("insulin-delivery-mode"), value=coded(f"{OURS}/insulin-delivery-mode", code), **place)


def _pump(code: str, place: Place) -> Said:
    return Said(code=ours("insulin-pump-event"), value=coded(f"{OURS}/insulin-pump-event", code), **place)


def _after(datum: Datum) -> str:
    return at(datetime.fromisoformat(datum["time"]) + timedelta(milliseconds=int(datum["duration"])))
