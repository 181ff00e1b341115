"""Search type quantity: a number with its unit.

https://hl7.org/fhir/R4/search.html#quantity. `5.4`, `5.4|system|code`, `5.4||unit`. Two units of UCUM are compared in
their canonical unit, so that 0.005 g is 5 mg; anything else as it is written. `||unit` is the code or the unit's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_profiles.ucum import canonical
from hub.search.elements import typed
from hub.search.grammar import split, unescape
from hub.search.intervals import COMPARE, Interval, Searched, decimal, searched, split_prefix
from hub.search.row import Parameter
from hub.search.systems import UCUM
from hub.search.value import UNDECIDED, BadValue, Narrowing, Opened, Resource, Tokens, Written

CURRENCIES = "urn:iso:std:iso:4217"
_PIECES = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """`name`: what people read. `system` and `code` identify it."""

    system: str | None
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """`system`: "" without; `code`: "" is any unit."""

    prefix: str
    asked: Searched
    system: str
    code: str

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        return UNDECIDED

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(self._is(kind, element) for kind, element in typed(parameter, resource))

    def _is(self, kind: str, element: Any) -> bool:
        if kind == "SampledData":  # it has many values and none of its own
            return False
        if kind == "Range":
            sides = [element[side] for side in ("low", "high") if side in element]
            bases = {self._basis(unit_of(side)) for side in sides}
            if not sides or len(bases) > 1:
                return False
            found = Interval(self._value(element.get("low")), self._value(element.get("high")))
            return self._compared(bases.pop(), found)
        value = self._value(element)
        if value is None:
            return False
        return self._compared(self._basis(unit_of(element)), compared_as(element.get("comparator"), value))

    def _compared(self, basis: str | None, found: Interval) -> bool:
        """`basis`: "" as written, a canonical unit, or None where the unit is another one."""
        if basis is None:
            return False
        asked: Searched | None = self.asked
        if basis:
            asked = self.asked.mapped(lambda value: _canonical(value, self.code))
        return asked is not None and COMPARE[self.prefix](found, asked)

    def _basis(self, unit: Unit) -> str | None:
        if not self.code and not self.system:
            return ""
        if not self.system:
            return "" if self.code in (unit.code, unit.name) else None
        if not self.code:
            return "" if self.system == unit.system else None
        if self.system != unit.system:
            return None
        if self.system == UCUM:
            mine, theirs = canonical(Decimal(1), self.code), canonical(Decimal(1), unit.code or "")
            if mine is not None and theirs is not None:
                return mine[1] if mine[1] == theirs[1] else None
        return "" if self.code == unit.code else None

    def _value(self, quantity: Any) -> Decimal | None:
        if quantity is None:
            return None
        value, unit = decimal(quantity.get("value")), unit_of(quantity)
        if value is None or not self._basis(unit):
            return value
        return _canonical(value, unit.code or "")


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset()


def parse(written: Written, parameter: Parameter) -> QuantityValue:  # noqa: ARG001
    pieces = [unescape(piece) for piece in split(written.text, "|")]
    if len(pieces) not in (1, _PIECES):
        raise BadValue("must be number, number|system|code or number||unit")
    prefix, text = split_prefix(pieces[0])
    system, code = (pieces[1], pieces[2]) if len(pieces) == _PIECES else ("", "")
    return QuantityValue(prefix, searched(text), system, code)


def unit_of(element: Mapping[str, Any]) -> Unit:
    """Of a Quantity, or of Money."""
    if "currency" in element:
        return Unit(CURRENCIES, element["currency"], element["currency"])
    return Unit(element.get("system"), element.get("code"), element.get("unit"))


def compared_as(comparator: str | None, value: Decimal) -> Interval:
    """https://hl7.org/fhir/R4/datatypes.html#quantity: "<5" is somewhere below five."""
    match comparator:
        case "<" | "<=":
            return Interval(None, value, below=comparator == "<")
        case ">" | ">=":
            return Interval(value, None, above=comparator == ">")
        case _:
            return Interval(value, value)


def magnitude(kind: str, element: Any) -> float | None:
    """What a number or a quantity is sorted by: in the canonical unit if it has one of UCUM; a Range by its lower end."""
    if kind == "Range":
        return magnitude("Quantity", element.get("low", element.get("high", {})))
    value = decimal(element.get("value") if isinstance(element, Mapping) else element)
    if value is None:
        return None
    unit = unit_of(element) if isinstance(element, Mapping) else Unit(None, None, None)
    changed = _canonical(value, unit.code or "") if unit.system == UCUM else None
    return float(value if changed is None else changed)


def _canonical(value: Decimal, code: str) -> Decimal | None:
    found = canonical(value, code)
    return None if found is None else found[0]
