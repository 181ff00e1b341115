"""What phones export: Apple Health's XML."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tests.support.independent.said import OURS, Said, at, coded, loinc, ours, quantity

_APPLE: Final = {
    "HKQuantityTypeIdentifierHeartRate": (loinc("8867-4"), "/min"),
    "HKQuantityTypeIdentifierActiveEnergyBurned": (loinc("41981-2"), "kcal"),
    "HKQuantityTypeIdentifierAppleExerciseTime": (loinc("55411-3"), "min"),
    "HKQuantityTypeIdentifierAppleStandTime": (ours("stand-duration"), "min"),
}
_SLEEP: Final = {"HKCategoryValueSleepAnalysisInBed": "in-bed", "HKCategoryValueSleepAnalysisAsleepCore": "light"}


def apple_health(payload: bytes) -> Iterator[Said]:
    """https://developer.apple.com/documentation/healthkit/data_types: a Record has type, unit and value; each time says its offset.

    Core sleep is what Apple calls light sleep.
    """
    for record in ET.fromstring(payload).iter("Record"):  # noqa: S314 -- a file of ours
        start, end = (at(_apple_time(record.attrib[name])) for name in ("startDate", "endDate"))
        code, unit = _APPLE.get(record.attrib["type"], (ours("sleep-stage"), ""))
        value = record.attrib["value"]
        said = quantity(value, unit) if unit else coded(f"{OURS}/sleep-stage", _SLEEP[value])
        yield Said(code=code, value=said, start=start, end=end if end != start else "")


def _apple_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
