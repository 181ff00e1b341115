"""In what order readings go that take each other's place. docs/adr/0017-rederivation.md"""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.rederive.chains import chains

ROWS = [f"Observation/{n:02}" for n in range(12)]
MOVES = st.dictionaries(st.sampled_from(ROWS), st.sampled_from(ROWS)).map(lambda found: {row: to for row, to in found.items() if row != to})


def test_whoever_goes_first_has_a_free_place() -> None:
    """A grid one step off: the end of it first."""
    found = chains({"a": "b", "b": "c", "c": "free"}, set(), 2)
    assert (found.chains, found.stuck) == ([[["c", "b"], ["a"]]], {})


def test_a_circle_goes_at_once_and_who_follows_it_afterwards() -> None:
    found = chains({"a": "b", "b": "a", "c": "a", "d": "c"}, set(), 2)
    assert (found.chains, found.stuck) == ([[["a", "b"], ["c", "d"]]], {})


def test_a_circle_that_is_too_long_for_one_transaction_stays_and_so_does_who_follows_it() -> None:
    found = chains({"a": "b", "b": "c", "c": "a", "d": "a"}, set(), 2)
    assert (found.chains, found.stuck) == ([], dict.fromkeys("abcd", "circle-too-long"))


def test_who_meets_nobody_on_the_move_is_in_no_chain_and_where_somebody_stays_it_says_so() -> None:
    found = chains({"a": "free", "b": "taken", "c": "d", "d": "taken"}, {"b", "d"}, 2)
    assert (found.chains, found.stuck) == ([], dict.fromkeys("bcd", "place-held"))


@given(moves=MOVES, held=st.sets(st.sampled_from(ROWS)), unit_rows=st.integers(1, 6))
def test_nobody_comes_to_a_place_before_it_is_left(moves: dict[str, str], held: set[str], unit_rows: int) -> None:
    """Whoever holds a place goes in an earlier transaction or in the same; all that move are accounted for, once."""
    found = chains(moves, held & moves.keys(), unit_rows)
    gone: set[str] = set()
    for unit in chain.from_iterable(found.chains):
        assert 0 < len(unit) <= unit_rows
        gone.update(unit)
        assert all(moves[row] in gone for row in unit if moves[row] in moves)
    going = [row for unit in chain.from_iterable(found.chains) for row in unit]
    assert len(going) == len(set(going))
    assert not found.stuck.keys() & set(going)
    alone = moves.keys() - set(going) - found.stuck.keys()
    assert not {moves[row] for row in alone} & moves.keys()
    assert not alone & set(moves.values())
    assert held & moves.keys() <= found.stuck.keys()
