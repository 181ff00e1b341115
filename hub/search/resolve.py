"""Chains in terms of what they found, so that tokens can narrow and opened resources decide.

Execution runs the inner searches, innermost first and each with the caller's own restriction, and puts the answers in:
for a chain the references it leads to, for a reverse chain the ids of what is referred to. What is referred to by canonical
URL is found by one more search, of all versions of the URLs: a reference without a version means the latest of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from hub.search.asked import Chain, Criterion, Has, Search
from hub.search.canonicals import Canonical, parted
from hub.search.elements import of_parameter
from hub.search.follow import canonical_types
from hub.search.parameters import RESOURCE_TYPES, Parameter, ResourceType
from hub.search.references import LOCAL, literal
from hub.search.types.id import IdsValue, PatientsValue
from hub.search.types.reference import CanonicalsValue, ReferenceValue
from hub.search.value import PatientToken, Resource


def pending(search: Search) -> dict[int, Chain | Has]:
    """The chains of a search, by their place in `criteria`."""
    return {place: one for place, one in enumerate(search.criteria) if isinstance(one, Chain | Has)}


def resolved(search: Search, answers: Mapping[int, Collection[str]]) -> Search:
    """The search with each of its `pending` chains replaced by a plain criterion. No answer matches nothing.

    answers  by place: of a Chain the references "Type/id" (or canonical URLs) that lead to what its inner searches found, of
             a Has the ids of resources of this type that are referred to
    """
    criteria = list(search.criteria)
    for place, chain in pending(search).items():
        criteria[place] = answered(chain, frozenset(answers[place]), RESOURCE_TYPES[search.type])
    return replace(search, criteria=tuple(criteria))


def targets(parameter: Parameter, resource: Resource, base: str) -> frozenset[str]:
    """The local references "Type/id" of a reference parameter's elements, of types that it may lead to.

    base  our FHIR base with a trailing slash, or ""
    """
    found = (literal(element["reference"], base) for element in of_parameter(parameter, resource) if "reference" in element)
    local = (LOCAL.fullmatch(reference) for reference in found if reference is not None)
    return frozenset(one.group() for one in local if one and (not parameter.targets or one.group(1) in parameter.targets))


def canonicals(parameter: Parameter, resource: Resource) -> frozenset[Canonical]:
    """What the elements of a parameter of canonical URLs lead to."""
    texts = (element for element in of_parameter(parameter, resource) if isinstance(element, str))
    return frozenset(parted(text) for text in texts if not text.startswith("#"))


def answered(chain: Chain | Has, answer: frozenset[str], row: ResourceType) -> Criterion:
    """The plain criterion on a type's `row` that stands for a chain once its answer is known."""
    if isinstance(chain, Chain):
        made = CanonicalsValue(answer) if canonical_types(chain.parameter) else ReferenceValue(answer)
        return Criterion(parameter=chain.parameter, modifier=None, values=(made,) if answer else ())
    return one_of(answer, row)


def one_of(ids: frozenset[str], row: ResourceType) -> Criterion:
    """Resources of a type by their ids."""
    return Criterion(parameter=row.parameters["_id"], modifier=None, values=(IdsValue(ids),))


def patients_answered(tokens: frozenset[bytes], token_of: PatientToken, row: ResourceType) -> Criterion:
    """The same for a reverse chain on Patient whose answer is known by the patients' tokens, without having opened anything."""
    return Criterion(parameter=row.parameters["_id"], modifier=None, values=(PatientsValue(tokens, token_of),))
