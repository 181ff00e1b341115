"""Does a parsed JSON object have the structure that a definition asks for: elements, types, cardinality, codes?

https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/conformance-rules.html. Where the definitions come from is not
known here (`fhir_profiles.r4` reads them). Paths are put into words only when something is wrong.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fhir_profiles.bindings import Bound
from fhir_profiles.fhirpath.errors import FhirPathError
from fhir_profiles.invariants import Invariant
from fhir_profiles.primitives import FORMS, Predicate
from fhir_profiles.references import NOWHERE, contained_faults, fault, scope_of

PROBLEMS_MAX: Final = 50
DEPTH_MAX: Final = 40

NARRATIVE: Final = "dom-6"
"""Not asked of what is contained, which the narrative of what contains it tells: https://hl7.org/fhir/R4/narrative.html"""

ELEMENT_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

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


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """What may stand under one JSON name of an object.

    name, path     as in JSON ("valueQuantity") and as in FHIRPath ("value")
    primitive      name of its primitive type; then `fits` says whether a value is right, `holds` whether it is but for its code
    bound          what a required binding takes, if that can be told; of a primitive `fits` asks it too
    load           gives the shape of an object; None where a resource stands, which says its type itself
    targets        types that a Reference may lead to, none where it may be any; None of what is no Reference
    extensible     its JSON name with an underscore may carry id and extensions of the primitive value
    """

    name: str
    path: str
    many: bool
    primitive: str | None
    fits: Predicate | None
    holds: Predicate | None
    bound: Bound | None
    load: Callable[[], "Shape"] | None
    extensible: bool
    targets: frozenset[str] | None
    _shape: "Shape | None" = field(default=None, init=False)

    def shape(self) -> "Shape | None":
        """Loaded when first needed: shapes are circular (an Extension holds extensions)."""
        if self._shape is None and self.load is not None:
            self._shape = self.load()
        return self._shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An element with a choice of types: `value` may be there as one of several names, e.g. "valueQuantity".

    names  those, and the same with an underscore, where extensions of a primitive stand
    """

    path: str
    names: frozenset[str]
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an object of one structure looks like in JSON: a Definition made ready for checking.

    invariants, advice  constraints that are errors, and those that are warnings
    """

    name: str
    is_resource: bool
    slots: Mapping[str, Slot]
    required: tuple[str, ...]
    choices: tuple[Choice, ...]
    invariants: tuple[Invariant, ...]
    advice: tuple[Invariant, ...]


Path = tuple[Any, ...]
"""(where it hangs, slot, index or None); () is the top."""


class Walk:
    """Collects the problems of one resource on the way through it.

    of_type              shape of a resource type, None if there is none
    primitive_extension  shape of what stands under an underscored name
    advising             the resource is right: constraints that are warnings are asked instead of those that are errors
    """

    __slots__ = ("advising", "found", "of_type", "primitive_extension", "problems", "scope", "top")

    def __init__(self, of_type: Callable[[Any], Shape | None], primitive_extension: Callable[[], Shape], *, advising: bool = False) -> None:
        self.advising = advising
        self.of_type = of_type
        self.primitive_extension = primitive_extension
        self.problems: list[Problem] = []
        self.found = 0
        """Problems, also those beyond the ones that are named: what was right so far is judged further."""
        self.scope = NOWHERE
        self.top = "Resource"

    def add(self, code: ProblemCode, path: Path, text: str, *, below: str = "") -> None:
        self.found += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(code=code, expression=self.top + _words(path) + below, text=text))

    def resource(self, value: Any, path: Path, depth: int) -> None:
        """A resource in its own right: at the top, contained, or in an entry."""
        if not isinstance(value, Mapping):
            self.add("structure", path, "a resource is a JSON object")
            return
        shape = self.of_type(value.get("resourceType"))
        if shape is not None:
            if not path:
                self.top = shape.name
            self.known(shape, value, path, depth)
        elif "resourceType" in value:
            self.add("not-supported", path, "resourceType is not one that can be checked against R4")
        else:
            self.add("required", path, "resourceType is missing")

    def known(self, shape: Shape, value: Mapping[str, Any], path: Path, depth: int) -> None:
        """A resource of this type. What is contained belongs to the scope of what contains it."""
        if path and path[1].name == "contained":
            self.object(shape, value, path, depth)
            return
        found, outer = self.found, self.scope
        self.scope = scope_of(value, shape.name, outer)
        self.object(shape, value, path, depth)
        self.scope = outer
        if "contained" in value and found == self.found:
            for index, (code, below, text) in contained_faults(value):
                self.add(code, (path, shape.slots["contained"], index), text, below=below)

    def object(self, shape: Shape, value: Mapping[str, Any], path: Path, depth: int) -> None:
        """Elements in their order, then what is missing, then the constraints if the rest was right."""
        if depth > DEPTH_MAX:
            self.add("structure", path, f"elements are nested more than {DEPTH_MAX} deep")
            return
        found = self.found
        slots = shape.slots
        for name, item in value.items():
            slot = slots.get(name)
            if slot is None:
                self.other(shape, value, name, path, depth)
            elif slot.many:
                self.items(slot, item, value, path, depth)
            elif slot.fits is None:
                self.complex(slot, item, (path, slot, None), depth)
            elif not slot.fits(item):
                self.primitive(slot, item, (path, slot, None))
        self.cardinality(shape, value, path)
        if self.advising:
            self.constraints(shape.advice, value, path)
        elif found == self.found:
            self.constraints(shape.invariants, value, path)

    def constraints(self, invariants: tuple[Invariant, ...], value: Mapping[str, Any], path: Path) -> None:
        """One that cannot be decided is not kept: silence would be a yes that nobody gave."""
        for invariant in invariants:
            if invariant.key == NARRATIVE and path and path[1].name == "contained":
                continue
            try:
                if not invariant.holds(value):
                    self.add("invariant", path, f"{invariant.key}: {invariant.text}")
            except FhirPathError as error:
                self.add("invariant", path, f"{invariant.key}: this cannot be decided ({error})")

    def primitive(self, slot: Slot, item: Any, path: Path) -> None:
        """Say what is wrong with a value that does not fit."""
        if slot.bound is not None and slot.holds is not None and slot.holds(item):
            self.add("code-invalid", path, f"{slot.name} has to be {slot.bound.words}")
        else:
            self.add("value", path, f"{slot.name} has to be {FORMS[slot.primitive or 'string']}")

    def complex(self, slot: Slot, item: Any, path: Path, depth: int) -> None:
        if type(item) is not dict or not item:
            self.add("structure", path, f"{slot.name} has to be a JSON object that is not empty")
            return
        shape = slot.shape()
        if shape is None:
            self.resource(item, path, depth + 1)
        elif _only_id(item):
            self.add("structure", path, f"{slot.name} needs more than an id")
        else:
            found = self.found
            self.object(shape, item, path, depth + 1)
            if slot.targets is not None and found == self.found:
                self.reference(slot.targets, item, path)
            elif slot.bound is not None and found == self.found and not slot.bound.takes(item):
                self.add("code-invalid", path, f"{slot.name} needs a coding with {slot.bound.words}")

    def reference(self, targets: frozenset[str], item: Mapping[str, Any], path: Path) -> None:
        wrong = fault(item, targets, self.scope)
        if wrong is not None:
            self.add(wrong.code, path, wrong.text, below=wrong.below)

    def items(self, slot: Slot, items: Any, value: Mapping[str, Any], path: Path, depth: int) -> None:
        if type(items) is not list or not items:
            self.add("structure", (path, slot, None), f"{slot.name} repeats: it has to be a JSON array that is not empty")
            return
        for index, item in enumerate(items):
            if item is None and slot.extensible and _filled(value.get(f"_{slot.name}"), index):
                continue  # the value is absent and its extension says why
            if slot.fits is None:
                self.complex(slot, item, (path, slot, index), depth)
            elif not slot.fits(item):
                self.primitive(slot, item, (path, slot, index))

    def other(self, shape: Shape, value: Mapping[str, Any], name: str, path: Path, depth: int) -> None:
        """What is no element: resourceType, the sibling with a primitive's extensions, or unknown."""
        if name == "resourceType" and shape.is_resource:
            return
        slot = shape.slots.get(name[1:]) if name[:1] == "_" else None
        if slot is not None and slot.extensible:
            self.sibling(slot, value.get(slot.name), value[name], path, depth)
        elif ELEMENT_NAME.fullmatch(name) is None:
            self.add("structure", path, "an element has a name that no element of FHIR can have")
        else:
            self.add("structure", path, f"R4 has no element {name} here")

    def sibling(self, slot: Slot, value: Any, sibling: Any, path: Path, depth: int) -> None:
        """https://hl7.org/fhir/R4/json.html#primitive: `_name` holds id and extensions of the primitive `name`."""
        if not slot.many:
            self.sibling_item(slot, sibling, (path, slot, None), depth, has_value=value is not None)
        elif type(sibling) is not list or not sibling or (type(value) is list and len(value) != len(sibling)):
            self.add("structure", (path, slot, None), f"_{slot.name} has to be an array as long as {slot.name}")
        else:
            for index, entry in enumerate(sibling):
                if entry is not None or type(value) is not list:  # where there is a list of values, `items` has looked
                    has_value = type(value) is list and value[index] is not None
                    self.sibling_item(slot, entry, (path, slot, index), depth, has_value=has_value)

    def sibling_item(self, slot: Slot, entry: Any, path: Path, depth: int, *, has_value: bool) -> None:
        if type(entry) is not dict or not entry:
            self.add("structure", path, f"_{slot.name} has to be a JSON object that is not empty")
        elif not has_value and _only_id(entry):
            self.add("structure", path, f"_{slot.name} needs more than an id where {slot.name} has no value")
        else:
            self.object(self.primitive_extension(), entry, path, depth + 1)

    def cardinality(self, shape: Shape, value: Mapping[str, Any], path: Path) -> None:
        for name in shape.required:
            if name not in value and not _is_extended(value.get(f"_{name}")):
                self.add("required", path, f"{name} is missing", below=f".{name}")
        for choice in shape.choices:
            present = choice.names & value.keys()
            if len(present) > 1 and len({name.removeprefix("_") for name in present}) > 1:
                self.add("structure", path, f"{choice.path}[x] may be there once, in one of its types", below=f".{choice.path}")
            elif choice.required and not present:
                self.add("required", path, f"{choice.path}[x] is missing", below=f".{choice.path}")


def _words(path: Path) -> str:
    if not path:
        return ""
    above, slot, index = path
    return f"{_words(above)}.{slot.path}" + ("" if index is None else f"[{index}]")


def _only_id(item: Mapping[str, Any]) -> bool:
    """ele-1: every element has a value or children, and an id is neither."""
    return len(item) == 1 and "id" in item


def _is_extended(sibling: Any) -> bool:
    return isinstance(sibling, list) or (type(sibling) is dict and "extension" in sibling)


def _filled(items: Any, index: int) -> bool:
    return type(items) is list and index < len(items) and items[index] is not None
