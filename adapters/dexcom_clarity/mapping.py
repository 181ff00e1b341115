"""What Clarity's columns and events mean, as rows. The vendor publishes no description; names are those of exports in English."""

from collections.abc import Mapping
from dataclasses import dataclass

COLUMNS: Mapping[str, str] = {
    "timestamp (yyyy-mm-ddthh:mm:ss)": "timestamp",
    "event type": "type",
    "event subtype": "sub-type",
    "patient info": "patient",
    "device info": "device-info",
    "glucose value (mg/dl)": "glucose mg/dL",
    "glucose value (mmol/l)": "glucose mmol/L",
    "insulin value (u)": "insulin",
    "carb value (grams)": "carbohydrates",
    "transmitter id": "transmitter",
}
"""Name of a column in lower case -> what it is here."""
REQUIRED = frozenset({"timestamp", "type"})
PERSONAL = ("patient", "device-info")
"""Columns that are emptied before anything of a row is kept; a phone may be called after its owner."""

GLUCOSE: Mapping[str, str] = {"glucose mg/dL": "mg/dL", "glucose mmol/L": "mmol/L"}
"""Column of glucose -> UCUM code; a file has one of the two."""

PREAMBLE = frozenset({"firstname", "lastname", "dateofbirth", "patientid", "device", "alert"})
"""Rows without a time above the data: whose file it is, and how alerts are set."""


@dataclass(frozen=True, slots=True)
class Event:
    """`Event Type` and `Event Subtype`: measure, and column and unit of its value (None: the column of glucose)."""

    type: str
    sub_type: str
    measure: str
    column: str | None = None
    unit: str | None = None
    manual: bool = False
    quality: tuple[str, ...] = ()


EVENTS = (
    Event("EGV", "", "glucose-interstitial"),
    Event("Calibration", "", "glucose-capillary", manual=True, quality=("calibration-entry",)),
    Event("Insulin", "Fast-Acting", "insulin-rapid", "insulin", "[iU]", manual=True),
    Event("Insulin", "Long-Acting", "insulin-long", "insulin", "[iU]", manual=True),
    Event("Carbs", "", "carbohydrate-intake", "carbohydrates", "g", manual=True),
)
EVENT: Mapping[tuple[str, str], Event] = {(row.type.lower(), row.sub_type.lower()): row for row in EVENTS}

OUT_OF_RANGE: Mapping[str, str] = {"low": "below-range", "high": "above-range"}
