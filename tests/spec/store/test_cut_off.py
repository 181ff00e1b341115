"""Who gives up while the database answers takes the connection along: what comes late is never somebody else's answer.

DESIGN law 1. Each question is cut off after one turn of the event loop more than the one before, until one is answered first, while others
ask on the same few connections; answers are of many sizes, so that some are cut off half read.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous import pool
from pymongo.write_concern import WriteConcern

from hub.store import straight
from hub.store.embedded import Endpoint
from hub.store.find_ids import find_ids

Client = AsyncMongoClient[dict[str, Any]]
Question = Callable[[Client, int], Awaitable[int]]
ROWS, ROW_BYTES = 24, 20_000
"""Up to half a megabyte: more than a socket gives at once."""
CONNECTIONS, ASKERS = 3, 6
UNCUT_IN_SUCCESSION = 3
"""A question that is quick by chance is not yet the end."""
TURNS_MAX = 3_000

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
"""The driver leaves a socket to the collector when it is cut off while it connects, before anything was asked."""


@pytest.fixture
async def client(clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """Whoever waits longer than that for one of its few connections is told: one that was lost would show."""
    monkeypatch.setattr(pool, "async_receive_message", pool.async_receive_message)  # as it was, when this is over
    straight.wait_straight()
    async with Client(clean_database.url, maxPoolSize=CONNECTIONS, waitQueueTimeoutMS=20_000) as made:
        rows = made.get_database("hub", write_concern=WriteConcern("majority"))["resources"]
        await rows.insert_many([{"_id": f"Cut/{number}", "n": number, "c": os.urandom(number * ROW_BYTES)} for number in range(ROWS)])
        yield made


async def _plainly(client: Client, number: int) -> int:
    (found,) = await find_ids(client.hub, "resources", [f"Cut/{number}"])
    return int(found["n"])


async def _in_a_snapshot(client: Client, number: int) -> int:
    async with client.start_session(snapshot=True) as session:
        (found,) = await find_ids(client.hub, "resources", [f"Cut/{number}"], session)
        return int(found["n"])


async def _by_cursor(client: Client, number: int) -> int:
    """In several pieces, each of which is asked for."""
    found = client.hub["resources"].find({"n": {"$lte": number}}, {"n": 1}, batch_size=5).sort("_id")
    return max([int(one["n"]) async for one in found])


async def _in_a_transaction(client: Client, number: int) -> int:
    async with client.start_session() as session, await session.start_transaction():
        one = {"_id": os.urandom(12)}  # of its own: what was cut off while it was committed may still hold its row
        changed = await client.hub["notes"].find_one_and_update(
            one, {"$set": {"n": number}}, upsert=True, return_document=True, session=session
        )
        return int(changed["n"])


@pytest.mark.parametrize("ask", [_plainly, _in_a_snapshot, _by_cursor])
async def test_an_answer_goes_to_who_asked_whoever_else_gave_up_and_when(client: Client, ask: Question) -> None:
    going_on = True

    async def asks_on(of: int) -> int:
        asked = 0
        while going_on:
            number = (of + asked * ASKERS) % ROWS
            assert await ask(client, number) == number
            asked += 1
        return asked

    others = [asyncio.create_task(asks_on(of)) for of in range(ASKERS)]
    cut = await _cut_off(client, ask)
    going_on = False
    answered = await asyncio.gather(*others)
    assert cut
    assert min(answered)


async def test_a_transaction_that_is_cut_off_leaves_nothing_to_the_next(client: Client) -> None:
    """Its connection goes with it, and its place in the driver's sessions."""
    assert await _cut_off(client, _in_a_transaction)
    assert [await _in_a_transaction(client, number) for number in range(ROWS)] == list(range(ROWS))


async def _cut_off(client: Client, ask: Question) -> int:
    """How many questions were cut off, each one turn later than the one before."""
    cut = uncut = 0
    for turns in range(TURNS_MAX):
        number = turns % ROWS
        asked = asyncio.ensure_future(ask(client, number))
        for _ in range(turns):
            await asyncio.sleep(0)
        if asked.done():
            uncut += 1
            assert await asked == number
            if uncut == UNCUT_IN_SUCCESSION:
                break
            continue
        uncut = 0
        asked.cancel()
        try:
            assert await asked == number  # `asyncio.wait_for`, where the answer and the end come at once
        except asyncio.CancelledError:
            cut += 1
    return cut
