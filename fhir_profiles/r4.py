"""Is a parsed JSON object a resource of FHIR R4 (4.0.1)?

The definitions are HL7's own, of every type (`fhir_profiles.definitions`). Each structure of them is made into a shape
once, when it is first met: a name leads to what has to stand under it, a primitive to a predicate, a required binding to
its codes. `structure` holds a JSON object against shapes; `invariants` adds what no structure says.

The JSON is never rewritten, so the digits of a decimal survive in the bytes that the caller keeps.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from fhir_profiles.bindings import bound
from fhir_profiles.constraints import advice, constraints
from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element, Type, definition
from fhir_profiles.invariants import ABSOLUTE_URL, INVARIANTS, Invariant
from fhir_profiles.primitives import ID_OF_AN_ELEMENT, PRIMITIVES
from fhir_profiles.structure import Choice, Problem, Shape, Slot, Walk

__all__ = ["RESOURCE_TYPES", "Problem", "advise", "check", "warm"]


def check(resource: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Say what keeps this parsed JSON object from being a resource of R4; nothing means that it is one.

    At most `structure.PROBLEMS_MAX` problems are named, in the order of the elements; no text repeats a value, because
    values may identify a person. Profiles are not looked at. The first resource of a type costs the reading of its
    definition (see `warm`).
    """
    walk = Walk(_of_type, _primitive_extension)
    walk.resource(resource, (), 0)
    return tuple(walk.problems)


def advise(resource: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What R4 recommends and this resource, in which `check` finds nothing wrong, does otherwise."""
    walk = Walk(_of_type, _primitive_extension, advising=True)
    walk.resource(resource, (), 0)
    return tuple(walk.problems)


def warm(types: Iterable[str]) -> None:
    """Read the definitions of these resource types, and of all that they consist of, before the first request.

    Raises ValueError for a type that R4 does not have.
    """
    waiting = [_known(type) for type in types]
    seen: set[str] = set()
    while waiting:
        shape = waiting.pop()
        if shape.name not in seen:
            seen.add(shape.name)
            waiting.extend(part for slot in shape.slots.values() if (part := slot.shape()) is not None)


def _known(type: str) -> Shape:
    if type not in RESOURCE_TYPES:
        raise ValueError("not a resource type of R4")
    return _shape(type)


def _of_type(type: Any) -> Shape | None:
    return _shape(type) if isinstance(type, str) and type in RESOURCE_TYPES else None


def _primitive_extension() -> Shape:
    """https://hl7.org/fhir/R4/json.html#primitive: what any element has, id and extensions."""
    return _shape("Element")


@cache
def _shape(name: str) -> Shape:
    structure = definition(name)
    elements = [element for element in structure.elements if element.maximum != 0]
    return Shape(
        name=name,
        is_resource=structure.kind == "resource",
        slots=MappingProxyType({json: _slot(json, element, type, name) for json, (element, type) in structure.named.items()}),
        required=tuple(element.name for element in elements if element.minimum and not element.choice),
        choices=tuple(map(_choice, (element for element in elements if element.choice))),
        invariants=_invariants(structure),
        advice=advice(structure),
    )


def _slot(name: str, element: Element, type: Type, owner: str) -> Slot:
    primitive = ID_OF_AN_ELEMENT if element.attribute and element.name == "id" else type.code
    holds, asked = PRIMITIVES.get(primitive), bound(element, type)
    return Slot(
        name=name,
        path=element.name,
        many=element.many,
        primitive=primitive if holds else None,
        fits=holds if holds is None or asked is None else asked.takes,
        holds=holds,
        bound=asked,
        load=None if holds or type.code == "Resource" else _loading(element, type, owner),
        extensible=element.extensible and holds is not None,
        targets=frozenset(type.targets) - {"Resource"} if type.code == "Reference" else None,
    )


def _loading(element: Element, type: Type, owner: str) -> Callable[[], Shape]:
    if type.code == "Extension" and owner != "Extension":
        return _outermost_extension
    return partial(_shape, element.structure or type.profile or type.code)


@cache
def _outermost_extension() -> Shape:
    """https://hl7.org/fhir/R4/extensibility.html: only the parts of an extension may have a name for their url."""
    inner = _shape("Extension")
    return replace(inner, invariants=(*inner.invariants, ABSOLUTE_URL))


def _choice(element: Element) -> Choice:
    names = [element.json_name(type) for type in element.types]
    extensions = [f"_{name}" for name, type in zip(names, element.types, strict=True) if type.is_primitive]
    return Choice(path=element.name, names=frozenset(names + extensions), required=element.minimum > 0)


def _invariants(structure: Definition) -> tuple[Invariant, ...]:
    """Constraints that are checked: by hand those of the structure, by its name without dots, then the others."""
    head, *rest = structure.name.split(".")
    by_hand = INVARIANTS.get(head + "".join(part[0].upper() + part[1:] for part in rest), ())
    return by_hand + constraints(structure, frozenset(one.key for one in by_hand))
