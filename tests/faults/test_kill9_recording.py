"""kill -9 between the pieces of a recording and the rows that name them: nothing is half there, and nothing stays for good.

docs/adr/0014-recordings.md, docs/adr/0017-rederivation.md; DESIGN law 5.
"""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Context
from adapters.discovery import adapters
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.recordings import GRACE_US
from hub.ingest.sender import Senders
from hub.settings import Settings
from hub.store.embedded import sharing
from hub.wiring import open_hub
from tests.e2e.test_ingest_recording import PARIS, content, parts, recording
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system
from tests.support.resources import patient

pytestmark = pytest.mark.fault

PATIENCE_S = 120


@dataclass(frozen=True)
class Dying:
    """Takes in a recording and kills itself when its rows are about to be committed: the pieces are durable by then."""

    data_dir: Path
    origin: str
    client: str
    unit: str
    payload: bytes

    def run(self) -> None:
        processes = multiprocessing.get_context("spawn")
        child = processes.Process(target=_live, args=(self,))
        child.start()
        child.join(PATIENCE_S)
        assert child.exitcode == -signal.SIGKILL, child.exitcode


def _live(dying: Dying) -> None:
    asyncio.run(_take_in(dying))


async def _take_in(dying: Dying) -> None:
    async def commit(_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with sharing(dying.data_dir, cache_gb=0.25) as endpoint:
        async with open_hub(Settings(data_dir=dying.data_dir), endpoint, dying.origin) as hub:
            adapter = adapters()["edf"]
            items = list(adapter.decode(dying.payload, Context(device=dying.unit)))
            sent = Sent(manifest=adapter.manifest, device=dying.unit, time_zone=PARIS["timeZone"])
            repository = await Senders(services=hub.services, find_client=hub.oauth.find_client).repository(dying.client)
            hub.services.store.commit = commit  # type: ignore[method-assign]
            async with repository.recording("ingest") as record:
                await Pipeline(repository, sent, record).run(items)


@pytest.mark.parametrize("paired", [True, False], ids=["stored", "waiting"])
def test_what_is_killed_between_the_pieces_and_their_rows_is_not_there_and_can_be_sent_again(
    running: Running, ehr: Caller, backstage: Backstage, paired: bool
) -> None:
    """Of the reading there is nothing; its pieces are taken up by whoever sends it again."""
    person = str(ehr.create(patient())["id"])
    unit, payload = f"kill-{paired}-{person}", recording(31)
    if paired:
        backstage.pair(identifier_system("edf"), unit, f"Patient/{person}", from_us=0)
    before = pieces(backstage)
    Dying(running.process.data_dir, running.process.url, ehr.account.id, unit, payload).run()
    left = pieces(backstage) - before
    assert len(left) == 2
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 0
    (fate,) = ehr.fates("edf", payload, device=unit, **PARIS)
    assert fate["fate"] == ("stored" if paired else "quarantined")
    assert pieces(backstage) - before == left, "the same pieces"
    if paired:
        _, _, url = parts(ehr, fate)
        assert content(ehr, url)[256:] == payload[256:]


def test_what_a_kill_leaves_and_nobody_sends_again_is_swept(running: Running, ehr: Caller, backstage: Backstage) -> None:
    person = str(ehr.create(patient())["id"])
    unit = f"left-{person}"
    backstage.pair(identifier_system("edf"), unit, f"Patient/{person}", from_us=0)
    before = pieces(backstage)
    Dying(running.process.data_dir, running.process.url, ehr.account.id, unit, recording(32)).run()
    left = pieces(backstage) - before
    assert running.process.invoke("contents", "sweep", "--reason", "tests").code == 0
    assert pieces(backstage) - before == left, "a write that goes on at this moment looks the same"
    backstage.admin["hub"]["contents"].update_many({"_id": {"$in": sorted(left)}}, {"$inc": {"t": -2 * GRACE_US}})
    assert running.process.invoke("contents", "sweep", "--reason", "tests").json()["pieces"] == len(left)
    assert not pieces(backstage) & left


def pieces(backstage: Backstage) -> set[str]:
    return {one["_id"] for one in backstage.admin["hub"]["contents"].find({}, {"_id": 1})}
