"""fixed[x] and pattern[x]: is a value exactly this, or at least this?

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ and .pattern_x_
"""

from typing import Any


def same(value: Any, fixed: Any) -> bool:
    """Exactly the same, extensions and ids included; true is not 1."""
    if isinstance(fixed, dict):
        return isinstance(value, dict) and value.keys() == fixed.keys() and all(same(value[name], one) for name, one in fixed.items())
    if isinstance(fixed, list):
        return isinstance(value, list) and len(value) == len(fixed) and all(map(same, value, fixed))
    return isinstance(value, bool) == isinstance(fixed, bool) and bool(value == fixed)


def fits(value: Any, pattern: Any) -> bool:
    """What the pattern has is there too: each element of an object, and for each item of an array one that fits it."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and fits(value[name], one) for name, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(fits(item, one) for item in value) for one in pattern)
    return same(value, pattern)


def leaves(value: Any, above: str = "") -> dict[str, Any]:
    """A fixed value or a pattern for people: what has to stand where. It is the profile's, not the resource's."""
    if isinstance(value, dict):
        inner = (leaves(one, f"{above}.{name}" if above else name) for name, one in value.items())
        return {path: leaf for one in inner for path, leaf in one.items()}
    if isinstance(value, list):
        return {path: leaf for one in value for path, leaf in leaves(one, above).items()}
    return {above: value}


def said(value: Any) -> str:
    """A single value as it is; of an object, what stands where: coding.system = …, coding.code = …"""
    return ", ".join(f"{path} = {leaf}" if path else str(leaf) for path, leaf in leaves(value).items())
