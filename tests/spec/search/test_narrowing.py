"""Tokens narrow, opened resources decide, and the two never contradict each other (DESIGN 5, "Tokens").

`found` asserts both halves: a match that the tokens exclude would never be answered, and a row that tokens called
exact but that does not match would be counted wrongly.
"""

from typing import Any

from hypothesis import HealthCheck, event, given, settings

from hub.search.compile import matches
from hub.search.parameters import RESOURCE_TYPES
from hub.search.predicate import HasToken, holds
from tests.spec.search.given import NOW_US, found, narrowed, row_of, search, token
from tests.spec.search.strategies import ELEMENTS, cases


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(cases())
def test_tokens_and_opened_resources_agree(case: tuple[dict[str, Any], tuple[tuple[str, str], ...]]) -> None:
    """matches implies the predicate; where the narrowing is exact they are the same."""
    resource, pairs = case
    event(f"match={found(resource, *pairs)}")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(cases())
def test_criteria_are_joined_by_and(case: tuple[dict[str, Any], tuple[tuple[str, str], ...]]) -> None:
    """R4 #combining: the whole matches just when each criterion does alone."""
    resource, pairs = case
    assert found(resource, *pairs) is all(found(resource, pair) for pair in pairs)


def test_every_type_is_tried() -> None:
    """A new type without random examples is not done."""
    assert set(ELEMENTS) == set(RESOURCE_TYPES)


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
