"""What a person withdraws between the last decision and the commit holds for what is being written, on every process.

Laws 1 and 5; docs/adr/0023-what-was-decided-by.md; ASVS 5.0 8.3.2. Two hubs on one database: one has decided and is held, the other
acknowledges the change.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.authorizations import Authorizations
from hub.instants import now_us
from hub.store.embedded import Endpoint
from hub.store.protocol import Unit
from security.oauth.authorization import Authorization
from tests.support.backstage import Account, new_client
from tests.support.held import PATIENCE_S, Held
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.persons import authorization, begin, new_app, person, token_of
from tests.support.resources import actor, consent, observation, patient

pytestmark = pytest.mark.fault

Json = dict[str, Any]
SCOPE, TOKEN = "patient/*.cruds", "token-at-the-commit"


@dataclass(slots=True, kw_only=True)
class Scene:
    """Two hubs, a patient, and an app that the patient lets write."""

    one: InProcess
    other: InProcess
    clinic: Account
    app: Account
    database: Any
    id: str
    held: Authorization

    async def create(self) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token_of(self.one.hub, self.held, jti=TOKEN)}", "Content-Type": "application/fhir+json"}
        return await self.one.http.post("/fhir/Observation", json=observation(self.id), headers=headers)

    async def _change(self, change: Callable[[Authorizations, Any], Awaitable[Any]]) -> None:
        kept = Authorizations(self.other.hub.services)
        held = await kept.find(self.held.id)
        await self.other.hub.services.store.commit(Unit(notes=(await change(kept, held),)))

    async def withdraw(self) -> None:
        await self._change(lambda kept, held: kept.ended(held))

    async def revoke_token(self) -> None:
        await self._change(lambda kept, held: kept.token_ended(held, TOKEN, now_us() + 10**9))

    async def revoke_another_token(self) -> None:
        await self._change(lambda kept, held: kept.token_ended(held, "another", now_us() + 10**9))

    async def refuse_the_app(self) -> None:
        said = consent(self.id, "deny", provision={"actor": [actor(f"Device/{self.app.id}")]})
        made = await self.other.http.post("/fhir/Consent", json=said, headers=self.other.authorization(self.clinic, "system/*.cruds"))
        assert made.status_code == 201, made.text

    def stored(self) -> int:
        count: int = self.database["resources"].count_documents({"_id": {"$regex": "^Observation/"}})
        return count


@pytest.fixture
async def scene(clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as one, in_process(tmp_path, clean_database) as other:
        clinic = await one.register(new_client("clinic", "system/*.cruds", consent_default="opt-out", recorder=True))
        app = await one.register(new_app("notes", SCOPE))
        born = await one.http.post("/fhir/Patient", json=patient(), headers=one.authorization(clinic, "system/*.cruds"))
        id = born.json()["id"]
        held = authorization(app, person("patient", f"Patient/{id}"), SCOPE, patient=id, purpose="PATRQT", now=now_us())
        await begin(one.hub, held)
        yield Scene(one=one, other=other, clinic=clinic, app=app, database=admin["hub"], id=id, held=held)


Act = Callable[[Scene], Awaitable[None]]


async def held_up(scene: Scene, act: Act) -> httpx.Response:
    """What one hub answers that has decided and waits while the other one acknowledges the act."""
    held = Held(scene.one)
    held.before()
    waiting = asyncio.ensure_future(scene.create())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    await act(scene)
    held.open.set()
    return await waiting


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [(Scene.withdraw, 401, "login"), (Scene.revoke_token, 401, "login"), (Scene.refuse_the_app, 422, "business-rule")],
)
async def test_what_a_person_withdrew_before_the_commit_holds_for_it(scene: Scene, act: Act, status: int, code: str) -> None:
    """Law 1: decided anew, and stored is nothing."""
    refused(await held_up(scene, act), status, code)
    assert scene.stored() == 0


async def test_another_token_that_is_revoked_takes_nothing_with_it(scene: Scene) -> None:
    """RFC 7009 section 2: one token, not what was allowed."""
    assert (await held_up(scene, Scene.revoke_another_token)).status_code == 201
    assert scene.stored() == 1
    assert (await scene.create()).status_code == 201


async def test_an_end_is_acknowledged_when_what_was_written_before_has_ended(scene: Scene) -> None:
    """A transaction that has everything written but its commit comes first: after the acknowledgement nothing is stored any more."""
    held, telling = Held(scene.one), asyncio.Event()
    held.inside()
    fence = scene.other.hub.services.store._writer.fence
    tell = fence._tell

    async def told() -> None:
        telling.set()
        await tell()

    fence._tell = told  # type: ignore[method-assign]
    ahead = asyncio.ensure_future(scene.create())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    ending = asyncio.ensure_future(scene.withdraw())
    await asyncio.wait_for(telling.wait(), PATIENCE_S)
    for _ in range(20):  # long enough for whoever would not wait
        await scene.other.http.get("/readyz")
    assert not ending.done()
    held.open.set()
    assert (await ahead).status_code == 201
    await ending
    refused(await scene.create(), 401, "login")
