"""What the messages of the FIT profile mean, as rows. https://developer.garmin.com/fit/cookbook/, profile 21."""

from collections.abc import Mapping
from dataclasses import dataclass

FILE_ID, RECORD, DEVICE_INFO, WEIGHT_SCALE, BLOOD_PRESSURE, MONITORING, HRV, MONITORING_INFO = 0, 20, 23, 30, 51, 55, 78, 103
RESPIRATION_RATE, MONITORING_HR, SPO2, DEVELOPER_DATA, FIELD_DESCRIPTION = 297, 211, 269, 207, 206
OF_A_MAKER = 0xFF00
"""mesg_num of the profile, mfg_range_min: from here on a number is a manufacturer's own."""
TIMESTAMP = 253

MANUFACTURER, PRODUCT, SERIAL_NUMBER = 1, 2, 3
"""Fields of file_id."""

CYCLES, ACTIVITY_TYPE, CYCLES_16, TIMESTAMP_16, MONITORING_HEART_RATE = 3, 5, 9, 26, 27
"""Fields of monitoring."""

STEPPING: Mapping[int, str] = {1: "running", 6: "walking"}
"""activity_type whose cycles are steps (the sub-field of the profile); of the others they are turns of a crank or strokes."""

HRV_TIME = 0
"""Field of hrv: intervals in 1/1000 s, several in a message."""

NAME: Mapping[int, str] = {
    RECORD: "record",
    WEIGHT_SCALE: "weight_scale",
    BLOOD_PRESSURE: "blood_pressure",
    MONITORING: "monitoring",
    MONITORING_HR: "monitoring_hr_data",
    SPO2: "spo2_data",
    RESPIRATION_RATE: "respiration_rate",
}
"""Of the messages with readings, as the profile calls them: part of a reading's identity."""

USER_INDEX = {WEIGHT_SCALE: 12, BLOOD_PRESSURE: 9}
"""message -> field that says whose profile it is."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: measure and unit; the value is the number on the wire times `multiply` times 10^exponent."""

    message: int
    number: int
    measure: str
    unit: str
    exponent: int = 0
    multiply: int = 1
    component: str | None = None


FIELDS = (
    Field(WEIGHT_SCALE, 0, "body-weight", "kg", -2),
    Field(WEIGHT_SCALE, 1, "body-fat-percentage", "%", -2),
    Field(WEIGHT_SCALE, 2, "body-water-percentage", "%", -2),
    Field(WEIGHT_SCALE, 3, "visceral-fat-mass", "kg", -2),
    Field(WEIGHT_SCALE, 4, "bone-mass", "kg", -2),
    Field(WEIGHT_SCALE, 5, "muscle-mass", "kg", -2),
    Field(WEIGHT_SCALE, 7, "basal-metabolic-rate", "kcal/d", -2, 25),  # a scale of 4 is 0.25
    Field(WEIGHT_SCALE, 10, "metabolic-age", "a"),
    Field(WEIGHT_SCALE, 11, "visceral-fat-rating", "1"),
    Field(WEIGHT_SCALE, 13, "body-mass-index", "kg/m2", -1),
    Field(BLOOD_PRESSURE, 0, "blood-pressure", "mm[Hg]", component="systolic"),
    Field(BLOOD_PRESSURE, 1, "blood-pressure", "mm[Hg]", component="diastolic"),
    Field(BLOOD_PRESSURE, 2, "blood-pressure", "mm[Hg]", component="mean"),
    Field(BLOOD_PRESSURE, 6, "heart-rate", "/min"),
    Field(RECORD, 3, "heart-rate", "/min"),
    Field(MONITORING, MONITORING_HEART_RATE, "heart-rate", "/min"),
    Field(MONITORING_HR, 0, "heart-rate-resting", "/min"),
    Field(SPO2, 0, "oxygen-saturation", "%"),
    Field(RESPIRATION_RATE, 0, "respiratory-rate", "/min", -2),
)
"""physique_rating, active_met and the means over several mornings have no measure here; temperatures are those of the air."""

FIELD: Mapping[int, tuple[Field, ...]] = {
    message: tuple(row for row in FIELDS if row.message == message) for message in {row.message for row in FIELDS}
}
MEASURES = tuple(sorted({*(row.measure for row in FIELDS), "steps", "rr-interval"}))

READ = frozenset({*FIELD, MONITORING, HRV, FILE_ID, MONITORING_INFO, DEVICE_INFO, DEVELOPER_DATA, FIELD_DESCRIPTION})
"""Messages that are looked at; of any other kind the first is reported and none is kept."""

WEIGHT_CALCULATING = 0xFFFE
BLOOD_PRESSURE_STATUS, HEART_RATE_TYPE = 8, 7
STATUS_FAILED = {1, 2, 3}
"""bp_status: incomplete data, no measurement, out of range; 4 is an irregular heart rate."""

STATUS_IRREGULAR, TYPE_IRREGULAR = 4, 1
