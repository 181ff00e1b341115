"""Who plays in the demo: one row per patient and, from the twenty-first on, the same rows again.

What a row says does not depend on the seed; names, numbers and times do.
"""

from dataclasses import dataclass
from typing import Literal

ConsentKind = Literal["everyone", "refuses", "expired", "none", "hospital", "elsewhere", "vital-signs", "glucose"]
DeviceKind = Literal["withings-scale", "withings-cuff", "libre-sensor", "ble-cuff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tendency:
    """Where the values of a patient lie: mm[Hg], beats per minute, kg/m2, fasting glucose and its rise by a meal in mg/dL."""

    systolic: int
    diastolic: int
    pulse: int
    body_mass_index: float
    fasting: int
    meal: int


WELL = Tendency(systolic=116, diastolic=73, pulse=63, body_mass_index=23.4, fasting=90, meal=35)
HYPERTENSION = Tendency(systolic=146, diastolic=90, pulse=72, body_mass_index=28.1, fasting=99, meal=45)
HEART_FAILURE = Tendency(systolic=110, diastolic=67, pulse=84, body_mass_index=26.6, fasting=102, meal=45)
DIABETES_1 = Tendency(systolic=122, diastolic=76, pulse=69, body_mass_index=23.9, fasting=128, meal=95)
DIABETES_2 = Tendency(systolic=134, diastolic=83, pulse=75, body_mass_index=31.2, fasting=142, meal=75)


@dataclass(frozen=True, slots=True)
class Role:
    consent: ConsentKind
    tendency: Tendency
    devices: tuple[DeviceKind, ...]


CAST = (
    Role("everyone", HYPERTENSION, ("withings-scale", "withings-cuff")),
    Role("everyone", DIABETES_1, ("libre-sensor",)),
    Role("everyone", HEART_FAILURE, ("withings-scale", "ble-cuff")),
    Role("refuses", HYPERTENSION, ("withings-cuff",)),
    Role("everyone", DIABETES_2, ("libre-sensor", "withings-cuff")),
    Role("hospital", HYPERTENSION, ("ble-cuff",)),
    Role("everyone", WELL, ("withings-scale",)),
    Role("expired", HEART_FAILURE, ("withings-scale", "ble-cuff")),
    Role("everyone", DIABETES_1, ("libre-sensor", "withings-scale")),
    Role("vital-signs", DIABETES_2, ("libre-sensor", "ble-cuff")),
    Role("everyone", HYPERTENSION, ("ble-cuff",)),
    Role("none", HYPERTENSION, ("withings-cuff",)),
    Role("everyone", HEART_FAILURE, ("withings-scale", "withings-cuff")),
    Role("glucose", DIABETES_1, ("libre-sensor", "withings-cuff")),
    Role("everyone", WELL, ("withings-cuff",)),
    Role("everyone", DIABETES_2, ("libre-sensor", "withings-scale", "ble-cuff")),
    Role("elsewhere", HYPERTENSION, ("withings-scale", "withings-cuff")),
    Role("everyone", DIABETES_1, ("libre-sensor",)),
    Role("refuses", DIABETES_2, ("libre-sensor", "withings-scale")),
    Role("everyone", HYPERTENSION, ("withings-scale", "ble-cuff")),
)


def role(number: int) -> Role:
    """The role of the patient with this number, counted from 1."""
    return CAST[(number - 1) % len(CAST)]
