"""Whose rows a search may find: what is looked up instead of joining the grants of all patients (docs/adr/0012)."""

import pytest

from hub.search.predicate import AllOf, AnyOf, Between, HasGlobal, HasToken, IdIs, Not, PatientIs, Predicate
from hub.search.reach import Reach, reach

DEVICE, TYPE, NAME = HasToken(frozenset({b"device"})), HasToken(frozenset({b"type"})), HasGlobal(frozenset({b"name"}))
ONE, TWO, BOTH = (PatientIs(frozenset(some)) for some in ((b"1",), (b"2",), (b"1", b"2")))
LATE = Between("d", low=1)


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (AllOf((LATE, Not(DEVICE))), None),
        (AnyOf((ONE, LATE)), None),
        (AllOf((BOTH, ONE, DEVICE, NAME)), Reach(frozenset({b"1"}))),
        (AnyOf((ONE, TWO)), Reach(frozenset({b"1", b"2"}))),
        (AllOf((DEVICE, LATE, NAME)), Reach(frozenset(), look_up=AllOf((NAME, DEVICE, LATE)))),
        (AllOf((DEVICE, LATE, TYPE)), Reach(frozenset(), carrying=(DEVICE.any_of, TYPE.any_of))),
        (AllOf((TYPE, AnyOf((ONE, DEVICE)))), Reach(frozenset({b"1"}), carrying=(DEVICE.any_of,))),
        (AnyOf((AllOf((DEVICE, TYPE)), TYPE)), Reach(frozenset(), carrying=(DEVICE.any_of | TYPE.any_of,))),
        (
            AnyOf((IdIs(frozenset({"a"})), DEVICE)),
            Reach(frozenset(), look_up=AnyOf((IdIs(frozenset({"a"})),)), carrying=(DEVICE.any_of,)),
        ),
    ],
)
def test_the_narrowest_way_to_all_rows_is_taken(predicate: Predicate, expected: Reach | None) -> None:
    """DESIGN 6: every row that matches lies where the reach says, or the permission inside the query would be too narrow."""
    assert reach(predicate) == expected
