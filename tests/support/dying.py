"""A hub that kills itself with signal 9 at its n-th await, counted over all its tasks, while it answers one request.

Each runs in a process of its own, forked from one that has imported everything and connected to nothing.
"""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.store.embedded import Endpoint
from tests.support.backstage import Account
from tests.support.inprocess import in_process
from tests.support.suspensions import each_await

PATIENCE_S = 120
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dying:
    """What a request is sent to, and by whom."""

    data_dir: Path
    endpoint: Endpoint
    account: Account

    def ask(self, body: Json, place: int | None = None) -> int | None:
        """POST the Bundle to a hub that dies at this await. If it was answered before, with 200: how many awaits there were."""
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(["tests.support.dying"])
        ours, theirs = processes.Pipe(duplex=False)
        child = processes.Process(target=_live, args=(self, body, place, theirs))
        child.start()
        theirs.close()
        child.join(PATIENCE_S)
        assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
        awaits: int | None = ours.recv() if child.exitcode == 0 else None
        ours.close()
        return awaits


def _live(dying: Dying, body: Json, place: int | None, told: Any) -> None:
    told.send(asyncio.run(_answer(dying, body, place)))


async def _answer(dying: Dying, body: Json, place: int | None) -> int:
    async with in_process(dying.data_dir, dying.endpoint) as hub:
        headers = {**hub.authorization(dying.account, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        awaits = 0

        def at(number: int) -> None:
            nonlocal awaits
            awaits = number
            if number == place:
                os.kill(os.getpid(), signal.SIGKILL)

        with each_await(at):
            answer = await asyncio.create_task(hub.http.post("/fhir", json=body, headers=headers))
        assert answer.status_code == 200, answer.text
        return awaits
