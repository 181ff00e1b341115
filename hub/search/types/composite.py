"""Search type composite: values of several parameters in one and the same element, parted by `$`.

https://hl7.org/fhir/R4/search.html#composite. The code of one component never pairs with the value of another: each
tuple is matched on each element alone. The tokens of the single parts narrow.
"""

from dataclasses import dataclass

from hub.search.elements import elements
from hub.search.grammar import split
from hub.search.predicate import all_of
from hub.search.row import Component, Parameter
from hub.search.value import BadValue, Narrowing, Opened, Resource, Test, Tokens, Value, Written, test_of


@dataclass(frozen=True, slots=True)
class CompositeValue:
    """One value for each component."""

    values: tuple[Value, ...]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        parts = [value.narrow(one.whole, tokens) for value, one in zip(self.values, parameter.components, strict=True)]
        return Narrowing(all_of(part.predicate for part in parts), exact=False)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:
        return self.test(parameter, opened)(resource)

    def test(self, parameter: Parameter, opened: Opened) -> Test:
        pairs = zip(self.values, parameter.components, strict=True)
        parts = [(test_of(value, one.parameter, opened), one.absolute) for value, one in pairs]

        def holds(resource: Resource) -> bool:
            found = (element for root in parameter.roots for element in elements(resource, root))
            return any(all(part(resource if absolute else element) for part, absolute in parts) for element in found)

        return holds


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset()


def parse(written: Written, parameter: Parameter) -> CompositeValue:
    pieces = split(written.text, "$")
    if len(pieces) != len(parameter.components) or "" in pieces:
        names = "$".join(one.parameter.code for one in parameter.components)
        raise BadValue(f"must be {names}: a value for each, parted by $; write \\$ for a $ inside a value")
    return CompositeValue(tuple(_part(piece, one, written.base) for piece, one in zip(pieces, parameter.components, strict=True)))


def _part(piece: str, component: Component, base: str) -> Value:
    from hub.search.types import SEARCH_TYPES  # this module is one of them

    return SEARCH_TYPES[component.parameter.type].parse(Written(text=piece, modifier=None, base=base), component.parameter)
