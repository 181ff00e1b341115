"""Reads that arrive together go together, and no answer is older than its question (DESIGN 6)."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from hub.store.gather import QUIET_TURNS, TURNS_MAX, Gather


class Source:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.values: dict[str, int] = {}
        self.gate, self.sent = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(list(keys))
        self.sent.set()
        seen = {key: self.values[key] for key in keys if key in self.values}
        await self.gate.wait()
        return seen


async def test_keys_that_wait_together_are_fetched_together() -> None:
    source = Source()
    source.values = {"a": 1, "b": 2}
    gather = Gather(source.fetch)
    assert await asyncio.gather(gather("a"), gather("b"), gather("a"), gather("absent")) == [1, 2, 1, None]
    assert source.asked == [["a", "b", "absent"]]


async def test_a_key_asked_for_after_the_query_was_sent_waits_for_the_next() -> None:
    """A consent withdrawn between two requests must be seen by the second (SECURITY 2.5)."""
    source = Source()
    source.values = {"a": 1}
    gather = Gather(source.fetch)
    source.gate.clear()
    before = asyncio.create_task(gather("a"))
    await source.sent.wait()
    source.values = {"a": 2}
    after = asyncio.create_task(gather("a"))
    await asyncio.sleep(0)
    source.gate.set()
    assert (await before, await after) == (1, 2)


async def test_a_failure_reaches_each_who_waits_and_nobody_later() -> None:
    failing = True

    async def fetch(keys: Sequence[str]) -> Mapping[str, int]:
        if failing:
            raise ConnectionError
        return dict.fromkeys(keys, 1)

    gather = Gather(fetch)
    results = await asyncio.gather(gather("a"), gather("b"), return_exceptions=True)
    assert [type(one) for one in results] == [ConnectionError, ConnectionError]
    failing = False
    assert await gather("a") == 1


async def test_who_goes_away_takes_no_one_along() -> None:
    source = Source()
    source.values = {"a": 1}
    gather = Gather(source.fetch)
    source.gate.clear()
    gone = asyncio.create_task(gather("a"))
    stays = asyncio.create_task(gather("a"))
    await asyncio.sleep(0)
    gone.cancel()
    source.gate.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_who_asks_a_turn_of_the_loop_later_comes_along() -> None:
    """Requests come one after the other; a question for each would cost more than the turn that the first waits."""
    source = Source()
    gather = Gather(source.fetch)

    async def later(turns: int, key: str) -> None:
        await _turns(turns)
        await gather(key)

    await asyncio.gather(*(later(number, key) for number, key in enumerate("abc")))
    assert source.asked == [["a", "b", "c"]]


async def test_who_asks_again_for_the_same_keeps_the_question_open_for_others() -> None:
    """One client's requests all ask for that client, and each may bring along somebody who asks for another."""
    source = Source()
    gather = Gather(source.fetch)

    async def later(turns: int, key: str) -> None:
        await _turns(turns)
        await gather(key)

    await asyncio.gather(later(0, "a"), later(1, "a"), later(2, "a"), later(3, "b"))
    assert source.asked == [["a", "b"]]


async def test_nobody_waits_for_company_without_end() -> None:
    source = Source()
    gather = Gather(source.fetch)
    asking = []
    while not source.asked:
        assert len(asking) <= TURNS_MAX + 1
        asking.append(asyncio.create_task(gather(f"k{len(asking)}")))
        await asyncio.sleep(0)
    await asyncio.gather(*asking)


async def test_who_comes_alone_does_not_wait_for_company_that_does_not_come() -> None:
    source = Source()
    alone = asyncio.create_task(Gather(source.fetch)("a"))
    await _turns(QUIET_TURNS + 2)  # two more: its own task and that of the gathering begin
    assert source.asked == [["a"]]
    assert await alone is None
