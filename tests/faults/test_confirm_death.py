"""The hub is killed with signal 9 at each await of an assignment: the reading is stored and waits no more, or it waits. Laws 2 and 5.

docs/guides/units.md: it leaves the queue in the transaction that stores it, with the record of who confirmed.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.discovery import adapters
from hub.ingest.wearing import Use
from hub.operator import Operator
from hub.store.embedded import Endpoint
from hub.store.embedded.process import TRANSACTION_S
from tests.support.backstage import Account, new_client
from tests.support.dying import Dying
from tests.support.inprocess import InProcess, in_process
from tests.support.payloads import frame, gatt
from tests.support.resources import patient
from tests.support.watched import findings, settled

pytestmark = pytest.mark.fault

UNIT = "74-E8-FF-FE-FF-0A-0A-0A"
EVERYTHING = "system/*.cruds"
GIVEN_UP_S, PATIENCE_S = 2, 120
DEATHS, LAST = 12, 14
"""So many deaths before the last awaits, among which the commit is, and one at each of these."""
MORE = 6
"""The number of awaits differs a little from one time to the next."""
LAST_MOMENTS = 60
"""Whether a commit outlives who has just sent it, mongod decides: so often it is tried at most, until one did."""
Json = dict[str, Any]


@pytest.fixture
def impatient(clean_database: Endpoint, admin: MongoClient[Json]) -> Iterator[Endpoint]:
    """mongod gives up what a dead hub has begun sooner than it would otherwise."""
    admin.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=GIVEN_UP_S)
    try:
        yield clean_database
    finally:
        admin.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=TRANSACTION_S)


class Ward:
    """A cuff that two people share, and an application that confirms."""

    def __init__(self, hub: InProcess, account: Account) -> None:
        self._hub, self._account = hub, account
        self.people: list[str] = []
        self._minutes = iter(range(1, 1_000))

    @property
    def headers(self) -> dict[str, str]:
        return dict(self._hub.authorization(self._account, EVERYTHING))

    async def settle_in(self) -> None:
        for index in (1, 2):
            made = await self._hub.http.post(
                "/fhir/Patient", json=patient(), headers={**self.headers, "Content-Type": "application/fhir+json"}
            )
            self.people.append(f"Patient/{made.json()['id']}")
            manifest = adapters()["gatt"].manifest
            await Operator(self._hub.hub).pair(
                system=manifest.identifier_system,
                manufacturer="unknown",
                product="cuff",
                identifier=UNIT,
                patient=self.people[-1],
                from_us=0,
                to_us=None,
                use=Use(user_index=index),
            )

    async def waits(self) -> str:
        """One more reading of nobody knows whom; its id in the queue."""
        before = set(await self.queue())
        at = f"2026-04-01T{next(self._minutes) // 60:02}:{next(self._minutes) % 60:02}:00+02:00"
        payload = gatt(frame("2A35", "00780050005d00", received_at=at, system_id=UNIT))
        answer = await self._hub.http.post("/ingest/gatt", content=payload, headers=self.headers)
        assert answer.json()[0]["code"] == "device-not-paired"
        (made,) = set(await self.queue()) - before
        return made

    async def queue(self) -> list[str]:
        return [one["id"] for one in (await self._hub.http.get("/confirm", headers=self.headers)).json()]

    async def stored(self) -> int:
        total = 0
        for person in self.people:
            answer = await self._hub.http.get(f"/fhir/Observation?patient={person}&_summary=count", headers=self.headers)
            total += answer.json()["total"]
        return total

    async def assigned(self, id: str) -> int:
        """By somebody who tries again until it is answered."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            body = {"patient": self.people[0]}
            answer = await self._hub.http.post(f"/confirm/{id}/assign", json=body, headers=self.headers)
            if answer.status_code != 503:
                return answer.status_code
            assert time.monotonic() < deadline


async def test_killed_at_any_await_an_assignment_is_done_whole_or_not_at_all(
    tmp_path: Path, impatient: Endpoint, admin: MongoClient[Json]
) -> None:
    async with in_process(tmp_path, impatient) as hub:
        given = new_client("ward", EVERYTHING, consent_default="opt-out", recorder=True, confirmer=True)
        account = await hub.register(given)
        ward = Ward(hub, account)
        await ward.settle_in()
        dying = Dying(data_dir=tmp_path, endpoint=impatient, account=account)
        left: Counter[str] = Counter()

        async def killed(place: int | None) -> int:
            """The awaits there were, 0 where it was killed before it had answered."""
            id, before = await ward.waits(), await ward.stored()
            ask = replace(dying, path=f"/confirm/{id}/assign").ask
            awaits = await asyncio.to_thread(ask, {"patient": ward.people[0]}, place)
            settled(admin)
            waiting, made = id in await ward.queue(), await ward.stored() - before
            assert (waiting, made) in ((True, 0), (False, 1))
            left["nothing" if waiting else "all of it"] += awaits is None
            assert await ward.assigned(id) == (200 if waiting else 404)
            assert await ward.stored() - before == 1
            return 0 if awaits is None else awaits.all

        awaits = await killed(None)
        places = [*range(1, awaits - LAST, max(1, (awaits - LAST) // DEATHS)), *range(awaits - LAST, awaits + MORE)]
        for place in places:
            awaits = await killed(place) or awaits
        for _ in range(LAST_MOMENTS):
            if left["all of it"]:
                break
            awaits = await killed(awaits) or awaits + 1  # the last one, wherever it is this time
        sys.stdout.write(f"{awaits} awaits, {sum(left.values())} deaths: {dict(left)}\n")
        assert set(+left) == {"nothing", "all of it"}
        assert await ward.queue() == []
        assert findings(impatient, hub.hub.heads, hub.hub.head_key.public_key()) == []
