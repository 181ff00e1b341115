"""https://hl7.org/fhirpath/N1/#math"""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.functions.row import Function, Items, over
from fhir_profiles.fhirpath.functions.subsetting import whole
from fhir_profiles.fhirpath.operators import DIGITS, number, single
from fhir_profiles.fhirpath.values import Quantity

PLACES_MAX: Final = 28
_SPARE: Final = Context(prec=DIGITS.prec + 8)


def _of(function: Callable[..., Any], arguments: int = 0) -> Function:
    """Nothing where a number is missing or the result is none."""

    def applied(focus: Items, *others: Items) -> Items:
        values = [single(items) for items in (focus, *others)]
        if any(value is None for value in values):
            return []
        if not all(number(value) for value in values):
            raise FhirPathEvaluationError("a number is needed")
        try:
            made = function(*[Decimal(value) for value in values])
        except DecimalException:
            return []
        return [made] if not isinstance(made, Decimal) or made.is_finite() else []

    return over(applied, arguments)


def _abs(focus: Items) -> Items:
    value = single(focus)
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit, value.system)]
    if not number(value):
        raise FhirPathEvaluationError("a number is needed")
    return [abs(value)]


def _rounded(mode: str) -> Callable[[Decimal], int]:
    return lambda value: int(value.to_integral_value(rounding=mode))


def _round(focus: Items, precision: Items | None = None) -> Items:
    value, places = single(focus), 0 if precision is None else whole(precision)
    if value is None:
        return []
    if not number(value) or places is None or not 0 <= places <= PLACES_MAX:
        raise FhirPathEvaluationError("a number is rounded to places of the decimal point")
    return [Decimal(value).quantize(Decimal((0, (1,), -places)), rounding=ROUND_HALF_UP)]


def _log(value: Decimal, base: Decimal) -> Decimal:
    """With digits to spare, so that 16.log(2) is 4."""
    return DIGITS.plus(_SPARE.divide(_SPARE.ln(value), _SPARE.ln(base)))


def _power(focus: Items, exponent: Items) -> Items:
    value, power = single(focus), single(exponent)
    if value is None or power is None:
        return []
    if not number(value) or not number(power):
        raise FhirPathEvaluationError("a number is needed")
    try:
        made = DIGITS.power(Decimal(value), Decimal(power))
    except DecimalException:
        return []
    whole_ = isinstance(value, int) and isinstance(power, int) and power >= 0
    return [] if not made.is_finite() else [int(made)] if whole_ and made.adjusted() < DIGITS.prec else [made]


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "abs": over(_abs),
        "ceiling": _of(_rounded(ROUND_CEILING)),
        "floor": _of(_rounded(ROUND_FLOOR)),
        "truncate": _of(int),
        "round": over(_round, 0, 1),
        "sqrt": _of(DIGITS.sqrt),
        "exp": _of(DIGITS.exp),
        "ln": _of(DIGITS.ln),
        "log": _of(_log, 1),
        "power": over(_power, 1),
    }
)
