"""MQTT: messages of devices and gateways, from a broker that has authenticated them. Acknowledged when they are durable.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html. The session is kept by the broker (Clean Start 0, an expiry
interval), and a message of QoS 1 or 2 is its own until it has been acknowledged; that is done after the commit, in the
order in which they came (4.6). Messages that are in hand at once are committed together, each with its own fate. So what was
not durable when the hub died comes again, and what was is a duplicate then: nothing is lost, nothing is stored twice (law 5).
The broker hands out RECEIVE_MAX messages at once and no more: while the hub cannot store, they wait there, not in our memory.
A session stands still as a whole, for acknowledgements keep the order of its messages; rows that are to stop alone have one each
(hub/ingest/subscribers.py).
"""

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.reading import Rejected
from hub.errors import FhirError, Throttled
from hub.ingest.backoff import backoff_s
from hub.ingest.fates import Answer
from hub.ingest.intake import Parcel, known_adapter, require_sender, take_in
from hub.ingest.pipeline import Pipeline
from hub.ingest.quota import admit, charge
from hub.ingest.sender import SenderGone, Senders, retryable
from hub.ingest.topics import Addressed, TopicRow, address
from hub.ingest.watch import pause
from hub.store.protocol import Unavailable

log = structlog.get_logger()

RECEIVE_MAX = 64
"""Messages in hand at once (3.1.2.11.3)."""
TOGETHER_BYTES_MAX = 8_000_000
"""Of messages that are looked at together; one more may have come when there were fewer."""
MESSAGE_BYTES_MAX = 4_000_000
"""A larger packet is not handed out by the broker (3.1.2.11.4). What cannot be read is kept whole, in one document of the database."""
SESSION_S = 7 * 86_400
"""For how long the broker keeps messages while the hub is away (3.1.2.11.2)."""
QOS = 1
UNREADABLE_HINT = "The message could not be read; replay it when the adapter can."


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where it is and who we are there. `session`: the client identifier, under which the broker keeps messages for us."""

    host: str
    port: int
    session: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


class Subscriber:
    """Takes in what comes from a broker in one session, until it is stopped.

    told     fates of each message that is durable, in the order in which they came
    chance   between 0 and 1, for waiting times that do not coincide with others'
    """

    def __init__(
        self,
        senders: Senders,
        broker: Broker,
        rows: tuple[TopicRow, ...],
        *,
        told: Callable[[Counter[str]], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._senders, self._broker, self._rows = senders, broker, rows
        self._told, self._chance = told, chance
        self._failures = 0

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Connected again whenever the connection is lost, after a while that grows.

        Raises SenderGone, with what was not acknowledged left to the broker, which keeps what comes meanwhile.
        """
        while not stop.is_set():
            try:
                await self._connected(stop, ready)
            except aiomqtt.MqttError as error:
                self._failures += 1
                log.warning("broker_lost", error=type(error).__name__, failures=self._failures)
                await pause(stop, backoff_s(self._failures, self._chance()))

    async def _connected(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        async with _client(self._broker) as client:
            for row in self._rows:
                await client.subscribe(row.filter, qos=QOS)
            self._failures = 0
            with suppress(Unavailable):  # looked up again with each message
                for row in self._rows:
                    await self._senders.repository(row.client)
            ready()
            while not stop.is_set():
                messages = await _some(client, stop)
                if not await self._together(client, messages, stop):
                    return

    async def _together(self, client: aiomqtt.Client, messages: Sequence[aiomqtt.Message], stop: asyncio.Event) -> bool:
        """Messages that are in hand at once, each with a fate of its own; those that are durable are acknowledged, in order (4.6).

        What runs at the same time is committed together (ADR 5), so they share a transaction and wait for the disk once. False if
        stopped before all of them were durable.
        """
        settled = await asyncio.gather(*(self._settle(message, stop) for message in messages), return_exceptions=True)
        for message, fates in zip(messages, settled, strict=True):
            if isinstance(fates, BaseException):
                raise fates
            if fates is None:
                return False
            self._told(fates)
            # Not offered by aiomqtt: paho acknowledges by itself unless it is told not to.
            client._client.ack(message.mid, message.qos)  # noqa: SLF001
        return True

    async def _settle(self, message: aiomqtt.Message, stop: asyncio.Event) -> Counter[str] | None:
        """Its fates when it is durable; until then again and again. None if stopped before."""
        failures = 0
        while True:
            try:
                answers = await self._take(message)
            except (Unavailable, FhirError) as error:
                if isinstance(error, FhirError) and not retryable(error):
                    raise
                failures += 1
                await pause(stop, error.retry_after_s if isinstance(error, Throttled) else backoff_s(failures, self._chance()))
                if stop.is_set():
                    return None
            else:
                return Counter(answer.fate for answer in answers)

    async def _take(self, message: aiomqtt.Message) -> Sequence[Answer]:
        """The answers for one message. What cannot be read waits in quarantine as a whole: there is nobody to tell."""
        addressed = address(message.topic.value, self._rows)
        if addressed is None:
            log.error("topic_without_row")  # the session still has a subscription that the setting no longer has
            return ()
        parcel = _parcel(message, addressed)
        try:
            return await self._taken_in(addressed, parcel)
        except FhirError as error:
            if retryable(error):
                raise
            return await self._kept(addressed, parcel, error.code)
        except (SenderGone, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 - one poisonous message must not keep all others waiting
            log.error("message_failed", adapter=addressed.row.adapter, error=type(error).__name__)  # noqa: TRY400 - may repeat values
            return await self._kept(addressed, parcel, "exception")

    async def _taken_in(self, addressed: Addressed, parcel: Parcel) -> Sequence[Answer]:
        repository = await self._senders.repository(addressed.row.client)
        async with repository.recording("ingest") as recording:
            require_sender(repository)
            await admit(repository.caller, repository.services)
            answers = await take_in(repository, recording, parcel)
        await charge(repository.caller, repository.services, len(answers))
        return answers

    async def _kept(self, addressed: Addressed, parcel: Parcel, code: str) -> Sequence[Answer]:
        repository = await self._senders.repository(addressed.row.client)
        item = Rejected(code=f"message-{code}", hint=UNREADABLE_HINT, pointer="", raw=parcel.payload, device=parcel.device)
        async with repository.recording("ingest") as recording:
            return await Pipeline(repository, parcel.sent, recording).run([item])


def _parcel(message: aiomqtt.Message, addressed: Addressed) -> Parcel:
    return Parcel(
        adapter=known_adapter(addressed.row.adapter), payload=message.payload, device=addressed.device, time_zone=addressed.row.time_zone
    )


def _client(broker: Broker) -> aiomqtt.Client:
    asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    asked.SessionExpiryInterval, asked.ReceiveMaximum, asked.MaximumPacketSize = SESSION_S, RECEIVE_MAX, MESSAGE_BYTES_MAX
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=broker.session,
        username=broker.username,
        password=broker.password,
        tls_context=broker.tls,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=asked,
    )
    client._client.manual_ack_set(True)  # noqa: SLF001 - not offered by aiomqtt
    return client


async def _some(client: aiomqtt.Client, stop: asyncio.Event) -> list[aiomqtt.Message]:
    """What the broker has handed out, none if it is time to stop. Raises MqttError when the connection is lost."""
    following = asyncio.ensure_future(anext(client.messages))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((following, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not following.done():
        following.cancel()
        return []
    messages = [following.result()]
    while len(client.messages) and len(messages) < RECEIVE_MAX and sum(len(one.payload) for one in messages) < TOGETHER_BYTES_MAX:
        messages.append(await anext(client.messages))
    return messages
