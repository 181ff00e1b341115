"""The driver's answers are waited for in the task that asks, and given up when the driver gives them up."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous import pool
from pymongo.errors import AutoReconnect, ProtocolError

from hub.store import straight
from hub.store.embedded import Endpoint


class Silent:
    """A connection whose server answers when it is told to."""

    gettimeout = None

    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[bytes, int]] = asyncio.get_running_loop().create_future()
        self.cancel_context = SimpleNamespace(cancelled=False)
        self.conn = SimpleNamespace(get_conn=self)

    async def read(self, request_id: int | None, max_message_size: int) -> tuple[bytes, int]:  # noqa: ARG002 - as the driver calls it
        return await self.answer

    def close(self, error: Exception) -> None:
        self.answer.set_exception(error)


def test_the_driver_is_the_one_that_this_was_written_for() -> None:
    """Whoever moves the driver looks at how it waits (pymongo.network_layer.async_receive_message), and says so here."""
    assert pymongo.version == straight.KNOWN


async def test_whoever_waits_for_a_server_that_went_silent_is_told_when_the_pool_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN law 2: 503, and not a request that waits for ever."""
    monkeypatch.setattr(straight, "LOOK_S", 0.001)
    silent: Any = Silent()
    waiting = asyncio.create_task(straight.received(silent, 1))
    await asyncio.sleep(0)
    silent.cancel_context.cancelled = True
    with pytest.raises(AutoReconnect):
        await waiting


async def test_an_answer_of_an_unknown_kind_is_none() -> None:
    """https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: the hub speaks OP_MSG."""
    silent: Any = Silent()
    silent.answer.set_result((b"", 1))
    with pytest.raises(ProtocolError):
        await straight.received(silent, 1)


async def test_a_question_makes_no_task(clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/performance.md: they were a fifth of a small command."""
    monkeypatch.setattr(pool, "async_receive_message", pool.async_receive_message)  # as it was, when this is over
    straight.wait_straight()
    async with AsyncMongoClient[dict[str, Any]](clean_database.url) as client:
        await client.hub.command("ping")
        before = asyncio.all_tasks()
        asked = asyncio.ensure_future(client.hub.command("ping"))
        seen = set()
        while not asked.done():
            await asyncio.sleep(0)
            seen |= asyncio.all_tasks()
        assert seen - before == {asked}
