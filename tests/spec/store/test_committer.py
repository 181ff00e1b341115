"""Group commit (DESIGN 6, docs/adr/0005): durable together, each request its own fate, a chain without gaps.

The database is a writer that does as it is told, so that every failure can be had at the wanted moment; the real one is
in test_mongo_store.py and tests/faults.
"""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.chain import Head, genesis, is_whole
from audit.record import Record
from hub.store.committer import ROUND_RETRIES_MAX, Committer, Contended, Uncertain, UnitsInConflict
from hub.store.protocol import Claim, Conflict, Locked, Unavailable, Unit, Unsure
from tests.spec.store.given import draft, stored, unit


class Told:
    """A writer that keeps what it was given, and fails where the test says so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.rounds: list[list[Unit]] = []
        self.fail: list[Exception] = []
        self.poison: set[str] = set()
        self.held: set[bytes] = set()
        self.tries: list[int] = []
        self.gate, self.entered = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def write(self, units: Sequence[Unit], records: Sequence[Record]) -> None:
        self.entered.set()
        await self.gate.wait()
        self.tries.append(len(units))
        if any(claim.key in self.held for one in units for claim in one.claims):
            raise Contended
        if self.fail:
            raise self.fail.pop(0)
        bad = frozenset(place for place, one in enumerate(units) if any(draft.id in self.poison for draft in one.drafts))
        if bad:
            raise UnitsInConflict(bad)
        self.rounds.append(list(units))
        self.records += records


def committer(writer: Told) -> tuple[Committer, list[Head]]:
    heads: list[Head] = []
    writers = iter(range(1, 1_000))

    async def new_head() -> Head:
        return genesis(bytes([next(writers)]), [])

    return Committer(writer, new_head, heads.append), heads


async def test_what_waits_at_the_same_time_is_written_in_one_round() -> None:
    """DESIGN 6: group commit; one flush however many wait."""
    writer = Told()
    committing, _ = committer(writer)
    writer.gate.clear()
    first = asyncio.create_task(committing.commit(unit("a")))
    await writer.entered.wait()
    others = [asyncio.create_task(committing.commit(unit(id))) for id in "bcd"]
    await asyncio.sleep(0)
    writer.gate.set()
    await asyncio.gather(first, *others)
    assert [len(one) for one in writer.rounds] == [1, 3]


async def test_one_units_conflict_does_not_fail_its_neighbours() -> None:
    """DESIGN 6: one request's failure must not fail its neighbours: regroup and retry."""
    writer = Told()
    committing, _ = committer(writer)
    writer.poison = {"bad"}
    results = await asyncio.gather(*(committing.commit(unit(id)) for id in ("a", "bad", "c")), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), Conflict, type(None)]
    assert {draft.id for one in writer.rounds for each in one for draft in each.drafts} == {"a", "c"}


async def test_the_chain_has_no_gap_although_units_were_thrown_out() -> None:
    """A number is used only when the transaction that carries it has committed."""
    writer = Told()
    committing, heads = committer(writer)
    writer.poison = {"3", "5"}
    await asyncio.gather(*(committing.commit(unit(str(n))) for n in range(9)), return_exceptions=True)
    await committing.commit(unit("last"))
    assert [record.sequence for record in writer.records] == list(range(1, len(writer.records) + 1))
    assert all(is_whole(record) for record in writer.records)
    assert heads[-1].hash == writer.records[-1].hash


async def test_after_an_uncertain_round_a_new_chain_begins() -> None:
    """Whether the old chain carries the round is unknown, so it gets no further record."""
    writer = Told()
    committing, _ = committer(writer)
    await committing.commit(unit("a"))
    writer.fail = [Uncertain("gone")]
    with pytest.raises(Unsure):
        await committing.commit(unit("b"))
    await committing.commit(unit("c"))
    assert [(record.writer, record.sequence) for record in writer.records] == [(b"\x01", 1), (b"\x02", 1)]


async def test_a_contended_round_is_tried_again() -> None:
    """TransientTransactionError: nothing was written, the round may be repeated."""
    writer = Told()
    committing, _ = committer(writer)
    writer.fail = [Contended()] * ROUND_RETRIES_MAX
    await committing.commit(unit("a"))
    assert [record.draft.id for record in writer.records] == ["a"]


async def test_a_round_that_stays_contended_is_written_unit_by_unit() -> None:
    writer = Told()
    committing, _ = committer(writer)
    writer.fail = [Contended()] * (ROUND_RETRIES_MAX + 1)
    await asyncio.gather(*(committing.commit(unit(id)) for id in "abc"))
    assert [len(one) for one in writer.rounds] == [1, 1, 1]


async def test_a_unit_that_stays_contended_alone_is_locked_and_its_neighbours_are_written() -> None:
    """A transaction that has not ended holds its row: nobody was first, so it is no conflict."""
    writer = Told()
    committing, _ = committer(writer)
    writer.fail = [Contended()] * (ROUND_RETRIES_MAX + 2)
    results = await asyncio.gather(*(committing.commit(unit(id)) for id in "abc"), return_exceptions=True)
    assert [type(one) for one in results] == [Locked, type(None), type(None)]
    assert [record.draft.id for record in writer.records] == ["b", "c"]


async def test_what_is_known_to_be_held_goes_alone_and_holds_up_nobody() -> None:
    """DESIGN 6: one request's failure must not fail its neighbours, nor make them wait while it is tried again and again."""
    writer = Told()
    committing, _ = committer(writer)
    writer.held = {b"held"}

    async def round_(*ids: str) -> list[object]:
        units = [*map(unit, ids), Unit(claims=[Claim(key=b"held", value="x")], drafts=[draft(f"held {ids}")])]
        return [type(one) for one in await asyncio.gather(*map(committing.commit, units), return_exceptions=True)]

    assert await round_("a", "b") == [type(None), type(None), Locked]
    writer.tries.clear()
    assert await round_("c", "d") == [type(None), type(None), Locked]
    assert writer.tries == [2, 1]
    writer.held.clear()
    assert await round_("e") == [type(None)] * 2
    writer.tries.clear()
    assert await round_("f") == [type(None)] * 2
    assert writer.tries == [2], "it is forgotten as soon as it is let go"


async def test_a_caller_that_goes_away_does_not_pull_its_unit_out_of_the_round() -> None:
    """Law 5: what was begun is there whole or not at all."""
    writer = Told()
    committing, _ = committer(writer)
    writer.gate.clear()
    gone = asyncio.create_task(committing.commit(unit("gone", inserts=[stored("x")])))
    await asyncio.sleep(0)
    gone.cancel()
    writer.gate.set()
    await committing.commit(unit("next"))
    assert [record.draft.id for record in writer.records] == ["gone", "next"]


async def test_an_error_nobody_expected_is_no_acknowledgement() -> None:
    """Law 5: only what the store acknowledged is answered as done."""
    writer = Told()
    committing, _ = committer(writer)
    writer.fail = [RuntimeError("unforeseen")]
    with pytest.raises(Unavailable):
        await committing.commit(unit("a"))
    await committing.commit(unit("b"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["well", "conflict"]), min_size=1, max_size=40), st.integers(0, 3), st.integers(0, 2**32))
def test_everyone_hears_the_truth(fates: list[str], contended: int, seed: int) -> None:
    """Exactly the units that were acknowledged are written, each once, in a whole chain."""

    async def run() -> None:
        writer = Told()
        committing, _ = committer(writer)
        writer.poison = {str(place) for place, fate in enumerate(fates) if fate == "conflict"}
        writer.fail = [Contended() for _ in range(contended)]
        results = await asyncio.gather(*(committing.commit(unit(str(place))) for place in range(len(fates))), return_exceptions=True)
        acknowledged = [str(place) for place, one in enumerate(results) if one is None]
        assert sorted(record.draft.id for record in writer.records) == sorted(acknowledged)
        assert acknowledged == [str(place) for place, fate in enumerate(fates) if fate == "well"]
        assert [record.sequence for record in writer.records] == list(range(1, len(acknowledged) + 1))

    asyncio.run(run())
