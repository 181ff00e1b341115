"""Codes of an Observation -> the measure they mean. Every code and every name beside it must mean the same (DEVICES 0.6).

Published examples code a diastolic pressure as a heart rate, and glucose as HbA1c: a code alone proves nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from adapters.hl7v2.terms import SYNONYMS
from adapters.json_values import Json, listed
from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import LOINC, MDC, MEASURE_SYSTEM
from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.measurement import Coding

ANS_LOINC = "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc"
SYSTEMS: Mapping[str, str] = MappingProxyType(
    {LOINC: LOINC, ANS_LOINC: LOINC, "urn:oid:2.16.840.1.113883.6.1": LOINC, MDC: MDC, MEASURE_SYSTEM: MEASURE_SYSTEM}
)
"""Other names that a code system goes by."""
PREFERRED: frozenset[str] = frozenset({"heart-rate", "respiratory-rate", "glucose-blood", "glucose-plasma", "oxygen-saturation"})
"""What a code means that several measures share, where no further code tells them apart."""
_REFID = re.compile(r"MDC_[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A measure, or a part of one; `row` is what the catalogue says of it."""

    measure: str
    component: str | None
    row: Measure


def _rows() -> Iterator[Term]:
    for measure in MEASURES.values():
        if measure.medication is None and not measure.document:
            yield Term(measure.key, None, measure)
            yield from (Term(measure.key, key, row) for key, row in measure.components.items())


def _codings(row: Measure) -> set[Coding]:
    return {*row.codings, *(coding for unit in row.units.values() for coding in unit.codings)}


def _index() -> Mapping[tuple[str, str], tuple[Term, ...]]:
    found: dict[tuple[str, str], tuple[Term, ...]] = {}
    for term in _rows():
        for coding in _codings(term.row):
            found[coding.system, coding.code] = (*found.get((coding.system, coding.code), ()), term)
    return MappingProxyType(found)


def _names() -> Mapping[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for term in _rows():
        for coding in _codings(term.row):
            found.setdefault((coding.system, (coding.display or "").casefold()), set()).add(coding.code)
    for code, names in SYNONYMS.items():
        for name in names:
            found.setdefault((MDC, name.casefold()), set()).add(code)
    return MappingProxyType({name: frozenset(codes) for name, codes in found.items()})


TERMS = _index()
NAMES = _names()
"""(system, name in lower case) -> the codes that have it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A coding as it stands: the system by its usual name, and the names that are said beside the code."""

    system: str
    code: str
    names: tuple[str, ...]


def codings(concept: Any) -> Iterator[Json]:
    """The codings of a CodeableConcept that have system and code as short text."""
    for coding in listed(concept, "coding") if type(concept) is dict else ():
        if type(coding) is dict and _short(coding.get("system")) and _short(coding.get("code")):
            yield coding


def said_of(concept: Any) -> list[Said]:
    """Those codings whose system is one of the catalogue's."""
    return [
        Said(SYSTEMS[coding["system"]], coding["code"], names_in(coding.get("display")))
        for coding in codings(concept)
        if coding["system"] in SYSTEMS
    ]


def names_in(display: Any) -> tuple[str, ...]:
    """The reference identifiers of IEEE 11073 in a display, or the display itself."""
    text = display.strip() if type(display) is str and len(display) <= FIELD_CHARS_MAX else ""
    return tuple(_REFID.findall(text)) or ((text,) if text else ())


def is_known_name(text: Any) -> bool:
    """Is it a name that says what is measured and nothing else? Others are not kept: they are anybody's words."""
    return type(text) is str and (_REFID.fullmatch(text) is not None or any((system, text.casefold()) in NAMES for system in (LOINC, MDC)))


def measures_of(concept: Any, *, names: Mapping[str, str] = MappingProxyType({})) -> tuple[Term, ...]:
    """What the codings mean together.

    names  further names of LOINC codes, in lower case
    Raises ItemRefused: unknown-measure; code-name-mismatch for a name that is another code's; code-mismatch for codes that differ.
    """
    said = said_of(concept)
    for one in said:
        check_names(one, names)
    known = [TERMS[one.system, one.code] for one in said if (one.system, one.code) in TERMS]
    if not known:
        raise ItemRefused("unknown-measure", "The catalogue has no measure of these codes; the item is kept.")
    together = [term for term in known[0] if all(term in other for other in known)]
    if not together:
        raise ItemRefused("code-mismatch", "The codes of `code` do not mean the same; correct the sender's table.", keep=False)
    return tuple(together)


def check_names(said: Said, names: Mapping[str, str]) -> None:
    """Raises ItemRefused for a name that is another code's."""
    for name in said.names:
        low = name.casefold()
        codes = NAMES.get((said.system, low), frozenset({names[low]} if said.system == LOINC and low in names else ()))
        if codes and said.code not in codes:
            raise ItemRefused("code-name-mismatch", "Code and display do not belong together; correct the sender's table.", keep=False)
        if not codes and (said.system, said.code) in TERMS and said.system == MDC and _REFID.fullmatch(name):
            raise ItemRefused(
                "code-name-mismatch", "The reference identifier is not that of the code; correct the sender's table.", keep=False
            )


def chosen(terms: Sequence[Term], *, sampled: bool) -> Term:
    """One of the measures that share a code: strip or single value as it is sent, else the preferred. Raises ItemRefused."""
    alike = [term for term in terms if term.row.sampled == sampled] or list(terms)
    found = alike if len(alike) == 1 else [term for term in alike if term.measure in PREFERRED]
    if len(found) != 1:
        raise ItemRefused("unknown-measure", "Several measures share this code; send a further code, of IEEE 11073, that tells which.")
    return found[0]


def _short(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= FIELD_CHARS_MAX


def all_measures(systems: Iterable[str] = (LOINC, MDC)) -> tuple[str, ...]:
    """Measures that a code of these systems can name."""
    wanted = frozenset(systems)
    return tuple(sorted({term.measure for (system, _), terms in TERMS.items() if system in wanted for term in terms}))
