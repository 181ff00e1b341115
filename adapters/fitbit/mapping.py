"""What Fitbit's answers mean, as rows. https://dev.fitbit.com/build/reference/web-api/"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.reading import Coded

HEART_DAYS, RESTING, RESTING_MEASURE = "activities-heart", "restingHeartRate", "heart-rate-resting"
SLEEP_STAGE = "sleep-stage"
_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/sleep-stage"


@dataclass(frozen=True, slots=True)
class Series:
    """A series over days and, within one day, over minutes or seconds.

    daily   the value of a day is a reading of its own; otherwise it is a mean and none
    lasts   the value is of the whole interval (steps), not of its beginning (a rate)
    """

    name: str
    measure: str
    unit: str
    daily: bool
    lasts: bool

    @property
    def intraday(self) -> str:
        return f"{self.name}-intraday"


SERIES = (
    Series(HEART_DAYS, "heart-rate", "/min", daily=False, lasts=False),
    Series("activities-steps", "steps", "{steps}", daily=True, lasts=True),
)

INTERVAL_S: Mapping[str, int] = MappingProxyType({"second": 1, "minute": 60, "hour": 3600})


@dataclass(frozen=True, slots=True)
class Logged:
    """A field of a weight log. `unit` is None where it depends on a header of the question that the answer does not repeat."""

    name: str
    measure: str
    unit: str | None


WEIGHT = "weight"
WEIGHT_FIELDS = (
    Logged("weight", "body-weight", None),
    Logged("bmi", "body-mass-index", "kg/m2"),
    Logged("fat", "body-fat-percentage", "%"),
)
WEIGHT_HEAD = ("logId", "date", "time", "source")
TYPED_IN = frozenset({"Web", "web"})
"""`source` of a weight that was entered in the browser."""

SLEEP = "sleep"
SLEEP_HEAD = ("logId", "logType", "type")
SLEEP_LISTS = ("data", "shortData")


def _stage(code: str, display: str) -> Coded:
    return Coded(system=_SYSTEM, code=code, display=display)


LEVEL: Mapping[str, Coded] = MappingProxyType(
    {
        "wake": _stage("awake", "Awake"),
        "awake": _stage("awake", "Awake"),
        "asleep": _stage("asleep", "Asleep, stage not told apart"),
        "light": _stage("light", "Light sleep"),
        "deep": _stage("deep", "Deep sleep"),
        "rem": _stage("rem", "REM sleep"),
    }
)
"""Levels of both kinds of log, classic and stages; `restless` is neither asleep nor awake and has no code."""

MEASURES = tuple(
    sorted({row.measure for row in SERIES} | {row.measure for row in WEIGHT_FIELDS if row.unit} | {RESTING_MEASURE, SLEEP_STAGE})
)
LISTS = (*(row.name for row in SERIES), WEIGHT, SLEEP)
