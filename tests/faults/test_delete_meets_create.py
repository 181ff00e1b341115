"""A Patient is deleted while something about it is written: one of the two is refused, whichever moment they meet at.

https://hl7.org/fhir/R4/http.html#delete; DESIGN law 5. Two hubs on one database; one of them is held where the test wants it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.held import PATIENCE_S, Held
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import observation, patient

pytestmark = pytest.mark.fault

Json = dict[str, Any]
Act = Callable[[InProcess], Awaitable[httpx.Response]]


@dataclass(slots=True)
class Scene:
    """Two hubs, one client, one patient."""

    one: InProcess
    other: InProcess
    account: Account
    database: Any
    person: str = ""

    async def ask(self, hub: InProcess, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {**hub.authorization(self.account, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        return await hub.http.request(method, path, json=body, headers=headers)

    async def create(self, hub: InProcess) -> httpx.Response:
        return await self.ask(hub, "POST", "/fhir/Observation", observation(self.person))

    async def delete(self, hub: InProcess) -> httpx.Response:
        return await self.ask(hub, "DELETE", f"/fhir/Patient/{self.person}")

    def kept(self) -> tuple[int, int]:
        """How many live Patients and Observations there are."""
        count = self.database["resources"].count_documents
        return count({"_id": {"$regex": "^Patient/"}, "t": {"$exists": True}}), count({"_id": {"$regex": "^Observation/"}})


@pytest.fixture
async def scene(clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as one, in_process(tmp_path, clean_database) as other:
        account = await one.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
        made = Scene(one, other, account, admin["hub"])
        made.person = (await made.ask(one, "POST", "/fhir/Patient", patient())).json()["id"]
        yield made


def refused_creation(answer: httpx.Response) -> None:
    refused(answer, 422, "business-rule")


def refused_deletion(answer: httpx.Response) -> None:
    refused(answer, 409, "conflict")


async def held_up(scene: Scene, act: Act, *, passed_by: Act, status: int) -> httpx.Response:
    """What one hub answers to an act that has read all it needs and waits, while the other hub does its own."""
    held = Held(scene.one)
    held.before()
    waiting = asyncio.ensure_future(act(scene.one))
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    assert (await passed_by(scene.other)).status_code == status
    held.open.set()
    return await waiting


async def test_a_reading_that_was_decided_before_the_deletion_comes_too_late(scene: Scene) -> None:
    """The creation has read what the patient permits and waits; meanwhile the Patient is deleted by the other hub."""
    refused_creation(await held_up(scene, scene.create, passed_by=scene.delete, status=204))
    assert scene.kept() == (0, 0)


async def test_a_deletion_that_found_nothing_left_comes_too_late(scene: Scene) -> None:
    """The deletion has looked what there is about the patient and waits; meanwhile the other hub writes a reading."""
    refused_deletion(await held_up(scene, scene.delete, passed_by=scene.create, status=201))
    assert scene.kept() == (1, 1)


@pytest.mark.parametrize("first", ["creation", "deletion"])
async def test_who_is_about_to_commit_is_waited_for(scene: Scene, first: str) -> None:
    """One has written everything but its commit: the other cannot pass it by, and is refused once it is through."""
    held = Held(scene.one)
    held.inside()
    ways = {"creation": scene.create, "deletion": scene.delete}
    ahead = asyncio.ensure_future(ways.pop(first)(scene.one))
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    (way,) = ways.values()
    behind = asyncio.ensure_future(way(scene.other))
    while not scene.other.hub.services.store.committer.each[0].statistics.retries:  # until it has been turned away once
        assert not behind.done()
        await asyncio.sleep(0)
    held.open.set()
    assert (await ahead).status_code == (201 if first == "creation" else 204)
    (refused_deletion if first == "creation" else refused_creation)(await behind)
    assert scene.kept() == ((1, 1) if first == "creation" else (0, 0))


async def test_of_those_of_one_moment_some_are_done_and_the_others_refused(scene: Scene) -> None:
    """One hub, one round of commits: never both, never neither."""
    asked = [scene.create(scene.one), scene.delete(scene.one), scene.create(scene.other), scene.delete(scene.other)]
    answers = await asyncio.gather(*asked)
    created = [one.status_code for one in answers[::2]].count(201)
    deleted = 204 in [one.status_code for one in answers[1::2]]
    assert scene.kept() == (0 if deleted else 1, created)
    assert deleted is not (created > 0)


async def test_once_the_patient_is_back_things_are_written_about_it_again(scene: Scene) -> None:
    """http.html#delete: an update brings it back; from then on things about it are written as before."""
    assert (await scene.delete(scene.one)).status_code == 204
    refused_creation(await scene.create(scene.other))
    body = {**patient(), "id": scene.person, "managingOrganization": {"reference": scene.account.organization}}
    assert (await scene.ask(scene.one, "PUT", f"/fhir/Patient/{scene.person}", body)).status_code == 201
    assert (await scene.create(scene.other)).status_code == 201
