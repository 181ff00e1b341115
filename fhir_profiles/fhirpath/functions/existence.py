"""https://hl7.org/fhirpath/N1/#existence"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Truth, each, over, saying
from fhir_profiles.fhirpath.operators import contains, distinct, system, truth


def _exists(arguments: Arguments) -> Truth:
    if not len(arguments):
        return lambda focus, _: bool(focus)
    criteria = arguments.truth(0)
    return lambda focus, frame: any(criteria(inner.this, inner) for inner in each(focus, frame))


def _all(arguments: Arguments) -> Truth:
    criteria = arguments.truth(0)
    return lambda focus, frame: all(criteria(inner.this, inner) for inner in each(focus, frame))


def _not(focus: Items) -> bool | None:
    value = truth(focus)
    return None if value is None else not value


def _every(wanted: bool, of_all: bool) -> Callable[[Items], bool]:
    def says(focus: Items) -> bool:
        values = [system(item) for item in focus]
        if not all(isinstance(value, bool) for value in values):
            raise FhirPathEvaluationError("only booleans are all or any true or false")
        found = (value is wanted for value in values)
        return all(found) if of_all else any(found)

    return says


def _subset(focus: Items, other: Items) -> bool:
    return all(contains(other, system(item)) for item in focus)


def _superset(focus: Items, other: Items) -> bool:
    return _subset(other, focus)


def _is_distinct(focus: Items) -> bool:
    return len(distinct(focus)) == len(focus)


def count(focus: Items) -> Items:
    return [len(focus)]


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "empty": saying(lambda focus: not focus),
        "exists": Function(0, 1, truth=_exists),
        "all": Function(1, 1, truth=_all),
        "not": saying(_not),
        "allTrue": saying(_every(wanted=True, of_all=True)),
        "anyTrue": saying(_every(wanted=True, of_all=False)),
        "allFalse": saying(_every(wanted=False, of_all=True)),
        "anyFalse": saying(_every(wanted=False, of_all=False)),
        "subsetOf": saying(_subset, 1),
        "supersetOf": saying(_superset, 1),
        "isDistinct": saying(_is_distinct),
        "distinct": over(distinct),
        "count": over(count),
    }
)
