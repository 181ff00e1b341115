"""What the schemas of Open mHealth mean, as rows. https://www.openmhealth.org/documentation/#/schema-docs/schema-library"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.reading import Coded

SNOMED_CT = "http://snomed.info/sct"
GLUCOSE, ENERGY = "blood_glucose", "kcal_burned"

_MASS = {"kg": "kg", "g": "g", "lb": "[lb_av]"}
_LENGTH = {"cm": "cm", "m": "m", "mm": "mm", "in": "[in_i]", "ft": "[ft_i]"}
_TEMPERATURE = {"C": "Cel", "F": "[degF]", "K": "K"}


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a body by its name: catalogue key, units as the schemas write them, component of a pressure.

    bare  the UCUM unit where early versions of the schema have a number alone
    """

    name: str
    measure: str
    units: Mapping[str, str]
    component: str | None = None
    bare: str | None = None


FIELDS = (
    Field("systolic_blood_pressure", "blood-pressure", {"mmHg": "mm[Hg]"}, "systolic"),
    Field("diastolic_blood_pressure", "blood-pressure", {"mmHg": "mm[Hg]"}, "diastolic"),
    Field("heart_rate", "heart-rate", {"beats/min": "/min"}),
    Field("body_weight", "body-weight", _MASS),
    Field("body_height", "body-height", _LENGTH),
    Field("body_mass_index", "body-mass-index", {"kg/m2": "kg/m2", "kg/m^2": "kg/m2"}),
    Field("body_fat_percentage", "body-fat-percentage", {"%": "%"}),
    Field("body_temperature", "body-temperature", _TEMPERATURE),
    Field(GLUCOSE, "glucose-blood", {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}),
    Field("oxygen_saturation", "oxygen-saturation", {"%": "%"}),
    Field("respiratory_rate", "respiratory-rate", {"breaths/min": "/min"}),
    Field("step_count", "steps", {"steps": "{steps}"}, bare="{steps}"),
)
FIELD: Mapping[str, Field] = MappingProxyType({row.name: row for row in FIELDS})

SPECIMEN: Mapping[str, str] = MappingProxyType(
    {
        "interstitial fluid": "glucose-interstitial",
        "capillary blood": "glucose-capillary",
        "whole blood": "glucose-blood",
    }
)
"""`specimen_source` of a glucose; plasma, serum and tears have no measure here."""
MEASURES = tuple(sorted({row.measure for row in FIELDS} | set(SPECIMEN.values())))

STATISTICS = ("descriptive_statistic", "descriptive_statistic_denominator", "numeric_descriptor")
"""Where one of these stands, the value is a mean, a maximum, a count over a period: no reading."""

SELF_REPORTED = frozenset({"self-reported", "self_reported"})


def _coded(code: str, display: str) -> Coded:
    return Coded(system=SNOMED_CT, code=code, display=display)


POSTURE: Mapping[str, Coded] = MappingProxyType(
    {
        "sitting": _coded("33586001", "Sitting position"),
        "standing": _coded("10904000", "Orthostatic body position"),
        "lying down": _coded("102538003", "Recumbent body position"),
    }
)
"""`body_posture`; semi-recumbent has no code here and stays in the kept bytes."""

LOCATION: Mapping[str, Coded] = MappingProxyType(
    {
        "left wrist": _coded("5951000", "Structure of left wrist region"),
        "right wrist": _coded("9736006", "Structure of right wrist region"),
        "left upper arm": _coded("368208006", "Left upper arm structure"),
        "right upper arm": _coded("368209003", "Right upper arm structure"),
    }
)
"""`measurement_location`; other places stay in the kept bytes."""

HEADER_FIELDS = ("uuid", "id", "source_creation_date_time", "creation_date_time", "modality")
SCHEMA_FIELDS = ("namespace", "name", "version")
PROVENANCE_FIELDS = ("source_creation_date_time", "modality")
BODY_WORDS = (
    *STATISTICS,
    "specimen_source",
    "body_posture",
    "measurement_location",
    "temporal_relationship_to_meal",
    "temporal_relationship_to_sleep",
    "temporal_relationship_to_physical_activity",
)
"""What is kept beside values and time; notes are free text, and the header's user is a person."""
