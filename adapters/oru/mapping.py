"""LOINC codes of plain result messages -> measures, as rows. Only what means one measure: 2339-0 is no capillary glucose here."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`component`: the part of a measure that consists of several."""

    loinc: str
    measure: str
    component: str | None = None


ROWS = (
    Row("8480-6", "blood-pressure", "systolic"),
    Row("8462-4", "blood-pressure", "diastolic"),
    Row("8478-0", "blood-pressure", "mean"),
    Row("8867-4", "heart-rate"),
    Row("8310-5", "body-temperature"),
    Row("61008-9", "skin-temperature"),
    Row("2708-6", "oxygen-saturation"),
    Row("59408-5", "oxygen-saturation"),
    Row("9279-1", "respiratory-rate"),
    Row("29463-7", "body-weight"),
    Row("8302-2", "body-height"),
    Row("39156-5", "body-mass-index"),
    Row("41982-0", "body-fat-percentage"),
    Row("99504-3", "glucose-interstitial"),
    Row("105272-9", "glucose-interstitial"),
    Row("53061-8", "ketone-blood"),
    Row("77196-4", "pulse-wave-velocity"),
    Row("55423-8", "steps"),
)
BY_LOINC: Mapping[str, Row] = {row.loinc: row for row in ROWS}
MEASURES = tuple(sorted({row.measure for row in ROWS}))
MESSAGE_TYPE = ("ORU", "R01")
NUMERIC_TYPES = frozenset({"NM", "SN"})
LOINC_NAMES = frozenset({"LN", "LOINC"})
