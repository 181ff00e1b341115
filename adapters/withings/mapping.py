"""What Withings' numbers mean, as rows. https://developer.withings.com/api-reference#tag/measure/operation/measure-getmeas"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.reading import Coded

SNOMED_CT = "http://snomed.info/sct"
CATEGORY_MEASURED, CATEGORY_USER_GOAL = 1, 2
BLOOD_PRESSURE = "blood-pressure"


@dataclass(frozen=True, slots=True)
class Type:
    """`type` of a measure: catalogue key and UCUM unit; `component` where several types make up one reading."""

    type: int
    measure: str
    unit: str
    component: str | None = None


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
)
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


def _body_site(code: str, display: str) -> Mapping[str, Coded]:
    return {"body-site": Coded(system=SNOMED_CT, code=code, display=display)}


POSITION: Mapping[int, Mapping[str, Coded]] = {
    0: _body_site("9736006", "Structure of right wrist region"),
    1: _body_site("5951000", "Structure of left wrist region"),
    2: _body_site("6921000", "Structure of right upper limb"),
    3: _body_site("80768000", "Structure of left upper limb"),
    4: _body_site("7769000", "Structure of right foot"),
    5: _body_site("22335008", "Structure of left foot"),
    7: _body_site("38266002", "Entire body as a whole"),
    10: _body_site("32153003", "Structure of left lower limb"),
    11: _body_site("62175007", "Structure of right lower limb"),
    12: _body_site("22943007", "Trunk structure"),
    13: _body_site("85151006", "Structure of left hand"),
    14: _body_site("78791008", "Structure of right hand"),
}
"""`position` as SNOMED CT body structure. Between the legs (6) and the halves of the body (8, 9) have no code here."""

STATUS_HINT: Mapping[int, str] = {
    100: "The access token lacks a permission or has expired: refresh it and ask again.",
    401: "The access token is missing, wrong or expired: refresh it and ask again.",
    503: "Withings refused the parameters of the request.",
    601: "Too many requests: wait and ask again.",
}
"""`status` other than 0. https://developer.withings.com/api-reference#section/Response-status"""

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
