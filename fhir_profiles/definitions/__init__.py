"""HL7's definitions of FHIR R4 (4.0.1) as values: every resource type, data type and backbone element.

The data lies beside this file, one file a type (`generate.py` made it from the published StructureDefinitions), and is
read when a type is first asked for: about 0.2 ms each. At import only the names of the types are.

    observation = definition("Observation")
    observation.elements                 in the order of the specification, which XML needs
    observation.named["valueQuantity"]   the element and the type behind a JSON name
    definition("Observation.component")  what stands inside, also for references to other content
    required_codes(url)                  codes by code system of a required binding

https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import orjson

__all__ = [
    "DATA_TYPES",
    "PRIMITIVE_TYPES",
    "RESOURCE_TYPES",
    "Binding",
    "Definition",
    "Element",
    "Invariant",
    "Named",
    "Type",
    "definition",
    "required_codes",
]

Strength = Literal["required", "extensible", "preferred", "example"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One constraint, as published: `expression` is FHIRPath over the element, `human` its sentence."""

    key: str
    severity: Literal["error", "warning"]
    expression: str
    human: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The value set that a coded element is bound to, without its version."""

    strength: Strength
    value_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """One type that an element may have.

    code     "Quantity", "code", "Reference", "BackboneElement", …; "Resource" for any resource
    targets  of a Reference or canonical: resource types, ("Resource",) for any, () where it is not said
    profile  "SimpleQuantity" and "MoneyQuantity" only, which are Quantities with a constraint
    """

    code: str
    targets: tuple[str, ...] = ()
    profile: str | None = None

    @property
    def is_primitive(self) -> bool:
        return self.code in PRIMITIVE_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of a structure.

    name        as FHIRPath says it: "value", without "[x]"
    choice      it has a choice of types, and its JSON names are "valueQuantity", …
    maximum     None for any number; 0 where a profile such as SimpleQuantity leaves an element out
    structure   what stands inside, if it is no type of its own: "Observation.component", to be given to `definition`
    attribute   it is an XML attribute and takes no extensions (id of an element, url of an extension)
    extensible  a primitive that may have id and extensions, in JSON under its name with an underscore (XHTML has none)
    invariants  of this element alone; those of its type or structure are in their Definition
    """

    name: str
    types: tuple[Type, ...]
    choice: bool
    minimum: int
    maximum: int | None
    is_summary: bool
    is_modifier: bool
    attribute: bool
    extensible: bool
    structure: str | None
    binding: Binding | None
    invariants: tuple[Invariant, ...]

    @property
    def many(self) -> bool:
        """Is it an array in JSON?"""
        return self.maximum is None or self.maximum > 1

    def json_name(self, type: Type) -> str:
        """https://hl7.org/fhir/R4/formats.html#choice: "value" as a Quantity is "valueQuantity"."""
        return f"{self.name}{type.code[:1].upper()}{type.code[1:]}" if self.choice else self.name


class Named(NamedTuple):
    """What stands behind a JSON name."""

    element: Element
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Definition:
    """One resource type, data type or backbone element, with all that it inherits; there is one of each.

    name        "Observation", "Quantity", "Observation.component"
    kind        "backbone" for an element that has its structure inside a type
    base        "DomainResource", "Element", "BackboneElement", …; None for Resource and Element
    elements    in their order, inherited ones first
    named       by JSON name, each type of a choice on its own: "valueQuantity"; in their order
    invariants  of the whole, inherited ones last
    """

    name: str
    kind: Literal["resource", "complex-type", "primitive-type", "backbone"]
    abstract: bool
    base: str | None
    elements: tuple[Element, ...]
    named: Mapping[str, Named]
    invariants: tuple[Invariant, ...]


_DATA: Final = files("fhir_profiles").joinpath("definitions")
_NAMES: Final[Mapping[str, list[str]]] = orjson.loads(_DATA.joinpath("types.json").read_bytes())

RESOURCE_TYPES: Final = frozenset(_NAMES["resource"])
"""All that an instance can be: 146, the abstract ones not among them."""
DATA_TYPES: Final = frozenset(_NAMES["complex-type"])
PRIMITIVE_TYPES: Final = frozenset(_NAMES["primitive-type"])


@cache
def definition(name: str) -> Definition:
    """The definition of a type or of a structure inside one. Raises KeyError for a name that R4 does not have."""
    type = _type(name.partition(".")[0])
    structure = type["structures"][name]
    base = structure["base"] or None
    elements = tuple(map(_element, structure["elements"]))
    return Definition(
        name=name,
        kind=type["kind"] if name == type["name"] else "backbone",
        abstract=type["abstract"],
        base=base,
        elements=elements,
        named=MappingProxyType(
            {element.json_name(one): Named(element, one) for element in elements for one in _types(element) if element.maximum != 0}
        ),
        invariants=tuple(map(_invariant, structure["invariants"])) + (definition(base).invariants if base else ()),
    )


@cache
def required_codes(value_set: str) -> Mapping[str, tuple[str, ...]] | None:
    """Codes by code system of a value set that an element is bound to with strength required.

    None where they cannot be listed, and a rule stands for them: media types, currencies, UCUM units.
    """
    return _value_sets().get(value_set)


@cache
def _value_sets() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    sets = orjson.loads(_DATA.joinpath("value_sets.json").read_bytes())
    return MappingProxyType({url: MappingProxyType({system: tuple(codes) for system, codes in by.items()}) for url, by in sets.items()})


@cache
def _type(name: str) -> Mapping[str, Any]:
    if not name.isalnum() or not name.isascii():
        raise KeyError(name)
    try:
        content: Mapping[str, Any] = orjson.loads(_DATA.joinpath("r4", f"{name}.json").read_bytes())
    except FileNotFoundError:
        raise KeyError(name) from None
    return content


def _element(row: Mapping[str, Any]) -> Element:
    name: str = row["name"]
    types = tuple(map(_type_of, row["types"]))
    maximum, binding, attribute = row.get("max", "1"), row.get("binding"), row.get("attribute", False)
    is_resource_id = name == "id" and types == (_ID,)
    return Element(
        name=name.removesuffix("[x]"),
        types=types,
        choice=name.endswith("[x]"),
        minimum=row.get("min", 0),
        maximum=None if maximum == "*" else int(maximum),
        is_summary=row.get("isSummary", False),
        is_modifier=row.get("isModifier", False),
        attribute=attribute,
        extensible=not attribute and not is_resource_id and any(type.is_primitive and type.code != "xhtml" for type in types),
        structure=row.get("structure"),
        binding=None if binding is None else Binding(strength=binding[0], value_set=binding[1]),
        invariants=tuple(map(_invariant, row.get("invariants", ()))),
    )


def _types(element: Element) -> tuple[Type, ...]:
    """An element that refers to other content has no type of its own."""
    return element.types or (_BACKBONE,)


@cache
def _type_of(notation: str) -> Type:
    """`Reference(Patient|Group)`, `Quantity[SimpleQuantity]`, `code`."""
    rest, _, profile = notation.removesuffix("]").partition("[")
    code, _, targets = rest.removesuffix(")").partition("(")
    return Type(code=code, targets=tuple(targets.split("|")) if targets else (), profile=profile or None)


def _invariant(row: tuple[Any, ...]) -> Invariant:
    key, severity, expression, human = row
    return Invariant(key=key, severity=severity, expression=expression, human=human)


_ID: Final = Type(code="id")
_BACKBONE: Final = Type(code="BackboneElement")
