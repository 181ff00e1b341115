"""Units of UCUM: is a code one, and what is a value in the canonical unit of its dimension? Exact, without an index.

https://ucum.org/ucum, https://hl7.org/fhir/R4/search.html#quantity. The table of units is `ucum.json`; the grammar is
that of UCUM section 2. Two quantities can be compared when their canonical codes are the same text.

Amounts of substance (mol) are a dimension of their own: UCUM counts particles instead, which would compare mmol/L with
cells per litre. Mass and amount never meet, because a factor between them depends on the substance. Units that are
arbitrary ([iU]) or logarithmic ([pH], B) meet only themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from math import lcm
from types import MappingProxyType
from typing import Any, Final

import orjson

CODE_CHARS_MAX: Final = 200
DEPTH_MAX: Final = 8
EXPONENT_MAX: Final = 99
UNITS_KEPT: Final = 4_096

_DATA: Final[Mapping[str, Any]] = orjson.loads(files("fhir_profiles").joinpath("ucum.json").read_bytes())
_PREFIXES: Final = {code: Fraction(value) for code, value in _DATA["prefixes"].items()}
_UNITS: Final[Mapping[str, tuple[str, str | None, bool]]] = {code: tuple(row) for code, row in _DATA["units"].items()} | {
    "mol": ("1", None, True)
}
_TEMPERATURES: Final = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
"""kelvin = value * factor + offset; inside a product (Cel/min) they are differences, without the offset."""

_TOKEN: Final = re.compile(r"(?P<annotation>\{[!-z|~]*\})|(?P<sign>[./()])|(?P<unit>(?:\[[!-Z\\^-z|~]*\]|[!-'*-\-0-Z\\^-z|~])+)")
_EXPONENT: Final = re.compile(r"(?P<unit>.*?[^0-9+\-]|10[*^])(?P<exponent>[+-]?[0-9]{1,3})")
_CONTEXT: Final = Context(prec=40, rounding=ROUND_HALF_EVEN)
"""More digits than any FHIR decimal has: a value that ends keeps all of them, 1/3 ends here."""
_EXACT: Final = Context(prec=4_000)


@dataclass(frozen=True, slots=True)
class Unit:
    """value in canonical units = value * factor + offset. `dimensions`: exponent of each base unit, none of them 0."""

    factor: Fraction
    dimensions: Mapping[str, int]
    offset: Fraction = Fraction(0)

    @property
    def code(self) -> str:
        """The canonical unit: base units in alphabetical order."""
        return ".".join(base if exponent == 1 else f"{base}{exponent}" for base, exponent in sorted(self.dimensions.items())) or "1"

    def times(self, other: "Unit", exponent: int = 1) -> "Unit":
        """A product, or with -1 a quotient. Offsets are for a unit that stands alone."""
        together = dict(self.dimensions)
        for base, power in other.dimensions.items():
            together[base] = together.get(base, 0) + power * exponent
        return Unit(
            self.factor * other.factor**exponent, MappingProxyType({base: power for base, power in together.items() if power}), Fraction(0)
        )


_ONE: Final = Unit(Fraction(1), MappingProxyType({}))


class _NotUcum(ValueError):
    """No unit has this code."""


def is_valid(code: str) -> bool:
    """Is it a code of UCUM, in the case-sensitive form that FHIR asks for?"""
    return unit(code) is not None


def canonical(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """The value in the canonical unit and the code of that; None for what is no unit.

    >>> canonical(Decimal("98.6"), "[degF]")
    (Decimal('310.15'), 'K')
    """
    found = _scale(code)
    if found is None:
        return None
    multiply, add, divide, text = found
    if multiply is None:
        return value, text
    return _CONTEXT.divide(_EXACT.add(_EXACT.multiply(value, multiply), add), divide), text


@lru_cache(maxsize=UNITS_KEPT)
def _scale(code: str) -> tuple[Decimal | None, Decimal, Decimal, str] | None:
    """(multiply, add, divide, canonical code), whole numbers; no multiplication where there is nothing to calculate."""
    found = unit(code)
    if found is None:
        return None
    divide = lcm(found.factor.denominator, found.offset.denominator)
    multiply, add = (Decimal(int(part * divide)) for part in (found.factor, found.offset))
    return None if multiply == divide and not add else multiply, add, Decimal(divide), found.code


@lru_cache(maxsize=UNITS_KEPT)
def unit(code: str) -> Unit | None:
    """What the code says; None if it is none of UCUM."""
    if not 0 < len(code) <= CODE_CHARS_MAX:
        return None
    try:
        return _Reader(code).whole()
    except _NotUcum:
        return None


class _Reader:
    """UCUM section 2.1: terms of components, joined by `.` and `/` from left to right."""

    def __init__(self, code: str) -> None:
        self.tokens = list(_split(code))
        self.at = 0

    def whole(self) -> Unit:
        made = self.term(0)
        if self.at < len(self.tokens):
            raise _NotUcum
        return made

    def sign(self, signs: str) -> str:
        """The sign that stands here, if it is one of these."""
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if kind == "sign" and text in signs:
                self.at += 1
                return text
        return ""

    def term(self, depth: int) -> Unit:
        if depth > DEPTH_MAX:
            raise _NotUcum
        made = _ONE.times(self.component(depth), -1) if self.sign("/") else self.component(depth)
        while joined := self.sign("./"):
            made = made.times(self.component(depth), -1 if joined == "/" else 1)
        return made

    def component(self, depth: int) -> Unit:
        if self.sign("("):
            made = self.term(depth + 1)
            if not self.sign(")"):
                raise _NotUcum
            return self.annotated(made)
        if self.at == len(self.tokens):
            raise _NotUcum
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "annotation":
            return _ONE
        if kind == "sign":
            raise _NotUcum
        return self.annotated(_simple(text))

    def annotated(self, made: Unit) -> Unit:
        """An annotation says something to people and nothing about the unit."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "annotation":
            self.at += 1
        return made


def _split(code: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise _NotUcum
        found.append((str(match.lastgroup), match[0]))
        at = match.end()
    return found


def _simple(text: str) -> Unit:
    """A number, or a unit with its exponent."""
    if text.isdecimal():
        if not int(text):
            raise _NotUcum
        return Unit(Fraction(int(text)), _ONE.dimensions)
    whole = _prefixed(text)
    if whole is not None:
        return whole
    match = _EXPONENT.fullmatch(text)
    base = _prefixed(match["unit"]) if match is not None else None
    exponent = int(match["exponent"]) if match is not None else 0
    if base is None or not exponent or abs(exponent) > EXPONENT_MAX:
        raise _NotUcum
    return _ONE.times(base, exponent)


def _prefixed(text: str) -> Unit | None:
    if text in _UNITS:
        return _atom(text)
    for length in (1, 2):
        prefix, rest = _PREFIXES.get(text[:length]), text[length:]
        if prefix is not None and rest in _UNITS and _UNITS[rest][2]:
            base = _atom(rest)
            return Unit(base.factor * prefix, base.dimensions, base.offset)
    return None


@cache
def _atom(code: str) -> Unit:
    """A unit of the table, in base units."""
    if code in _TEMPERATURES:
        factor, offset = _TEMPERATURES[code]
        return Unit(factor, MappingProxyType({"K": 1}), offset)
    value, other, _ = _UNITS[code]
    if other is None:
        return Unit(Fraction(1), MappingProxyType({code: 1}))
    defined = _Reader(other).whole()
    return Unit(Fraction(value) * defined.factor, defined.dimensions)
