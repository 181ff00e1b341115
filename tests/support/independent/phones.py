"""What phones export and post: Apple Health's XML, records of Android's Health Connect."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from tests.support.independent.said import OURS, SNOMED, Said, at, coded, digits, loinc, ours, quantity

_APPLE: Final = {
    "HeartRate": (loinc("8867-4"), {"count/min": "/min"}),
    "ActiveEnergyBurned": (loinc("41981-2"), {"kcal": "kcal"}),
    "AppleExerciseTime": (loinc("55411-3"), {"min": "min"}),
    "AppleStandTime": (ours("stand-duration"), {"min": "min"}),
    "OxygenSaturation": (loinc("2708-6"), {"%": "1"}),
    "BodyFatPercentage": (loinc("41982-0"), {"%": "1"}),
    "BodyMass": (loinc("29463-7"), {"lb": "[lb_av]", "kg": "kg"}),
    "BloodGlucose": (loinc("15074-8"), {"mmol<180.1558800000541>/L": "mmol/L"}),
    "StepCount": (loinc("55423-8"), {"count": "{steps}"}),
    "VO2Max": (loinc("94122-9"), {"mL/min\u00b7kg": "mL/kg/min"}),
    "HeartRateVariabilitySDNN": (loinc("80404-7"), {"ms": "ms"}),
}
_SLEEP: Final = {"InBed": "in-bed", "AsleepCore": "light", "AsleepDeep": "deep"}
_PRESSURES: Final = {"Systolic": loinc("8480-6"), "Diastolic": loinc("8462-4")}
_LEFT_UPPER_ARM: Final = f"{SNOMED}|368208006"


def apple_health(payload: bytes) -> Iterator[Said]:
    """https://developer.apple.com/documentation/healthkit/data_types: a Record has type, unit and value; each time says its offset.

    `%` is a ratio, core sleep what Apple calls light. A pressure stands in a Correlation; its halves beside it are the same ones again.
    """
    root = ET.fromstring(payload)  # noqa: S314 -- a file of ours
    for record in root.findall("Record"):
        kind = record.attrib["type"].removeprefix("HKQuantityTypeIdentifier").removeprefix("HKCategoryTypeIdentifier")
        if kind.startswith("BloodPressure"):
            continue
        value, place = record.attrib["value"], _when(record)
        typed = record.find("MetadataEntry[@key='HKWasUserEntered']")
        manual = typed is not None and typed.attrib["value"] == "1"
        if kind == "SleepAnalysis":
            stage = _SLEEP[value.removeprefix("HKCategoryValueSleepAnalysis")]
            yield Said(code=ours("sleep-stage"), value=coded(f"{OURS}/sleep-stage", stage), **place)
        elif kind in _APPLE:
            code, units = _APPLE[kind]
            yield Said(code=code, value=quantity(value, units[record.attrib["unit"]]), manual=manual, **place)
        else:
            yield Said(code=f"apple|{kind}", **place)
    for pair in root.findall("Correlation[@type='HKCorrelationTypeIdentifierBloodPressure']"):
        halves = [(one.attrib["type"].partition("BloodPressure")[2], one.attrib["value"]) for one in pair.findall("Record")]
        parts = tuple(sorted((_PRESSURES[name], quantity(value, "mm[Hg]")) for name, value in halves))
        yield Said(code=loinc("85354-9"), parts=parts, **_when(pair))


def health_connect(payload: bytes) -> Iterator[Said]:
    """https://developer.android.com/reference/kotlin/androidx/health/connect/client/records/package-summary, each record by its fields.

    Times are instants; samples and stages of a record have their own.
    """
    for record in digits(payload)["records"]:
        manual = record["metadata"]["recordingMethod"] == "manual_entry"
        for one in _RECORDS[record["recordType"]](record):
            yield Said(**{"start": at(record.get("time", record.get("startTime"))), "manual": manual} | one)


Fields = dict[str, Any]


def _one(name: str, code: str, unit: str) -> Any:
    return lambda record: [{"code": loinc(code), "value": quantity(record[name]["value"], unit)}]


def _pressure(record: Fields) -> list[Fields]:
    assert record["measurementLocation"] == "left_upper_arm"
    parts = tuple(sorted((code, quantity(record[name.lower()]["value"], "mm[Hg]")) for name, code in _PRESSURES.items()))
    return [{"code": loinc("85354-9"), "parts": parts, "site": _LEFT_UPPER_ARM}]


def _glucose(record: Fields) -> list[Fields]:
    assert record["specimenSource"] == "capillary_blood"
    return [{"code": loinc("15074-8"), "value": quantity(record["level"]["value"], record["level"]["unit"])}]


def _rates(record: Fields) -> list[Fields]:
    return [
        {"code": loinc("8867-4"), "value": quantity(one["beatsPerMinute"], "/min"), "start": at(one["time"])} for one in record["samples"]
    ]


def _stages(record: Fields) -> list[Fields]:
    spans = [(one["stage"], {"start": at(one["startTime"]), "end": at(one["endTime"])}) for one in record["stages"]]
    return [{"code": ours("sleep-stage"), "value": coded(f"{OURS}/sleep-stage", stage), **span} for stage, span in spans]


_RECORDS: Final = {
    "BloodPressureRecord": _pressure,
    "BloodGlucoseRecord": _glucose,
    "HeartRateRecord": _rates,
    "OxygenSaturationRecord": _one("percentage", "2708-6", "%"),
    "BodyFatRecord": _one("percentage", "41982-0", "%"),
    "WeightRecord": _one("weight", "29463-7", "kg"),
    "StepsRecord": lambda one: [{"code": loinc("55423-8"), "value": quantity(one["count"], "{steps}"), "end": at(one["endTime"])}],
    "SleepSessionRecord": _stages,
    "HeartRateVariabilityRmssdRecord": lambda one: [
        {"code": ours("heart-rate-variability-rmssd"), "value": quantity(one["heartRateVariabilityMillis"], "ms")}
    ],
}


def _when(record: ET.Element) -> dict[str, str]:
    start, end = (at(_apple_time(record.attrib[name])) for name in ("startDate", "endDate"))
    return {"start": start, "end": end if end != start else ""}


def _apple_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
