"""What of a resource a consent rule can be compared with: its classes, the codings in it, the time of its data.

The store's index (`hub.search.index`) must tell the same of a row, so that a search before opening and the re-check
after it speak of the same things; tests/spec/consent/test_row.py compares the two.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_profiles.dates import DATED
from security.period import Range, data_range, hull
from security.rules import Pair

RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
OPAQUE: Final = "Binary"
"""The type whose content is bytes: it may be of any class, code and time, and only a type, a profile or a patient is known of it."""
PROFILES: Final = "urn:ietf:rfc:3986"

_QUANTITY: Final = frozenset({"value", "unit", "comparator"})
"""A Quantity has a system and a code too, those of its unit."""


def classes(resource: Mapping[str, Any]) -> frozenset[Pair]:
    """Reading 5: its type, the profiles it claims (without their version), its categories, as (system, code)."""
    found: set[Pair] = {(RESOURCE_TYPES, str(resource.get("resourceType")))}
    for profile in resource.get("meta", {}).get("profile", ()):
        if profile is not None:  # the place of an extension
            found.add((PROFILES, profile.partition("|")[0]))
    found.update(_categories(resource.get("category")))
    return frozenset(found)


def codings(resource: Mapping[str, Any]) -> frozenset[Pair]:
    """Reading 5: each coding anywhere in the instance outside its `meta`; components, values, what is contained included."""
    found: set[Pair] = set()
    ahead: list[Any] = [value for name, value in resource.items() if name != "meta"]
    # The list grows while it is walked: half the price of recursion, on the path of each resource.
    for node in ahead:
        if isinstance(node, dict):
            if "code" in node and isinstance(code := node["code"], str) and _QUANTITY.isdisjoint(node):
                found.add((node.get("system"), code))
            ahead += [value for value in node.values() if not isinstance(value, str)]
        elif isinstance(node, list):
            ahead += node
    return frozenset(found)


def data_period(resource: Mapping[str, Any]) -> Range | None:
    """Reading 7: when the data is from, in microseconds, end exclusive; None if the type or this instance has no date."""
    elements = DATED.get(str(resource.get("resourceType")), ())
    return hull([found for name in elements if name in resource and (found := data_range(resource[name]))])


def _categories(category: Any) -> Iterator[Pair]:
    for concept in category if isinstance(category, list) else [category]:
        for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
            # A category must not pass for a type or a profile.
            if "code" in coding and coding.get("system") not in (RESOURCE_TYPES, PROFILES):
                yield coding.get("system"), coding["code"]
