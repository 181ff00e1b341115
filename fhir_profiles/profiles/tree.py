"""A StructureDefinition as a tree: what each element, and each slice of it, is constrained to.

https://hl7.org/fhir/R4/elementdefinition.html, https://hl7.org/fhir/R4/profiling.html. The differential is laid over the
tree of the profile it is based on, so that a slice of the base can be constrained further. Only what is constrained is in
the tree; the type itself says the rest (`fhir_profiles.definitions`).
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_profiles.definitions import Definition, Element, definition
from fhir_profiles.profiles.finding import ProfileError

LAID_OVER: Final = ("min", "max", "type", "binding", "slicing", "maxLength", "short")
"""Elements of ElementDefinition that a later profile replaces."""
VALUES: Final = ("fixed", "pattern", "minValue", "maxValue")
"""Those that have a choice of types."""


@dataclass(slots=True, kw_only=True)
class Node:
    """One element, or one slice of an element.

    name         "code", "value[x]"; the name of the type at the root
    said         what the profiles say of it, by element of ElementDefinition ("fixed", "pattern" without their type)
    constraints  by key
    slices       by name; each item of the element obeys the element itself, and its slice
    content      the node whose content rules hold here too, if the profile says something of it
    """

    name: str
    said: dict[str, Any] = field(default_factory=dict)
    constraints: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    children: dict[str, "Node"] = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)
    content: "Node | None" = None

    @property
    def minimum(self) -> int:
        return int(self.said.get("min", 0))

    @property
    def maximum(self) -> int | None:
        """None: as the type has it."""
        maximum = self.said.get("max", "*")
        return None if maximum == "*" else int(maximum)

    @property
    def types(self) -> list[Mapping[str, Any]]:
        return list(self.said.get("type", ()))

    def profiles(self) -> list[str]:
        """Profiles that the value has to follow, one of them."""
        return [profile.partition("|")[0] for type in self.types for profile in type.get("profile", ())]


def grown(profile: Mapping[str, Any], base: Node | None) -> Node:
    """The tree of this StructureDefinition over that of its base. Raises ProfileError for what has no place in it."""
    root = Node(name=profile["type"]) if base is None else deepcopy(base)
    for element in elements(profile):
        _lay(_reached(root, _steps(element), profile["type"]), element)
    for element in elements(profile):
        if "contentReference" in element:
            node = _reached(root, _steps(element), profile["type"])
            node.content = _told(root, _parted(element["contentReference"].rpartition("#")[2]))
    return root


def elements(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What is followed of a StructureDefinition: the differential, or the snapshot where there is none."""
    view = profile.get("differential") or profile.get("snapshot") or {}
    return list(view.get("element", ()))


def _told(root: Node, steps: list[tuple[str, str]]) -> Node | None:
    """The node of an element of which the profile says something. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.contentReference"""
    node: Node | None = root
    for name, slice in steps:
        node = None if node is None else node.children.get(name)
        node = node.slices.get(slice) if node is not None and slice else node
    return node


def _steps(element: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, name of the slice) on the way from the root. https://hl7.org/fhir/R4/elementdefinition.html#id"""
    id = element.get("id")
    if not id:
        raise ProfileError("an element of the profile has no id")
    return _parted(id)


def _parted(id: str) -> list[tuple[str, str]]:
    steps = [step.partition(":") for step in id.split(".")]
    return [(name, slice) for name, _, slice in steps[1:]]


def _reached(root: Node, steps: list[tuple[str, str]], type: str) -> Node:
    node, structure = root, definition(type)
    for name, slice in steps:
        element = element_of(structure, name)
        short = None if element.choice is False or name.endswith("[x]") else _type_of(element, name)
        inner = node.children.setdefault(name if short is None else f"{element.name}[x]", Node(name=label(element)))
        if short is not None:  # valueQuantity: the choice comes down to this type
            inner.said["type"] = [one for one in inner.types if one["code"] == short] or [{"code": short}]
        if slice and not (element.choice and slice == name):
            for part in slice.split("/"):  # https://hl7.org/fhir/R4/profiling.html#reslicing
                inner = inner.slices.setdefault(part, Node(name=label(element)))
        node, structure = inner, structure_of(element, inner, slice)
    return node


def label(element: Element) -> str:
    return f"{element.name}[x]" if element.choice else element.name


def element_of(structure: Definition, name: str) -> Element:
    """The element of a structure behind the name that a profile uses: "code", "value[x]", "valueQuantity"."""
    plain = name.removesuffix("[x]")
    found = next((one for one in structure.elements if one.name == plain), None)
    if found is None and name in structure.named:
        found = structure.named[name].element
    if found is None:
        raise ProfileError(f"{structure.name} has no element {name}")
    return found


def _type_of(element: Element, name: str) -> str | None:
    return next((type.code for type in element.types if element.json_name(type) == name), None)


def structure_of(element: Element, node: Node, slice: str) -> Definition:
    """What stands inside an element, for a profile that goes on into it."""
    if element.structure is not None:
        return definition(element.structure)
    codes = [type["code"] for type in node.types] or [type.code for type in element.types]
    if len(codes) > 1 and slice:
        codes = [code for code in codes if slice.removeprefix(element.name).lower() == code.lower()] or codes
    if len(codes) == 1:
        return definition(codes[0])
    return definition("Element")


def _lay(node: Node, element: Mapping[str, Any]) -> None:
    for name, value in element.items():
        if name in LAID_OVER:
            node.said[name] = value
        for value_name in VALUES:
            if name.startswith(value_name) and name[len(value_name) : len(value_name) + 1].isupper():
                node.said[value_name] = value
    node.constraints.update({one["key"]: one for one in element.get("constraint", ())})
