"""Rows of HUB_MQTT_TOPICS, each with a session of its own at the broker: what stops one leaves the others taking in.

A row whose client is gone is disconnected, its messages wait in its session, and it goes on when the client is good again. Sessions
are named by topics and not by clients, so that the client that takes another one's place finds what has waited. Rows that have topics
in common share one: the first that fits counts, and a message is taken in once.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from hub.ingest.mqtt import Broker, Subscriber
from hub.ingest.sender import SenderGone, Senders
from hub.ingest.topics import TopicRow, apart
from hub.ingest.watch import pause
from hub.metrics import MQTT_ROWS
from hub.store.protocol import Unavailable

log = structlog.get_logger()

LOOK_S = 2.0
"""Between two looks whether a client is good again."""
NAME_DIGITS = 12
Part = tuple[TopicRow, ...]


class Subscribers:
    """All rows, until they are stopped. `told` as Subscriber has it."""

    def __init__(
        self, senders: Senders, broker: Broker, rows: Sequence[TopicRow], *, told: Callable[[Counter[str]], None], look_s: float = LOOK_S
    ) -> None:
        self._senders, self._broker, self._told, self._look_s = senders, broker, told, look_s
        self._parts = apart(rows)
        self._stopped: set[Part] = set()
        self._begun: set[Part] = set()

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """`ready`: each row is subscribed to, or has stopped. Raises SenderGone when no row is left."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in self._parts:
                    tasks.create_task(self._run(part, stop, ready))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _run(self, part: Part, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        subscriber = Subscriber(self._senders, replace(self._broker, session=session_of(self._broker.session, part)), part, told=self._told)
        while not stop.is_set():
            try:
                await subscriber.run(stop, lambda: self._taking(part, ready))
            except SenderGone:
                self._stopped.add(part)
                if len(self._stopped) == len(self._parts):
                    raise
                log.error("mqtt_rows_stopped", clients=_clients(part), rows=len(part))  # noqa: TRY400 - no fault of the hub
                self._show(part, ready)
                await self._until_good(part, stop)

    def _taking(self, part: Part, ready: Callable[[], None]) -> None:
        if part in self._stopped:
            self._stopped.remove(part)
            log.info("mqtt_rows_go_on", clients=_clients(part), rows=len(part))
        self._show(part, ready)

    def _show(self, part: Part, ready: Callable[[], None]) -> None:
        stopped = sum(len(one) for one in self._stopped)
        MQTT_ROWS.labels("stopped").set(stopped)
        MQTT_ROWS.labels("taken").set(sum(len(one) for one in self._parts) - stopped)
        if part not in self._begun:
            self._begun.add(part)
            if len(self._begun) == len(self._parts):
                ready()

    async def _until_good(self, part: Part, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pause(stop, self._look_s)
            with suppress(SenderGone, Unavailable):
                for client in _clients(part):
                    await self._senders.repository(client)
                return


def session_of(name: str, part: Part) -> str:
    """The same whoever takes the topics in, and wherever the row stands."""
    first = min(row.filter for row in part)
    return f"{name}-{hashlib.sha256(first.encode()).hexdigest()[:NAME_DIGITS]}"


def _clients(part: Part) -> list[str]:
    return sorted({row.client for row in part})
