"""What of a resource a consent rule can be compared with: its classes, the codings in it, the time of its data.

The store's index makes a row's tokens and times from the same three functions, so that a search before opening and
the re-check after it speak of the same things.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from security.period import Range, data_range, hull
from security.rules import Pair

RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
PROFILES: Final = "urn:ietf:rfc:3986"

DATED: Final[Mapping[str, tuple[str, ...]]] = {
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming"),
    "Consent": ("dateTime",),
}
"""The elements that the type's `date` search parameter looks at; a type without a row is in no period (reading 7)."""

_QUANTITY: Final = ("value", "unit", "comparator")


def classes(resource: Mapping[str, Any]) -> frozenset[Pair]:
    """Reading 5: its type, the profiles it claims (with and without their version), its categories, as (system, code)."""
    found: set[Pair] = {(RESOURCE_TYPES, str(resource.get("resourceType")))}
    for profile in resource.get("meta", {}).get("profile", ()):
        found.add((PROFILES, profile))
        found.add((PROFILES, profile.partition("|")[0]))
    found.update(_categories(resource.get("category")))
    return frozenset(found)


def codings(resource: Mapping[str, Any]) -> frozenset[Pair]:
    """Reading 5: each coding anywhere in the instance outside `meta`, components and values included."""
    return frozenset(_codings(resource))


def data_period(resource: Mapping[str, Any]) -> Range | None:
    """Reading 7: when the data is from, in microseconds, end exclusive; None if the type or this instance has no date."""
    elements = DATED.get(str(resource.get("resourceType")), ())
    return hull([data_range(resource[name]) for name in elements if name in resource])


def _categories(category: Any) -> Iterator[Pair]:
    for concept in category if isinstance(category, list) else [category]:
        for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
            # A category must not pass for a type or a profile.
            if "code" in coding and coding.get("system") not in (RESOURCE_TYPES, PROFILES):
                yield coding.get("system"), coding["code"]


def _codings(resource: Mapping[str, Any]) -> Iterator[Pair]:
    ahead: list[Any] = [value for name, value in resource.items() if name != "meta" and isinstance(value, (dict, list))]
    while ahead:
        node = ahead.pop()
        if isinstance(node, list):
            ahead.extend(node)
        elif isinstance(node, dict):
            if isinstance(code := node.get("code"), str) and _is_coding(node):
                yield node.get("system"), code
            ahead.extend(value for name, value in node.items() if isinstance(value, (dict, list)) and name != "meta")


def _is_coding(node: Mapping[str, Any]) -> bool:
    """A Quantity has a system and a code too, those of its unit."""
    return not any(name in node for name in _QUANTITY)
