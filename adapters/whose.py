"""Whose a payload says its measurements are, in a form that names nobody and can be compared with what the hub knows."""

import hashlib

from adapters.reading import Whose


def whose(system: str, value: str) -> Whose:
    """An identifier with the URI of its system, as FHIR writes both."""
    return Whose(system=system, digest=hashlib.sha256(value.strip().encode()).hexdigest())
