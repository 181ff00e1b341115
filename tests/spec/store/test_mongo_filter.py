"""A predicate means the same in MongoDB and in memory (hub.search.predicate.holds is the naive twin).

Random rows lie in a real mongod; each random predicate must find exactly the rows for which `holds` says yes.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from hub.search.predicate import (
    AllOf,
    AnyOf,
    Between,
    HasGlobal,
    HasToken,
    IdIs,
    Naming,
    Not,
    PatientIs,
    Patientless,
    Predicate,
    Row,
    holds,
)
from hub.store.documents import document
from hub.store.embedded import Endpoint
from hub.store.mongo_filter import mongo_filter
from hub.store.protocol import Stored

TOKENS = [bytes([number]) * 12 for number in range(4)]
PATIENTS = [bytes([100 + number]) * 12 for number in range(3)]
IDS = [f"id{number:03d}" for number in range(60)]

tokens = st.frozensets(st.sampled_from(TOKENS), max_size=3)
leaves = st.one_of(
    tokens.map(HasToken),
    tokens.map(HasGlobal),
    st.frozensets(st.sampled_from(PATIENTS), max_size=2).map(PatientIs),
    st.frozensets(st.sampled_from(PATIENTS), max_size=2).map(Naming),
    st.just(Patientless()),
    st.frozensets(st.sampled_from(IDS), max_size=3).map(IdIs),
    st.builds(Between, st.sampled_from(["d", "e", "lu"]), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
)
predicates = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=8,
)


def _stored(number: int) -> Stored:
    """Rows that differ in everything a predicate can see, made by arithmetic so that they are always the same."""
    dated = number % 4 != 0
    return Stored(
        type="Observation",
        id=IDS[number],
        version=1,
        updated_us=number % 7,
        sealed=b"",
        key_version=1,
        patient=None if number % 5 == 0 else PATIENTS[number % 3],
        others=tuple(PATIENTS[place] for place in range(3) if number % 7 == place),
        tokens=tuple(TOKENS[place] for place in range(4) if number >> place & 1),
        global_tokens=tuple(TOKENS[place] for place in range(4) if number // 3 >> place & 1),
        start_us=number % 8 if dated else None,
        end_us=number % 8 + number % 3 if dated else None,
    )


ROWS = [_stored(number) for number in range(60)]


def _row(stored: Stored) -> Row:
    return Row(
        type=stored.type,
        id=stored.id,
        p=stored.patient,
        k=frozenset(stored.tokens),
        g=frozenset(stored.global_tokens),
        lu=stored.updated_us,
        d=stored.start_us,
        e=stored.end_us,
        q=frozenset(stored.others),
    )


@pytest.fixture(scope="module")
def filled(mongod: Endpoint) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongod.admin_url) as client:
        collection = client["scratch_filter"]["rows"]
        collection.drop()
        collection.insert_many([document(one) for one in ROWS])
        yield collection
        client.drop_database("scratch_filter")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(predicates)
def test_the_database_finds_what_the_twin_says(filled: Any, predicate: Predicate) -> None:
    """STYLE 3.1: each index and filter is checked against an independent naive evaluation."""
    found = {one["_id"] for one in filled.find(mongo_filter(predicate, "Observation"), {"_id": 1})}
    assert found == {one.row for one in ROWS if holds(predicate, _row(one))}


@pytest.mark.parametrize("predicate", [HasToken(frozenset()), PatientIs(frozenset()), Naming(frozenset()), IdIs(frozenset()), AnyOf(())])
def test_an_empty_condition_matches_nothing(filled: Any, predicate: Predicate) -> None:
    """DESIGN 6: an empty restriction matches nothing; silence means no."""
    assert filled.count_documents(mongo_filter(predicate, "Observation")) == 0
