"""A message that breaks its adapter: put aside without whom it is about, and the next one goes on. DEVICES 6.5."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from socket import create_server

import pytest

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.pcd01 import adapter as pcd01
from adapters.reading import Item
from hub.ingest.mllp.acknowledge import asked_of
from hub.ingest.mllp.frames import Frames, framed
from hub.ingest.mllp.senders import Sender
from hub.ingest.mllp.server import MllpServer, isolated, listening
from hub.ingest.replay import open_waiting
from hub.instants import now_us
from hub.store.embedded import Endpoint
from hub.store.protocol import Unavailable
from hub.store.quarantine import WaitingAsked
from tests.support.backstage import new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.mllp import fields, message, rate


@dataclass(frozen=True)
class Broken:
    """PCD-01 with a fault: it fails at the message POISON."""

    manifest: Manifest = pcd01.manifest

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        if b"POISON" in payload:
            raise ZeroDivisionError
        return pcd01.decode(payload, context)


@asynccontextmanager
async def gateway(hub: InProcess, *, bytes_max: int = 100_000) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of this process."""
    settings = hub.hub.services.settings.model_copy(update={"max_mllp_bytes": bytes_max})
    sender = Sender(client="gateway-client", adapter=Broken(), network=ip_network("127.0.0.1/32"))
    server = MllpServer(replace(hub.hub.services, settings=settings), hub.hub.oauth.find_client, (sender,), connections_max=1, idle_s=60)
    with create_server(("127.0.0.1", 0)) as bound:
        async with listening(server, bound, None):
            reader, writer = await asyncio.open_connection(*bound.getsockname())
            try:
                yield reader, writer
            finally:
                writer.close()
                await writer.wait_closed()


async def ask(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], text: str) -> list[str]:
    reader, writer = line
    writer.write(framed(text.encode()))
    frames = Frames(100_000)
    while True:
        data = await reader.read(65_536)
        if not data:
            return []
        if messages := list(frames.feed(data)):
            return messages[0].decode().rstrip("\r").split("\r")


async def test_what_breaks_the_adapter_waits_and_the_next_message_goes_on(tmp_path: Path, clean_database: Endpoint) -> None:
    async with in_process(tmp_path, clean_database) as hub:
        await hub.register(new_client("gateway", "system/Observation.c"))
        async with gateway(hub) as line:
            poisoned = await ask(line, message("POISON", rate("7")))
            healthy = await ask(line, message("HEALTHY", rate("8")))
        waiting = await hub.hub.services.store.quarantine.page(WaitingAsked(now_us=now_us(), client="gateway-client"), 10)
        opened = [await open_waiting(hub.hub.services, one) for one in waiting]
    assert [fields(answer[1])[1:3] for answer in (poisoned, healthy)] == [["AE", "POISON"], ["AA", "HEALTHY"]]
    assert fields(poisoned[2])[5] == "hub-failed^^L"
    (aside,) = [one for one in opened if one.code == "message-failed"]
    assert b"157784" in aside.item.raw
    assert b"Lovelace" not in aside.item.raw


async def test_what_was_put_aside_is_read_when_the_adapter_is_mended() -> None:
    """Its bytes are a message; reading them again gives the readings."""
    found = asked_of(message("POISON", rate("7")).encode())
    assert found is not None
    item = isolated(found.message, "hint")
    assert item is not None
    (reading,) = pcd01.decode(item.raw)
    assert repr(reading).count("'7'") == 1


async def test_a_message_beyond_the_limit_is_refused_by_its_header(tmp_path: Path, clean_database: Endpoint) -> None:
    async with in_process(tmp_path, clean_database) as hub:
        await hub.register(new_client("gateway", "system/Observation.c"))
        async with gateway(hub, bytes_max=2_000) as line:
            answer = await ask(line, message("LONG", *[rate()] * 50))
    assert fields(answer[1])[1:3] == ["AR", "LONG"]
    assert fields(answer[2])[5] == "message-too-long^^L"


async def test_a_connection_beyond_the_limit_is_closed(tmp_path: Path, clean_database: Endpoint) -> None:
    async with in_process(tmp_path, clean_database) as hub:
        await hub.register(new_client("gateway", "system/Observation.c"))
        async with gateway(hub) as first:
            assert await ask(first, message("1"))
            port = first[1].get_extra_info("peername")[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                gone = await reader.read()
            except ConnectionError:
                gone = b""
            writer.close()
            assert gone == b""
            assert await ask(first, message("2"))


async def test_what_cannot_be_committed_is_not_acknowledged(
    tmp_path: Path, clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 5: the sender has the message still, and sends it again on a new connection."""

    async def away(*_: object) -> None:
        raise Unavailable("away")

    async with in_process(tmp_path, clean_database) as hub:
        await hub.register(new_client("gateway", "system/Observation.c"))
        async with gateway(hub) as line:
            with monkeypatch.context() as fault:
                fault.setattr(type(hub.hub.services.store), "commit", away)
                assert await ask(line, message("1")) == []
        async with gateway(hub) as line:
            assert fields((await ask(line, message("1")))[1])[1] == "AA"
