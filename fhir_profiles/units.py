"""Decimal text and the change of a value from one UCUM unit to another, without binary floating point.

https://hl7.org/fhir/R4/datatypes.html#decimal: the precision of a decimal is part of its meaning.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

TEXT_LENGTH_MAX: Final = 24
"""A FHIR decimal holds at least 18 digits; with sign, point and exponent that is the longest text we take."""

_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?")
_EXACT: Final = Context(prec=100, rounding=ROUND_HALF_UP)
"""Wide enough that a product of two texts is exact and a quotient is never rounded twice."""
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def is_decimal(text: str) -> bool:
    """Is this the text of a FHIR decimal that may stand as a JSON number?"""
    return len(text) <= TEXT_LENGTH_MAX and _DECIMAL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """canonical = (value + add) * multiply / divide, so that 5/9 and 760/101.325 need no rounded factor."""

    add: Decimal = _ZERO
    multiply: Decimal = _ONE
    divide: Decimal = _ONE

    @property
    def is_identity(self) -> bool:
        return self.add == _ZERO and self.multiply == self.divide

    def forward(self, value: Decimal) -> Decimal:
        """The value in the canonical unit, exact to 100 digits."""
        return _EXACT.divide(_EXACT.multiply(_EXACT.add(value, self.add), self.multiply), self.divide)

    def backward(self, canonical: Decimal) -> Decimal:
        """The inverse of `forward`."""
        return _EXACT.subtract(_EXACT.divide(_EXACT.multiply(canonical, self.divide), self.multiply), self.add)

    def text(self, value: Decimal) -> str:
        """`forward` as decimal text, rounded half away from zero at the coarsest decimal place that loses no reading.

        One step of the last digit given, expressed in the canonical unit, decides: 0.1 kPa is 0.75 mm[Hg], so one
        decimal is kept, and 1.930 m becomes 193.0 cm. Fewer places would merge readings that the device told apart;
        so would half to even, where a whole step lies between two halves (0.1 K and 0.2 K in Cel).
        """
        exponent = value.as_tuple().exponent
        step = _EXACT.divide(_EXACT.multiply(_ONE.scaleb(int(exponent)), self.multiply), self.divide)
        places = max(0, -step.adjusted())
        return format(_EXACT.quantize(self.forward(value), Decimal((0, (1,), -places))), "f")
