"""System values beside Python's own: quantities, and how what JSON holds becomes a value.

https://hl7.org/fhirpath/N1/#literals, https://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

from fhir_profiles import ucum

UCUM: Final = "http://unitsofmeasure.org"
ONE: Final = "1"

CALENDAR_UNITS: Final[Mapping[str, str]] = {
    word + plural: unit
    for word, unit in {
        "year": "year",
        "month": "month",
        "week": "wk",
        "day": "d",
        "hour": "h",
        "minute": "min",
        "second": "s",
        "millisecond": "ms",
    }.items()
    for plural in ("", "s")
}
"""N1 section 5.5: the keywords of time. Years and months of the calendar are no multiple of the others."""
_CALENDAR_OF_UCUM: Final = {"a": "year", "mo": "month"}
_MONTHS: Final = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """`system` is UCUM, or what a resource says; None and a unit as text where it says nothing."""

    value: Decimal
    unit: str
    system: str | None

    @classmethod
    def of(cls, value: Decimal, unit: str) -> Self:
        return cls(value, unit, UCUM)

    @classmethod
    def from_fhir(cls, value: Mapping[str, Any]) -> Self | None:
        """https://hl7.org/fhir/R4/fhirpath.html#quantity. With a comparator it is no value."""
        number = value.get("value")
        if "comparator" in value or not isinstance(number, int | float) or isinstance(number, bool):
            return None
        system, code = value.get("system"), value.get("code")
        if system == UCUM and isinstance(code, str):
            return cls(decimal(number), _CALENDAR_OF_UCUM.get(code, code), UCUM)
        unit = code if isinstance(code, str) else value.get("unit", ONE)
        return cls(decimal(number), unit if isinstance(unit, str) else ONE, system if isinstance(system, str) else None)

    def compared(self, other: "Quantity") -> int | None:
        """-1, 0, 1; None where the units cannot be brought together."""
        pair = self._together(other)
        if pair is None:
            return None
        return (pair[0] > pair[1]) - (pair[0] < pair[1])

    def _together(self, other: "Quantity") -> tuple[Decimal, Decimal] | None:
        if self.unit == other.unit and self.system == other.system:
            return self.value, other.value
        if self.unit in _MONTHS and other.unit in _MONTHS:
            return self.value * _MONTHS[self.unit], other.value * _MONTHS[other.unit]
        if self.system != UCUM or other.system != UCUM:
            return None
        mine, theirs = ucum.canonical(self.value, self.unit), ucum.canonical(other.value, other.unit)
        return None if mine is None or theirs is None or mine[1] != theirs[1] else (mine[0], theirs[0])

    def text(self) -> str:
        return f"{self.value:f} '{self.unit}'"


def decimal(number: Any) -> Decimal:
    """The number as it was written: a reader of JSON may keep the digits as `text` in a subclass of float."""
    if isinstance(number, Decimal):
        return number
    return Decimal(number) if isinstance(number, int) else Decimal(getattr(number, "text", None) or repr(number))
