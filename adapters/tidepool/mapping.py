"""What Tidepool's words mean, as rows. https://tidepool.redocly.app/docs/device-data/data-types"""

from collections.abc import Mapping
from datetime import timedelta

from adapters.diabetes_codes import EVENT, MODE, TREND
from adapters.reading import Coded

UNITS: Mapping[str, str] = {"mg/dl": "mg/dL", "mmol/l": "mmol/L"}
"""Units of glucose in lower case, as sources do not agree on the case -> UCUM code."""

OUT_OF_RANGE = "bg/out-of-range"
RANGE_FLAGS: Mapping[str, str] = {"low": "below-range", "high": "above-range"}
"""`value` of the annotation. https://tidepool.redocly.app/docs/device-data/oor-values"""


SUSPENDED = MODE["suspended"]
MODES: Mapping[str, Coded] = {
    "automated": MODE["automated"],
    "scheduled": MODE["scheduled"],
    "temp": MODE["temporary"],
    "suspend": SUSPENDED,
}
"""`deliveryType` of a basal."""

STATUSES: Mapping[str, Coded] = {"suspended": SUSPENDED, "resumed": MODE["resumed"]}
"""`status` of a device event of that sub-type."""

RAISED_TARGET = MODE["automated-raised-target"]
"""`zen`: a mode of Diabeloop's closed loop, whose feed is in this data model otherwise."""


RESERVOIR_CHANGE, CLOCK_CHANGE = EVENT["reservoir-change"], EVENT["clock-change"]
ALARMS: Mapping[str, Coded] = {
    "low_insulin": EVENT["alarm-low-insulin"],
    "no_insulin": EVENT["alarm-no-insulin"],
    "low_power": EVENT["alarm-low-power"],
    "no_power": EVENT["alarm-no-power"],
    "occlusion": EVENT["alarm-occlusion"],
    "no_delivery": EVENT["alarm-no-delivery"],
    "auto_off": EVENT["alarm-auto-off"],
    "over_limit": EVENT["alarm-over-limit"],
    "other": EVENT["alarm-other"],
}
"""`alarmType`. https://tidepool.redocly.app/docs/device-data/data-types/device-event/alarm"""

PRIMING: Mapping[str, str] = {"tubing": "insulin-priming-tubing", "cannula": "insulin-priming-cannula"}
"""`primeTarget` -> measure."""

ACTING: Mapping[str, str] = {
    "rapid": "insulin-rapid",
    "short": "insulin-rapid",
    "intermediate": "insulin-intermediate",
    "long": "insulin-long",
}
"""`actingType` of a simple formulation -> measure; ATC has one group for rapid and short."""
ACTING_UNKNOWN = "insulin-bolus"

TRENDS: Mapping[str, Coded] = {
    word: TREND[code]
    for word, code in (
        ("rapidRise", "rising-very-fast"),
        ("moderateRise", "rising-fast"),
        ("slowRise", "rising"),
        ("constant", "steady"),
        ("slowFall", "falling"),
        ("moderateFall", "falling-fast"),
        ("rapidFall", "falling-very-fast"),
    )
}

DURATION_UNITS: Mapping[str, timedelta] = {
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
    "seconds": timedelta(seconds=1),
    "milliseconds": timedelta(milliseconds=1),
}
DURATION_MAX = timedelta(days=31)
"""Of one basal or one suspension. A longer one is damage."""

NOT_MEASURED = frozenset(
    {
        "upload",
        "pumpSettings",
        "cgmSettings",
        "controllerSettings",
        "controllerStatus",
        "pumpStatus",
        "deviceStatus",
        "dosingDecision",
        "alert",
    }
)
"""Types that describe devices, settings and uploads."""

MEASURES = (
    "carbohydrate-intake",
    "glucose-capillary",
    "glucose-interstitial",
    "insulin-basal",
    "insulin-bolus",
    "insulin-delivery-mode",
    "insulin-intermediate",
    "insulin-long",
    "insulin-priming-cannula",
    "insulin-priming-tubing",
    "insulin-pump-event",
    "insulin-rapid",
    "ketone-blood",
)

WORDS = frozenset(
    {
        "type",
        "subType",
        "deliveryType",
        "deviceId",
        "time",
        "deviceTime",
        "timezone",
        "modifiedTime",
        "units",
        "carbUnits",
        "code",
        "status",
        "alarmType",
        "primeTarget",
        "actingType",
        "trend",
        "from",
        "to",
    }
)
"""Names under which texts are kept; `value` as a text has one place, an annotation, and is added there."""
