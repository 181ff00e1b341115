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
    async with turns.of("x"), asyncio.timeout(60), turns.of("y"):
        pass


async def test_several_things_are_waited_for_in_one_order_so_that_nobody_waits_in_a_circle() -> None:
    turns, done = Turns(), list[str]()

    async def act(*things: str) -> None:
        for _ in range(9):
            async with turns.of(*things):
                await asyncio.sleep(0)
                done.append(things[0])

    async with asyncio.timeout(60):
        await asyncio.gather(act("x", "y", "z"), act("z", "x", "x"), act("y", "z"))
    assert sorted(done) == ["x"] * 9 + ["y"] * 9 + ["z"] * 9


async def test_nothing_is_kept() -> None:
    turns = Turns()
    async with turns.of("x"):
        assert len(turns._locks) == 1
    assert len(turns._locks) == 0
