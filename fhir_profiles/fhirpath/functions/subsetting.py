"""https://hl7.org/fhirpath/N1/#subsetting"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.functions.row import Function, Items, over
from fhir_profiles.fhirpath.operators import contains, distinct, single, system


def whole(items: Items) -> int | None:
    """The argument of skip and its like."""
    value = single(items)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise FhirPathEvaluationError("a whole number is needed")
    return value


def item(focus: Items, index: Items) -> Items:
    at = whole(index)
    return [] if at is None or not 0 <= at < len(focus) else [focus[at]]


def _single(focus: Items) -> Items:
    if len(focus) > 1:
        raise FhirPathEvaluationError("one item is needed where there are several")
    return focus


def _skip(focus: Items, many: Items) -> Items:
    return focus[max(0, whole(many) or 0) :]


def _take(focus: Items, many: Items) -> Items:
    return focus[: max(0, whole(many) or 0)]


def _intersect(focus: Items, other: Items) -> Items:
    return distinct(one for one in focus if contains(other, system(one)))


def _exclude(focus: Items, other: Items) -> Items:
    return [one for one in focus if not contains(other, system(one))]


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "single": over(_single),
        "first": over(lambda focus: focus[:1]),
        "last": over(lambda focus: focus[-1:]),
        "tail": over(lambda focus: focus[1:]),
        "skip": over(_skip, 1),
        "take": over(_take, 1),
        "intersect": over(_intersect, 1),
        "exclude": over(_exclude, 1),
    }
)
