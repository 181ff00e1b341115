"""Whose data a resource is must be clear, or nobody's consent could be asked."""

import re
from collections.abc import Mapping
from typing import Any

from hub.errors import FhirError
from hub.search.index import Indexed
from hub.search.parameters import resource_type

THING = re.compile(r"(?:Location|Organization|HealthcareService|Practitioner|PractitionerRole|Substance|Medication)/[A-Za-z0-9\-.]{1,64}")


def require_compartment(type: str, content: Mapping[str, Any], indexed: Indexed) -> None:
    """A local reference to a Patient, or to a thing; types that are administrative may go without.

    A device is no subject here: who wears it would not be asked. A subject known by identifier or display alone, on
    another server, or inside the resource would slip past consent.
    """
    row = resource_type(type)
    if row is None or indexed.patient is not None:
        return
    if row.compartment is None:
        if not row.without_patient and not indexed.named:
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
