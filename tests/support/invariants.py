"""Every invariant of R4's base definitions that a resource meets, with what it speaks of."""

from collections.abc import Iterator
from typing import Any

from fhir_profiles.constraints import CORRECTED
from fhir_profiles.definitions import Definition, definition

Json = dict[str, Any]
Met = tuple[str, str, Any, str | None]
"""Key, expression as it is meant, what it speaks of, and the type of that; none of a resource."""


def invariants_in(resource: Json) -> Iterator[Met]:
    """At the resource, at everything inside it, and at their elements."""
    return _inside(definition(resource["resourceType"]), resource)


def _inside(structure: Definition, value: Json) -> Iterator[Met]:
    type = None if structure.kind == "resource" else structure.name
    yield from ((one.key, CORRECTED.get(one.key, one.expression), value, type) for one in structure.invariants)
    for name, (element, known) in structure.named.items():
        of = element.structure or known.profile or known.code
        for item in value[name] if element.many and name in value else [value.get(name)]:
            if item is not None:
                yield from ((one.key, CORRECTED.get(one.key, one.expression), item, of) for one in element.invariants)
            if isinstance(item, dict):
                yield from _inside(definition(item["resourceType"] if of == "Resource" else of), item)
