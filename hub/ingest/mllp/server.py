"""The MLLP server: one connection, one message after the other, an acknowledgement when everything of it is durable.

A message that cannot be stored at this moment (database away, hub stopping) is not acknowledged and its connection closed: its
sender has it still and sends it again. Reading stops while a message is worked on, so a fast sender is held back by TCP.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from socket import socket

import structlog

from adapters.hl7v2.message import Message, plain
from adapters.reading import Rejected
from adapters.refusal import ItemRefused
from hub.authenticate import caller_of
from hub.errors import CHALLENGE, FhirError, Throttled, Unauthenticated
from hub.ingest.idempotency import take_in_once
from hub.ingest.intake import Parcel
from hub.ingest.mllp.acknowledge import Asked, Trouble, Verdict, acknowledgements, asked_of, verdict_of
from hub.ingest.mllp.frames import FrameBroken, Frames, FrameTooLong, framed
from hub.ingest.mllp.senders import Sender, peers
from hub.ingest.pipeline import Pipeline
from hub.ingest.quota import admit, charge
from hub.recording import Recording, RequestFacts
from hub.repository import Repository
from hub.services import Services
from hub.store.protocol import Unavailable
from hub.turns import Full
from security.oauth.clients import Client

log = structlog.get_logger()

READ_BYTES = 65_536
FRAME_S = 60
"""From one piece of a block to the next."""
WRITE_S = 30
HANDSHAKE_S = 10
DRAIN_S = 10
ROOM_PAUSE_S = 0.05
NOT_NOW = frozenset({"transient", "lock-error", "throttled", "conflict"})
"""Errors after which the same message can succeed: not acknowledged, so that it comes again."""
MEDIA_TYPE = "application/hl7-v2+er7"

FindClient = Callable[[str], Awaitable[Client | None]]


class NotNow(Exception):
    """The message is not acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end: the rows that are his, and from where he comes."""

    senders: tuple[Sender, ...]
    address: str


class MllpServer:
    """Answers connections. `connections_max`, `idle_s`: limits of this process and of each connection."""

    def __init__(
        self, services: Services, find_client: FindClient, senders: Sequence[Sender], *, connections_max: int, idle_s: int
    ) -> None:
        self._services, self._find_client, self._senders = services, find_client, senders
        self._connections_max, self._idle_s = connections_max, idle_s
        self._connections: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its first to its last byte."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio starts it as one
        if len(self._connections) >= self._connections_max or self._stopping:
            log.warning("mllp_connections_full")
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer, task)
        except (TimeoutError, ConnectionError, ssl.SSLError, FrameBroken, NotNow) as error:
            log.info("mllp_closed", cause=type(error).__name__)
        except asyncio.CancelledError:
            if not self._stopping:  # whoever waits for a message when the hub stops has just to go
                raise
        finally:
            self._connections.discard(task)
            self._busy.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(HANDSHAKE_S):
                    await writer.wait_closed()

    async def stop(self) -> None:
        """Messages under way are finished; who waits for a message waits no longer."""
        self._stopping = True
        for task in self._connections - self._busy:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=DRAIN_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        peer = self._peer(writer)
        if not peer.senders:
            await self._unknown(peer.address)
            return
        frames = Frames(self._services.settings.max_mllp_bytes)
        while not self._stopping:
            async with asyncio.timeout(FRAME_S if frames.partial else self._idle_s):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            self._busy.add(task)
            try:
                for message in frames.feed(data):
                    await self._send(writer, await self._answered(peer, message))
            except FrameTooLong as error:
                await self._send(writer, self._too_long(error))
                return
            self._busy.discard(task)

    def _peer(self, writer: asyncio.StreamWriter) -> Peer:
        address = writer.get_extra_info("peername")[0]
        tls = writer.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        fingerprint = sha256(certificate).hexdigest() if certificate else None
        return Peer(senders=peers(self._senders, fingerprint, address), address=address)

    async def _unknown(self, address: str) -> None:
        """Recorded like every other failed authentication; there is nothing to answer."""
        try:
            await Recording("ingest", None, self._facts("", address), self._services).refused(Unauthenticated(challenge=CHALLENGE))
        except (FhirError, Unavailable):
            log.warning("mllp_refusal_unrecorded")

    def _facts(self, adapter: str, address: str) -> RequestFacts:
        return RequestFacts(
            request_id=self._services.new_id(), interaction="ingest", method="MLLP", path=f"/mllp/{adapter}", address=address
        )

    async def _send(self, writer: asyncio.StreamWriter, answers: Sequence[bytes]) -> None:
        if answers:
            writer.write(b"".join(framed(answer) for answer in answers))
            async with asyncio.timeout(WRITE_S):
                await writer.drain()

    async def _answered(self, peer: Peer, frame: bytes) -> list[bytes]:
        """The acknowledgements of one message. Raises NotNow."""
        asked = await asyncio.to_thread(asked_of, frame)  # it may have megabytes
        if asked is None:
            raise FrameBroken
        verdict = await self._judged(peer, frame, asked)
        return self._acknowledged(asked, verdict)

    def _acknowledged(self, asked: Asked, verdict: Verdict) -> list[bytes]:
        services = self._services
        return acknowledgements(asked, verdict, ids=(services.new_id(), services.new_id()), now_us=services.clock())

    def _too_long(self, error: FrameTooLong) -> list[bytes]:
        asked = asked_of(error.beginning.rpartition(b"\r")[0] or error.beginning)
        hint = f"A message may have {self._services.settings.max_mllp_bytes} bytes; send it in parts."
        return [] if asked is None else self._acknowledged(asked, rejected("message-too-long", hint))

    async def _judged(self, peer: Peer, frame: bytes, asked: Asked) -> Verdict:
        sender = next((one for one in peer.senders if one.speaks_as(asked.application, asked.facility)), None)
        if sender is None:
            return rejected("sender-unknown", "MSH-3 and MSH-4 are not those of a sender registered for this certificate or network.")
        if not asked.control_id:
            return rejected("control-id-missing", "MSH-10 is needed: by it a message that comes again is known.")
        repository = await self._repository(sender, peer.address)
        try:
            return await self._taken_in(repository, sender, frame, asked)
        except Throttled as error:
            await asyncio.sleep(error.retry_after_s)  # the sender is held back by not being read from
            raise NotNow from error
        except FhirError as error:
            if error.code in NOT_NOW or isinstance(error, Unauthenticated):
                raise NotNow from error
            return rejected(error.code, str(error))
        except Unavailable as error:
            raise NotNow from error
        except Exception as error:  # noqa: BLE001 - a message that breaks an adapter must not keep the next ones waiting
            self._log(error, sender)
            return await self._isolated(sender, peer, asked)

    def _log(self, error: Exception, sender: Sender) -> None:
        """Only the kind of error: its text may repeat a value (law 4)."""
        traceback = error if self._services.settings.debug else None
        log.error("mllp_message_failed", adapter=sender.adapter.manifest.name, error=type(error).__name__, exc_info=traceback)

    async def _repository(self, sender: Sender, address: str) -> Repository:
        """In the name of the client, looked up for each message: a client that is revoked sends no more. Raises NotNow."""
        changes = self._services.store.changes
        try:
            client = await self._find_client(sender.client)
        except Unavailable as error:
            raise NotNow from error
        if client is None or client.revoked_us is not None:
            await self._unknown(address)
            raise NotNow
        facts = self._facts(sender.adapter.manifest.name, address)
        caller = caller_of(client, client.granted, client.purpose, facts.request_id, changes)
        facts.caller = caller
        return Repository(caller, self._services, facts)

    async def _taken_in(self, repository: Repository, sender: Sender, frame: bytes, asked: Asked) -> Verdict:
        """Through the one way in, once for each control id and content."""
        services = self._services
        parcel = Parcel(adapter=sender.adapter, payload=frame, device=sender.device, time_zone=sender.time_zone, media_type=MEDIA_TYPE)
        key = sha256(f"mllp\n{asked.application}\n{asked.facility}\n{asked.control_id}\n".encode() + frame).hexdigest()
        async with repository.recording("ingest") as recording, self._room(len(frame)):
            await admit(repository.caller, services)
            outcome = await take_in_once(repository, recording, parcel, key)
        if not outcome.replayed:
            await charge(repository.caller, services, len(outcome.answers))
        return verdict_of(asked, outcome.answers)

    @asynccontextmanager
    async def _room(self, size: int) -> AsyncIterator[None]:
        """Waits for room; meanwhile nothing more is read from this connection."""
        while True:
            try:
                taken = self._services.room.take(size, self._services.settings.ingest_at_once_bytes)
                taken.__enter__()
            except Full:
                await asyncio.sleep(ROOM_PAUSE_S)
                continue
            break
        try:
            yield
        finally:
            taken.__exit__(None, None, None)

    async def _isolated(self, sender: Sender, peer: Peer, asked: Asked) -> Verdict:
        """What broke the adapter goes to quarantine without the segments that speak of persons; the next message goes on."""
        hint = "The hub failed at this message and has put it aside; it is read again when the adapter is mended."
        item = isolated(asked.message, hint)
        if item is not None:
            repository = await self._repository(sender, peer.address)
            parcel = Parcel(adapter=sender.adapter, payload=b"", device=sender.device, time_zone=sender.time_zone)
            try:
                async with repository.recording("ingest") as recording:
                    await Pipeline(repository, parcel.sent, recording).run([item])
            except (FhirError, Unavailable) as error:
                raise NotNow from error
        return Verdict(accept="A" if item is not None else "E", application="E", troubles=[Trouble(code="hub-failed", hint=hint)])


def rejected(code: str, hint: str) -> Verdict:
    return Verdict(accept="R", application="R", troubles=[Trouble(code=code, hint=hint)])


OBR_KEPT = (3, 4, 7)
OBX_KEPT = (2, 3, 4, 6, 8, 11, 14, 18)
NUMBERS = frozenset({"NM", "SN", "NA"})


def isolated(message: Message | None, hint: str) -> Rejected | None:
    """The orders and results of a message as one item that waits; None if it cannot be taken apart. Texts are left out."""
    if message is None:
        return None
    parts = [plain(segment, *OBR_KEPT) for segment in message.segments if segment.name == "OBR"]
    results = [segment for segment in message.segments if segment.name == "OBX"]
    parts += [plain(segment, *OBX_KEPT, *((5,) if segment.field(2) in NUMBERS else ())) for segment in results]
    raw = message.excerpt(*parts, zoned=True)
    return ItemRefused("message-failed", hint).item(pointer=f"row {message.header.row}", raw=raw)


def tls_context(certificate: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later; with `client_ca` a client certificate is demanded and checked. Raises OSError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_NONE if client_ca is None else ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def listening(server: MllpServer, socket: socket | None, context: ssl.SSLContext | None) -> AsyncIterator[None]:
    """While the block runs, connections to `socket` are answered; None: there is no MLLP here."""
    if socket is None:
        yield
        return
    started = await asyncio.start_server(
        server.connected, sock=socket, ssl=context, ssl_handshake_timeout=HANDSHAKE_S if context is not None else None
    )
    try:
        yield
    finally:
        started.close()
        await server.stop()
