"""Codes that are not told: primitives that have extensions and no value. https://hl7.org/fhir/R4/json.html#primitive"""

from collections.abc import Mapping
from typing import Any, Final

TELLING: Final = {"ValueSet": ("compose", "expansion"), "CodeSystem": ("url", "concept", "property")}
"""Elements by which a value set or a code system is evaluated."""


def untold(resource: Mapping[str, Any]) -> str | None:
    """The name of such a primitive among what a ValueSet or CodeSystem is evaluated by; None if all is told."""
    names = TELLING[resource["resourceType"]]
    return _within({name: resource[key] for name in names for key in (name, f"_{name}") if key in resource})


def _within(content: Any) -> str | None:
    if isinstance(content, list):
        return next((found for one in content if (found := _within(one)) is not None), None)
    if not isinstance(content, dict):
        return None
    names = {name.removeprefix("_") for name in content if name.startswith("_") and _is_gap(content.get(name[1:]))}
    return min(names) if names else _within(list(content.values()))


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, list) and None in value)
