"""A hub that kills itself with signal 9 at its n-th await, counted over all its tasks, while it answers one request.

Each runs in a process of its own, forked from one that has imported everything and connected to nothing.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import monitoring

from hub.store.embedded import Endpoint
from tests.support.backstage import Account
from tests.support.inprocess import in_process
from tests.support.suspensions import each_await

PATIENCE_S = 300
WRITES = frozenset({"insert", "update", "delete", "findAndModify", "bulkWrite"})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaits:
    """How many awaits a request took in all, and how many before anything was sent that changes something."""

    all: int
    reading: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dying:
    """What a request is sent to, and by whom."""

    data_dir: Path
    endpoint: Endpoint
    account: Account
    path: str = "/fhir"
    scope: str = "system/*.cruds"

    def ask(self, body: Json, place: int | None = None) -> Awaits | None:
        """POST the body to a hub that dies at this await. If it was answered before, with 200: the awaits there were."""
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(["tests.support.dying"])
        ours, theirs = processes.Pipe(duplex=False)
        child = processes.Process(target=_live, args=(self, body, place, theirs))
        child.start()
        theirs.close()
        child.join(PATIENCE_S)
        assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
        awaits: Awaits | None = ours.recv() if child.exitcode == 0 else None
        ours.close()
        return awaits


def _live(dying: Dying, body: Json, place: int | None, told: Any) -> None:
    told.send(asyncio.run(_answer(dying, body, place)))


class _Writes(monitoring.CommandListener):
    """Remembers at which await the first command that changes something went to the database."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.first: int | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.first is None and event.command_name in WRITES and self._now():
            self.first = self._now()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to remember."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to remember."""


async def _answer(dying: Dying, body: Json, place: int | None) -> Awaits:
    awaits = 0
    writes = _Writes(lambda: awaits)
    monitoring.register(writes)
    async with in_process(dying.data_dir, dying.endpoint) as hub:
        headers = {**hub.authorization(dying.account, dying.scope), "Content-Type": "application/fhir+json"}

        def at(number: int) -> None:
            nonlocal awaits
            awaits = number
            if number == place:
                os.kill(os.getpid(), signal.SIGKILL)

        with each_await(at):
            answer = await asyncio.create_task(hub.http.post(dying.path, json=body, headers=headers))
        assert answer.status_code == 200, answer.text
        assert writes.first is not None
        return Awaits(all=awaits, reading=writes.first)
