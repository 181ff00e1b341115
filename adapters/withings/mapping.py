"""What Withings' numbers mean, as rows. https://developer.withings.com/api-reference#tag/measure/operation/measure-getmeas"""

from collections.abc import Mapping
from dataclasses import dataclass

CATEGORY_MEASURED, CATEGORY_USER_GOAL = 1, 2
BLOOD_PRESSURE = "blood-pressure"


@dataclass(frozen=True, slots=True)
class Type:
    """`type` of a measure.

    measure    catalogue key
    unit       UCUM code; empty where the value is a class
    component  where several types make up one reading
    place      the position that the type itself names
    segment    of a part of the body: without `position` nobody knows of which
    """

    type: int
    measure: str
    unit: str
    component: str | None = None
    place: int | None = None
    segment: bool = False


TYPES = (
    Type(1, "body-weight", "kg"),
    Type(4, "body-height", "m"),
    Type(5, "fat-free-mass", "kg"),
    Type(6, "body-fat-percentage", "%"),
    Type(8, "fat-mass", "kg"),
    Type(9, BLOOD_PRESSURE, "mm[Hg]", "diastolic"),
    Type(10, BLOOD_PRESSURE, "mm[Hg]", "systolic"),
    Type(11, "heart-rate", "/min"),
    Type(12, "body-temperature", "Cel"),
    Type(54, "oxygen-saturation", "%"),
    Type(71, "body-temperature", "Cel"),
    Type(73, "skin-temperature", "Cel"),
    Type(76, "muscle-mass", "kg"),
    Type(77, "body-water-mass", "kg"),
    Type(88, "bone-mass", "kg"),
    Type(91, "pulse-wave-velocity", "m/s"),
    Type(123, "vo2max", "mL/min/kg"),
    Type(130, "ecg-classification", ""),
    Type(135, "qrs-duration", "ms"),
    Type(136, "pr-interval", "ms"),
    Type(137, "qt-interval", "ms"),
    Type(138, "qt-interval-corrected", "ms"),
    Type(155, "vascular-age", "a"),
    Type(158, "nerve-health-score", "1", place=5),
    Type(159, "nerve-health-score", "1", place=4),
    Type(167, "nerve-health-score", "1"),
    Type(168, "extracellular-water-mass", "kg"),
    Type(169, "intracellular-water-mass", "kg"),
    Type(170, "visceral-fat-rating", "1"),
    Type(173, "fat-free-mass-segment", "kg", segment=True),
    Type(174, "fat-mass-segment", "kg", segment=True),
    Type(175, "muscle-mass-segment", "kg", segment=True),
    Type(196, "electrodermal-activity", "1"),
    Type(197, "electrodermal-activity", "1", place=5),
    Type(198, "electrodermal-activity", "1", place=4),
    Type(226, "basal-metabolic-rate", "kcal/d"),
    Type(227, "metabolic-age", "a"),
    Type(229, "electrochemical-skin-conductance", "uS"),
)
"""139 (atrial fibrillation by light) stays unread: its classes are not documented."""

TYPE: Mapping[int, Type] = {row.type: row for row in TYPES}


@dataclass(frozen=True, slots=True)
class Attribution:
    """`attrib` of a group: whose reading it is and how it came about."""

    attrib: int
    preliminary: bool = False
    manual: bool = False
    quality: tuple[str, ...] = ()


ATTRIBUTIONS = (
    Attribution(0),  # device, user known
    Attribution(1, preliminary=True, quality=("ambiguous-user",)),
    Attribution(2, manual=True),
    Attribution(4, manual=True),  # typed in when the account was made
    Attribution(5, quality=("best-of-several",)),
    Attribution(7),  # confirmed by the user
    Attribution(8),  # as 0; the same group may come under both
    Attribution(15, quality=("guided-conditions",)),
    Attribution(17, quality=("guided-conditions",)),
)
ATTRIBUTION: Mapping[int, Attribution] = {row.attrib: row for row in ATTRIBUTIONS}
ATTRIBUTION_UNKNOWN = Attribution(-1, preliminary=True, quality=("attribution-unknown",))
"""A code that is not in the table may mean "not this person": doubtful until somebody has looked."""


GROUP_FIELDS = (
    "grpid",
    "attrib",
    "date",
    "created",
    "modified",
    "category",
    "deviceid",
    "hash_deviceid",
    "model",
    "modelid",
    "model_id",
    "timezone",
    "comment",
)
"""What of a group is kept beside its measures in `raw`; whatever else stands there may be about the account."""
