"""The types of the elements that an expression meets: from the definitions of R4, else guessed from the JSON alone.

https://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element, definition
from fhir_profiles.definitions import Type as ElementType

_QUANTITIES: Final = ("Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity")
_NOT_DOMAIN: Final = frozenset({"Bundle", "Binary", "Parameters"})
SUPERTYPES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(["code", "id", "markdown"], ("string", "Element")),
    **dict.fromkeys(["canonical", "oid", "url", "uuid"], ("uri", "Element")),
    **dict.fromkeys(["positiveInt", "unsignedInt"], ("integer", "Element")),
    **dict.fromkeys(_QUANTITIES, ("Quantity", "Element")),
    **dict.fromkeys(["Dosage", "ElementDefinition", "Timing"], ("BackboneElement", "Element")),
    **dict.fromkeys(_NOT_DOMAIN, ("Resource",)),
}
"""What a type is too, where it is more than Element or DomainResource. https://hl7.org/fhir/R4/datatypes.html"""
PRIMITIVES: Final = frozenset(
    {
        *("base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer"),
        *("markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml"),
    }
)
_CHOICES: Final = {name[0].upper() + name[1:]: name for name in PRIMITIVES}
_QUANTITY_KEYS: Final = frozenset({"value", "unit", "code", "system", "comparator", "id", "extension"})

Named = tuple[tuple[str, "Type"], ...]


class Type:
    """A type without definition: its name, if it is known, and elements of unknown type."""

    __slots__ = ("kin", "name")

    def __init__(self, name: str | None, kin: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.kin = kin

    def of(self, value: Mapping[str, Any]) -> "Type":
        """The type of this very object: a resource says its own."""
        type = value.get("resourceType")
        return named_type(type) if isinstance(type, str) and type != self.name else self

    def named(self, name: str, value: Mapping[str, Any]) -> Named:
        """JSON names, with their types, under which the element `name` may stand in this object."""
        if name in value or f"_{name}" in value:
            return ((name, UNTYPED),)
        bare = (key.removeprefix("_") for key in value)
        return tuple({key: (key, _suffix(key[len(name) :])) for key in bare if key.startswith(name) and key[len(name)].isupper()}.values())

    def element(self, key: str) -> "Type":  # noqa: ARG002 -- typed ones look it up
        return UNTYPED

    def repeats(self, key: str) -> bool:  # noqa: ARG002
        """Is the element under this JSON name an array?"""
        return False

    @property
    def sibling(self) -> "Type":
        """Of what stands under the underscored name of a primitive."""
        return UNTYPED

    def is_a(self, name: str, value: Any) -> bool:
        """Is this value of the FHIR type `name`, or of one derived from it?"""
        if self.name is None:
            return name in _guessed(value)
        return name in (self.of(value).kin if type(value) is dict else self.kin)

    def is_quantity(self, value: Mapping[str, Any]) -> bool:
        return ("value" in value and value.keys() <= _QUANTITY_KEYS) if self.name is None else "Quantity" in self.kin


def named_type(name: str) -> Type:
    """A type of which nothing is known but the name."""
    return Type(name, kin_of(name, is_resource=name not in PRIMITIVES))


def kin_of(name: str, *, is_resource: bool) -> frozenset[str]:
    """The name and the names of what it is too."""
    plain = ("DomainResource", "Resource") if is_resource else ("Element",)
    return frozenset((name, *SUPERTYPES.get(name, plain)))


def _suffix(suffix: str) -> Type:
    name = _CHOICES.get(suffix, suffix)
    return Type(name, kin_of(name, is_resource=False))


def _guessed(value: Any) -> frozenset[str]:
    if type(value) is dict:
        type_ = value.get("resourceType")
        return kin_of(type_, is_resource=True) if isinstance(type_, str) else _ELEMENT
    return _KINDS.get(type(value), _DECIMAL)


_ELEMENT: Final = frozenset({"Element"})
_DECIMAL: Final = frozenset({"decimal", "Element"})
_KINDS: Final[Mapping[type, frozenset[str]]] = {
    bool: frozenset({"boolean", "Element"}),
    int: frozenset({"integer", "Element"}),
    str: frozenset({"string", "Element"}),
    type(None): _ELEMENT,
}
UNTYPED: Final = Type(None)


class Defined(Type):
    """A structure that R4 defines; types of its elements are looked up when first met."""

    __slots__ = ("_choices", "_definition", "_found")

    def __init__(self, structure: Definition) -> None:
        super().__init__(structure.name, frozenset(_line(structure)))
        self._definition = structure
        self._choices: dict[str, list[str]] = {}
        for key, (element, _) in structure.named.items():
            self._choices.setdefault(element.name, []).append(key)
        self._found: dict[str, Named] = {}

    def of(self, value: Mapping[str, Any]) -> Type:  # noqa: ARG002 -- it is what the definition says
        return self

    def named(self, name: str, value: Mapping[str, Any]) -> Named:  # noqa: ARG002 -- the definition knows
        found = self._found.get(name)
        if found is None:
            keys = self._choices.get(name) or ([name] if name in self._definition.named else [])
            found = self._found[name] = tuple((key, self.element(key)) for key in keys)
        return found

    def element(self, key: str) -> Type:
        named = self._definition.named.get(key)
        return UNTYPED if named is None else _of_element(*named)

    def repeats(self, key: str) -> bool:
        named = self._definition.named.get(key)
        return named is not None and named.element.many

    @property
    def sibling(self) -> Type:
        return r4("Element")


class Primitive(Type):
    """A primitive type of R4: no elements but id and extensions."""

    __slots__ = ()

    @property
    def sibling(self) -> Type:
        return r4("Element")


class AnyResource(Type):
    """An element that holds a resource, which says its own type."""

    __slots__ = ()

    def of(self, value: Mapping[str, Any]) -> Type:
        return type_of(value.get("resourceType"))

    def is_quantity(self, value: Mapping[str, Any]) -> bool:  # noqa: ARG002 -- no resource is one
        return False


ANY_RESOURCE: Final = AnyResource("Resource", frozenset({"Resource"}))


def type_of(resource_type: Any) -> Type:
    """The type of a resource by what it says of itself."""
    return r4(resource_type) if isinstance(resource_type, str) and resource_type in RESOURCE_TYPES else UNTYPED


@cache
def r4(name: str) -> Type:
    """A type of R4, or a structure inside one ("Observation.component"). Raises KeyError for another name."""
    if name in PRIMITIVES:
        return Primitive(name, kin_of(name, is_resource=False))
    return ANY_RESOURCE if name == "Resource" else Defined(definition(name))


def _of_element(element: Element, type: ElementType) -> Type:
    return r4(element.structure or type.profile or type.code)


def _line(structure: Definition) -> Iterator[str]:
    """The type and what it is derived from."""
    yield structure.name
    while structure.base is not None:
        yield structure.base
        structure = definition(structure.base)
