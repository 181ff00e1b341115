"""Whose data a resource is must be clear, or nobody's consent could be asked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import FhirError
from hub.search.index import Indexed
from hub.search.parameters import resource_type
from hub.search.references import LOCAL, literal, with_slash

THING = re.compile(r"(?:Location|Organization|HealthcareService|Practitioner|PractitionerRole|Substance|Medication)/[A-Za-z0-9\-.]{1,64}")


ABOUT: Mapping[str, str] = {"Provenance": "target", "Binary": "securityContext"}
"""Elements that name what a resource is about: whoever that belongs to must permit (https://hl7.org/fhir/R4/binary.html)."""


def about(type: str, content: Mapping[str, Any], base: str) -> Iterator[str]:
    """References, as Type/id, to what the resource is about; patients are named anyhow."""
    found = content.get(ABOUT.get(type, ""), ())
    for one in (found,) if isinstance(found, dict) else found:
        reference = literal(str(one.get("reference", "")), with_slash(base))
        if reference is not None and LOCAL.fullmatch(reference) and not reference.startswith("Patient/"):
            yield reference


def require_compartment(type: str, content: Mapping[str, Any], indexed: Indexed, *, derived: bool = False) -> None:
    """A local reference to a Patient, or to a thing; types that are administrative may go without.

    A device is no subject here: who wears it would not be asked. A subject known by identifier or display alone, on
    another server, or inside the resource would slip past consent. `derived`: what it is about belongs to somebody.
    """
    row = resource_type(type)
    if row is None or indexed.patient is not None:
        return
    if row.compartment is None:
        if not row.without_patient and not indexed.named and not derived:
            raise FhirError("business-rule", f"A {type} must refer to a Patient of this hub, written Patient/ID.")
        return
    element = row.compartment[0]
    if element not in content and row.without_patient:
        return
    reference = (content.get(element) or {}).get("reference", "")
    if not THING.fullmatch(str(reference)):
        raise FhirError(
            "business-rule",
            f"{type}.{element} must be a reference to a Patient of this hub, written Patient/ID.",
            expression=f"{type}.{element}",
        )
