"""Whose data a resource is must be clear, or nobody's consent could be asked."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_profiles.primitives import ID_PATTERN
from hub.errors import FhirError
from hub.search.index import Indexed
from hub.search.links import references_in
from hub.search.parameters import resource_type
from hub.search.references import LOCAL, literal, with_slash

THING = re.compile(rf"(?:Location|Organization|HealthcareService|Practitioner|PractitionerRole|Substance|Medication)/{ID_PATTERN}")
BORNE = re.compile(rf"(?:Group|Device)/{ID_PATTERN}")
"""Subjects behind whom patients stand: the members of a Group, who wears a Device."""
SUBJECT = "subject"
ABOUT: Mapping[str, str] = {"Provenance": "target", "Binary": "securityContext"}
"""Elements that name what a resource is about: whoever that belongs to must permit (https://hl7.org/fhir/R4/binary.html)."""


SAID_BY: Mapping[str, str] = {"Binary": "its bytes say it by X-Security-Context"}


def about(type: str, content: Mapping[str, Any], base: str) -> Iterator[tuple[str, str]]:
    """(element, reference as Type/id) of what the resource is about, where it concerns whom that concerns; patients are named anyhow."""
    element = ABOUT.get(type, SUBJECT)
    found = content.get(element, ())
    for one in (found,) if isinstance(found, dict) else found:
        reference = literal(str(one.get("reference", "")), with_slash(base))
        if reference is None or not LOCAL.fullmatch(reference) or reference.startswith("Patient/"):
            continue
        if type in ABOUT or BORNE.fullmatch(reference):
            yield element, reference


def subject_of(type: str) -> str:
    """The element that says whose a resource of this type is, as FHIRPath."""
    row = resource_type(type)
    return type if row is None or row.compartment is None else f"{type}.{row.compartment[0]}"


def place_of(type: str, content: Mapping[str, Any], base: str, leads_there: Callable[[str], bool]) -> str:
    """FHIRPath of the first reference in the resource of which `leads_there` says yes; it is asked with Type/id.

    The resource itself where no reference of its own does. What it is about is hidden or absent alike: so is the place.
    """
    for path, text in references_in(content):
        reference = literal(text, with_slash(base))
        if reference is not None and leads_there(reference.partition("/_history/")[0]):
            return f"{type}.{path}"
    return type


def require_compartment(type: str, content: Mapping[str, Any], indexed: Indexed, *, derived: bool = False) -> None:
    """A local reference to a Patient, or to a thing; types that are administrative may go without.

    A subject known by identifier or display alone, on another server, or inside the resource would slip past consent; so would a
    Group or a Device behind whom nobody is known to stand. `derived`: what it is about belongs to somebody.
    """
    row = resource_type(type)
    if row is None or indexed.patient is not None:
        return
    if row.compartment is None:
        if not row.without_patient and not indexed.named and not derived:
            how = f"; {SAID_BY[type]}" if type in SAID_BY else ""
            raise FhirError("business-rule", f"A {type} must refer to a Patient of this hub, written Patient/ID{how}.", expression=type)
        return
    element = row.compartment[0]
    if element not in content and row.without_patient:
        return
    reference = str((content.get(element) or {}).get("reference", ""))
    borne = BORNE.fullmatch(reference) is not None
    if borne and not derived:
        text = f"{type}.{element} is a Group without patients or a Device that no patient wears: nobody could be asked for consent."
        raise FhirError("business-rule", text, expression=f"{type}.{element}")
    if not borne and not THING.fullmatch(reference):
        raise FhirError(
            "business-rule",
            f"{type}.{element} must be a reference to a Patient of this hub, written Patient/ID.",
            expression=f"{type}.{element}",
        )
