"""What CareLink's columns mean, as rows. The vendor publishes no description; names are those of exports in English."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.diabetes_codes import EVENT, MODE

DATE, TIME = "date", "time"
REQUIRED = frozenset({DATE, TIME})
PERSONAL = frozenset({"event marker", "preset bolus", "preset temp basal name"})
"""Columns that hold what a person wrote; they are emptied before anything of a row is kept."""

SECTION_MARK = "-------"
"""First and last cell of the line that opens a section: mark, product, kind of device, serial number, mark."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A column with a number: its measure, UCUM unit and what is known of such a value.

    kind  what tells it from another of its measure in the same row
    """

    column: str
    measure: str
    unit: str
    kind: str
    manual: bool = False
    quality: tuple[str, ...] = ()


BOLUS, SELECTED, SOURCE = "bolus volume delivered (u)", "bolus volume selected (u)", "bolus source"
CARBOHYDRATES = "bwz carb input (grams)"


def _glucose(unit: str) -> tuple[Amount, ...]:
    name = unit.lower()
    return (
        Amount(f"sensor glucose ({name})", "glucose-interstitial", unit, "sensor"),
        Amount(f"bg reading ({name})", "glucose-capillary", unit, "meter"),
        Amount(f"sensor calibration bg ({name})", "glucose-capillary", unit, "calibration", manual=True, quality=("calibration-entry",)),
    )


AMOUNTS = (
    *_glucose("mg/dL"),
    *_glucose("mmol/L"),
    Amount("basal rate (u/h)", "insulin-basal", "[iU]/h", "basal"),
    Amount(BOLUS, "insulin-bolus", "[iU]", "bolus"),
    Amount(CARBOHYDRATES, "carbohydrate-intake", "g", "calculator", manual=True),
)

ALARM, SUSPEND, REWIND = "alarm", "suspend", "rewind"
OTHER_ALARM = EVENT["alarm-other"]
RESERVOIR_CHANGE = EVENT["reservoir-change"]
SUSPENDED = MODE["suspended"]
RESUMED = MODE["resumed"]
NORMAL = "NORMAL_PUMPING"
"""In the column Suspend; every other word there names a kind of suspension and has SUSPEND in it."""

AUTOMATED_SOURCES = frozenset({"CLOSED_LOOP_AUTO_BASAL", "CLOSED_LOOP_MICRO_BOLUS"})
"""`Bolus Source` of what the loop decides by itself."""

MEASURES = tuple(sorted({*(row.measure for row in AMOUNTS), "insulin-delivery-mode", "insulin-pump-event"}))
COLUMNS: Mapping[str, Amount] = {row.column: row for row in AMOUNTS}
READ = frozenset({*COLUMNS, DATE, TIME, SELECTED, SOURCE, ALARM, SUSPEND, REWIND}) | PERSONAL
