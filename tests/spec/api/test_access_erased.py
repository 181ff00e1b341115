"""Whose key is destroyed permits nothing any more: neither what was theirs, nor what names them beside somebody else.

DESIGN law 1 (silence means no) and 5 (erasure is the destruction of a key); GDPR art. 17.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from hub.operator import Operator
from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.payloads import identifier_system, weight
from tests.support.resources import ABSENT, consent, observation, patient

Json = dict[str, Any]


@dataclass(slots=True)
class Scene:
    """Two patients of the caller's own organisation: one of them stays, the other one's key is destroyed."""

    hub: InProcess
    ehr: Account
    keys: Any
    stays: str = ""
    gone: str = ""

    async def ask(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        headers = {**self.hub.authorization(self.ehr, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        answer = await self.hub.http.request(method, f"/fhir/{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def create(self, resource: Json) -> str:
        status, made = await self.ask("POST", resource["resourceType"], resource)
        assert status == 201
        return str(made["id"])

    def destroy(self, patient: str) -> None:
        token = self.hub.hub.services.blind.patient(patient)
        assert self.keys.delete_one({"_id": token}).deleted_count == 1
        self.hub.hub.ring.evict(token)


@pytest.fixture
async def scene(clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as hub:
        ehr = await hub.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
        made = Scene(hub, ehr, admin["hub_keys"]["keys"])
        made.stays, made.gone = await made.create(patient()), await made.create(patient())
        yield made


async def answers(scene: Scene, id: str) -> list[tuple[int, Any]]:
    """What is told of an Observation by each way to it that names no patient whose key is destroyed."""
    told: list[tuple[int, Any]] = [await scene.ask("GET", f"Observation/{id}{more}") for more in ("", "/_history/1", "/_history", "/$meta")]
    for query in (
        f"Observation?patient={scene.stays}",
        f"Observation?_id={id}",
        "Observation?code=8867-4",
        f"Patient/{scene.stays}/Observation?",
    ):
        status, found = await scene.ask("GET", f"{query}&_total=accurate")
        told.append((status, (found["total"], "entry" in found)))
    return told


async def test_what_names_them_beside_somebody_else_is_absent(scene: Scene) -> None:
    made = await scene.create(observation(scene.stays, performer=[{"reference": f"Patient/{scene.gone}"}]))
    assert [status for status, _ in await answers(scene, made)] == [200] * 8
    scene.destroy(scene.gone)
    assert await answers(scene, made) == await answers(scene, ABSENT)


async def test_what_was_theirs_is_absent(scene: Scene) -> None:
    made = await scene.create(observation(scene.gone))
    assert (await scene.ask("GET", f"Observation/{made}"))[0] == 200
    scene.destroy(scene.gone)
    assert await answers(scene, made) == await answers(scene, ABSENT)
    assert await scene.ask("GET", f"Patient/{scene.gone}") == await scene.ask("GET", f"Patient/{ABSENT}")


async def test_nothing_new_is_written_about_them(scene: Scene) -> None:
    """As about a patient that never was: law 3."""
    scene.destroy(scene.gone)
    for more in ({}, {"performer": [{"reference": f"Patient/{scene.gone}"}]}):
        about = scene.stays if more else scene.gone
        status, told = await scene.ask("POST", "Observation", observation(about, **more))
        absent = observation(scene.stays if more else ABSENT, **({"performer": [{"reference": f"Patient/{ABSENT}"}]} if more else {}))
        assert (status, told) == await scene.ask("POST", "Observation", absent)
        assert status == 422


async def test_a_unit_that_they_had_is_somebody_elses_from_then_on(scene: Scene) -> None:
    """Law 5: what it measures on whoever has it now is stored; of what was theirs nothing can be said, and nobody stumbles over it."""
    operator, system = Operator(scene.hub.hub, "tests"), identifier_system("withings")
    unit: Json = {"system": system, "manufacturer": "unknown", "product": "scale", "identifier": "erased-scale", "to_us": None}
    await operator.pair(**unit, patient=f"Patient/{scene.gone}", from_us=0)
    await operator.unpair(system=system, identifier="erased-scale", to_us=1_600_000_000_000_000)
    scene.destroy(scene.gone)
    await operator.pair(**unit, patient=f"Patient/{scene.stays}", from_us=1_600_000_000_000_000)
    headers = {**scene.hub.authorization(scene.ehr, "system/*.cruds"), "Content-Type": "application/json"}
    told = []
    for date in (1_500_000_000, 1_700_000_000):
        answer = await scene.hub.http.post("/ingest/withings?device=erased-scale", content=weight(70_000, date=date), headers=headers)
        told += [one["fate"] for one in answer.json()]
    assert told == ["quarantined", "stored"]
    assert [one["patient"] for one in await operator.pairings(10)] == [f"Patient/{scene.stays}"]
    assert await operator.unpair(system=system, identifier="erased-scale", to_us=1_800_000_000_000_000) == 1


async def worn(scene: Scene, identifier: str, patient: str) -> str:
    """The Device of a unit, paired with the patient; it may have been paired before."""
    made = await Operator(scene.hub.hub, "tests").pair(
        system=identifier_system("withings"),
        manufacturer="unknown",
        product="scale",
        identifier=identifier,
        patient=f"Patient/{patient}",
        from_us=1_700_000_000_000_000 if patient == scene.stays else 0,
        to_us=None if patient == scene.stays else 1_600_000_000_000_000,
    )
    return made.device


async def shown(scene: Scene, device: str) -> set[tuple[int, int]]:
    """Status and number of matches on each way to it."""
    id = device.partition("/")[2]
    told = {((await scene.ask("GET", device))[0], 1)}
    for query in (f"Device?_id={id}", "Device"):
        status, found = await scene.ask("GET", f"{query}{'&' if '?' in query else '?'}_total=accurate")
        told.add((status, found["total"]))
    return told


async def test_a_device_that_they_wore_is_hidden_until_somebody_else_has_it(scene: Scene) -> None:
    """Law 1: that a key is missing opens nothing by itself. GDPR art. 17: that they had it, nobody can say any more: nor are they asked."""
    device = await worn(scene, "erased-worn", scene.gone)
    assert (await scene.ask("GET", device))[0] == 200
    scene.destroy(scene.gone)
    assert (await scene.ask("GET", device))[0] == 404
    await worn(scene, "erased-worn", scene.stays)
    assert await shown(scene, device) == {(200, 1)}
    await Operator(scene.hub.hub, "tests").unpair(
        system=identifier_system("withings"), identifier="erased-worn", to_us=1_800_000_000_000_000
    )
    assert await shown(scene, device) == {(200, 1)}


async def test_a_device_that_says_whose_it_was_stays_hidden(scene: Scene) -> None:
    """Law 1: what names them speaks of them, whoever has it now."""
    device = await worn(scene, "erased-named", scene.gone)
    status, made = await scene.ask("GET", device)
    assert (await scene.ask("PUT", device, {**made, "patient": {"reference": f"Patient/{scene.gone}"}}))[0] == status == 200
    scene.destroy(scene.gone)
    await worn(scene, "erased-named", scene.stays)
    assert (await scene.ask("GET", device))[0] == 404


async def test_who_is_asked_is_whoever_has_a_key_and_wore_it(scene: Scene) -> None:
    """ADR 27: who had it before is asked too, whoever comes next."""
    device = await worn(scene, "worn-before", scene.gone)
    await worn(scene, "worn-before", scene.stays)
    assert (await scene.ask("GET", device))[0] == 200
    assert (await scene.ask("POST", "Consent", consent(scene.gone, "deny")))[0] == 201
    assert (await scene.ask("GET", device))[0] == 404
