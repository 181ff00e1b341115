"""Which measure a code of IEEE 11073 means: number and reference identifier, checked as a pair against the catalogue.

Simulators in the field pair 150456 with the name of another code, so a number alone proves nothing (DEVICES 0.6).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from adapters.hl7v2.units import PLACES
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES, Measure


@dataclass(frozen=True, slots=True)
class Term:
    """A code of the nomenclature and what it measures; `component` where it is a part of the measure."""

    code: str
    names: frozenset[str]
    measure: str
    component: str | None
    row: Measure


SYNONYMS: Mapping[str, frozenset[str]] = {
    "147842": frozenset({"MDC_ECG_CARD_BEAT_RATE"}),
    "151708": frozenset({"MDC_AWAY_CO2_ET"}),
}
"""Older names of a number, as messages in the field have them."""


def _mdc(row: Measure) -> Iterator[tuple[str, str]]:
    for coding in (*row.codings, *(coding for unit in row.units.values() for coding in unit.codings)):
        if coding.system == MDC:
            yield coding.code, coding.display or ""


def _terms() -> Iterator[Term]:
    for measure in MEASURES.values():
        parts: list[tuple[str | None, Measure]] = [*measure.components.items()] or [(None, measure)]
        for component, row in parts:
            for code, name in dict(_mdc(row)).items():
                yield Term(code, frozenset({name}) | SYNONYMS.get(code, frozenset()), measure.key, component, row)


TERMS: Mapping[tuple[str, bool], Term] = MappingProxyType({(term.code, term.row.sampled): term for term in reversed(list(_terms()))})
"""By number, and whether it is a strip: one number stands for a value and for a series of them."""
NAMES: frozenset[str] = frozenset(name for term in TERMS.values() for name in term.names)
_ATTRIBUTES = ("MDC_ATTR_", "MDC_TIME_", "MDC_ID_")
"""Names of what describes a device or a waveform and measures nobody."""


ALL_MEASURES = tuple(sorted({term.measure for term in TERMS.values()}))
"""Measures of the catalogue that a message can name: those with a code of the nomenclature."""


def coded(components: Sequence[str]) -> tuple[str, str] | None:
    """Number and name in MDC of a coded element, or of its alternate; None if it has neither."""
    padded = [*components, *[""] * 6]
    for code, name, system in PLACES:
        if padded[system] == "MDC":
            return padded[code], padded[name]
    return None


def term_of(components: Sequence[str], *, strip: bool = False) -> Term:
    """What OBX-3 means. Raises ItemRefused: not MDC, unknown, or a number with a name that is not its own.

    strip  OBX-5 is a waveform
    """
    found = coded(components)
    if found is None:
        raise ItemRefused("unknown-measure", "OBX-3 has no code of IEEE 11073 (system MDC); the item is kept.")
    code, name = found
    if name.startswith(_ATTRIBUTES):
        raise ItemRefused("device-attribute", "OBX-3 describes the device and measures nobody; it is not stored.", keep=False)
    term = TERMS.get((code, strip)) or TERMS.get((code, not strip))
    if term is not None and name in term.names:
        return term
    if term is None and name not in NAMES:
        raise ItemRefused("unknown-measure", "The catalogue has no measure of this code; the item is kept.")
    raise ItemRefused("code-name-mismatch", "Number and reference identifier in OBX-3 do not belong together; correct the sender's table.")
