"""Does a parsed JSON object have the structure that a definition asks for: elements, types, cardinality, codes?

https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/conformance-rules.html. Where the definitions come from is not
known here (`fhir_profiles.r4` reads them). Paths are put into words only when something is wrong.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fhir_profiles.invariants import Invariant
from fhir_profiles.primitives import FORMS, Predicate

PROBLEMS_MAX: Final = 50
DEPTH_MAX: Final = 40
CODES_SHOWN_MAX: Final = 12

_ELEMENT_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

ProblemCode = Literal["structure", "required", "value", "invariant", "code-invalid", "not-supported"]
"""Codes of https://hl7.org/fhir/R4/valueset-issue-type.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    expression  FHIRPath of the element, e.g. "Observation.component[0].value"
    text        what to do about it, for a person; names elements and never a value
    """

    code: ProblemCode
    expression: str
    text: str


@dataclass(slots=True, kw_only=True)
class Element:
    """One element of a definition.

    name, path     as in JSON ("valueQuantity") and as in FHIRPath ("value")
    primitive      name of its primitive type, with `holds` as its predicate; else `load` gives its definition
    load           None also where the element is a resource, which says its type itself
    codes          a code outside of these is refused
    extensible     its JSON name with an underscore may carry id and extensions of the primitive value
    """

    name: str
    path: str
    many: bool
    primitive: str | None
    holds: Predicate | None
    load: Callable[[], "Definition"] | None
    codes: frozenset[str] | None
    extensible: bool
    _definition: "Definition | None" = field(default=None, init=False)

    def definition(self) -> "Definition | None":
        """Loaded when first needed: definitions are circular (an Extension holds extensions)."""
        if self._definition is None and self.load is not None:
            self._definition = self.load()
        return self._definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An element with a choice of types: `value` may be there as one of `names`, e.g. "valueQuantity"."""

    path: str
    names: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One resource type, data type or backbone element."""

    name: str
    is_resource: bool
    elements: Mapping[str, Element]
    required: tuple[str, ...]
    choices: tuple[Choice, ...]
    invariants: tuple[Invariant, ...]


Path = tuple[Any, ...]
"""(where it hangs, element, index or None); () is the top."""


class Walk:
    """Collects the problems of one resource on the way through it.

    of_type              definition of a resource type, None if there is none
    primitive_extension  definition of what stands under an underscored name
    """

    __slots__ = ("of_type", "primitive_extension", "problems", "top")

    def __init__(self, of_type: Callable[[Any], Definition | None], primitive_extension: Callable[[], Definition]) -> None:
        self.of_type = of_type
        self.primitive_extension = primitive_extension
        self.problems: list[Problem] = []
        self.top = "Resource"

    def add(self, code: ProblemCode, path: Path, text: str, *, below: str = "") -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(code=code, expression=self.top + _words(path) + below, text=text))

    def resource(self, value: Any, path: Path, depth: int) -> None:
        """A resource in its own right: at the top, contained, or in an entry."""
        if not isinstance(value, Mapping):
            self.add("structure", path, "a resource is a JSON object")
            return
        definition = self.of_type(value.get("resourceType"))
        if definition is not None:
            if not path:
                self.top = definition.name
            self.object(definition, value, path, depth)
        elif "resourceType" in value:
            self.add("not-supported", path, "resourceType is not one that can be checked against R4")
        else:
            self.add("required", path, "resourceType is missing")

    def object(self, definition: Definition, value: Mapping[str, Any], path: Path, depth: int) -> None:
        """Elements in their order, then what is missing, then the constraints if the rest was right."""
        if depth > DEPTH_MAX:
            self.add("structure", path, f"elements are nested more than {DEPTH_MAX} deep")
            return
        found = len(self.problems)
        elements = definition.elements
        for name, item in value.items():
            element = elements.get(name)
            if element is None:
                self.other(definition, value, name, path, depth)
            elif element.many:
                self.items(element, item, value.get(f"_{name}"), path, depth)
            else:
                self.item(element, item, (path, element, None), depth)
        self.cardinality(definition, value, path)
        if found == len(self.problems):
            for invariant in definition.invariants:
                if not invariant.holds(value):
                    self.add("invariant", path, f"{invariant.key}: {invariant.text}")

    def item(self, element: Element, item: Any, path: Path, depth: int) -> None:
        if element.holds is not None:
            if not element.holds(item):
                self.add("value", path, f"{element.name} has to be {FORMS[element.primitive or 'string']}")
            elif element.codes is not None and item not in element.codes:
                self.add("code-invalid", path, f"{element.name} has to be {_any_of(element.codes)}")
        elif type(item) is not dict or not item:
            self.add("structure", path, f"{element.name} has to be a JSON object that is not empty")
        else:
            definition = element.definition()
            if definition is None:
                self.resource(item, path, depth + 1)
            else:
                self.object(definition, item, path, depth + 1)

    def items(self, element: Element, items: Any, siblings: Any, path: Path, depth: int) -> None:
        if type(items) is not list or not items:
            self.add("structure", (path, element, None), f"{element.name} repeats: it has to be a JSON array that is not empty")
            return
        for index, item in enumerate(items):
            if item is None and element.extensible and _filled(siblings, index):
                continue  # the value is absent and its extension says why
            self.item(element, item, (path, element, index), depth)

    def other(self, definition: Definition, value: Mapping[str, Any], name: str, path: Path, depth: int) -> None:
        """What is no element: resourceType, the sibling with a primitive's extensions, or unknown."""
        if name == "resourceType" and definition.is_resource:
            return
        element = definition.elements.get(name[1:]) if name[:1] == "_" else None
        if element is not None and element.extensible:
            self.sibling(element, value.get(element.name), value[name], path, depth)
        elif _ELEMENT_NAME.fullmatch(name) is None:
            self.add("structure", path, "an element has a name that no element of FHIR can have")
        else:
            self.add("structure", path, f"R4 has no element {name} here")

    def sibling(self, element: Element, value: Any, sibling: Any, path: Path, depth: int) -> None:
        """https://hl7.org/fhir/R4/json.html#primitive: `_name` holds id and extensions of the primitive `name`."""
        if not element.many:
            self.sibling_item(element, sibling, (path, element, None), depth)
        elif type(sibling) is not list or not sibling or (type(value) is list and len(value) != len(sibling)):
            self.add("structure", (path, element, None), f"_{element.name} has to be an array as long as {element.name}")
        else:
            for index, entry in enumerate(sibling):
                if entry is not None or type(value) is not list:  # where there is a list of values, `items` has looked
                    self.sibling_item(element, entry, (path, element, index), depth)

    def sibling_item(self, element: Element, entry: Any, path: Path, depth: int) -> None:
        if type(entry) is dict and entry:
            self.object(self.primitive_extension(), entry, path, depth + 1)
        else:
            self.add("structure", path, f"_{element.name} has to be a JSON object that is not empty")

    def cardinality(self, definition: Definition, value: Mapping[str, Any], path: Path) -> None:
        for name in definition.required:
            if name not in value and not _is_extended(value.get(f"_{name}")):
                self.add("required", path, f"{name} is missing", below=f".{name}")
        for choice in definition.choices:
            present = sum(1 for name in choice.names if name in value or f"_{name}" in value)
            if present > 1:
                self.add("structure", path, f"{choice.path}[x] may be there once, in one of its types", below=f".{choice.path}")
            elif choice.required and not present:
                self.add("required", path, f"{choice.path}[x] is missing", below=f".{choice.path}")


def _words(path: Path) -> str:
    if not path:
        return ""
    above, element, index = path
    return f"{_words(above)}.{element.path}" + ("" if index is None else f"[{index}]")


def _any_of(codes: frozenset[str]) -> str:
    return "one of " + ", ".join(sorted(codes)) if len(codes) <= CODES_SHOWN_MAX else "a code of the value set that R4 requires"


def _is_extended(sibling: Any) -> bool:
    return isinstance(sibling, list) or (type(sibling) is dict and "extension" in sibling)


def _filled(items: Any, index: int) -> bool:
    return type(items) is list and index < len(items) and items[index] is not None
