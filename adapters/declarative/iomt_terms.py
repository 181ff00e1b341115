"""FHIR mapping templates of iomt-fhir held against the catalogue: do code, name and unit of an entry belong together?

Public samples do not always (DEVICES 0.6): a diastolic pressure coded 8867-4, which is heart rate, must not be stored as either.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.canonical import LOINC, MDC
from fhir_profiles.catalogue import MEASURES, Measure

_UNITS: Final[Mapping[str, str]] = {
    "count/min": "/min",
    "beats/min": "/min",
    "breaths/min": "/min",
    "bpm": "/min",
    "mmHg": "mm[Hg]",
    "count": "{steps}",
    "steps": "{steps}",
    "percent": "%",
    "degC": "Cel",
    "°C": "Cel",
    "C": "Cel",
    "degF": "[degF]",
    "°F": "[degF]",
    "F": "[degF]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
}
"""What such templates write -> UCUM code. What is neither here nor a unit of the measure is a finding."""

_EMPTY: Final = frozenset({"of", "in", "the", "and", "a", "by", "with", "from"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not belong together in the entry of a type: `code` kebab-case, `message` for whoever wrote the template."""

    type_name: str
    code: str
    message: str


class Contradiction(Exception):
    """Raised inside, becomes the finding of the type it concerns."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def row_of(codes: Any, rows: Iterable[Measure], what: str) -> Measure:
    """Return the row that an entry's codes name. Raises Contradiction."""
    codings = [one for one in codes if type(one) is dict] if type(codes) is list else []
    given = {_coding(one) for one in codings}
    found = [row for row in rows if given & _keys(row)]
    if not found:
        listed = ", ".join(sorted(code for _, code in given)) or "none"
        raise Contradiction("code-mismatch", f"The codes of {what} ({listed}) are none that the catalogue has for it.")
    row = min(found, key=lambda one: (-len(given & _keys(one)), len(one.key)))
    names = _words(" ".join(str(one.get("display", "")) for one in codings if _coding(one) in _keys(row)))
    if names and not names & _words(f"{row.text} {' '.join(display or '' for _, _, display in _codings(row))}"):
        raise Contradiction("name-mismatch", f"The name that {what} gives its code is that of something else; the code means {row.text}.")
    return row


def _coding(given: Mapping[str, Any]) -> tuple[str, str]:
    return str(given.get("system")), str(given.get("code"))


def unit_of(row: Measure, value: Mapping[str, Any], what: str) -> str:
    """Return the UCUM code of an entry's value. Raises Contradiction."""
    given = str(value.get("code") or value.get("unit") or "")
    if not given:
        raise Contradiction("unit-missing", f"{what} says no unit; {row.text} is taken in {', '.join(row.units)}.")
    unit = given if given in row.units else _UNITS.get(given, given)
    if unit not in row.units:
        raise Contradiction(
            "unit-mismatch", f"The unit of {what} is none of {row.text}, which is taken in {', '.join(row.units) or 'none'}."
        )
    return unit


def all_rows() -> Iterable[Measure]:
    """Return the rows that such a template can name."""
    return MEASURES.values()


def _codings(row: Measure) -> list[tuple[str, str, str | None]]:
    codings = [*row.codings, *(coding for unit in row.units.values() for coding in unit.codings)]
    return [(one.system, one.code, one.display) for one in codings]


def _keys(row: Measure) -> set[tuple[str, str]]:
    return {(system, code) for system, code, _ in _codings(row) if system in (LOINC, MDC)}


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.casefold())) - _EMPTY
