"""OBX rows written from measurements, for the simulators of what sends HL7 v2 with codes of IEEE 11073: those of the catalogue."""

from collections.abc import Iterable, Iterator

from adapters.hl7v2.terms import TERMS
from adapters.kit.scene import Scene, Sort
from adapters.kit.writing import Values, of_catalogue
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES, Measure

SAMPLE_RATE = "0^MDC_ATTR_SAMP_RATE^MDC"
PER_SECOND = "264608^MDC_DIM_PER_SEC^MDC"
HERTZ = 250


def besides(measures: Iterable[str], usual: Iterable[Sort]) -> list[Sort]:
    """A sort for each of the measures that is no part of the usual day, where a code of IEEE 11073 leads to each of its parts."""
    day = {one.measure for one in usual}
    return [of_catalogue(measure) for measure in measures if measure not in day and all(map(_is_own, _parts(MEASURES[measure])))]


def _parts(row: Measure) -> Iterable[Measure]:
    return row.components.values() or (row,)


def _is_own(row: Measure) -> bool:
    """Does its code lead back to it?"""
    term = TERMS.get((_code(row), row.sampled))
    return term is not None and term.row is row


def _code(row: Measure) -> str:
    found = (*row.codings, *(coding for unit in row.units.values() for coding in unit.codings))
    return next((coding.code for coding in found if coding.system == MDC), "")


def term(row: Measure) -> str:
    """OBX-3: the number and the reference identifier of a measure or of a part of one."""
    found = (*row.codings, *(coding for unit in row.units.values() for coding in unit.codings))
    return next(f"{coding.code}^{coding.display}^MDC" for coding in found if coding.system == MDC)


def rows(scene: Scene, values: Values, *, first: int, node: str) -> Iterator[str]:
    """The OBX of one scene: a row a component, a strip with its rate below it.

    first  number of the first row; node  place in the tree of the device, of which the last number is the row's own
    """
    row = MEASURES[scene.sort.measure]
    for place, (name, text) in enumerate(values.items()):
        own = f"{node}.{place + 1}"
        yield _row(first + place, scene.sort, row.components[name] if name else row, own, text)
        if scene.sort.samples:
            yield f"OBX|{first + 1}|NM|{SAMPLE_RATE}|{own}.1|{HERTZ}|{PER_SECOND}|||||F"


def _row(number: int, sort: Sort, row: Measure, node: str, text: str | None) -> str:
    """No value: OBX-8 NAV, OBX-11 X (IHE DEC, table for missing values)."""
    type, unit, value = "NM", f"{sort.unit}^{sort.unit}^UCUM", text or ""
    if sort.samples:
        type, value = "NA", value.replace(" ", "^")
    elif sort.codes:
        type, unit, value = "CWE", "", "" if text is None else f"{text}^{row.codes[sort.unit, text]}^MDC"
    flag, status = ("", "F") if text is not None else ("NAV", "X")
    return f"OBX|{number}|{type}|{term(row)}|{node}|{value}|{unit}||{flag}|||{status}"
