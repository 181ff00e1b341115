"""A transaction that has not ended holds what a request needs, as one does that a killed hub had begun: wait a while, then 503.

DESIGN laws 5 and 6; https://hl7.org/fhir/R4/valueset-issue-type.html#issue-type-lock-error: "A resource/record locking failure".
Nobody was first yet, so it is no conflict (409) that the client could do anything about but try again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.operator import Operator, OperatorError
from hub.repository.matching import SPACE
from hub.search.conditional import canonical, criteria
from hub.store.embedded import Endpoint
from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import organization, patient

pytestmark = pytest.mark.fault

Json = dict[str, Any]
UNLESS = "identifier=urn:held|1"
NEIGHBOURS = 30
TURNS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Scene:
    """A hub inside the test, one client, and somebody else's open transaction on its database."""

    hub: InProcess
    headers: dict[str, str]
    admin: MongoClient[Json]

    async def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        return await self.hub.http.request(method, path, json=body, headers={**self.headers, **headers})

    async def made(self, name: str) -> Json:
        answer = await self.ask("POST", "/fhir/Organization", organization(name))
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    def stored(self) -> int:
        return self.admin["hub"]["resources"].count_documents({})

    @contextmanager
    def holding(self, *rows: str, claim: str | None = None, pairing: str | None = None) -> Iterator[None]:
        """These rows, the claim over criteria, a pairing, until the block ends; nothing of it stays."""
        services = self.hub.hub.services
        with self.admin.start_session() as session, session.start_transaction():
            for row in rows:
                self.admin["hub"]["resources"].update_one({"_id": row}, {"$set": {"held": True}}, session=session)
            if claim is not None:
                search = criteria("Organization", claim, base=services.base_url, where="a test", creates=True)
                key = services.blind.once(SPACE, canonical(search))
                self.admin["hub"]["claims"].insert_one({"_id": key, "v": "held"}, session=session)
            if pairing is not None:
                self.admin["hub"]["pairings"].update_one({"_id": pairing}, {"$set": {"held": True}}, session=session)
            try:
                yield
            finally:
                session.abort_transaction()


@pytest.fixture
async def scene(tmp_path: Path, clean_database: Endpoint, admin: MongoClient[Json]) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("waits", "system/*.cruds", recorder=True))
        headers = {**hub.authorization(account, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        yield Scene(hub, headers, admin)


async def test_what_stays_held_is_503_with_a_time_to_come_back_and_no_conflict(scene: Scene) -> None:
    """Every way of writing, all at once; neighbours are served meanwhile, and afterwards the same requests succeed."""
    before = scene.stored()
    one, two, three = [await scene.made(name) for name in ("Une", "Deux", "Trois")]
    changed = {**two, "name": "Encore"}
    asked: dict[str, tuple[str, str, Json | None, dict[str, str]]] = {
        "delete": ("DELETE", f"/fhir/Organization/{one['id']}", None, {}),
        "update": ("PUT", f"/fhir/Organization/{two['id']}", changed, {"If-Match": 'W/"1"'}),
        "create": ("POST", "/fhir/Organization", organization("Quatre"), {"If-None-Exist": UNLESS}),
        "transaction": (
            "POST",
            "/fhir",
            bundle(
                entry("POST", "Organization", organization("Cinq")),
                entry("PUT", f"Organization/{three['id']}", {**three, "name": "Encore"}),
            ),
            {},
        ),
    }
    with scene.holding(*(f"Organization/{made['id']}" for made in (one, two, three)), claim=UNLESS):
        asking = [asyncio.ensure_future(scene.ask(method, path, body, **more)) for method, path, body, more in asked.values()]
        neighbours = [await scene.ask("POST", "/fhir/Organization", organization("Voisine")) for _ in range(NEIGHBOURS)]
        held = dict(zip(asked, await asyncio.gather(*asking), strict=True))
    assert {answer.status_code for answer in neighbours} == {201}
    for answer in held.values():
        assert refused(answer, 503, "lock-error")[0]["severity"] == "fatal"
        assert 0 < int(answer.headers["retry-after"]) <= 30
    assert scene.stored() - before == 3 + NEIGHBOURS, "nothing half done"
    after = {name: await scene.ask(method, path, body, **more) for name, (method, path, body, more) in asked.items()}
    assert {name: answer.status_code for name, answer in after.items()} == {"delete": 204, "update": 200, "create": 201, "transaction": 200}


async def until(holds: Callable[[], object]) -> None:
    for _ in range(TURNS_MAX):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("never")


async def test_what_is_let_go_in_time_is_written_as_if_nothing_had_been(scene: Scene) -> None:
    """The client does not notice."""
    made = await scene.made("Une")
    statistics = scene.hub.hub.services.store.committer.each[0].statistics
    with scene.holding(f"Organization/{made['id']}"):
        asking = asyncio.ensure_future(scene.ask("PUT", f"/fhir/Organization/{made['id']}", {**made, "name": "Deux"}))
        await until(lambda: statistics.retries)
        assert not asking.done()
    answer = await asking
    assert (answer.status_code, answer.json()["meta"]["versionId"]) == (200, "2")


async def test_nobody_waits_for_a_transaction_that_is_about_something_else(scene: Scene) -> None:
    """One client's transaction waits for what is held and keeps its turn; another's has met somebody too, and takes a turn of its own."""
    stuck, free = [await scene.made(name) for name in ("Une", "Deux")]
    taken = scene.hub.hub.services.turns._locks

    def changing(made: Json) -> "asyncio.Task[httpx.Response]":
        body = bundle(entry("PUT", f"Organization/{made['id']}", {**made, "name": "Encore"}))
        return asyncio.create_task(scene.ask("POST", "/fhir", body))

    with scene.holding(f"Organization/{stuck['id']}"):
        waiting = changing(stuck)
        await until(lambda: f"Organization/{stuck['id']}" in taken)
        with scene.holding(f"Organization/{free['id']}"):
            following = changing(free)
            await until(lambda: f"Organization/{free['id']}" in taken)
        assert (await following).status_code == 200
    assert (await waiting).status_code in (200, 503), "a busy machine may take longer than the hub waits"


async def test_an_operator_is_told_that_a_device_is_held_and_when_to_come_back(scene: Scene) -> None:
    """DESIGN 4: errors of commands say what happened and what to do; nothing is half done, and it is no rival that was faster."""
    answer = await scene.ask("POST", "/fhir/Patient", patient())
    unit = {"system": "urn:held", "identifier": "A-1"}
    who = {"manufacturer": "unknown", "product": "device of the tests", "patient": f"Patient/{answer.json()['id']}", "to_us": None}
    operator = Operator(scene.hub.hub)
    paired = await operator.pair(**unit, **who, from_us=0)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: operator.pair(**unit, **{**who, "to_us": 5}, from_us=0),
        lambda: operator.unpair(**unit, to_us=2),
    ]
    with scene.holding(pairing=paired.pairing):
        for act in acts:
            with pytest.raises(OperatorError, match=r"has not ended.*nothing was changed.*Try again"):
                await act()
    assert [one["to_us"] for one in await operator.pairings(10)] == [None]
    assert await operator.unpair(**unit, to_us=2) == 1
