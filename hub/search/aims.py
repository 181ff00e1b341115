"""Whom a search is about, by what it says alone: whether there is such a patient is not asked.

For the log: an attempt stands under the patient it aimed at, whether or not anything was found (DESIGN 6).
"""

from collections.abc import Iterator

from hub.search.asked import Chain, Criterion, Either, Has, Search
from hub.search.compartment_table import BY_NAME, COMPARTMENT_ELEMENT
from hub.search.types.id import IdValue
from hub.search.types.reference import PATIENT, ReferenceValue
from hub.search.types.token import TokenValue
from hub.search.value import Value


def patients_named(search: Search) -> frozenset[str]:
    """Ids of the Patients that it names: by `_id`, or as what a reference leads to, in its chains too."""
    return frozenset(id for one in search.criteria for id in _named(one, search.type))


def rows_named(search: Search) -> tuple[str, ...]:
    """What it looks up by a name that is theirs alone, an id or an identifier, if such rows can concern a patient; else nothing."""
    if search.type not in COMPARTMENT_ELEMENT and search.type not in BY_NAME:
        return ()
    for one in search.criteria:
        if isinstance(one, Criterion) and one.modifier is None and all(_is_name(value, one) for value in one.values):
            return tuple(f"{search.type}?{one.parameter.code}={value!r}" for value in one.values)
    return ()


def _named(one: Criterion | Either | Chain | Has, type: str) -> Iterator[str]:
    match one:
        case Criterion():
            for value in one.values:
                if isinstance(value, ReferenceValue):
                    yield from (text.removeprefix(PATIENT) for text in value.literals if text.startswith(PATIENT))
                elif isinstance(value, IdValue) and type == "Patient":
                    yield value.id
        case Either():
            for criterion in one.criteria:
                yield from _named(criterion, type)
        case Chain():
            for inner in one.targets.values():
                yield from patients_named(inner)
        case Has():
            yield from patients_named(one.inner)


def _is_name(value: Value, one: Criterion) -> bool:
    if isinstance(value, IdValue):
        return True
    return isinstance(value, TokenValue) and value.code is not None and one.parameter.element == "Identifier" and one.parameter.where == "g"
