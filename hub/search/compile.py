"""A search over sealed rows: what the tokens can say (`narrow`), and what the opened resource says (`matches`).

Tokens narrow, opened resources decide (docs/search.md). The permission is no concern of this module: the repository
joins it with the predicate inside the query.
"""

from collections.abc import Iterable, Sequence

from hub.errors import FhirError
from hub.search.asked import Chain, Criterion, Either, Has, Search
from hub.search.predicate import AllOf, AnyOf, HasGlobal, HasToken, Not, PatientIs, Predicate, all_of
from hub.search.references import with_slash
from hub.search.value import UNDECIDED, Narrowing, Opened, PatientToken, Resource, Test, Token, Tokens, test_of

__all__ = ["Narrowing", "compartments", "matches", "narrow", "test"]


def narrow(search: Search, *, token: Token, patient_token: PatientToken, now_us: int) -> Narrowing:
    """What a matching row shows, without permissions. `exact`: every row that shows it matches.

    now_us  when the search is (us since 1970), for the prefix ap; the same for all its pages
    """
    tokens = Tokens(token=token, patient_token=patient_token, type=search.type, now_us=now_us)
    parts = [_criterion(criterion, tokens) for criterion in search.criteria]
    # The type comes last: any other token is rarer, and a database starts with the first.
    of_type = HasToken(frozenset({token("_type", search.type)}))
    return Narrowing(all_of((*_flat(part.predicate for part in parts), of_type)), exact=all(part.exact for part in parts))


Asked = Criterion | Either | Chain | Has


def matches(search: Search | Sequence[Asked], resource: Resource, *, now_us: int, base: str) -> bool:
    """Does the opened resource match? Looks at the resource alone. `base`: our FHIR base, whose references are ours."""
    return test(search, now_us=now_us, base=base)(resource)


def test(search: Search | Sequence[Asked], *, now_us: int, base: str) -> Test:
    """`matches` for many resources: what is the same for all of them is worked out once."""
    opened = Opened(base=with_slash(base), now_us=now_us)
    type, criteria = (search.type, search.criteria) if isinstance(search, Search) else (None, search)
    tests = [_test(criterion, opened) for criterion in criteria]

    def holds(resource: Resource) -> bool:
        if type is not None and resource["resourceType"] != type:
            return False
        for one in tests:  # noqa: SIM110 -- for every row of every page; a generator costs as much again
            if not one(resource):
                return False
        return True

    return holds


def compartments(predicate: Predicate) -> frozenset[bytes] | None:
    """The patients (tokens) in whose compartments all rows lie that the predicate holds for; None if it does not say."""
    match predicate:
        case PatientIs(any_of):
            return any_of
        case AllOf(parts):
            said = _said(parts)
            return frozenset.intersection(*said) if said else None
        case AnyOf(parts):
            said = _said(parts)
            return frozenset[bytes]().union(*said) if len(said) == len(parts) else None
        case _:
            return None


def _said(parts: Iterable[Predicate]) -> list[frozenset[bytes]]:
    return [found for part in parts if (found := compartments(part)) is not None]


def _test(criterion: Asked, opened: Opened) -> Test:
    """R4 #token: a resource without a value matches :not."""
    if isinstance(criterion, Either):
        return _any([_test(one, opened) for one in criterion.criteria])
    if not isinstance(criterion, Criterion):
        raise _unresolved()
    found = _any([test_of(value, criterion.parameter, opened) for value in criterion.values])
    return (lambda resource: not found(resource)) if criterion.negated else found


def _any(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda resource: any(test(resource) for test in tests)


def _unresolved() -> FhirError:
    return FhirError("not-supported", "A chained search parameter is not supported here.")


def _criterion(criterion: Asked, tokens: Tokens) -> Narrowing:
    if isinstance(criterion, Either):
        ways = [_criterion(one, tokens) for one in criterion.criteria]
        return Narrowing(_any_of([way.predicate for way in ways]), exact=all(way.exact for way in ways))
    if not isinstance(criterion, Criterion):
        raise _unresolved()
    parts = [value.narrow(criterion.parameter, tokens) for value in criterion.values]
    exact = all(part.exact for part in parts)
    predicate = _any_of([part.predicate for part in parts])
    if not criterion.negated:
        return Narrowing(predicate, exact)
    # Only what is exact may be turned round: the complement of too much would be too little.
    return Narrowing(Not(predicate), exact=True) if exact else UNDECIDED


def _any_of(parts: Sequence[Predicate]) -> Predicate:
    """One token set instead of many alternatives, where all are of a kind."""
    if len(parts) == 1:
        return parts[0]
    for kind in (HasToken, HasGlobal, PatientIs):
        if all(isinstance(part, kind) for part in parts):
            return kind(frozenset().union(*(part.any_of for part in parts if isinstance(part, kind))))
    return AnyOf(tuple(parts))


def _flat(predicates: Iterable[Predicate]) -> list[Predicate]:
    """Conjunctions spliced into the one around them: a flat filter is the better plan."""
    return [part for predicate in predicates for part in (predicate.parts if isinstance(predicate, AllOf) else (predicate,))]
