"""What a recorder corrects of a Patient between the last decision and the commit holds for it, and is acknowledged once it does.

Laws 1 and 5; docs/adr/0023-what-was-decided-by.md. Two hubs on one database, as in test_changed_at_the_commit.py.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.operator import Operator
from hub.store import mongo_fence
from hub.store.embedded import Endpoint
from hub.store.protocol import Unsettled
from tests.e2e.test_ingest_subject import CONTRADICTS, INS, ans
from tests.support.backstage import Account, new_client
from tests.support.held import PATIENCE_S, Held
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system
from tests.support.resources import consent, observation, patient

pytestmark = pytest.mark.fault

ALL = "system/*.cruds"
UNIT = "SC-1"
WRITTEN = {"Content-Type": "application/fhir+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    one: InProcess
    other: InProcess
    clinic: Account
    person: dict[str, Any]

    def headers(self, hub: InProcess) -> dict[str, str]:
        return {**hub.authorization(self.clinic, ALL), **WRITTEN}

    async def push(self) -> httpx.Response:
        return await self.one.http.post("/ingest/ans", content=ans(UNIT, "1"), headers=self.headers(self.one))

    async def create(self) -> httpx.Response:
        made = observation(self.person["id"])
        return await self.one.http.post("/fhir/Observation", json=made, headers=self.headers(self.one))

    async def put(self, **changed: Any) -> httpx.Response:
        made = {**self.person, **changed}
        return await self.other.http.put(f"/fhir/Patient/{made['id']}", json=made, headers=self.headers(self.other))


def number(value: str) -> list[dict[str, str]]:
    return [{"system": INS, "value": value}]


@pytest.fixture
async def scene(clean_database: Endpoint, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scale, paired with a patient who is known by a number, sends what says the same number."""
    async with in_process(tmp_path, clean_database) as one, in_process(tmp_path, clean_database) as other:
        clinic = await one.register(new_client("clinic", ALL, consent_default="opt-out", recorder=True))
        headers = {**one.authorization(clinic, ALL), **WRITTEN}
        person = (await one.http.post("/fhir/Patient", json=patient(identifier=number("1")), headers=headers)).json()
        assert (await one.http.post("/fhir/Consent", json=consent(person["id"]), headers=headers)).status_code == 201
        await Operator(one.hub, "tests").pair(
            system=identifier_system("ans"),
            manufacturer="unknown",
            product="x",
            identifier=f"urn:oid:1.2.250.1.999|{UNIT}",
            patient=f"Patient/{person['id']}",
            from_us=0,
            to_us=None,
        )
        yield Scene(one=one, other=other, clinic=clinic, person=person)


@pytest.mark.parametrize(("changed", "fate"), [({"identifier": number("2")}, "quarantined"), ({"gender": "female"}, "stored")])
async def test_a_corrected_identifier_is_what_a_payload_is_compared_with(scene: Scene, changed: dict[str, Any], fate: str) -> None:
    """ADR 19: what contradicts the pairing waits, and is not put into the record of another person."""
    held = Held(scene.one)
    held.before()
    waiting = asyncio.ensure_future(scene.push())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    assert (await scene.put(**changed)).status_code == 200
    held.open.set()
    (answer,) = (await waiting).json()
    assert answer["fate"] == fate, answer
    assert answer.get("code") == (CONTRADICTS if fate == "quarantined" else answer.get("code"))


@pytest.mark.parametrize("changed", [{"managingOrganization": {"reference": "Organization/elsewhere"}}, {"identifier": number("2")}])
async def test_a_change_sent_again_after_a_503_is_acknowledged_no_sooner(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    """Law 5: it is stored, and what was decided before may still be on its way; that nothing changes any more does not end that."""
    monkeypatch.setattr(mongo_fence, "TOLD_WITHIN_MS", 100)
    held = Held(scene.one)
    held.inside()
    ahead = asyncio.ensure_future(scene.create())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    answers = [await scene.put(**changed) for _ in range(2)]
    held.open.set()
    assert (await ahead).status_code == 201
    for answer in answers:
        refused(answer, 503, "transient")
    again = await scene.put(**changed)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')


async def test_changes_behind_a_hub_that_does_not_end_wait_together(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docs/adr/0023: who asks while something is tried waits for that and one try more, not once for each who asked before."""
    monkeypatch.setattr(mongo_fence, "TOLD_WITHIN_MS", 100)
    store, tried = scene.other.hub.services.store, []
    tell = store._writer.fence._tell

    async def counted() -> None:
        tried.append(1)
        await tell()

    monkeypatch.setattr(store._writer.fence, "_tell", counted)
    held = Held(scene.one)
    held.inside()
    ahead = asyncio.ensure_future(scene.create())
    await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
    told = await asyncio.gather(*(store.settled() for _ in range(8)), return_exceptions=True)
    held.open.set()
    assert (await ahead).status_code == 201
    assert {type(one) for one in told} == {Unsettled}
    assert len(tried) <= 2
    await store.settled()
