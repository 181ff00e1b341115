"""What LibreLinkUp's numbers mean, as rows. The vendor publishes no description; they are those that followers' apps show."""

from collections.abc import Mapping
from decimal import Decimal

from adapters.diabetes_codes import TREND
from adapters.reading import Coded

TRENDS: Mapping[int, Coded] = {
    0: TREND["not-determinable"],
    1: TREND["falling-fast"],
    2: TREND["falling"],
    3: TREND["steady"],
    4: TREND["rising"],
    5: TREND["rising-fast"],
}
"""`TrendArrow`: the sensor's five arrows."""

TYPES: Mapping[int, tuple[str, ...]] = {0: (), 1: ("scan",), 2: (), 3: ()}
"""`type` of a point -> flags: 0 of the graph, 1 current (read out when the follower looked), 2 and 3 of the logbook."""

UNITS: Mapping[int, str] = {0: "mmol/L", 1: "mg/dL"}
"""`GlucoseUnits`, in which `Value` is; `ValueInMgPerDl` says its unit itself."""

LOWEST, HIGHEST = Decimal(40), Decimal(500)
"""mg/dL that the sensor writes for everything beyond."""

POINT_WORDS = frozenset({"FactoryTimestamp", "Timestamp"})
SENSOR_WORDS = frozenset({"sn"})
CURRENT = ("glucoseMeasurement", "glucoseItem")
"""Where the current value stands: the same twice."""
