"""Membership in shipped value sets as sets computed once, and the hierarchies of shipped code systems.

For whoever has to ask often: bindings on every write, `:in`, `:not-in`, `:above` and `:below` in searches. Concepts that
only group others (abstract) are no members: nothing is coded with them.
"""

from functools import cache

from fhir_profiles.terminology import library
from fhir_profiles.terminology.compose import entries
from fhir_profiles.terminology.errors import TerminologyError


def members(url: str) -> frozenset[tuple[str, str]] | None:
    """Every (system, code) of the shipped value set; None if it is not shipped or cannot be listed."""
    resource = library.value_set(url)
    return None if resource is None else _members(resource["url"])


def descendants(system: str, code: str) -> frozenset[str] | None:
    """The code and every kind of it; None if the code system is not shipped or does not have the code."""
    known = library.code_system(system)
    return None if known is None or code not in known.concepts else known.descendants(code)


def ancestors(system: str, code: str) -> frozenset[str] | None:
    """The code and everything it is a kind of; None as for `descendants`."""
    known = library.code_system(system)
    return None if known is None or code not in known.concepts else known.ancestors(code)


@cache
def _members(url: str) -> frozenset[tuple[str, str]] | None:
    try:
        return frozenset(entry.key for entry in entries(library.shipped("ValueSet")[url]) if not entry.abstract)
    except TerminologyError:
        return None
