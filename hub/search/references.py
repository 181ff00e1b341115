"""Literal references: ours become "Type/id", others stay as they are.

https://hl7.org/fhir/R4/references.html#literal. A version (`/_history/1`) does not change whom a reference names.
"""

import re

from fhir_profiles.primitives import ID_PATTERN

ID = re.compile(ID_PATTERN)
LOCAL = re.compile(rf"([A-Z][A-Za-z]+)/({ID_PATTERN})")
ABSOLUTE = re.compile(rf"https?://[^\s]+/([A-Z][A-Za-z]+)/({ID_PATTERN})")


def literal(reference: str, base: str) -> str | None:
    """The reference without our base (`base` ends with a slash, or is "") and without version; None inside a resource."""
    if reference.startswith("#"):
        return None
    if base and reference.startswith(base):
        reference = reference[len(base) :]
    cut = reference.find("/_history/")
    return reference if cut < 0 else reference[:cut]


def patient_id(reference: str, base: str) -> str | None:
    """The id of a patient of ours, else None."""
    found = literal(reference, base)
    if found is None or not found.startswith("Patient/"):
        return None
    return found[len("Patient/") :]


def with_slash(base: str) -> str:
    return base if not base or base.endswith("/") else base + "/"
