"""OBX-6: a unit of IEEE 11073 (number and name, checked as a pair) or of UCUM -> UCUM.

Numbers: partition 4 of IEEE 11073-10101 (4*65536 + term), as read in public tables and messages; each was seen with its name in at
least two of: HL7 PHD and PoCD guides, IHE pump and monitor examples, published gateways of monitor and ventilator makers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused


@dataclass(frozen=True, slots=True)
class UnitTerm:
    """A row: number, reference identifier, UCUM code."""

    code: str
    name: str
    ucum: str


UNIT_TERMS = (
    UnitTerm("262656", "MDC_DIM_DIMLESS", "1"),
    UnitTerm("262688", "MDC_DIM_PERCENT", "%"),
    UnitTerm("263441", "MDC_DIM_CENTI_M", "cm"),
    UnitTerm("263762", "MDC_DIM_MILLI_L", "mL"),
    UnitTerm("263875", "MDC_DIM_KILO_G", "kg"),
    UnitTerm("264608", "MDC_DIM_PER_SEC", "/s"),
    UnitTerm("264864", "MDC_DIM_BEAT_PER_MIN", "/min"),
    UnitTerm("264928", "MDC_DIM_RESP_PER_MIN", "/min"),
    UnitTerm("265216", "MDC_DIM_L_PER_MIN", "L/min"),
    UnitTerm("265266", "MDC_DIM_MILLI_L_PER_HR", "mL/h"),
    UnitTerm("266016", "MDC_DIM_MMHG", "mm[Hg]"),
    UnitTerm("266048", "MDC_DIM_CM_H2O", "cm[H2O]"),
    UnitTerm("266418", "MDC_DIM_MILLI_VOLT", "mV"),
    UnitTerm("268050", "MDC_DIM_MILLI_L_PER_CM_H2O", "mL/cm[H2O]"),
    UnitTerm("268064", "MDC_DIM_CM_H2O_PER_L_PER_SEC", "cm[H2O].s/L"),
    UnitTerm("268192", "MDC_DIM_DEGC", "Cel"),
)
BY_CODE: Mapping[str, UnitTerm] = {row.code: row for row in UNIT_TERMS}
BY_NAME: Mapping[str, UnitTerm] = {row.name: row for row in UNIT_TERMS}
SPELLINGS: Mapping[str, str] = {
    "bpm": "/min",
    "{beat}/min": "/min",
    "{beats}/min": "/min",
    "1/min": "/min",
    "{breath}/min": "/min",
    "{breaths}/min": "/min",
    "{resp}/min": "/min",
}
"""What stands for a unit of the table in the place of its UCUM code; UCUM's annotations in braces mean nothing."""
_UCUM = re.compile(r"[!-~]{1,32}")
PLACES = ((0, 1, 2), (3, 4, 5))
"""Identifier, text and system of a coded element, and the alternate ones."""


def ucum_of(components: Sequence[str], *, plain: bool = False) -> str:
    """The UCUM code of OBX-6. Raises ItemRefused: none, unknown, a number beside another's name, two units that differ.

    plain  a unit without any system is taken for UCUM, which IDCO asks for and the field writes
    """
    found = [unit for place in PLACES if (unit := _one(components, place, plain=plain)) is not None]
    if not found:
        raise ItemRefused("unit-unknown", "OBX-6 must name the unit in MDC (number and name) or UCUM.")
    if len(set(found)) > 1:
        raise ItemRefused("unit-mismatch", "The unit and the alternate unit in OBX-6 are not the same.")
    return found[0]


def _one(components: Sequence[str], places: tuple[int, int, int], *, plain: bool) -> str | None:
    code, text, system = (components[place] if place < len(components) else "" for place in places)
    if not code:
        return None
    if system == "MDC":
        return _mdc(code, text)
    if system == "UCUM" or (plain and not system):
        unit = SPELLINGS.get(code, code)
        return unit if _UCUM.fullmatch(unit) and len(unit) <= FIELD_CHARS_MAX else None
    return None


def _mdc(code: str, name: str) -> str:
    row = BY_CODE.get(code)
    if row is None and name not in BY_NAME:
        raise ItemRefused("unit-unknown", "The MDC unit in OBX-6 is not known yet; the item is kept.")
    if row is None or row.name != name:
        raise ItemRefused("unit-mismatch", "Number and name of the MDC unit in OBX-6 do not belong together.")
    return row.ucum
