"""A client goes away in the middle of its transaction of 50 entries: all of it is there, or nothing, the log included.

DESIGN law 5. The request is cancelled, as the server does when the connection is gone; what was on its way to the database is
left to end by itself. Once at every place where the request waits, and once after every number of turns of the event loop, so
that what others do for it is met in every state too. What a process that is killed leaves: test_transaction_kill9.py.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.fifty import DELETED, UPDATED, fifty, is_whole
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import organization
from tests.support.suspensions import Counted
from tests.support.watched import Watched, findings

pytestmark = pytest.mark.fault

PLACES_MAX, TURNS_MAX = 1_000, 5_000
CONDITIONAL = 6
"""Each of them waits at eight places."""
STRIDE = int(os.environ.get("HUB_CUT_STRIDE", "17"))
"""Turns from one cut to the next: neighbouring turns mostly wait for the same thing. 1 for all of them (docs/faults.md)."""
OFFSET = 1 + int(time.time() // 86_400) % STRIDE
"""Another one each day, so that in the end every turn has been met."""

Json = dict[str, Any]
Request = Coroutine[Any, Any, httpx.Response]


@dataclass(slots=True)
class Scene:
    """A hub inside the test, its client, and what there is to be changed and deleted."""

    hub: InProcess
    account: Account
    watched: Watched
    endpoint: Endpoint
    updated: list[Json]

    async def created(self, number: int) -> list[Json]:
        answers = [await self.ask("POST", "/fhir/Organization", organization()) for _ in range(number)]
        return [answer.json() for answer in answers]

    def ask(self, method: str, path: str, body: Json) -> Request:
        headers = {**self.hub.authorization(self.account, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        return self.hub.http.request(method, path, json=body, headers=headers)

    async def at_all(self, cut: Callable[[Request, int], Awaitable[bool]], places: range) -> Counter[bool]:
        """Cut at each of the places until the request is through before. How often nothing was there, and how often all."""
        seen: Counter[bool] = Counter()
        deleted = await self.created(DELETED)
        for place in places:
            self.watched.change()
            through = await cut(self.ask("POST", "/fhir", fifty(str(place), self.updated, deleted, conditional=CONDITIONAL)), place)
            await self.hub.hub.services.store.committer.drain()
            whole = is_whole(self.watched.change(), conditional=CONDITIONAL)
            seen[whole] += 1
            if through:
                assert whole
                assert findings(self.endpoint, self.hub.hub.heads, self.hub.hub.head_key.public_key()) == []
                return seen
            if whole:
                deleted = await self.created(DELETED)
        raise AssertionError("the transaction never ended")


@pytest.fixture
async def scene(tmp_path: Path, clean_database: Endpoint, admin: MongoClient[Json]) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("cut", "system/*.cruds"))
        made = Scene(hub=hub, account=account, watched=Watched(admin), endpoint=clean_database, updated=[])
        made.updated = await made.created(UPDATED)
        yield made


async def at_place(request: Request, place: int) -> bool:
    """Cancel the request where it waits for the n-th time. Was it through before?"""

    def cancel(number: int) -> None:
        if number == place:
            task.cancel()

    async def counted() -> httpx.Response:
        return await Counted(request, cancel)

    task = asyncio.ensure_future(counted())
    return await ended(task)


async def at_turn(request: Request, turns: int) -> bool:
    """Cancel the request after so many turns of the event loop. Was it through before?"""
    task = asyncio.ensure_future(request)
    for _ in range(turns):
        if task.done():
            break
        await asyncio.sleep(0)
    task.cancel()
    return await ended(task)


async def ended(task: "asyncio.Future[httpx.Response]") -> bool:
    with suppress(asyncio.CancelledError):
        answer = await task
        assert answer.status_code == 200, answer.text
        return True
    return False


async def test_cut_off_wherever_it_waits_a_transaction_is_there_whole_or_not_at_all(scene: Scene) -> None:
    seen = await scene.at_all(at_place, range(1, PLACES_MAX))
    assert seen[False] > 1
    assert seen[True] > 1, "cuts before the commit was handed over and after it"


async def test_cut_off_after_any_number_of_turns_a_transaction_is_there_whole_or_not_at_all(scene: Scene) -> None:
    seen = await scene.at_all(at_turn, range(OFFSET, TURNS_MAX, STRIDE))
    assert seen[False] > 1
    assert seen[True] > 1
