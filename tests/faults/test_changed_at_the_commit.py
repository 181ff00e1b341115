"""What a patient, an operator or a client's owner changes between the last decision and the commit holds, on every way in.

Laws 1, 2 and 5; docs/adr/0023-what-was-decided-by.md. Two hubs on one database; one has decided and is held, the other acknowledges the
change. Nothing of what the first one holds is stored after that, and its record says so.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from hub.ingest.hooks import Hook, Hooks, Secret
from hub.ingest.wearing import Use
from hub.instants import now_us
from hub.operator import Operator
from hub.store import mongo_fence
from hub.store.documents import TO_CONFIRM
from hub.store.embedded import Endpoint
from hub.store.protocol import Unit
from security.oauth.access_token import issue
from security.oauth.clients import new_client_keys
from security.oauth.rotation import rotated
from security.webhooks import SECRET_PREFIX, signature
from tests.support.backstage import Account, new_client
from tests.support.held import PATIENCE_S, Held
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.payloads import frame, gatt, identifier_system, weight
from tests.support.resources import consent, observation, patient
from tests.support.suspensions import each_await

pytestmark = pytest.mark.fault

Json = dict[str, Any]
ALL = "system/*.cruds"
SCALE, CUFF = "scale", "74-E8-FF-FE-FF-05-1C-77"
SECRET = SECRET_PREFIX + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhdCBjb21taXQ="
HOOK = "H" * 22
UNPAIRED = ("quarantined", "device-not-paired")


@dataclass(slots=True, kw_only=True)
class Scene:
    """Two hubs; a clinic that sends, another that confirms; a person with a scale, who shares a cuff with somebody."""

    one: InProcess
    other: InProcess
    clinic: Account
    desk: Account
    database: Any
    person: str = ""
    readings: int = 0

    # what is sent to the hub that is held

    def headers(self, account: Account) -> dict[str, str]:
        """By a token that says by which key it was obtained."""
        hub, kid = self.one.hub, str((account.client.jwks or {})["keys"][0]["kid"])
        token = issue(
            key=hub.signing_keys.current,
            issuer=hub.base_url,
            audience=hub.services.base_url,
            client_id=account.id,
            scope=ALL,
            purpose="TREAT",
            jti="token-at-the-commit",
            now_us=now_us(),
            kid=kid,
        )
        return {"Authorization": f"Bearer {token}"}

    def payload(self) -> bytes:
        """Another weight each time."""
        self.readings += 1
        return weight(70_000 + self.readings, self.readings, date=1_750_000_000 + 60 * self.readings)

    async def push(self, **more: str) -> httpx.Response:
        headers = {**self.headers(self.clinic), **more}
        return await self.one.http.post("/ingest/withings", params={"device": SCALE}, content=self.payload(), headers=headers)

    async def push_once(self) -> httpx.Response:
        return await self.push(**{"Idempotency-Key": secrets.token_hex(8)})

    async def call(self) -> httpx.Response:
        body, id, at = self.payload(), secrets.token_hex(8), str(int(time.time()))
        headers = {"Webhook-Id": id, "Webhook-Timestamp": at, "Webhook-Signature": signature(SECRET, id, at, body)}
        return await self.one.http.post(f"/webhooks/withings?hook={HOOK}", content=body, headers=headers)

    async def replay(self) -> httpx.Response:
        return await self.one.http.post("/quarantine/all/replay?adapter=withings", headers=self.headers(self.clinic))

    async def confirm(self) -> httpx.Response:
        (item,) = (one for one in self.database["quarantine"].find({"cf": TO_CONFIRM}))
        body = json.dumps({"patient": f"Patient/{self.person}"})
        return await self.one.http.post(f"/confirm/{item['_id']}/assign", content=body, headers=self.headers(self.desk))

    async def reject(self) -> httpx.Response:
        (item,) = (one for one in self.database["quarantine"].find({"cf": TO_CONFIRM}))
        return await self.one.http.post(f"/confirm/{item['_id']}/reject", headers=self.headers(self.desk))

    async def discard(self) -> httpx.Response:
        return await self.one.http.post("/quarantine/discard?adapter=withings", json={"reason": "x"}, headers=self.headers(self.clinic))

    async def ping(self, hub: InProcess | None = None) -> httpx.Response:
        return await (hub or self.one).http.post(f"/webhooks/withings?hook={HOOK}", content=b"userid=9")

    async def delete(self) -> httpx.Response:
        (row,) = self.database["resources"].find({"_id": {"$regex": "^Observation/"}})
        return await self.one.http.delete(f"/fhir/{row['_id']}", headers=self.headers(self.clinic))

    async def create(self) -> httpx.Response:
        headers = {**self.headers(self.clinic), "Content-Type": "application/fhir+json"}
        return await self.one.http.post("/fhir/Observation", json=observation(self.person), headers=headers)

    # what the other hub acknowledges meanwhile

    @property
    def operator(self) -> Operator:
        return Operator(self.other.hub, "tests")

    async def withdraw(self) -> None:
        made = await self.other.http.post("/fhir/Consent", json=consent(self.person, "deny"), headers=self.headers(self.clinic))
        assert made.status_code == 201, made.text

    async def unpair(self) -> None:
        await self.operator.unpair(system=identifier_system("withings"), identifier=SCALE, to_us=1)

    async def revoke(self) -> None:
        await self.operator.revoke_client(self.clinic.id)

    async def _deny(self, action: str) -> None:
        code = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": action}]}
        said = consent(self.person, "deny", provision={"action": [code]})
        made = await self.other.http.post("/fhir/Consent", json=said, headers=self.headers(self.clinic))
        assert made.status_code == 201, made.text

    async def stop_collecting(self) -> None:
        await self._deny("collect")

    async def hide(self) -> None:
        await self._deny("access")

    async def reject_first(self) -> None:
        (item,) = (one for one in self.database["quarantine"].find({"cf": TO_CONFIRM}))
        done = await self.other.http.post(f"/confirm/{item['_id']}/reject", headers=self.headers(self.desk))
        assert done.status_code == 204, done.text

    async def revoke_desk(self) -> None:
        await self.operator.revoke_client(self.desk.id)

    async def take_key(self) -> None:
        now = now_us()
        await self.operator.change_client("client-key-retire", self.clinic.id, lambda one: rotated(one, new_client_keys()[1], now, now))

    async def keep_key(self) -> None:
        """Another key beside the one that goes on for an hour."""
        now = now_us()
        end = now + 3_600_000_000
        await self.operator.change_client("client-key-retire", self.clinic.id, lambda one: rotated(one, new_client_keys()[1], end, now))

    async def nothing(self) -> None:
        return

    async def hook(self, **changed: Any) -> None:
        hooks = Hooks(self.other.hub.services)
        page, known = await hooks.find(HOOK)
        made = known or Hook(
            id=HOOK, adapter="withings", client=self.clinic.id, scheme="hmac", device=SCALE, secrets=(Secret(secret=SECRET),)
        )
        async with self.operator.recording("webhook-add") as recording:
            await recording.commit(Unit(notes=[await hooks.write(page, replace(made, **changed))]), writes=())

    async def revoke_hook(self) -> None:
        await self.hook(secrets=(), revoked=True)

    async def take_secret(self) -> None:
        await self.hook(secrets=(Secret(secret=SECRET_PREFIX + "YW5vdGhlciBzZWNyZXQ="), Secret(secret=SECRET, until_us=1)))

    async def keep_secret(self) -> None:
        end = now_us() + 3_600_000_000
        await self.hook(secrets=(Secret(secret=SECRET_PREFIX + "YW5vdGhlciBzZWNyZXQ="), Secret(secret=SECRET, until_us=end)))

    # what there is

    def stored(self) -> int:
        count: int = self.database["resources"].count_documents({"_id": {"$regex": "^Observation/"}})
        return count

    def waiting(self) -> int:
        count: int = self.database["quarantine"].count_documents({})
        return count

    async def pair(self, adapter: str, unit: str, person: str, use: Use | None = None) -> None:
        await self.operator.pair(
            system=identifier_system(adapter),
            manufacturer="unknown",
            product="x",
            identifier=unit,
            patient=f"Patient/{person}",
            from_us=0,
            to_us=None,
            **({} if use is None else {"use": use}),
        )

    async def born(self) -> str:
        made = await self.other.http.post("/fhir/Patient", json=patient(), headers=self.headers(self.clinic))
        return str(made.json()["id"])

    async def prepare(self, way: Callable[..., Any]) -> None:
        """What has to wait for a replay, or to be confirmed."""
        if way in (Scene.replay, Scene.discard):
            headers = self.headers(self.clinic)
            await self.one.http.post("/ingest/withings", params={"device": SCALE}, content=self.payload(), headers=headers)
        await self.pair("withings", SCALE, self.person)
        if way in (Scene.confirm, Scene.reject):
            for person in (self.person, await self.born()):
                await self.pair("gatt", CUFF, person, Use(shared=True))
            taken = gatt(frame("2A35", "00780050005d00", received_at="2026-02-05T08:00:00+01:00", system_id=CUFF))
            await self.one.http.post("/ingest/gatt", content=taken, headers=self.headers(self.clinic))


@pytest.fixture
async def scene(clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as one, in_process(tmp_path, clean_database) as other:
        clinic = await one.register(new_client("clinic", ALL, consent_default="opt-out", recorder=True))
        own = new_client("desk", ALL, consent_default="opt-out", confirmer=True, organization=clinic.organization)
        made = Scene(one=one, other=other, clinic=clinic, desk=await one.register(own), database=admin["hub"])
        made.person = await made.born()
        await made.hook()
        yield made


Way = Callable[[Scene], Awaitable[httpx.Response]]
Act = Callable[[Scene], Awaitable[None]]
Fate = Callable[[httpx.Response], object]


async def held_up(scene: Scene, way: Way, act: Act) -> httpx.Response:
    """What one hub answers that has decided and waits while the other one acknowledges the act."""
    if way is not Scene.delete:
        await scene.prepare(way)
    held = Held(scene.one)
    held.before()
    waiting = asyncio.ensure_future(way(scene))
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    await act(scene)
    held.open.set()
    return await waiting


def stays(answer: httpx.Response) -> None:
    assert {(one["fate"], one["code"]) for one in answer.json()} == {UNPAIRED}, answer.text


def unauthenticated(answer: httpx.Response) -> None:
    refused(answer, 401, "login")


def refused_as_unknown(answer: httpx.Response) -> None:
    refused(answer, 422, "business-rule")


def gone(answer: httpx.Response) -> None:
    refused(answer, 404, "not-found")


SENT = [Scene.push, Scene.push_once, Scene.call]
CASES: list[tuple[Way, Act, Fate]] = [
    *((way, act, stays) for way in (*SENT, Scene.replay) for act in (Scene.withdraw, Scene.unpair)),
    *((way, Scene.revoke, unauthenticated) for way in (*SENT, Scene.replay, Scene.create)),
    *((way, Scene.take_key, unauthenticated) for way in (Scene.push, Scene.replay, Scene.create)),
    *((Scene.call, act, unauthenticated) for act in (Scene.revoke_hook, Scene.take_secret)),
    (Scene.confirm, Scene.stop_collecting, refused_as_unknown),
    (Scene.confirm, Scene.withdraw, gone),
    (Scene.confirm, Scene.hide, gone),
    (Scene.confirm, Scene.revoke, refused_as_unknown),
    (Scene.confirm, Scene.revoke_desk, unauthenticated),
    (Scene.create, Scene.withdraw, refused_as_unknown),
]


@pytest.mark.parametrize(("way", "act", "fate"), CASES, ids=[f"{way.__name__}-{act.__name__}" for way, act, _ in CASES])
async def test_what_was_acknowledged_before_the_commit_holds_for_it(scene: Scene, way: Way, act: Act, fate: Fate) -> None:
    """Law 1: what was decided before is decided anew, and stored is nothing."""
    answer = await held_up(scene, way, act)
    fate(answer)
    assert scene.stored() == 0


@pytest.mark.parametrize(("act", "fate"), [(Scene.revoke_desk, unauthenticated), (Scene.withdraw, gone)])
async def test_what_is_said_to_be_nobodys_is_decided_by_what_was_acknowledged_before(scene: Scene, act: Act, fate: Fate) -> None:
    """By a client that is good, and that may see whose it may be (laws 1 and 3): else it goes on waiting for somebody's word."""
    fate(await held_up(scene, Scene.reject, act))
    assert scene.database["quarantine"].count_documents({"cf": TO_CONFIRM}) == 1


async def test_of_two_who_say_that_it_is_nobodys_the_second_is_told_that_it_waits_no_more(scene: Scene) -> None:
    gone(await held_up(scene, Scene.reject, Scene.reject_first))


async def test_what_a_client_gives_up_is_there_where_the_client_was_revoked_before(scene: Scene) -> None:
    unauthenticated(await held_up(scene, Scene.discard, Scene.revoke))
    assert scene.waiting() == 1


async def test_of_two_pings_at_once_both_are_answered(scene: Scene) -> None:
    """One mark is enough."""
    await scene.hook(scheme="ping", secrets=())

    async def another(_: Scene) -> None:
        assert (await scene.ping(scene.other)).status_code == 204

    assert (await held_up(scene, Scene.ping, another)).status_code == 204


@pytest.mark.parametrize("act", [Scene.revoke, Scene.take_key])
async def test_of_a_client_that_was_revoked_before_the_commit_nothing_waits_either(scene: Scene, act: Act) -> None:
    """As of its next request; and its refusal is on record (law 2)."""
    answer = await held_up(scene, Scene.push, act)
    unauthenticated(answer)
    assert scene.waiting() == 0
    log = scene.database.client["hub_audit"]["records"]
    assert log.count_documents({"r": answer.headers["x-request-id"]}) == 1


ON = [
    *((way, Scene.nothing) for way in (*SENT, Scene.replay, Scene.confirm, Scene.create)),
    *((way, Scene.keep_key) for way in (Scene.push, Scene.replay, Scene.create)),
    (Scene.call, Scene.keep_secret),
]


@pytest.mark.parametrize(("way", "act"), ON, ids=[f"{way.__name__}-{act.__name__}" for way, act in ON])
async def test_what_is_as_good_as_before_is_stored(scene: Scene, way: Way, act: Act) -> None:
    """A key or a secret that goes on for a while beside the next one is good meanwhile."""
    answer = await held_up(scene, way, act)
    assert answer.status_code in (200, 201), answer.text
    assert scene.stored() == 1


@pytest.mark.parametrize(("act", "status", "code"), [(Scene.withdraw, 404, "not-found"), (Scene.revoke, 401, "login")])
async def test_a_deletion_is_decided_by_what_was_acknowledged_before_its_commit(scene: Scene, act: Act, status: int, code: str) -> None:
    """What may not be seen is not there to be deleted (law 3)."""
    await scene.prepare(Scene.push)
    assert (await scene.push()).status_code == 200
    refused(await held_up(scene, Scene.delete, act), status, code)
    assert scene.database["resources"].count_documents({"_id": {"$regex": "^Observation/"}, "t": {"$exists": True}}) == 1


async def swept_and_withdrawn(scene: Scene) -> None:
    """The document of the hub that is held, by which it would notice, is taken away as if it had ended; then the patient withdraws."""
    held = scene.database["fences"].count_documents({"at": {"$exists": True}})
    assert await scene.other.hub.services.store.forget_writers(now_us() + 60_000_000) == held > 0
    await scene.withdraw()


async def test_a_writer_whose_document_was_swept_joins_anew_and_notices_what_has_changed(scene: Scene) -> None:
    stays(await held_up(scene, Scene.push, swept_and_withdrawn))
    assert scene.stored() == 0
    assert (await scene.create()).status_code == 422


async def test_what_is_kept_of_writers_that_have_ended_goes_and_of_others_stays(scene: Scene) -> None:
    """Each change counts itself in all of them: those of processes of last year would make it slower for ever."""
    fences, store = scene.database["fences"], scene.one.hub.services.store
    assert (await scene.create()).status_code == 201
    there = fences.count_documents({"_id": {"$ne": b"all"}})
    fences.insert_one({"_id": b"long-ago", "d": 3, "n": 9, "at": datetime(2020, 1, 1, tzinfo=UTC)})
    fences.insert_one({"_id": b"earlier", "d": 3, "n": 9})
    assert await store.forget_writers(now_us() - 86_400_000_000) == 1
    assert fences.count_documents({"_id": {"$ne": b"all"}, "at": {"$exists": True}}) == there + 1, "one that said no time counts from now"


async def test_a_pairing_that_was_acknowledged_before_the_commit_holds_for_it_too(scene: Scene) -> None:
    """Decided anew is decided as of now, whichever way it goes."""
    held = Held(scene.one)
    held.before()
    waiting = asyncio.ensure_future(scene.push())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    await scene.pair("withings", SCALE, scene.person)
    held.open.set()
    assert [one["fate"] for one in (await waiting).json()] == ["stored"]
    assert (scene.stored(), scene.waiting()) == (1, 0)


@pytest.mark.parametrize("act", [Scene.withdraw, Scene.unpair, Scene.revoke, Scene.revoke_hook])
async def test_a_change_is_acknowledged_when_what_was_written_before_has_ended(scene: Scene, act: Act) -> None:
    """A transaction that has everything written but its commit comes first: the change is stored, and its acknowledgement waits."""
    await scene.prepare(Scene.push)
    held, telling = Held(scene.one), asyncio.Event()
    held.inside()
    fence = scene.other.hub.services.store._writer.fence
    tell = fence._tell

    async def told() -> None:
        telling.set()
        await tell()

    fence._tell = told  # type: ignore[method-assign]
    ahead = asyncio.ensure_future(scene.push())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    changing = asyncio.ensure_future(act(scene))
    await asyncio.wait_for(telling.wait(), PATIENCE_S)
    for _ in range(20):  # long enough for whoever would not wait
        await scene.other.http.get("/readyz")
    assert not changing.done()
    held.open.set()
    assert [one["fate"] for one in (await ahead).json()] == ["stored"]
    await changing


async def test_a_change_that_a_dead_hub_holds_up_is_stored_and_not_acknowledged(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds for what begins from then on; that nothing of before is written any more, nobody can say yet."""
    monkeypatch.setattr(mongo_fence, "TOLD_WITHIN_MS", 100)
    await scene.prepare(Scene.push)
    held = Held(scene.one)
    held.inside()
    ahead = asyncio.ensure_future(scene.push())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    answer = await scene.other.http.post("/fhir/Consent", json=consent(scene.person, "deny"), headers=scene.headers(scene.clinic))
    refused(answer, 503, "transient")
    held.open.set()
    await ahead
    stays(await scene.push())
    assert scene.database["resources"].count_documents({"_id": {"$regex": "^Consent/"}}) == 1


async def test_a_deletion_sent_again_is_acknowledged_no_sooner_than_the_first(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who deletes a Consent withdraws it; it is deleted already, and what had begun before has not ended."""
    monkeypatch.setattr(mongo_fence, "TOLD_WITHIN_MS", 100)
    await scene.prepare(Scene.push)
    headers = scene.headers(scene.clinic)
    made = await scene.other.http.post("/fhir/Consent", json=consent(scene.person), headers=headers)
    held = Held(scene.one)
    held.inside()
    ahead = asyncio.ensure_future(scene.push())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    for _ in range(2):
        refused(await scene.other.http.delete(f"/fhir/Consent/{made.json()['id']}", headers=headers), 503, "transient")
    held.open.set()
    await ahead
    assert (await scene.other.http.delete(f"/fhir/Consent/{made.json()['id']}", headers=headers)).status_code == 204


@contextmanager
def elsewhere(tmp_path: Path, endpoint: Endpoint) -> Iterator[Callable[[Callable[[InProcess], Awaitable[Any]]], Any]]:
    """A hub in a thread of its own, for who cannot wait in a loop."""
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as pool:

        def run(work: Callable[[InProcess], Awaitable[Any]]) -> Any:
            return pool.submit(lambda: loop.run_until_complete(work(hub))).result(PATIENCE_S)

        opened = in_process(tmp_path, endpoint)
        hub = pool.submit(lambda: loop.run_until_complete(opened.__aenter__())).result(PATIENCE_S)
        try:
            yield run
        finally:
            pool.submit(lambda: loop.run_until_complete(opened.__aexit__(None, None, None))).result(PATIENCE_S)
            loop.close()


@pytest.mark.parametrize("said", ["deny", "permit"])
async def test_whenever_it_is_acknowledged_what_is_stored_then_is_all_that_ever_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clean_database: Endpoint, said: str
) -> None:
    """Laws 1 and 5. At each place where a push waits for something, another hub is told of a Consent. The oracle is the database: nothing
    is stored that was not there when a deny was acknowledged. A permit, put in the same places, keeps nothing from being stored.
    """
    monkeypatch.setattr(mongo_fence, "TOLD_WITHIN_MS", 30)
    await scene.prepare(Scene.push)
    headers = {**scene.headers(scene.clinic), "Content-Type": "application/fhir+json"}
    allowed = (await scene.other.http.post("/fhir/Consent", json=consent(scene.person), headers=headers)).json()
    seen: set[tuple[int | None, int]] = set()
    with elsewhere(tmp_path, clean_database) as run:

        async def say(hub: InProcess, type: str) -> bool:
            body = {**consent(scene.person, type), "id": allowed["id"]}
            return (await hub.http.put(f"/fhir/Consent/{allowed['id']}", json=body, headers=headers)).status_code == 200

        place, awaits = 0, 1

        def told() -> int | None:
            """How many are stored when it is acknowledged."""
            return scene.stored() if run(lambda hub: say(hub, said)) else None

        while place < awaits:
            place += 1
            before = scene.stored()
            awaits, at_ack = await _pushed(scene, place, told)
            after = scene.stored()
            assert said == "permit" or at_ack is None or after == at_ack, f"at await {place} of {awaits}"
            seen.add((None if at_ack is None else at_ack - before, after - before))
            assert any(run(lambda hub: say(hub, "permit")) for _ in range(50)), "never acknowledged, and nothing was under way"
    if said == "permit":
        assert {stored for _, stored in seen} == {1}
    else:
        assert {(0, 0), (1, 1)} <= seen, "acknowledged before the commit, and after it"


async def _pushed(scene: Scene, place: int, act: Callable[[], int | None]) -> tuple[int, int | None]:
    """How many awaits a push had, and what came of the act at this one of them."""
    counted, came = 0, None

    def at(number: int) -> None:
        nonlocal counted, came
        counted = number
        if number == place:
            came = act()

    with each_await(at):
        answer = await asyncio.create_task(scene.push())
    assert answer.status_code == 200, answer.text
    return counted, came
