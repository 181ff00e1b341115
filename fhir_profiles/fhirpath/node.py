"""An element of a resource as FHIRPath sees it: value, extensions of a primitive, type, and where it stands.

https://hl7.org/fhir/R4/fhirpath.html
"""

from typing import Any, Final

from fhir_profiles.fhirpath.model import UNTYPED, Type
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Quantity, decimal

TEMPORAL: Final = frozenset({"date", "dateTime", "instant", "time"})


class Node:
    """`value` as parsed JSON, None where only `sibling` (the JSON under `_name`) is there.

    parent, key, index  where it stands; key is the JSON name ("valueQuantity"), index None if it does not repeat
    """

    __slots__ = ("index", "key", "parent", "sibling", "type", "value")

    def __init__(
        self, value: Any, type: Type = UNTYPED, sibling: Any = None, parent: "Node | None" = None, key: str = "", index: int | None = None
    ) -> None:
        self.value = value
        self.type = type
        self.sibling = sibling
        self.parent = parent
        self.key = key
        self.index = index

    def system(self) -> Any:
        """The value for operators: text, number, truth, moment or quantity; the node itself where it has parts, None without a value."""
        value = self.value
        if type(value) is dict:
            return (Quantity.from_fhir(value) or self) if self.type.is_quantity(value) else self
        if type(value) is str:
            return self._text(value)
        return decimal(value) if isinstance(value, float) else value

    def _text(self, value: str) -> Any:
        return (Temporal.parse(value) or value) if self.type.name in TEMPORAL else value

    def children(self) -> list["Node"]:
        """All elements, in the order of the JSON. https://hl7.org/fhirpath/N1/#children-collection"""
        found: list[Node] = []
        value = self.value
        if type(value) is not dict:
            return Node(self.sibling, self.type.sibling, None, self).children() if type(self.sibling) is dict else found
        type_ = self.type.of(value)
        for key in value:
            if key[:1] != "_":
                if key != "resourceType":
                    self.take(key, type_.element(key), found)
            elif key[1:] not in value:
                self.take(key[1:], type_.element(key[1:]), found)
        return found

    def named(self, name: str, found: list["Node"]) -> None:
        """Append the elements of this name; `value` finds valueQuantity and its like."""
        value = self.value
        if type(value) is dict:
            for key, type_ in self.type.of(value).named(name, value):
                if key in value or f"_{key}" in value:
                    self.take(key, type_, found)
        elif type(self.sibling) is dict and name in self.sibling:
            Node(self.sibling, self.type.sibling, None, self).take(name, self.type.sibling.element(name), found)

    def has(self, name: str) -> bool:
        """Is there an element of this name?"""
        value = self.value
        if type(value) is dict:
            if name in value:
                return True
            return any(key in value or f"_{key}" in value for key, _ in self.type.of(value).named(name, value))
        return type(self.sibling) is dict and name in self.sibling

    def take(self, key: str, type_: Type, found: list["Node"]) -> None:
        value = self.value.get(key)
        sibling = self.value.get(f"_{key}")
        if type(value) is list or type(sibling) is list:
            values, siblings = _list(value), _list(sibling)
            for index in range(max(len(values), len(siblings))):
                one = values[index] if index < len(values) else None
                other = siblings[index] if index < len(siblings) else None
                if one is not None or other is not None:
                    found.append(Node(one, type_, other, self, key, index))
        elif value is not None or sibling is not None:
            found.append(Node(value, type_, sibling, self, key))


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []
