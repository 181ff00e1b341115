"""Those who meet over one thing take turns; what nobody waits for is forgotten. DESIGN 6: "abort and redo"."""

import asyncio

from hub.turns import Turns


async def test_one_at_a_time_in_the_order_of_coming() -> None:
    turns, seen, inside = Turns(), list[int](), 0

    async def act(number: int) -> None:
        nonlocal inside
        async with turns.of("x"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            seen.append(number)
            inside -= 1

    await asyncio.gather(*map(act, range(9)))
    assert seen == [*range(9)]


async def test_other_things_are_not_waited_for() -> None:
    turns = Turns()
    async with turns.of("x"), asyncio.timeout(5), turns.of("y"):
        pass


async def test_nothing_is_kept() -> None:
    turns = Turns()
    async with turns.of("x"):
        assert len(turns._locks) == 1
    assert len(turns._locks) == 0
