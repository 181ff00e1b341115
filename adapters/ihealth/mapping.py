"""What the lists of iHealth's answers mean, as rows.

http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBP.htm and its neighbours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_MASS = {0: "kg", 1: "[lb_av]", 2: "[stone_av]"}
NO_UNIT = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A number of a record: catalogue key, UCUM unit (or `unit_of` in the list's own unit), component of a pressure.

    zero_is_absent  the field is always there, and 0 says that it was not measured
    """

    name: str
    measure: str
    unit: str = NO_UNIT
    component: str | None = None
    zero_is_absent: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """A list of records and the field beside it that holds the unit of its values, by iHealth's number for it.

    daily  the values are of the whole local day, and the time is that of the last synchronisation
    """

    name: str
    fields: tuple[Field, ...]
    unit_name: str = ""
    units: Mapping[int, str] | None = None
    daily: bool = False


LISTS = (
    List(
        "BPDataList",
        (
            Field("HP", "blood-pressure", component="systolic"),
            Field("LP", "blood-pressure", component="diastolic"),
            Field("HR", "heart-rate", "/min", zero_is_absent=True),
        ),
        "BPUnit",
        {0: "mm[Hg]", 1: "kPa"},
    ),
    List("BGDataList", (Field("BG", "glucose-capillary"),), "BGUnit", {0: "mg/dL", 1: "mmol/L"}),
    List(
        "WeightDataList",
        (
            Field("WeightValue", "body-weight"),
            Field("BMI", "body-mass-index", "kg/m2", zero_is_absent=True),
            Field("FatValue", "body-fat-percentage", "%", zero_is_absent=True),
        ),
        "WeightUnit",
        _MASS,
    ),
    List("BODataList", (Field("BO", "oxygen-saturation", "%"), Field("HR", "heart-rate-oximeter", "/min", zero_is_absent=True))),
    List("ARDataList", (Field("Steps", "steps", "{steps}"),), daily=True),
)
MEASURES = tuple(sorted({field.measure for row in LISTS for field in row.fields}))

MANUAL = "Manual"
IRREGULAR = 2
"""`IsArr`: 1 a normal pulse, 2 an arrhythmia, 3 unknown, -1 nothing stored; other numbers are not documented.
http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBloodPressure.htm"""

RECORD_FIELDS = ("DataID", "DataSource", "LastChangeTime", "MDate", "TimeZone", "IsArr")
"""What of a record is kept beside its values: neither the note, which is free text, nor where the person was."""
