"""Operators over collections and over the values in them. https://hl7.org/fhirpath/N1/#operations"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, DecimalException
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.node import Node
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import ONE, UCUM, Quantity
from fhir_profiles.ucum import is_valid

Items = list[Any]
DIGITS: Final = Context(prec=34)
TEXT_CHARS_MAX: Final = 2 * 1024 * 1024
_BLANKS: Final = re.compile(r"\s+")


def system(item: Any) -> Any:
    return item.system() if type(item) is Node else item


def single(items: Items) -> Any:
    """The one value, or None; https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathEvaluationError("one item is needed where there are several")
    return system(items[0])


def truth(items: Items) -> bool | None:
    """A single item that is no boolean counts as true."""
    value = single(items)
    return value if isinstance(value, bool) or value is None else True


def number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


# Equality: https://hl7.org/fhirpath/N1/#equality


def equal(left: Items, right: Items) -> bool | None:
    """None if one side is empty, or if it cannot be told (a day and a moment of that day)."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    known: bool | None = True
    for one, other in zip(left, right, strict=True):
        same = same_value(system(one), system(other))
        if same is False:
            return False
        known = known and same
    return known


def same_value(one: Any, other: Any) -> bool | None:
    if type(one) is str and type(other) is str:
        return one == other
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if number(one) and number(other):
        return bool(one == other)
    if isinstance(one, Node) or isinstance(other, Node):
        return isinstance(one, Node) and isinstance(other, Node) and same_json(one.value, other.value)
    return _same_measure(one, other)


def _same_measure(one: Any, other: Any) -> bool | None:
    pair = _together(one, other)
    if pair is None:
        return False
    order = pair[0].compared(pair[1])
    if order is None and isinstance(pair[0], Temporal) and (pair[0].kind == "time") != (pair[1].kind == "time"):
        return False
    return None if order is None else order == 0


def _together(one: Any, other: Any) -> tuple[Any, Any] | None:
    """Both as moments or both as quantities: text is read as a moment, a number has the unit 1."""
    if isinstance(one, Temporal) or isinstance(other, Temporal):
        left, right = (Temporal.parse(side) if isinstance(side, str) else side for side in (one, other))
        return (left, right) if isinstance(left, Temporal) and isinstance(right, Temporal) else None
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        left, right = (Quantity.of(Decimal(side), ONE) if number(side) else side for side in (one, other))
        return (left, right) if isinstance(left, Quantity) and isinstance(right, Quantity) else None
    return None


def same_json(one: Any, other: Any) -> bool:
    """Deep, numbers by their value, true never 1."""
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(same_json(value, other[key]) for key, value in one.items())
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def equivalent(left: Items, right: Items) -> bool:
    """https://hl7.org/fhirpath/N1/#equivalence: never empty, in any order, letters and blanks folded, the coarser precision decides."""
    if len(left) != len(right):
        return False
    waiting = [system(item) for item in right]
    for item in left:
        one = system(item)
        found = next((index for index, other in enumerate(waiting) if alike(one, other)), None)
        if found is None:
            return False
        del waiting[found]
    return True


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return _folded(one) == _folded(other)
    if number(one) and number(other):
        return _rounded_alike(Decimal(one), Decimal(other))
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return one == other
    if isinstance(one, Node) and isinstance(other, Node):
        return _alike_json(one.value, other.value)
    return same_value(one, other) is True


def _folded(text: str) -> str:
    return _BLANKS.sub(" ", text.strip()).casefold()


def _rounded_alike(one: Decimal, other: Decimal) -> bool:
    places = max(_exponent(one), _exponent(other))
    try:
        unit = Decimal((0, (1,), places))
        return DIGITS.quantize(one, unit) == DIGITS.quantize(other, unit)
    except DecimalException:
        return one == other


def _exponent(value: Decimal) -> int:
    return min(0, int(value.normalize().as_tuple().exponent))


def _alike_json(one: Any, other: Any) -> bool:
    if type(one) is dict and type(other) is dict:
        keys, others = ({key for key in side if key != "id"} for side in (one, other))
        return keys == others and all(_alike_json(one[key], other[key]) for key in keys)
    if type(one) is list and type(other) is list:
        rest = list(other)
        for item in one:
            found = next((index for index, candidate in enumerate(rest) if _alike_json(item, candidate)), None)
            if found is None:
                return False
            del rest[found]
        return not rest
    return alike(one, other) if isinstance(one, str) and isinstance(other, str) else same_json(one, other)


# Comparison: https://hl7.org/fhirpath/N1/#comparison

COMPARISONS: Final[Mapping[str, Callable[[int], bool]]] = MappingProxyType(
    {"<": lambda order: order < 0, "<=": lambda order: order <= 0, ">": lambda order: order > 0, ">=": lambda order: order >= 0}
)


def compare(left: Items, right: Items) -> int | None:
    """-1, 0, 1; None where a side is empty or it cannot be told."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return None
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    if number(one) and number(other):
        return int(one > other) - int(one < other)
    if any(isinstance(side, Node) and "Quantity" in side.type.kin for side in (one, other)):
        return None  # a quantity without a value
    return _measured(one, other)


def _measured(one: Any, other: Any) -> int | None:
    pair = _together(one, other)
    if pair is None:
        raise FhirPathEvaluationError("values of these types have no order")
    order: int | None = pair[0].compared(pair[1])
    return order


# Collections: https://hl7.org/fhirpath/N1/#collections-2


def distinct(items: Iterable[Any]) -> Items:
    """In the order of first appearance. What can be hashed is told apart in one step, the rest one by one."""
    found: Items = []
    seen: set[Any] = set()
    others: Items = []
    for item in items:
        value = system(item)
        key = _key(value)
        if key is not None:
            if key not in seen:
                seen.add(key)
                found.append(item)
        elif not any(same_value(value, other) for other in others):
            others.append(value)
            found.append(item)
    return found


def _key(value: Any) -> Any:
    """Equal keys for equal values; None for what only `same_value` can tell apart."""
    if isinstance(value, str | bool):
        return (type(value), value)
    return (Decimal, value) if number(value) else None


def contains(items: Items, value: Any) -> bool:
    return any(same_value(system(item), value) for item in items)


# Arithmetic: https://hl7.org/fhirpath/N1/#math


def calculate(operator: str, left: Items, right: Items) -> Items:
    one, other = single(left), single(right)
    if operator == "&":
        return [_text(("" if one is None else one), ("" if other is None else other))]
    if one is None or other is None:
        return []
    if isinstance(one, str) and isinstance(other, str) and operator == "+":
        return [_text(one, other)]
    if isinstance(one, Temporal) and isinstance(other, Quantity) and operator in "+-":
        moved = one.plus(other.value if operator == "+" else -other.value, other.unit)
        return [] if moved is None else [moved]
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _with_quantity(operator, one, other)
    if not number(one) or not number(other):
        raise FhirPathEvaluationError(f"{operator} does not go with values of these types")
    return _with_numbers(operator, one, other)


def _text(one: Any, other: Any) -> str:
    if not isinstance(one, str) or not isinstance(other, str):
        raise FhirPathEvaluationError("only texts are joined")
    if len(one) + len(other) > TEXT_CHARS_MAX:
        raise FhirPathEvaluationError("a text becomes too long")
    return one + other


def _with_quantity(operator: str, one: Any, other: Any) -> Items:
    pair = _together(one, other)
    if pair is None:
        raise FhirPathEvaluationError(f"{operator} does not go with values of these types")
    left, right = pair
    if operator in "+-" and left.unit == right.unit and left.system == right.system:
        return [Quantity(value, left.unit, left.system) for value in _with_numbers(operator, left.value, right.value)]
    if operator in "*/" and ONE in {left.unit, right.unit} and (operator == "*" or right.unit == ONE):
        unit = left.unit if right.unit == ONE else right.unit
        return [Quantity(value, unit, UCUM) for value in _with_numbers(operator, left.value, right.value)]
    unit = f"({left.unit}){'.' if operator == '*' else operator}({right.unit})"
    if operator in "*/" and left.system == right.system == UCUM and is_valid(unit):
        return [Quantity(value, unit, UCUM) for value in _with_numbers(operator, left.value, right.value)]
    return []


def _with_numbers(operator: str, one: Any, other: Any) -> Items:
    """Division by zero and what no longer fits are empty."""
    try:
        made = _ARITHMETIC[operator](one, other)
    except (DecimalException, ZeroDivisionError):
        return []
    return [] if isinstance(made, Decimal) and not made.is_finite() else [made]


def _whole(one: Any, other: Any) -> int:
    return int(DIGITS.divide_int(Decimal(one), Decimal(other)))


def _both(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Any, Any], Any]:
    """Integers stay integers, within 64 bits."""

    def calculate(one: Any, other: Any) -> Any:
        made = operation(Decimal(one), Decimal(other))
        return int(made) if isinstance(one, int) and isinstance(other, int) and made.is_finite() else made

    return calculate


_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        "+": _both(DIGITS.add),
        "-": _both(DIGITS.subtract),
        "*": _both(DIGITS.multiply),
        "/": lambda one, other: DIGITS.divide(Decimal(one), Decimal(other)),
        "div": _whole,
        "mod": _both(DIGITS.remainder),
    }
)


def negative(items: Items) -> Items:
    value = single(items)
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [Quantity(-value.value, value.unit, value.system)]
    if not number(value):
        raise FhirPathEvaluationError("only numbers have a sign")
    return [-value]


# Logic: https://hl7.org/fhirpath/N1/#boolean-logic


def both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return True if left and right else None


def either(left: bool | None, right: bool | None) -> bool | None:
    if left or right:
        return True
    return False if left is False and right is False else None


def one_of(left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left != right


def implies(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right:
        return True
    return None if left is None or right is None else False
