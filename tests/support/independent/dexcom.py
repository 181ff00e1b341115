"""Answers of Dexcom's API, version 3."""

from collections.abc import Iterator
from typing import Final

from tests.support.independent.said import Said, absent, at, digits, loinc, quantity

_ATC: Final = "http://www.whocc.no/atc"
_INSULIN: Final = {"fastActing": f"{_ATC}|A10AB", "longActing": f"{_ATC}|A10AE", None: f"{_ATC}|A10A"}
_GLUCOSE: Final = {("egv", "mg/dL"): "99504-3", ("egv", "mmol/L"): "105272-9", ("calibration", "mg/dL"): "2339-0"}
_BEYOND: Final = ("low", "high")


def dexcom(payload: bytes) -> Iterator[Said]:
    """https://developer.dexcom.com/docs/dexcomv3/endpoint-overview/: records of one type, systemTime in UTC, `value` in `unit`.

    An egv of status low or high has the sensor's limit in place of a value. Calibrations and events are entered by the user; one that is
    deleted counts no more, notes are words.
    """
    read = digits(payload)
    kind = read["recordType"]
    for one in read["records"]:
        when = one["systemTime"]
        place = {"start": at(when if when.endswith("Z") else f"{when}Z"), "device": one["transmitterId"], "which": one["recordId"]}
        if kind == "event":
            yield _event(one, place)
        elif one["value"] is None:
            yield Said(code="dexcom|no value", **place)
        else:
            value = absent("unsupported") if one.get("status") in _BEYOND else quantity(one["value"], one["unit"])
            yield Said(code=loinc(_GLUCOSE[kind, one["unit"]]), value=value, manual=kind == "calibration", **place)


def _event(one: dict[str, str], place: dict[str, str]) -> Said:
    if one["eventStatus"] == "deleted":
        return Said(code="dexcom|deleted", **place)
    if one["eventType"] == "insulin":
        return Said(code=_INSULIN[one["eventSubType"]], value=quantity(one["value"], "[iU]"), manual=True, **place)
    if one["eventType"] == "carbs":
        return Said(code=loinc("9059-7"), value=quantity(one["value"], "g"), manual=True, **place)
    return Said(code=f"dexcom|{one['eventType']}", **place)
