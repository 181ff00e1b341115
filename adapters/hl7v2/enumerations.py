"""OBX-5 of a coded type -> a code that the catalogue has for the measure."""

from collections.abc import Mapping

from adapters.hl7v2.message import Segment
from adapters.hl7v2.terms import TERMS, Term, coded
from adapters.reading import Coded
from adapters.refusal import ItemRefused

CODED_TYPES = frozenset({"CWE", "CNE", "CE", "CF", "ST", "IS", "ID"})
ENUMERATION: Mapping[tuple[str, str], tuple[str, str]] = {
    (term.code, word): (system, value)
    for term in TERMS.values()
    for (system, value), display in term.row.codes.items()
    for word in {value, display}
}
"""(code of the measure, word) -> system and code of the catalogue. The word is a number or a reference identifier."""


def enumerated(obx: Segment, term: Term) -> Coded:
    """Number and name, `^word` as pumps write it, or a name alone in an ST. Every word that is there must mean the same."""
    components = obx.components(5)
    words = [word for word in coded(components) or components[:2] if word]
    codes = {ENUMERATION.get((term.code, word)) for word in words}
    code = codes.pop() if len(codes) == 1 else None
    if code is None:
        raise ItemRefused("unknown-value-code", "OBX-5 is not a word that the catalogue has for this measure, or number and name differ.")
    return Coded(system=code[0], code=code[1], display=term.row.codes[code])
