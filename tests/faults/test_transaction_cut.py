"""A client goes away in the middle of its transaction of 50 entries: all of it is there, or nothing, the log included.

DESIGN law 5. The request is cancelled, as the server does when the connection is gone; what was on its way to the database is
left to end by itself. What a process that is killed leaves: test_transaction_kill9.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
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
from tests.support.suspensions import each_await
from tests.support.watched import Watched, findings

pytestmark = pytest.mark.fault

PLACES_MAX = 1_000
CONDITIONAL = 6
"""So many of the new ones are on a condition; each of them waits at eight places, the others at none."""

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


@pytest.fixture
async def scene(tmp_path: Path, clean_database: Endpoint, admin: MongoClient[Json]) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("cut", "system/*.cruds"))
        made = Scene(hub=hub, account=account, watched=Watched(admin), endpoint=clean_database, updated=[])
        made.updated = await made.created(UPDATED)
        yield made


async def cut(request: Request, place: int) -> bool:
    """Cancel the request at the n-th await of all that is done for it. Was it through before?"""

    def cancel(number: int) -> None:
        if number == place:
            task.cancel()

    with each_await(cancel):
        task = asyncio.ensure_future(request)
        with suppress(asyncio.CancelledError):
            answer = await task
            assert answer.status_code == 200, answer.text
            return True
    return False


async def test_a_transaction_that_is_cut_off_is_there_whole_or_not_at_all(scene: Scene) -> None:
    """At every await, of the request itself and of what others do for it: read, commit, append to the log."""
    seen: Counter[bool] = Counter()
    deleted = await scene.created(DELETED)
    for place in range(1, PLACES_MAX):
        scene.watched.change()
        through = await cut(scene.ask("POST", "/fhir", fifty(str(place), scene.updated, deleted, conditional=CONDITIONAL)), place)
        await scene.hub.hub.services.store.committer.drain()
        whole = is_whole(scene.watched.change(), conditional=CONDITIONAL)
        seen[whole] += 1
        if through:
            break
        if whole:
            deleted = await scene.created(DELETED)
    assert through
    assert whole
    assert seen[False] > 1
    assert seen[True] > 1, "cut off before the commit was handed over and after it"
    assert findings(scene.endpoint, scene.hub.hub.heads, scene.hub.hub.head_key.public_key()) == []
