"""Constraints of R4 that no cardinality and no type expresses, for the types the hub takes in and what they consist of.

Each row is one constraint of the specification, under its own key; https://hl7.org/fhir/R4/conformance-rules.html#constraints.
They are asked only of an element whose own structure has been found right.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.canonical import UCUM
from fhir_profiles.definitions import RESOURCE_TYPES
from fhir_profiles.primitives import ID_PATTERN
from fhir_profiles.ucum import is_valid

Element = Mapping[str, Any]

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_INSTANCE: Final = re.compile(rf"https?://\S+/([A-Z][A-Za-z]+)/({ID_PATTERN})(/_history/{ID_PATTERN})?")
_POINT: Final = r"(?:[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[ELU])"
_POINTS: Final = re.compile(f"{_POINT}(?: {_POINT})*")


@dataclass(frozen=True, slots=True)
class Invariant:
    """`key` as in the specification, `holds` over the element as parsed JSON, `text` what has to be done."""

    key: str
    holds: Callable[[Element], bool]
    text: str


def _needs(name: str, other: str) -> Callable[[Element], bool]:
    """If `name` is there, `other` is there."""

    def holds(element: Element) -> bool:
        return name not in element or other in element

    return holds


def _any_of(*names: str) -> Callable[[Element], bool]:
    def holds(element: Element) -> bool:
        return any(name in element for name in names)

    return holds


def _has_value(element: Element) -> bool:
    return any(name.startswith(("value", "_value")) for name in element)


def _extension_or_value(element: Element) -> bool:
    return ("extension" in element) != _has_value(element)


def _no_reason_beside_a_value(element: Element) -> bool:
    return "dataAbsentReason" not in element or not _has_value(element)


def _value_not_said_twice(element: Element) -> bool:
    """obs-7: a component with the code of the Observation carries the value, not the Observation."""
    if not _has_value(element):
        return True
    codings = element.get("code", {}).get("coding", [])
    components = element.get("component", [])
    return not any(coding in component["code"].get("coding", []) for component in components for coding in codings)


def _starts_before_it_ends(element: Element) -> bool:
    """per-1. Texts of different precision are compared as far as the coarser goes; a day and an instant are not comparable."""
    start, end = element.get("start"), element.get("end")
    if start is None or end is None or ("T" in start) != ("T" in end):
        return True
    if "T" in start:
        try:
            return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
        except ValueError:  # second 60
            return True
    length = min(len(start), len(end))
    return bool(start[:length] <= end[:length])


def _is_a_unit(element: Element) -> bool:
    return element.get("system") != UCUM or is_valid(element.get("code", "1"))


def _is_absolute(name: str) -> Callable[[Element], bool]:
    def holds(element: Element) -> bool:
        return name not in element or _ABSOLUTE.fullmatch(element[name]) is not None

    return holds


def _names_no_version(entry: Element) -> bool:
    found = _INSTANCE.fullmatch(entry.get("fullUrl", ""))
    return found is None or found[3] is None


def _agrees_with_the_id(entry: Element) -> bool:
    found, resource = _INSTANCE.fullmatch(entry.get("fullUrl", "")), entry.get("resource", {})
    if found is None or found[1] not in RESOURCE_TYPES or "id" not in resource:
        return True
    return found.group(1, 2) == (resource["resourceType"], resource["id"])


def _are_points(element: Element) -> bool:
    return "data" not in element or _POINTS.fullmatch(element["data"]) is not None


ABSOLUTE_URL: Final = Invariant(
    "url", _is_absolute("url"), "the url of an extension has to be absolute, such as http://…: only those inside an extension may be names"
)
"""No constraint of R4 has a key for it: https://hl7.org/fhir/R4/extensibility-definitions.html#Extension.url, a URI of a definition."""
_ENTRY: Final = (
    Invariant("bdl-8", _names_no_version, "a fullUrl names no version: end it before /_history"),
    Invariant("fullUrl", _is_absolute("fullUrl"), "a fullUrl has to be absolute, such as https://…/Patient/1 or urn:uuid:…"),
    Invariant("fullUrl", _agrees_with_the_id, "the fullUrl must not disagree with type and id of the resource"),
)
"""https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl; as published, bdl-8 forbids the text /_history/ anywhere."""
_SAMPLES: Final = Invariant("data", _are_points, "data has to be decimals, or E, L or U in place of one, parted by single blanks")
"""https://hl7.org/fhir/R4/datatypes-definitions.html#SampledData.data"""
_UCUM: Final = Invariant("ucum", _is_a_unit, "the code is no unit of UCUM, which are case-sensitive: mm[Hg], /min, kg, Cel")
"""No constraint of R4 has a key for it: https://hl7.org/fhir/R4/datatypes.html#Quantity, the code is one of the system that is named."""
_QUANTITY: Final = (Invariant("qty-3", _needs("code", "system"), "a code needs its system (for UCUM http://unitsofmeasure.org)"), _UCUM)

INVARIANTS: Final[Mapping[str, tuple[Invariant, ...]]] = MappingProxyType(
    {
        "Age": _QUANTITY,
        "Attachment": (Invariant("att-1", _needs("data", "contentType"), "data needs its contentType"),),
        "BundleEntry": _ENTRY,
        "Consent": (Invariant("ppc-1", _any_of("policy", "policyRule"), "name a policy or a policyRule"),),
        "ContactPoint": (Invariant("cpt-2", _needs("value", "system"), "a value needs its system, such as phone or email"),),
        "Count": _QUANTITY,
        "Distance": _QUANTITY,
        "Duration": _QUANTITY,
        "Extension": (Invariant("ext-1", _extension_or_value, "give either a value or further extensions, one of the two"),),
        "Observation": (
            Invariant("obs-6", _no_reason_beside_a_value, "dataAbsentReason stands in place of a value: remove one of the two"),
            Invariant("obs-7", _value_not_said_twice, "the component with the same code carries the value: remove the other"),
        ),
        "ObservationReferenceRange": (Invariant("obs-3", _any_of("low", "high", "text"), "give low, high or text"),),
        "Organization": (Invariant("org-1", _any_of("identifier", "name"), "give a name or an identifier"),),
        "PatientContact": (Invariant("pat-1", _any_of("name", "telecom", "address", "organization"), "say who or how to reach them"),),
        "Period": (Invariant("per-1", _starts_before_it_ends, "the start must not be after the end"),),
        "Quantity": _QUANTITY,
        "SampledData": (_SAMPLES,),
        "SimpleQuantity": _QUANTITY,
    }
)
"""By name of the type; "PatientContact" is the element Patient.contact."""
