"""What HealthKit's types and units mean, as rows.

https://developer.apple.com/documentation/healthkit/hkquantitytypeidentifier and …/hkcategoryvaluesleepanalysis. A unit is
written as HKUnit writes it; the catalogue converts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.reading import Coded

BLOOD_PRESSURE, SLEEP_STAGE = "blood-pressure", "sleep-stage"
PRESSURE_CORRELATION = "HKCorrelationTypeIdentifierBloodPressure"
SLEEP_ANALYSIS = "HKCategoryTypeIdentifierSleepAnalysis"
SLEEP_STAGE_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/sleep-stage"

_RATE = {"count/min": "/min"}
_MASS = {"kg": "kg", "g": "g", "lb": "[lb_av]", "st": "[stone_av]"}
_LENGTH = {"cm": "cm", "m": "m", "mm": "mm", "in": "[in_i]", "ft": "[ft_i]"}
_DISTANCE = {"m": "m", "km": "km", "mi": "[mi_i]", "ft": "[ft_i]"}
_TEMPERATURE = {"degC": "Cel", "degF": "[degF]", "K": "K"}
_PRESSURE = {"mmHg": "mm[Hg]", "kPa": "kPa"}
_ENERGY = {"kcal": "kcal", "Cal": "kcal", "cal": "cal", "kJ": "kJ"}
_DURATION = {"min": "min", "s": "s", "hr": "h"}
_INTERVAL = {"ms": "ms", "s": "s"}
_SHARE = {"%": "1"}
"""HealthKit's percent is a ratio of 0 to 1 whatever sign it writes: 0.97 with % is 97 %."""
_GLUCOSE = {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}
_MOLAR = re.compile(r"mmol<[0-9.]{1,24}>/L")
"""HealthKit writes the molar mass into the unit: mmol<180.1558800000541>/L."""


@dataclass(frozen=True, slots=True)
class Type:
    """A quantity type without its prefix: catalogue key and the units it may have; `component` of a blood pressure."""

    name: str
    measure: str
    units: Mapping[str, str]
    component: str | None = None


TYPES = (
    Type("HeartRate", "heart-rate", _RATE),
    Type("RestingHeartRate", "heart-rate-resting", _RATE),
    Type("HeartRateVariabilitySDNN", "heart-rate-variability-sdnn", _INTERVAL),
    Type("OxygenSaturation", "oxygen-saturation", _SHARE),
    Type("RespiratoryRate", "respiratory-rate", _RATE),
    Type("BodyTemperature", "body-temperature", _TEMPERATURE),
    Type("AppleSleepingWristTemperature", "skin-temperature", _TEMPERATURE),
    Type("BodyMass", "body-weight", _MASS),
    Type("Height", "body-height", _LENGTH),
    Type("BodyMassIndex", "body-mass-index", {"count": "kg/m2", "kg/m^2": "kg/m2"}),
    Type("BodyFatPercentage", "body-fat-percentage", _SHARE),
    Type("LeanBodyMass", "fat-free-mass", _MASS),
    Type("BloodGlucose", "glucose-blood", _GLUCOSE),
    Type("StepCount", "steps", {"count": "{steps}"}),
    Type("DistanceWalkingRunning", "distance-walked", _DISTANCE),
    Type("ActiveEnergyBurned", "energy-active", _ENERGY),
    Type("AppleExerciseTime", "exercise-duration", _DURATION),
    Type("AppleStandTime", "stand-duration", _DURATION),
    Type("VO2Max", "vo2max", {"mL/min·kg": "mL/min/kg", "mL/kg·min": "mL/min/kg", "ml/(kg*min)": "mL/min/kg"}),
    Type("BloodPressureSystolic", BLOOD_PRESSURE, _PRESSURE, "systolic"),
    Type("BloodPressureDiastolic", BLOOD_PRESSURE, _PRESSURE, "diastolic"),
)
TYPE: Mapping[str, Type] = MappingProxyType({f"HKQuantityTypeIdentifier{row.name}": row for row in TYPES})
MEASURES = tuple(sorted({row.measure for row in TYPES} | {SLEEP_STAGE}))


def _stage(code: str, display: str) -> Coded:
    return Coded(system=SLEEP_STAGE_SYSTEM, code=code, display=display)


IN_BED = "HKCategoryValueSleepAnalysisInBed"
STAGE: Mapping[str, Coded] = MappingProxyType(
    {
        IN_BED: _stage("in-bed", "In bed"),
        "HKCategoryValueSleepAnalysisAwake": _stage("awake", "Awake"),
        "HKCategoryValueSleepAnalysisAsleep": _stage("asleep", "Asleep, stage not told apart"),
        "HKCategoryValueSleepAnalysisAsleepUnspecified": _stage("asleep", "Asleep, stage not told apart"),
        "HKCategoryValueSleepAnalysisAsleepCore": _stage("light", "Light sleep"),
        "HKCategoryValueSleepAnalysisAsleepDeep": _stage("deep", "Deep sleep"),
        "HKCategoryValueSleepAnalysisAsleepREM": _stage("rem", "REM sleep"),
    }
)

TIME_ZONE, USER_ENTERED = "HKTimeZone", "HKWasUserEntered"
METADATA_KEPT = frozenset(
    {
        TIME_ZONE,
        USER_ENTERED,
        "HKMetadataKeyHeartRateMotionContext",
        "HKMetadataKeyHeartRateSensorLocation",
        "HKMetadataKeyBodyTemperatureSensorLocation",
        "HKMetadataKeyBloodGlucoseMealTime",
        "HKMetadataKeyBarometricPressure",
        "HKVO2MaxTestType",
    }
)
"""What is kept of metadata in `raw`; whatever else stands there is the source's own and may be about the account."""

ATTRIBUTES_KEPT = ("type", "sourceName", "sourceVersion", "device", "unit", "creationDate", "startDate", "endDate", "value")

UNREAD = frozenset({"ExportDate", "Me"})
"""Elements that are no measurement: when the file was made, and who the owner is. Neither is read or kept."""


def unit_of(row: Type, unit: str) -> str | None:
    """Return the UCUM code of a unit as HealthKit writes it for this type, or None."""
    return row.units.get("mmol/L" if _MOLAR.fullmatch(unit) else unit)
