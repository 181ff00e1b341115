"""https://hl7.org/fhirpath/N1/#filtering-and-projection"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run, each
from fhir_profiles.fhirpath.operators import distinct
from fhir_profiles.fhirpath.typing import type_predicate


def _where(arguments: Arguments) -> Run:
    criteria = arguments.truth(0)
    return lambda focus, frame: [inner.this[0] for inner in each(focus, frame) if criteria(inner.this, inner)]


def _select(arguments: Arguments) -> Run:
    projection = arguments.run(0)

    def select(focus: Items, frame: Frame) -> Items:
        found: Items = []
        for inner in each(focus, frame):
            found.extend(projection(inner.this, inner))
        return found

    return select


def _repeat(arguments: Arguments) -> Run:
    """Until nothing new is found. What has been found is told apart by value, as the specification asks for."""
    projection = _select(arguments)

    def repeat(focus: Items, frame: Frame) -> Items:
        found: Items = []
        waiting = focus
        while waiting:
            more = distinct([*found, *projection(waiting, frame)])
            waiting = more[len(found) :]
            found = more
            frame.evaluation.spend(len(found))
        return found

    return repeat


def _of_type(arguments: Arguments) -> Run:
    is_type = type_predicate(arguments.type(0))
    return lambda focus, _: [item for item in focus if is_type(item)]


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "where": Function(1, 1, run=_where),
        "select": Function(1, 1, run=_select),
        "repeat": Function(1, 1, run=_repeat),
        "ofType": Function(1, 1, run=_of_type),
        "as": Function(1, 1, run=_of_type),  # R4's own dom-3 asks it of many items, so it filters instead of failing
    }
)
