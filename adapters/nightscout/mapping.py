"""What Nightscout's words mean, as rows. https://github.com/nightscout/cgm-remote-monitor (API documentation in its `lib/api3/doc`)"""

from collections.abc import Mapping

from adapters.diabetes_codes import EVENT, MODE, TREND
from adapters.reading import Coded

NOT_DETERMINABLE = TREND["not-determinable"]
FASTEST_UP, FASTEST_DOWN = TREND["rising-very-fast"], TREND["falling-very-fast"]
TRENDS: Mapping[str, Coded | None] = {
    "none": None,
    "tripleup": FASTEST_UP,
    "doubleup": FASTEST_UP,
    "singleup": TREND["rising-fast"],
    "fortyfiveup": TREND["rising"],
    "flat": TREND["steady"],
    "fortyfivedown": TREND["falling"],
    "singledown": TREND["falling-fast"],
    "doubledown": FASTEST_DOWN,
    "tripledown": FASTEST_DOWN,
    "notcomputable": NOT_DETERMINABLE,
    "rateoutofrange": NOT_DETERMINABLE,
}
"""`direction` in lower case without blanks: uploaders write NOT COMPUTABLE and NotComputable."""

ERROR_CODE_MAX = 12
"""`sgv` up to here is an error code of a sensor, not a glucose."""
BELOW_RANGE_MAX = 39
"""Beyond the codes and up to here it says "low": the site shows LOW for everything below 40."""
ABOVE_RANGE_MARK = 401
"""Dexcom's mark for "high"; other sensors can mean it, so the number stays and is flagged."""
NOISY_MIN = 3
"""`noise` from here on is medium or heavy."""

UNITS: Mapping[str, str] = {"mg/dl": "mg/dL", "mmol": "mmol/L", "mmol/l": "mmol/L"}
GLUCOSE_TYPES: Mapping[str, str] = {"finger": "glucose-capillary", "sensor": "glucose-interstitial"}
"""`glucoseType` of a treatment -> measure."""

MODES: Mapping[str, Coded] = {
    "Suspend Pump": MODE["suspended"],
    "Resume Pump": MODE["resumed"],
}
AUTOMATED = MODE["automated"]
EVENTS: Mapping[str, Coded] = {"Insulin Change": EVENT["reservoir-change"]}
"""`eventType` -> what it says by itself."""

MEASURES = (
    "carbohydrate-intake",
    "glucose-capillary",
    "glucose-interstitial",
    "insulin-basal",
    "insulin-bolus",
    "insulin-delivery-mode",
    "insulin-pump-event",
)

WORDS = frozenset(
    {
        "type",
        "direction",
        "dateString",
        "sysTime",
        "created_at",
        "timestamp",
        "eventType",
        "units",
        "glucoseType",
        "temp",
    }
)
"""Names under which texts are kept: not who entered it, what app, nor any note."""
