"""What is acknowledged while a payload is on its way holds for that payload: a withdrawal, an unpairing, a revocation, a retired key.

Laws 1 and 3; DESIGN 6. A sender decides how long its payload takes, so nothing that was looked up before it may be the last word.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from adapters.reading import Quantity, Reading
from hub import http
from hub.ingest import receiving, upload
from hub.ingest.upload import Upload
from hub.instants import now_us
from hub.operator import Operator
from hub.recording import Recording
from hub.store.contents import MongoContents
from hub.store.embedded import Endpoint
from hub.store.protocol import Conflict
from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S, issue
from security.oauth.clients import new_client_keys
from security.oauth.rotation import rotated
from tests.support.apple import export
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller
from tests.support.edf import File, Signal
from tests.support.inprocess import InProcess, in_process
from tests.support.payloads import identifier_system
from tests.support.rederiving import Bench, stored
from tests.support.resources import consent, patient

Json = dict[str, Any]
Act = Callable[[], Awaitable[object]]
ALL = "system/*.cruds"
UNITS = {"apple-health": "phone", "edf": "eeg"}
LOCAL = {"timeZone": "Europe/Paris"}
LONG = 100_000
"""Bytes that are taken as a whole: more goes through the spool, in parts."""
PART = 400
MANY = 2 * PART + 7
"""Items of an export that is long: three parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One hub, one sender, one person with a unit of each adapter."""

    inside: InProcess
    account: Account
    person: str

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.inside.authorization(self.account, ALL))

    @property
    def operator(self) -> Operator:
        return Operator(self.inside.hub, "tests")

    def headers_by_key(self, ago_us: int = 0) -> dict[str, str]:
        """By a token that says by which key it was obtained, so long ago."""
        hub, kid = self.inside.hub, str((self.account.client.jwks or {})["keys"][0]["kid"])
        token = issue(
            key=hub.signing_keys.current,
            issuer=hub.base_url,
            audience=hub.services.base_url,
            client_id=self.account.id,
            scope=ALL,
            purpose=self.account.client.purpose,
            jti="token-of-a-key",
            now_us=now_us() - ago_us,
            kid=kid,
        )
        return {"Authorization": f"Bearer {token}"}

    async def push(self, adapter: str, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        params = {"device": UNITS[adapter], **LOCAL}
        return await self.inside.http.post(f"/ingest/{adapter}", params=params, content=content, headers=headers or self.headers)

    async def withdraw(self) -> None:
        made = await self.inside.http.post("/fhir/Consent", json=consent(self.person, "deny"), headers=self.headers)
        assert made.status_code == 201, made.text

    async def unpair(self) -> None:
        for adapter, unit in UNITS.items():
            await self.operator.unpair(system=identifier_system(adapter), identifier=unit, to_us=1)

    async def revoke(self) -> None:
        await self.operator.revoke_client(self.account.id)

    async def rotate(self) -> None:
        now = now_us()
        await self.operator.change_client("client-key-retire", self.account.id, lambda one: rotated(one, new_client_keys()[1], now, now))


@pytest.fixture
async def scene(tmp_path: Path, clean_database: Endpoint) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database, max_ingest_bytes=LONG) as inside:
        account = await inside.register(new_client("Clinic", ALL, consent_default="opt-out", recorder=True))
        made = await inside.http.post("/fhir/Patient", json=patient(), headers=inside.authorization(account, ALL))
        person = str(made.json()["id"])
        for adapter, unit in UNITS.items():
            await Operator(inside.hub, "tests").pair(
                system=identifier_system(adapter),
                manufacturer="unknown",
                product="x",
                identifier=unit,
                patient=f"Patient/{person}",
                from_us=0,
                to_us=None,
            )
        yield Scene(inside=inside, account=account, person=person)


def tape() -> bytes:
    return bytes(File(signals=[Signal(label="EEG Cz", records=[[second, -second] * 150 for second in range(60)])]))


def an_hour_late(reading: Reading) -> Reading:
    """Under another key than it should be: its bytes are kept again when that is mended."""

    def late(time: Any) -> Any:
        return replace(time, wall=time.wall + timedelta(hours=1), text=f"{time.text}+1h")

    return replace(reading, time=late(reading.time), end=late(reading.end))


def one_more(reading: Reading) -> Reading:
    value = reading.value
    assert isinstance(value, Quantity)
    return replace(reading, value=Quantity(value=f"{int(value.value) + 1}", unit=value.unit))


def while_bytes_are_kept(monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    """The act is acknowledged after the first pieces of a recording were written, once."""
    real, acts = MongoContents.put, [act]

    async def put(self: MongoContents, *pieces: Any) -> None:
        await real(self, *pieces)
        if acts:
            await acts.pop()()

    monkeypatch.setattr(MongoContents, "put", put)


def while_others_are_first(monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    """The act is acknowledged, and the first attempt at the commit meets somebody."""
    real, acts = Recording.commit, [act]

    async def commit(self: Recording, *given: Any, **more: Any) -> None:
        if acts:
            await acts.pop()()
            raise Conflict
        await real(self, *given, **more)

    monkeypatch.setattr(Recording, "commit", commit)


@pytest.mark.parametrize(
    ("act", "when", "adapter", "payload"),
    [
        (Scene.withdraw, while_bytes_are_kept, "edf", tape()),
        (Scene.unpair, while_bytes_are_kept, "edf", tape()),
        (Scene.withdraw, while_others_are_first, "apple-health", export(2)),
        (Scene.unpair, while_others_are_first, "apple-health", export(2)),
    ],
)
async def test_nothing_is_stored_that_was_withdrawn_or_unpaired_before_its_commit(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Scene], Awaitable[None]],
    when: Callable[[pytest.MonkeyPatch, Act], None],
    adapter: str,
    payload: bytes,
    admin: MongoClient[Json],
) -> None:
    """Law 1: what a patient's withdrawal was acknowledged before is not written after it."""
    when(monkeypatch, lambda: act(scene))
    answer = await scene.push(adapter, payload)
    assert {(one["fate"], one["code"]) for one in answer.json()} == {("quarantined", "device-not-paired")}, answer.text
    assert admin["hub"]["resources"].count_documents({"_id": {"$regex": "^(Observation|DocumentReference|Binary)/"}}) == 0


async def test_what_is_still_permitted_is_stored_once_however_often_it_is_decided(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        return

    while_others_are_first(monkeypatch, nothing)
    assert [one["fate"] for one in (await scene.push("apple-health", export(2))).json()] == ["stored", "stored"]
    assert [one["fate"] for one in (await scene.push("edf", tape())).json()] == ["stored"]
    found = await scene.inside.http.get(f"/fhir/Observation?patient={scene.person}&_summary=count", headers=scene.headers)
    assert found.json()["total"] == 3


@pytest.mark.parametrize("act", [Scene.revoke, Scene.rotate])
@pytest.mark.parametrize("announced", [True, False], ids=["whole", "spooled"])
async def test_a_body_that_arrives_after_its_sender_has_ended_is_refused(
    scene: Scene, act: Callable[[Scene], Awaitable[None]], announced: bool, admin: MongoClient[Json]
) -> None:
    """As the next request would be: a key that was taken away takes its tokens with it (RFC 6750 section 3.1)."""
    body = export(5)

    async def trickle() -> AsyncIterator[bytes]:
        yield body[:100]
        await act(scene)
        yield body[100:]

    headers = {**scene.headers_by_key(), **({"Content-Length": str(len(body))} if announced else {})}
    answer = await scene.push("apple-health", trickle(), headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="fhir", error="invalid_token"')
    assert admin["hub"]["resources"].count_documents({"_id": {"$regex": "^Observation/"}}) == 0


@pytest.mark.parametrize("count", [5, MANY], ids=["short", "long"])
async def test_a_token_that_expires_while_the_body_comes_was_good_when_it_was_shown(scene: Scene, count: int) -> None:
    """docs/adr/0020-uploads.md: the request that it let in is finished; the next one needs another."""
    body = export(count)
    headers = scene.headers_by_key(ago_us=(ACCESS_TOKEN_LIFETIME_S - 4) * 1_000_000)  # seconds enough to be shown in time

    async def slow() -> AsyncIterator[bytes]:
        yield body[:100]
        while (await scene.inside.http.get("/fhir/Patient", headers=headers)).status_code == 200:
            pass
        yield body[100:]

    answer = await scene.push("apple-health", slow(), headers)
    assert [one["fate"] for one in answer.json()] == ["stored"] * count
    assert (await scene.push("apple-health", body, headers)).status_code == 401


async def test_what_is_taken_in_for_too_long_is_cut_off_and_goes_on_when_it_is_sent_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, admin: MongoClient[Json]
) -> None:
    """docs/adr/0020-uploads.md: nothing that a token once began goes on for ever; what was answered is durable."""
    monkeypatch.setattr(upload, "PART_ITEMS", PART)
    with monkeypatch.context() as short:
        short.setattr(upload, "TAKEN_IN_S", -1.0)
        cut = await scene.push("apple-health", export(MANY))
    assert (cut.status_code, cut.text[:1], cut.text[-1:]) == (200, "[", "}"), "no end of the array"
    assert admin["hub"]["resources"].count_documents({"_id": {"$regex": "^Observation/"}}) == PART
    again = await scene.push("apple-health", export(MANY))
    assert [one["fate"] for one in again.json()] == ["duplicate"] * PART + ["stored"] * (MANY - PART)


@pytest.mark.parametrize("act", [Scene.revoke, Scene.rotate])
async def test_an_upload_ends_with_its_client_or_its_key(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, act: Callable[[Scene], Awaitable[None]], admin: MongoClient[Json]
) -> None:
    """Between two parts, in the middle of the answer."""
    monkeypatch.setattr(upload, "PART_ITEMS", PART)
    real, acts = Upload.part, [act]

    async def part(self: Upload, recording: Recording) -> Any:
        answers = await real(self, recording)
        if acts:
            await acts.pop()(scene)
        return answers

    monkeypatch.setattr(Upload, "part", part)
    cut = await scene.push("apple-health", export(MANY), scene.headers_by_key())
    assert (cut.status_code, cut.text[-1:]) == (200, "}"), "no end of the array"
    assert admin["hub"]["resources"].count_documents({"_id": {"$regex": "^Observation/"}}) == PART
    recorded = admin["hub_audit"]["records"].count_documents({"r": cut.headers["x-request-id"]})
    assert recorded == 3, "the part, to the hub and to the person, and that there was no other (law 2)"


@pytest.mark.parametrize("announced", [True, False], ids=["whole", "spooled"])
async def test_a_body_that_never_ends_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch, announced: bool) -> None:
    """However steadily it trickles in."""
    monkeypatch.setattr(http, "BODY_S", 0.0)
    monkeypatch.setattr(receiving, "WHOLE_S", 0.0)

    async def endless() -> AsyncIterator[bytes]:
        yield b"<"
        await asyncio.Event().wait()

    headers = {**scene.headers, **({"Content-Length": "1000"} if announced else {})}
    answer = await scene.push("apple-health", endless(), headers)
    assert answer.status_code == 400
    assert "was not at its end after 0 seconds" in answer.text


def test_a_recording_withdrawn_while_its_bytes_are_kept_again_is_left_as_it_is(
    backstage: Backstage, ehr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/adr/0017-rederivation.md: a plan is applied by what is permitted at that moment."""
    person = str(ehr.create(patient())["id"])
    backstage.pair(identifier_system("edf"), f"eeg-{person}", f"Patient/{person}", from_us=0)
    bench = Bench(backstage, ehr.account, "edf", an_hour_late)
    stored(bench.ingest(tape(), device=f"eeg-{person}", zone="Europe/Paris"))
    plan = bench.plan(person)

    async def withdraw() -> None:
        ehr.create(consent(person, "deny"))

    while_bytes_are_kept(monkeypatch, withdraw)
    applied = bench.apply(plan)
    assert (applied.done, dict(applied.refused)) == (0, {"not-permitted": 1})


def test_a_reading_withdrawn_before_its_rederivation_is_committed_is_left_as_it_is(
    backstage: Backstage, ehr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction notices (docs/adr/0023-what-was-decided-by.md)."""
    person = str(ehr.create(patient())["id"])
    backstage.pair(identifier_system("apple-health"), f"phone-{person}", f"Patient/{person}", from_us=0)
    bench = Bench(backstage, ehr.account, "apple-health", one_more)
    stored(bench.ingest(export(1), device=f"phone-{person}", zone="Europe/Paris"))
    plan = bench.plan(person)
    real, acts = Recording.commit, [lambda: ehr.create(consent(person, "deny"))]

    async def commit(self: Recording, *given: Any, **more: Any) -> None:
        if acts:
            acts.pop()()
        await real(self, *given, **more)

    monkeypatch.setattr(Recording, "commit", commit)
    applied = bench.apply(plan)
    assert (applied.done, dict(applied.refused)) == (0, {"not-permitted": 1})
