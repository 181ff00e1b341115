"""A tree of constraints made into checks over parsed JSON, once.

https://hl7.org/fhir/R4/profiling.html. Checked is a resource that R4 itself finds right (`fhir_profiles.r4`): what a
profile only repeats of its type is left out here.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fhir_profiles.definitions import PRIMITIVE_TYPES, Definition, Element, definition
from fhir_profiles.profiles import rules
from fhir_profiles.profiles.discriminators import Item
from fhir_profiles.profiles.finding import Path, understood
from fhir_profiles.profiles.remembering import CODED, remembering
from fhir_profiles.profiles.run import Check, Run
from fhir_profiles.profiles.slicing import Checks, Taken, slicer
from fhir_profiles.profiles.tree import Node, element_of

REFERRED = "BackboneElement"
"""The type of an element whose content another one tells."""
TypeOf = Callable[[str], str | None]
"""Type that a profile constrains, by its url; None of an unknown one."""


class Place(NamedTuple):
    """An element of a structure, and the profile's node for it."""

    element: Element
    node: Node
    label: str


def compiled(root: Node, type_of: TypeOf) -> Check:
    """Raises ProfileError for a profile that asks for something that is not understood."""
    structure = definition(root.name)
    checks = _Compiler(type_of).of_value(root, structure, root.name, None)

    def check(value: Any, path: Path, run: Run) -> None:
        if structure.kind == "resource" and value.get("resourceType") != root.name:
            run.add("error", "structure", path, f"the profile is one of {root.name}")
            return
        for one in checks.value:
            one(value, path, run)

    return check


class _Compiler:
    def __init__(self, type_of: TypeOf) -> None:
        self.type_of = type_of

    def of_value(self, node: Node, structure: Definition, type: str, element: Element | None) -> Checks:
        """What one value has to meet: itself, then what it consists of."""
        checks = [
            *rules.of_values(node),
            *rules.of_types(node, type, element, self.type_of),
            *rules.of_binding(node, type, element),
            *rules.of_constraints(node, structure, element),
        ]
        members = [self.of_member(child, structure) for child in node.children.values()]
        inside = tuple(member for member in members if member is not None)
        if node.content is not None:
            inside = (*inside, self.of_content(node.content, structure))
        if type in PRIMITIVE_TYPES:
            return Checks(tuple(checks), inside)
        return Checks((*checks, *inside))

    def of_member(self, node: Node, structure: Definition) -> Check | None:
        """An element of an object: how often it is there, in which types, in which slices; then each of its values."""
        element = element_of(structure, node.name)
        place = Place(element, node, f"{element.name}[x]" if element.choice else element.name)
        count = _count(place)
        allowed = _allowed(place)
        codes = [type.code for type in element.types] or [REFERRED]
        checks = {code: self.of_typed(place, code) for code in codes if allowed is None or code in allowed}
        slices = slicer(node, place.label, lambda one, code: self.of_sliced(place, one, code))
        if count is None and allowed is None and slices is None and not any(any(one) for one in checks.values()):
            return None
        take = _taker(element)
        name = element.name
        plain = (
            None
            if element.many or element.choice or slices or allowed is not None
            else _plain(place, next(iter(checks.values()), Checks()))
        )

        def member(value: Any, path: Path, run: Run) -> None:
            taken = take(value)
            if count is not None:
                count(len(taken), path, run)
            for one in taken:
                made = checks.get(one.item.type)
                if made is None:
                    run.add("error", "structure", (path, name, one.place), f"{place.label} has to be of type {' or '.join(sorted(checks))}")
                else:
                    made.judge(one, (path, name, one.place), run)
            if slices is not None:
                slices(taken, path, run)

        check: Check = member if plain is None else _shortened(name, plain, member)
        return remembering(name, check) if checks.keys() <= CODED else check

    def of_content(self, told: Node, structure: Definition) -> Check:
        """What the profile says of the content of another element, for one that refers to it; it may be the element around it."""
        same = Node(name=told.name, children=told.children, constraints=told.constraints)
        made: list[Checks] = []

        def check(value: Any, path: Path, run: Run) -> None:
            if not made:
                with understood():
                    made.append(self.of_value(same, structure, structure.name, None))
            for one in made[0].value:
                one(value, path, run)

        return check

    def of_typed(self, place: Place, code: str) -> Checks:
        return self.of_value(place.node, _structure(place.element, code), code, place.element)

    def of_sliced(self, place: Place, slice: Node, code: str) -> Checks:
        return self.of_value(slice, _structure(place.element, code), code, place.element)


def _plain(place: Place, checks: Checks) -> tuple[Check, ...] | None:
    """All that an element which is there once has to meet, if that is nothing but checks of its value."""
    return checks.value if not checks.beside and place.node.maximum != 0 else None


def _shortened(name: str, checks: tuple[Check, ...], member: Check) -> Check:
    """The same as `member`, without its detours where a value is there."""

    def short(value: Any, path: Path, run: Run) -> None:
        inner = value.get(name)
        if inner is None:
            member(value, path, run)
            return
        for check in checks:
            check(inner, (path, name, None), run)

    return short


def _structure(element: Element, code: str) -> Definition:
    if element.structure is not None:
        return definition(element.structure)
    return definition(code) if code != "Resource" else definition("Resource")


def _count(place: Place) -> Callable[[int, Path, Run], None] | None:
    """Cardinality, where they are narrower than the type's."""
    element, label = place.element, place.label
    minimum = place.node.minimum if place.node.minimum > element.minimum else 0
    maximum = place.node.maximum
    if maximum is not None and element.maximum is not None and maximum >= element.maximum:
        maximum = None
    if not minimum and maximum is None:
        return None

    def count(found: int, path: Path, run: Run) -> None:
        if found < minimum:
            wanted = "" if minimum == 1 else f": at least {minimum} are needed"
            run.add("error", "required", path, f"{label} is missing{wanted}" if not found else f"{label}{wanted}", f".{element.name}")
        elif maximum is not None and found > maximum:
            run.add("error", "structure", path, rules.too_many(label, maximum), f".{element.name}")

    return count


def _allowed(place: Place) -> frozenset[str] | None:
    """Types of a choice that the profile leaves; None: all."""
    codes = frozenset(type["code"] for type in place.node.types)
    return codes if place.element.choice and codes and codes < {type.code for type in place.element.types} else None


def _taker(element: Element) -> Callable[[Mapping[str, Any]], list[Taken]]:
    """How to get at the values of an element."""
    if element.choice:
        return _choice_taker({element.json_name(type): type.code for type in element.types})
    code = element.types[0].code if element.types else REFERRED
    return _many_taker(element.name, code) if element.many else _single_taker(element.name, code)


def _choice_taker(names: Mapping[str, str]) -> Callable[[Mapping[str, Any]], list[Taken]]:
    def take(value: Mapping[str, Any]) -> list[Taken]:
        for name, code in names.items():
            if name in value or f"_{name}" in value:
                return [Taken(Item(value.get(name), code), None, value.get(f"_{name}"))]
        return []

    return take


def _single_taker(name: str, code: str) -> Callable[[Mapping[str, Any]], list[Taken]]:
    beside = f"_{name}"

    def take(value: Mapping[str, Any]) -> list[Taken]:
        if name in value or beside in value:
            return [Taken(Item(value.get(name), code), None, value.get(beside))]
        return []

    return take


def _many_taker(name: str, code: str) -> Callable[[Mapping[str, Any]], list[Taken]]:
    beside = f"_{name}"

    def take(value: Mapping[str, Any]) -> list[Taken]:
        values, siblings = value.get(name), value.get(beside)
        if siblings is None:
            return [Taken(Item(one, code), index, None) for index, one in enumerate(values or ())]
        pairs = zip(values or [None] * len(siblings), siblings, strict=False)
        return [Taken(Item(one, code), index, sibling) for index, (one, sibling) in enumerate(pairs)]

    return take
