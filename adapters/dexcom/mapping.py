"""What Dexcom's words mean, as rows. https://developer.dexcom.com/docs/dexcomv3"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.reading import Coded

TREND_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/glucose-trend"
UNITS: Mapping[str, str] = {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}

STATUSES: Mapping[str, str | None] = {"ok": None, "unknown": None, "low": "below-range", "high": "above-range"}
"""`status` of a value -> flag of a value that is none: the number beside it is a mark (39, 401)."""

LOWEST, HIGHEST = Decimal(40), Decimal(400)
"""mg/dL that the sensors can show; a number beyond is the same mark, should the status be missing."""


def _trend(code: str, display: str) -> Coded:
    return Coded(system=TREND_SYSTEM, code=code, display=display)


NOT_DETERMINABLE = _trend("not-determinable", "Not determinable")
TRENDS: Mapping[str, Coded | None] = {
    "none": None,
    "unknown": None,
    "doubleUp": _trend("rising-very-fast", "Rising very fast"),
    "singleUp": _trend("rising-fast", "Rising fast"),
    "fortyFiveUp": _trend("rising", "Rising"),
    "flat": _trend("steady", "Steady"),
    "fortyFiveDown": _trend("falling", "Falling"),
    "singleDown": _trend("falling-fast", "Falling fast"),
    "doubleDown": _trend("falling-very-fast", "Falling very fast"),
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
