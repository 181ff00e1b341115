"""What Withings' sleep data mean, as rows. https://developer.withings.com/api-reference#tag/sleep"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.reading import Coded

SLEEP_STAGE = "http://hds-hub.invalid/fhir/CodeSystem/sleep-stage"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a summary's `data` or of an intraday series: measure, unit, and whether it is the maker's wellness figure."""

    name: str
    measure: str
    unit: str


SUMMARY = (
    Field("total_sleep_time", "sleep-duration", "s"),
    Field("asleepduration", "sleep-duration", "s"),
    Field("total_timeinbed", "time-in-bed", "s"),
    Field("lightsleepduration", "sleep-duration-light", "s"),
    Field("deepsleepduration", "sleep-duration-deep", "s"),
    Field("remsleepduration", "sleep-duration-rem", "s"),
    Field("wakeupduration", "awake-duration", "s"),
    Field("waso", "wake-after-sleep-onset", "s"),
    Field("sleep_latency", "sleep-latency", "s"),
    Field("durationtosleep", "sleep-latency", "s"),
    Field("wakeup_latency", "wake-up-latency", "s"),
    Field("durationtowakeup", "wake-up-latency", "s"),
    Field("sleep_efficiency", "sleep-efficiency", "1"),
    Field("wakeupcount", "wake-up-count", "1"),
    Field("out_of_bed_count", "out-of-bed-count", "1"),
    Field("nb_rem_episodes", "rem-episode-count", "1"),
    Field("sleep_score", "sleep-score", "1"),
    Field("hr_average", "sleep-heart-rate-average", "/min"),
    Field("hr_min", "sleep-heart-rate-minimum", "/min"),
    Field("hr_max", "sleep-heart-rate-maximum", "/min"),
    Field("rr_average", "sleep-respiratory-rate-average", "/min"),
    Field("rr_min", "sleep-respiratory-rate-minimum", "/min"),
    Field("rr_max", "sleep-respiratory-rate-maximum", "/min"),
    Field("apnea_hypopnea_index", "sleep-apnea-hypopnea-index", "/h"),
    Field("breathing_disturbances_intensity", "breathing-disturbance-intensity", "1"),
    Field("snoring", "snoring-duration", "s"),
    Field("snoringepisodecount", "snoring-episode-count", "1"),
)
"""Of `durationtosleep` and `sleep_latency`, and the like, one is the old name of the other: both give the same measure."""

SERIES = (
    Field("hr", "heart-rate", "/min"),
    Field("rr", "respiratory-rate", "/min"),
    Field("sdnn_1", "heart-rate-variability-sdnn", "ms"),
    Field("rmssd", "heart-rate-variability-rmssd", "ms"),
)
"""Values by the epoch second they were taken at."""

STAGE: Mapping[int, Coded] = {
    0: Coded(system=SLEEP_STAGE, code="awake", display="Awake"),
    1: Coded(system=SLEEP_STAGE, code="light", display="Light sleep"),
    2: Coded(system=SLEEP_STAGE, code="deep", display="Deep sleep"),
    3: Coded(system=SLEEP_STAGE, code="rem", display="REM sleep"),
    5: Coded(system=SLEEP_STAGE, code="asleep", display="Asleep, stage not told apart"),
    15: Coded(system=SLEEP_STAGE, code="out-of-bed", display="Out of bed"),
}
STATE_MANUAL = 4
"""Typed in: asleep, and no device vouches for it."""

NOT_READ = frozenset({"night_events", "core_body_temperature_status"})
"""Lists and words beside the numbers: reported as fields that are not read."""

HEAD_FIELDS = (
    "id",
    "timezone",
    "model",
    "model_id",
    "startdate",
    "enddate",
    "date",
    "created",
    "modified",
    "hash_deviceid",
    "deviceid",
    "completed",
)
STATE_FIELDS = ("id", "startdate", "enddate", "modified", "state", "model", "model_id", "hash_deviceid", "deviceid")
MEASURES = tuple(sorted({*(row.measure for row in (*SUMMARY, *SERIES)), "sleep-stage"}))
