"""Which vital sign is it? R4 asks its profile of each, whether or not it is claimed.

https://hl7.org/fhir/R4/observation-vitalsigns.html: an Observation of the category vital-signs with one of these codes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
LOINC: Final = "http://loinc.org"
CATEGORY: Final = ("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")

PROFILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "85353-1": f"{BASE}vitalspanel",
        "9279-1": f"{BASE}resprate",
        "8867-4": f"{BASE}heartrate",
        "2708-6": f"{BASE}oxygensat",
        "8310-5": f"{BASE}bodytemp",
        "8302-2": f"{BASE}bodyheight",
        "9843-4": f"{BASE}headcircum",
        "29463-7": f"{BASE}bodyweight",
        "39156-5": f"{BASE}bmi",
        "85354-9": f"{BASE}bp",
    }
)
"""The "magic" LOINC codes."""


def vital_sign(resource: Mapping[str, Any]) -> str | None:
    """The profile that R4 asks of this resource."""
    if resource["resourceType"] != "Observation" or not _is_vital_sign(resource):
        return None
    for coding in resource["code"].get("coding", ()):
        if coding.get("system") == LOINC and coding.get("code") in PROFILES:
            return PROFILES[coding["code"]]
    return None


def _is_vital_sign(observation: Mapping[str, Any]) -> bool:
    return any(
        (coding.get("system"), coding.get("code")) == CATEGORY
        for category in observation.get("category", ())
        for coding in category.get("coding", ())
    )
