"""https://hl7.org/fhirpath/N1/#conversion"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run, over, saying
from fhir_profiles.fhirpath.operators import number, single
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import CALENDAR_UNITS, ONE, Quantity

Convert = Callable[[Any], Any]

_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_QUANTITY: Final = re.compile(r"(?P<value>[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?)\s*(?:'(?P<unit>[^']+)'|(?P<time>[a-z]+))?")


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if number(value):
        return {0: False, 1: True}.get(value)
    text = value.lower() if isinstance(value, str) else ""
    return True if text in _TRUE else False if text in _FALSE else None


def _integer(value: Any) -> int | None:
    if isinstance(value, int):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def text(value: Any) -> str | None:
    """https://hl7.org/fhirpath/N1/#tostring-string"""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Temporal):
        return value.text
    return value.text() if isinstance(value, Quantity) else str(value) if isinstance(value, int) else None


def _moment(*kinds: str) -> Convert:
    """A dateTime cut to its day is a date; a date is a dateTime as it is."""

    def convert(value: Any) -> Any:
        if isinstance(value, str | Temporal):
            given = value if isinstance(value, str) else value.text
            if kinds == ("date",):
                given = given.partition("T")[0]
            elif kinds == ("time",) and len(given) == len("hh"):
                given = f"T{given}"  # else no one could tell it from a number
            made = Temporal.parse(given)
            return made if made is not None and made.kind in kinds else None
        return None

    return convert


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal):
        return Quantity.of(Decimal(value), ONE)
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match["time"] and match["time"] not in CALENDAR_UNITS):
        return None
    return Quantity.of(Decimal(match["value"]), match["unit"] or CALENDAR_UNITS.get(match["time"] or "", ONE))


def _to(convert: Convert) -> Function:
    def converted(focus: Items, *_: Items) -> Items:
        value = single(focus)
        made = None if value is None else convert(value)
        return [] if made is None else [made]

    return over(converted, 0, 1 if convert is _quantity else 0)


def _converts(convert: Convert) -> Function:
    def converts(focus: Items, *_: Items) -> bool | None:
        value = single(focus)
        return None if value is None else convert(value) is not None

    return saying(converts, 0, 1 if convert is _quantity else 0)


def _iif(arguments: Arguments) -> Run:
    """https://hl7.org/fhirpath/N1/#iifcriterion-expression-true-result-collection-otherwise-result-collection-collection

    Only the branch that is taken is evaluated; `$this` is the focus of the function.
    """
    criterion, yes = arguments.truth(0), arguments.run(1)
    no = arguments.run(2) if len(arguments) > 2 else None  # noqa: PLR2004 -- the third one

    def iif(focus: Items, frame: Frame) -> Items:
        inner = Frame(frame.evaluation, focus, frame.index, frame.total)
        if criterion(focus, inner):
            return yes(focus, inner)
        return no(focus, inner) if no is not None else []

    return iif


_CONVERSIONS: Final[Mapping[str, Convert]] = {
    "Boolean": _boolean,
    "Integer": _integer,
    "Decimal": _decimal,
    "String": text,
    "Date": _moment("date"),
    "DateTime": _moment("date", "dateTime"),
    "Time": _moment("time"),
    "Quantity": _quantity,
}
TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "iif": Function(2, 3, run=_iif),
        **{f"to{name}": _to(convert) for name, convert in _CONVERSIONS.items()},
        **{f"convertsTo{name}": _converts(convert) for name, convert in _CONVERSIONS.items()},
    }
)
