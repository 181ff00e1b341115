"""What the records of Health Connect mean, as rows.

https://developer.android.com/reference/kotlin/androidx/health/connect/client/records/package-summary. Health Connect has no
form on the wire: names of records and fields are those of the Kotlin classes, and a value with a unit is `{value, unit}` with a
UCUM code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.reading import Coded

SNOMED_CT = "http://snomed.info/sct"
GLUCOSE_RECORD, SLEEP_RECORD, SLEEP_STAGE = "BloodGlucoseRecord", "SleepSessionRecord", "sleep-stage"
_STAGE_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/sleep-stage"

_MASS = ("kg", "g", "[lb_av]")
_TEMPERATURE = ("Cel", "[degF]")
_PRESSURE = ("mm[Hg]", "kPa")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: `unit` where it is a bare number, `units` where it is `{value, unit}`; component of a pressure."""

    name: str
    unit: str = ""
    units: tuple[str, ...] = ()
    component: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A type of record. `series` names the list in which an entry has a time of its own."""

    type: str
    measure: str
    fields: tuple[Field, ...]
    interval: bool = False
    series: str = ""


RECORDS = (
    Record("HeartRateRecord", "heart-rate", (Field("beatsPerMinute", "/min"),), interval=True, series="samples"),
    Record("RestingHeartRateRecord", "heart-rate-resting", (Field("beatsPerMinute", "/min"),)),
    Record("HeartRateVariabilityRmssdRecord", "heart-rate-variability-rmssd", (Field("heartRateVariabilityMillis", "ms"),)),
    Record(
        "BloodPressureRecord",
        "blood-pressure",
        (Field("systolic", units=_PRESSURE, component="systolic"), Field("diastolic", units=_PRESSURE, component="diastolic")),
    ),
    Record(GLUCOSE_RECORD, "glucose-blood", (Field("level", units=("mmol/L", "mg/dL")),)),
    Record("OxygenSaturationRecord", "oxygen-saturation", (Field("percentage", units=("%",)),)),
    Record("RespiratoryRateRecord", "respiratory-rate", (Field("rate", "/min"),)),
    Record("BodyTemperatureRecord", "body-temperature", (Field("temperature", units=_TEMPERATURE),)),
    Record("WeightRecord", "body-weight", (Field("weight", units=_MASS),)),
    Record("HeightRecord", "body-height", (Field("height", units=("m", "cm", "[in_i]", "[ft_i]")),)),
    Record("BodyFatRecord", "body-fat-percentage", (Field("percentage", units=("%",)),)),
    Record("LeanBodyMassRecord", "fat-free-mass", (Field("mass", units=_MASS),)),
    Record("BoneMassRecord", "bone-mass", (Field("mass", units=_MASS),)),
    Record("BodyWaterMassRecord", "body-water-mass", (Field("mass", units=_MASS),)),
    Record("Vo2MaxRecord", "vo2max", (Field("vo2MillilitersPerMinuteKilogram", "mL/min/kg"),)),
    Record("StepsRecord", "steps", (Field("count", "{steps}"),), interval=True),
    Record("DistanceRecord", "distance-walked", (Field("distance", units=("m", "km", "[mi_i]", "[ft_i]")),), interval=True),
    Record("ActiveCaloriesBurnedRecord", "energy-active", (Field("energy", units=("kcal", "cal", "kJ")),), interval=True),
    Record(SLEEP_RECORD, SLEEP_STAGE, (Field("stage"),), interval=True, series="stages"),
)
RECORD: Mapping[str, Record] = MappingProxyType({row.type: row for row in RECORDS})

SPECIMEN: Mapping[str, str] = MappingProxyType(
    {
        "unknown": "glucose-blood",
        "whole_blood": "glucose-blood",
        "capillary_blood": "glucose-capillary",
        "interstitial_fluid": "glucose-interstitial",
    }
)
"""`specimenSource`; plasma, serum and tears have no measure here."""
MEASURES = tuple(sorted({row.measure for row in RECORDS} | set(SPECIMEN.values())))


def _stage(code: str, display: str) -> Coded:
    return Coded(system=_STAGE_SYSTEM, code=code, display=display)


STAGE: Mapping[str, Coded] = MappingProxyType(
    {
        "awake": _stage("awake", "Awake"),
        "awake_in_bed": _stage("awake", "Awake"),
        "out_of_bed": _stage("out-of-bed", "Out of bed"),
        "sleeping": _stage("asleep", "Asleep, stage not told apart"),
        "light": _stage("light", "Light sleep"),
        "deep": _stage("deep", "Deep sleep"),
        "rem": _stage("rem", "REM sleep"),
    }
)


def _coded(code: str, display: str) -> Coded:
    return Coded(system=SNOMED_CT, code=code, display=display)


POSTURE: Mapping[str, Coded] = MappingProxyType(
    {
        "sitting_down": _coded("33586001", "Sitting position"),
        "standing_up": _coded("10904000", "Orthostatic body position"),
        "lying_down": _coded("102538003", "Recumbent body position"),
    }
)
LOCATION: Mapping[str, Coded] = MappingProxyType(
    {
        "left_wrist": _coded("5951000", "Structure of left wrist region"),
        "right_wrist": _coded("9736006", "Structure of right wrist region"),
        "left_upper_arm": _coded("368208006", "Left upper arm structure"),
        "right_upper_arm": _coded("368209003", "Right upper arm structure"),
    }
)

MANUAL_ENTRY = "manual_entry"
METADATA_FIELDS = ("id", "dataOrigin", "lastModifiedTime", "clientRecordId", "clientRecordVersion", "recordingMethod")
DEVICE_FIELDS = ("type", "manufacturer", "model")
HEAD_FIELDS = ("recordType", "time", "zoneOffset", "startTime", "startZoneOffset", "endTime", "endZoneOffset")
WORDS = ("specimenSource", "mealType", "relationToMeal", "bodyPosition", "measurementLocation", "measurementMethod")
"""What is kept of a record beside its values: neither title nor notes, which are free text."""
