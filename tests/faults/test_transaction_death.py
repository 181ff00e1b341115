"""The hub is killed with signal 9 at each await of a transaction of 50 entries: all of it is there, or nothing, the log included.

DESIGN laws 2 and 5; http.html#transaction: "the outcome ... must be as if all entries succeeded or none". What the dead hub had begun
holds its rows until mongod gives it up; whoever sends the same transaction again meanwhile is told to come back, and in the end there is
exactly one of each.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.store.embedded import Endpoint
from hub.store.embedded.process import TRANSACTION_S
from tests.spec.api.test_transaction import bundle, entry, statuses
from tests.support.backstage import Account, new_client
from tests.support.dying import Awaits, Dying
from tests.support.fifty import CREATED, DELETED, ENTRIES, UPDATED, everything_new, fifty, is_whole
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import organization
from tests.support.watched import Watched, findings, settled

pytestmark = pytest.mark.fault

MORE = 15
"""The number of awaits differs a little from one time to the next: a few more do no harm."""
DEATHS = int(os.environ.get("HUB_DEATHS", "16"))
"""About as many deaths, most of them during the commit; 0 for one at each await (docs/faults.md)."""
DAY = int(time.time() // 86_400)
"""Others each day, so that in the end every await has been met."""
GIVEN_UP_S, PATIENCE_S = 2, 120

Json = dict[str, Any]


@pytest.fixture
def impatient(clean_database: Endpoint, admin: MongoClient[Json]) -> Iterator[Endpoint]:
    """mongod gives up what a dead hub has begun sooner than it would otherwise."""
    admin.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=GIVEN_UP_S)
    try:
        yield clean_database
    finally:
        admin.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=TRANSACTION_S)


class Scene:
    """A hub that lives on beside those that die."""

    def __init__(self, hub: InProcess, account: Account) -> None:
        self._hub, self._account = hub, account

    async def _post(self, body: Json) -> httpx.Response:
        headers = {"Content-Type": "application/fhir+json", "Prefer": "return=representation"}
        return await self._hub.http.post("/fhir", json=body, headers={**self._authorization(), **headers})

    def _authorization(self) -> dict[str, str]:
        """A new token each time: a long run outlives one."""
        return dict(self._hub.authorization(self._account, "system/*.cruds"))

    async def organizations(self, number: int) -> list[Json]:
        answer = await self._post(bundle(*[entry("POST", "Organization", organization()) for _ in range(number)]))
        return [one["resource"] for one in answer.json()["entry"]]

    async def repeated(self, body: Json) -> Counter[str]:
        """The same transaction until it is answered; the statuses of its entries. While it is not, the reason is the lock."""
        deadline = time.monotonic() + PATIENCE_S
        while (answer := await self._post(body)).status_code != 200:
            refused(answer, 503, "lock-error")
            assert time.monotonic() < deadline
        return Counter(statuses(answer.json()))

    async def total(self, key: str) -> int:
        answer = await self._hub.http.get(f"/fhir/{everything_new(key)}&_summary=count", headers=self._authorization())
        total: int = answer.json()["total"]
        return total


def places(awaits: Awaits) -> list[int]:
    """Where to die: a quarter of the times while everything only reads, the others during the commit."""
    if not DEATHS:
        return [*range(1, awaits.all + MORE)]
    few, many = awaits.reading // (DEATHS // 4), (awaits.all - awaits.reading) // (DEATHS - DEATHS // 4)
    few, many = max(few, 1), max(many, 1)
    return [*range(1 + DAY % few, awaits.reading, few), *range(awaits.reading + DAY % many, awaits.all + 1, many)]


async def test_killed_at_any_await_a_transaction_is_there_whole_or_not_at_all(
    tmp_path: Path, impatient: Endpoint, admin: MongoClient[Json]
) -> None:
    async with in_process(tmp_path, impatient) as hub:
        account = await hub.register(new_client("dying", "system/*.cruds"))
        scene = Scene(hub, account)
        dying, watched = Dying(data_dir=tmp_path, endpoint=impatient, account=account), Watched(admin)
        sent: dict[str, tuple[Json, bool]] = {}

        async def killed(place: int | None) -> Awaits | None:
            there = await scene.organizations(UPDATED + DELETED)
            body = fifty(str(place), there[:UPDATED], there[UPDATED:])
            watched.change()
            awaits = await asyncio.to_thread(dying.ask, body, place)
            settled(admin)
            sent[str(place)] = body, is_whole(watched.change())
            return awaits

        awaits = await killed(None)
        assert awaits is not None
        died = [str(place) for place in places(awaits) if await killed(place) is None]
        left = Counter(sent[place][1] for place in died)
        counted = f"{awaits.all} awaits, {awaits.reading} before the first write, {len(died)} deaths"
        sys.stdout.write(f"{counted}: {left[True]} left all of it, {left[False]} nothing\n")
        assert sent["None"][1]
        assert [key for key, (_, whole) in sent.items() if not whole]
        for key, (body, whole) in sent.items():
            assert await scene.repeated(body) == {
                "204": DELETED,
                **({"200": ENTRIES - DELETED} if whole else {"200": UPDATED, "201": CREATED}),
            }
            assert await scene.total(key) == CREATED
        assert findings(impatient, hub.hub.heads, hub.hub.head_key.public_key()) == []
