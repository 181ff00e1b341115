"""How many bytes of one client's recordings may wait: who has no device paired must not be able to fill the disk.

docs/adr/0014-recordings.md, docs/guides/transports.md; DEVICES 6.5 (back-pressure).
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from adapters.idco.simulate import one_page
from hub.ingest.queue import FULL_WAIT_S
from hub.operator import Operator
from hub.store.embedded import Endpoint
from tests.e2e.test_ingest_recording import PARIS, recording
from tests.support.backstage import Account, new_client
from tests.support.idco import interrogation
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system
from tests.support.resources import patient

ALL = "system/*.cruds"
LENGTH = len(recording(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    hub: InProcess
    sender: Account
    other: Account
    database: Any

    async def push(self, payload: bytes, device: str = "nobody", by: Account | None = None) -> httpx.Response:
        query = {"device": device, **PARIS}
        return await self.hub.http.post(
            "/ingest/edf", params=query, content=payload, headers=self.hub.authorization(by or self.sender, ALL)
        )

    async def ask(self, path: str, **more: Any) -> httpx.Response:
        return await self.hub.http.post(path, headers=self.hub.authorization(self.sender, ALL), **more)

    def pieces(self) -> int:
        count: int = self.database["contents"].count_documents({})
        return count


@pytest.fixture
async def scene(clean_database: Endpoint, admin: MongoClient[dict[str, Any]], tmp_path: Path) -> AsyncIterator[Scene]:
    """Two recordings may wait, and not three."""
    async with in_process(tmp_path, clean_database, waiting_bytes=int(LENGTH * 2.5)) as hub:
        made = [await hub.register(new_client(name, ALL, consent_default="opt-out", recorder=True)) for name in ("sender", "other")]
        yield Scene(hub=hub, sender=made[0], other=made[1], database=admin["hub"])


def fate(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()
    return str(one["fate"])


async def test_recordings_that_wait_fill_what_may_wait_of_one_client(scene: Scene) -> None:
    """429 with Retry-After, as of other quotas; of the request nothing is kept, and nobody else is held up."""
    assert [fate(await scene.push(recording(seed))) for seed in (1, 2)] == ["quarantined"] * 2
    there = scene.pieces()
    answer = await scene.push(recording(3))
    (issue,) = refused(answer, 429, "throttled")
    assert "HUB_WAITING_BYTES" in issue["diagnostics"]
    assert answer.headers["retry-after"] == str(FULL_WAIT_S)
    assert scene.pieces() == there
    assert fate(await scene.push(recording(1))) == "quarantined", "what waits already is the same again"
    assert fate(await scene.push(recording(3), by=scene.other)) == "quarantined"


@pytest.mark.parametrize("done", ["discarded", "replayed"])
async def test_what_waits_no_more_makes_room(scene: Scene, done: str) -> None:
    for seed in (1, 2):
        await scene.push(recording(seed))
    refused(await scene.push(recording(3)), 429, "throttled")
    if done == "discarded":
        assert (await scene.ask("/quarantine/discard?adapter=edf", json={"reason": "x"})).status_code == 200
    else:
        headers = {**scene.hub.authorization(scene.sender, ALL), "Content-Type": "application/fhir+json"}
        person = (await scene.hub.http.post("/fhir/Patient", json=patient(), headers=headers)).json()["id"]
        await Operator(scene.hub.hub, "tests").pair(
            system=identifier_system("edf"),
            manufacturer="unknown",
            product="x",
            identifier="nobody",
            patient=f"Patient/{person}",
            from_us=0,
            to_us=None,
        )
        assert (await scene.ask("/quarantine/all/replay?adapter=edf")).status_code == 200
    assert fate(await scene.push(recording(3), device="another")) == "quarantined"


async def test_of_what_does_not_all_fit_no_byte_is_kept(scene: Scene) -> None:
    """What is written and then named by nothing counts for nobody: who sends several at once must not fill the disk by all but the last."""

    def reports(*lengths: int) -> bytes:
        """One message for each report, in one payload."""
        pages = [one_page(f"Report {place}") + os.urandom(length) for place, length in enumerate(lengths)]
        return "\r".join(interrogation("quota", page, control_id=f"R-{place}") for place, page in enumerate(pages)).encode()

    async def push(payload: bytes) -> httpx.Response:
        headers = scene.hub.authorization(scene.sender, ALL) | {"Content-Type": "application/hl7-v2+er7"}
        return await scene.hub.http.post("/ingest/idco", content=payload, headers=headers)

    refused(await push(reports(LENGTH, LENGTH, LENGTH)), 429, "throttled")
    refused(await push(reports(LENGTH, LENGTH * 3)), 413, "too-long")
    assert scene.pieces() == 0
    answer = await push(reports(LENGTH, LENGTH))
    assert [one["fate"] for one in answer.json()] == ["quarantined"] * 2, answer.text


async def test_a_recording_that_never_could_wait_is_too_long(clean_database: Endpoint, tmp_path: Path) -> None:
    """413: to send it again later would not help."""
    async with in_process(tmp_path, clean_database, waiting_bytes=1_000) as hub:
        sender = await hub.register(new_client("sender", ALL))
        answer = await hub.http.post(
            "/ingest/edf", params=PARIS | {"device": "x"}, content=recording(1), headers=hub.authorization(sender, ALL)
        )
        refused(answer, 413, "too-long")
