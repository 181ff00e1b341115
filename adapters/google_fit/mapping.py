"""What Google Fit's data types mean, as rows. https://developers.google.com/fit/datatypes"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.reading import Coded

SLEEP_STAGE, GLUCOSE = "sleep-stage", "glucose-blood"
_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/sleep-stage"


@dataclass(frozen=True, slots=True)
class Type:
    """A data type: catalogue key, and what stands at which place of `value`: (component or "", UCUM unit)."""

    name: str
    measure: str
    values: tuple[tuple[str, str], ...]


TYPES = (
    Type("com.google.heart_rate.bpm", "heart-rate", (("", "/min"),)),
    Type("com.google.weight", "body-weight", (("", "kg"),)),
    Type("com.google.height", "body-height", (("", "m"),)),
    Type("com.google.body.fat.percentage", "body-fat-percentage", (("", "%"),)),
    Type("com.google.step_count.delta", "steps", (("", "{steps}"),)),
    Type("com.google.distance.delta", "distance-walked", (("", "m"),)),
    Type("com.google.oxygen_saturation", "oxygen-saturation", (("", "%"),)),
    Type("com.google.body.temperature", "body-temperature", (("", "Cel"),)),
    Type("com.google.blood_pressure", "blood-pressure", (("systolic", "mm[Hg]"), ("diastolic", "mm[Hg]"))),
    Type("com.google.blood_glucose", GLUCOSE, (("", "mmol/L"),)),
    Type("com.google.sleep.segment", SLEEP_STAGE, (("", ""),)),
)
TYPE: Mapping[str, Type] = MappingProxyType({row.name: row for row in TYPES})

SPECIMEN_AT = 4
"""Place in the value of a glucose: level, relation to meal, meal, relation to sleep, specimen."""
SPECIMEN: Mapping[int, str] = MappingProxyType({1: "glucose-interstitial", 2: "glucose-capillary"})
"""Of Google's codes the two that have a measure of their own; plasma, serum and tears (3, 4, 5) have none."""
SPECIMEN_UNREAD = frozenset({3, 4, 5})
MEASURES = tuple(sorted({row.measure for row in TYPES} | set(SPECIMEN.values())))


def _stage(code: str, display: str) -> Coded:
    return Coded(system=_SYSTEM, code=code, display=display)


STAGE: Mapping[int, Coded] = MappingProxyType(
    {
        1: _stage("awake", "Awake"),
        2: _stage("asleep", "Asleep, stage not told apart"),
        3: _stage("out-of-bed", "Out of bed"),
        4: _stage("light", "Light sleep"),
        5: _stage("deep", "Deep sleep"),
        6: _stage("rem", "REM sleep"),
    }
)

STATISTIC_SUFFIX = ".summary"
"""com.google.heart_rate.summary holds mean, highest and lowest of a period: a statistic and no reading."""

USER_INPUT = ":user_input"
"""End of the name of a source that a person typed in."""

POINT_FIELDS = ("startTimeNanos", "endTimeNanos", "dataTypeName", "originDataSourceId", "modifiedTimeMillis")
VALUE_FIELDS = ("fpVal", "intVal")
