"""What Dexcom's words mean, as rows. https://developer.dexcom.com/docs/dexcomv3"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.diabetes_codes import TREND
from adapters.reading import Coded

UNITS: Mapping[str, str] = {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}

STATUSES: Mapping[str, str | None] = {"ok": None, "unknown": None, "low": "below-range", "high": "above-range"}
"""`status` of a value -> flag of a value that is none: the number beside it is a mark (39, 401)."""

LOWEST, HIGHEST = Decimal(40), Decimal(400)
"""mg/dL that the sensors can show; a number beyond is the same mark, should the status be missing."""


NOT_DETERMINABLE = TREND["not-determinable"]
TRENDS: Mapping[str, Coded | None] = {
    "none": None,
    "unknown": None,
    "doubleUp": TREND["rising-very-fast"],
    "singleUp": TREND["rising-fast"],
    "fortyFiveUp": TREND["rising"],
    "flat": TREND["steady"],
    "fortyFiveDown": TREND["falling"],
    "singleDown": TREND["falling-fast"],
    "doubleDown": TREND["falling-very-fast"],
    "notComputable": NOT_DETERMINABLE,
    "rateOutOfRange": NOT_DETERMINABLE,
}


@dataclass(frozen=True, slots=True)
class Event:
    """`eventType` and `eventSubType` of what a person entered: measure, the unit it comes in and its UCUM code."""

    type: str
    sub_type: str | None
    measure: str
    unit: str
    ucum: str


EVENTS = (
    Event("insulin", "fastActing", "insulin-rapid", "units", "[iU]"),
    Event("insulin", "longActing", "insulin-long", "units", "[iU]"),
    Event("insulin", None, "insulin-bolus", "units", "[iU]"),
    Event("carbs", None, "carbohydrate-intake", "grams", "g"),
    Event("bloodGlucose", None, "glucose-capillary", "mg/dL", "mg/dL"),
    Event("bloodGlucose", None, "glucose-capillary", "mmol/L", "mmol/L"),
)

WORDS = frozenset(
    {
        "recordId",
        "systemTime",
        "displayTime",
        "transmitterId",
        "transmitterGeneration",
        "displayDevice",
        "displayApp",
        "unit",
        "rateUnit",
        "status",
        "trend",
        "eventType",
        "eventSubType",
        "eventStatus",
    }
)
"""Names under which texts are kept; a text in `value` is a note."""
