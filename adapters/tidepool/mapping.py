"""What Tidepool's words mean, as rows. https://tidepool.redocly.app/docs/device-data/data-types"""

from collections.abc import Mapping
from datetime import timedelta

from adapters.reading import Coded

DELIVERY_MODE = "http://hds-hub.invalid/fhir/CodeSystem/insulin-delivery-mode"
PUMP_EVENT = "http://hds-hub.invalid/fhir/CodeSystem/insulin-pump-event"
TREND_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/glucose-trend"

UNITS: Mapping[str, str] = {"mg/dl": "mg/dL", "mmol/l": "mmol/L"}
"""Units of glucose in lower case, as sources do not agree on the case -> UCUM code."""

OUT_OF_RANGE = "bg/out-of-range"
RANGE_FLAGS: Mapping[str, str] = {"low": "below-range", "high": "above-range"}
"""`value` of the annotation. https://tidepool.redocly.app/docs/device-data/oor-values"""


def _mode(code: str, display: str) -> Coded:
    return Coded(system=DELIVERY_MODE, code=code, display=display)


SUSPENDED = _mode("suspended", "Suspended")
MODES: Mapping[str, Coded] = {
    "automated": _mode("automated", "Automated"),
    "scheduled": _mode("scheduled", "As programmed"),
    "temp": _mode("temporary", "Temporary, set by the person"),
    "suspend": SUSPENDED,
}
"""`deliveryType` of a basal."""

STATUSES: Mapping[str, Coded] = {"suspended": SUSPENDED, "resumed": _mode("resumed", "Resumed")}
"""`status` of a device event of that sub-type."""

RAISED_TARGET = _mode("automated-raised-target", "Automated, with a raised target")
"""`zen`: a mode of Diabeloop's closed loop, whose feed is in this data model otherwise."""


def _event(code: str, display: str) -> Coded:
    return Coded(system=PUMP_EVENT, code=code, display=display)


RESERVOIR_CHANGE, CLOCK_CHANGE = _event("reservoir-change", "Reservoir changed"), _event("clock-change", "Clock set")
ALARMS: Mapping[str, Coded] = {
    "low_insulin": _event("alarm-low-insulin", "Alarm: little insulin left"),
    "no_insulin": _event("alarm-no-insulin", "Alarm: no insulin left"),
    "low_power": _event("alarm-low-power", "Alarm: battery low"),
    "no_power": _event("alarm-no-power", "Alarm: battery empty"),
    "occlusion": _event("alarm-occlusion", "Alarm: occlusion"),
    "no_delivery": _event("alarm-no-delivery", "Alarm: no delivery"),
    "auto_off": _event("alarm-auto-off", "Alarm: switched itself off"),
    "over_limit": _event("alarm-over-limit", "Alarm: over the limit of delivery"),
    "other": _event("alarm-other", "Alarm: another one"),
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
    word: Coded(system=TREND_SYSTEM, code=code, display=display)
    for word, code, display in (
        ("rapidRise", "rising-very-fast", "Rising very fast"),
        ("moderateRise", "rising-fast", "Rising fast"),
        ("slowRise", "rising", "Rising"),
        ("constant", "steady", "Steady"),
        ("slowFall", "falling", "Falling"),
        ("moderateFall", "falling-fast", "Falling fast"),
        ("rapidFall", "falling-very-fast", "Falling very fast"),
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
