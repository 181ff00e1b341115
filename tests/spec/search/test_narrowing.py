"""Tokens narrow, opened resources decide, and the two never contradict each other (DESIGN 5, "Tokens").

`found` asserts both halves: a match that the tokens exclude would never be answered, and a row that tokens called
exact but that does not match would be counted wrongly.
"""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.search.compile import matches
from hub.search.predicate import HasToken, holds
from tests.spec.search.generation import case
from tests.spec.search.given import NOW_US, found, narrowed, row_of, search, token

RANDOMS = st.randoms(use_true_random=False)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(RANDOMS)
def test_tokens_and_opened_resources_agree(random: Random) -> None:
    """matches implies the predicate; where the narrowing is exact they are the same."""
    resource, pairs = case(random)
    found(resource, *pairs)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(RANDOMS)
def test_criteria_are_joined_by_and(random: Random) -> None:
    """R4 #combining: the whole matches just when each criterion does alone."""
    resource, pairs = case(random)
    assert found(resource, *pairs) is all(found(resource, pair) for pair in pairs)


def test_a_search_without_criteria_asks_for_the_type_alone() -> None:
    """`[base]/Observation`: all of them, exactly."""
    narrowing = narrowed(search("Observation"))
    assert (narrowing.predicate, narrowing.exact) == (HasToken(frozenset({token("_type", "Observation")})), True)
    assert found({"resourceType": "Observation", "id": "o"})


def test_another_type_never_matches() -> None:
    """Type and code are asked for together, whatever the code."""
    device = {"resourceType": "Device", "id": "d", "status": "active", "identifier": [{"value": "1"}]}
    for pairs in ((), (("status", "active"),), (("identifier", "1"),)):
        asked = search("Observation", *pairs)
        assert not matches(asked, device, now_us=NOW_US, base="")
        assert not holds(narrowed(asked).predicate, row_of(device))


def test_criteria_alone_can_be_matched_too() -> None:
    """A granular scope is criteria without a search: the type is checked where the scope is chosen."""
    asked = search("Observation", ("status", "final"))
    assert matches(asked.criteria, {"resourceType": "Observation", "status": "final"}, now_us=NOW_US, base="")
    assert not matches(asked.criteria, {"resourceType": "Observation", "status": "amended"}, now_us=NOW_US, base="")
    assert matches((), {"resourceType": "Observation"}, now_us=NOW_US, base="")
