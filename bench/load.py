"""The load: HTTP/1.1 over kept connections, closed loop, in a process of its own.

A client sends its next request when the last one is answered. A bare asyncio.Protocol, because whatever the load costs
is taken from the hub on a small machine. It knows of HTTP what the hub's answers need: a head and a Content-Length.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter, process_time
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
ANSWERED_S_MAX = 300.0
"""A hub that stops answering ends the load, not the patience of whoever waits."""
LENGTH = b"\r\ncontent-length: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`requests` as they go over the wire. `seconds`: round and round for so long; None: each of them once."""

    port: int
    clients: int
    requests: tuple[bytes, ...]
    seconds: float | None = None
    keep_bodies: bool = False


@dataclass(slots=True, kw_only=True)
class Measured:
    """What came of a load. `latencies_s` in the order of the answers; `bodies` in that of the requests, if kept."""

    seconds: float
    cpu_s: float
    latencies_s: list[float]
    statuses: Mapping[int, int]
    bodies: list[bytes] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies_s) / self.seconds


class _Run:
    """What the connections of one load share."""

    def __init__(self, load: Load) -> None:
        numbered = list(enumerate(load.requests))
        self.next: Iterator[tuple[int, bytes]] = iter(numbered) if load.seconds is None else cycle(numbered)
        self.keep_bodies = load.keep_bodies
        self.ends = float("inf")
        self.latencies_s: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.bodies: dict[int, bytes] = {}


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run = run
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.start = self.end = 0
        self.began = 0.0
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        over = self.began and perf_counter() >= self.run.ends  # one request at least, however long connecting took
        following = None if over else next(self.run.next, None)
        if following is None:
            self.transport.close()
            return
        self.number, request = following
        self.began = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.end:
            head = self.buffer.find(HEAD_END)
            if head < 0:
                return
            self.start = head + len(HEAD_END)
            self.end = self.start + _length(bytes(self.buffer[: head + 2]))
        if len(self.buffer) >= self.end:
            self.answered()

    def answered(self) -> None:
        self.run.latencies_s.append(perf_counter() - self.began)
        self.run.statuses[int(self.buffer[9:12])] += 1
        if self.run.keep_bodies:
            self.run.bodies[self.number] = bytes(self.buffer[self.start : self.end])
        del self.buffer[: self.end]
        self.start = self.end = 0
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(None)


def _length(head: bytes) -> int:
    """Zero for an answer that has no body (204)."""
    place = head.lower().find(LENGTH)
    return 0 if place < 0 else int(head[place + len(LENGTH) : head.index(b"\r\n", place + 2)])


def run(load: Load) -> Measured:
    """Runs in the process that is there for it (`bench.machine.aside`)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(load))


async def _run(load: Load) -> Measured:
    shared, loop = _Run(load), asyncio.get_running_loop()
    began, cpu = perf_counter(), process_time()
    if load.seconds is not None:
        shared.ends = began + load.seconds
    connected = await asyncio.gather(
        *(loop.create_connection(lambda: _Connection(shared), "127.0.0.1", load.port) for _ in range(load.clients))
    )
    async with asyncio.timeout(ANSWERED_S_MAX + (load.seconds or 0)):
        await asyncio.gather(*(connection.done for _, connection in connected))
    return Measured(
        seconds=perf_counter() - began,
        cpu_s=process_time() - cpu,
        latencies_s=shared.latencies_s,
        statuses=dict(shared.statuses),
        bodies=[shared.bodies[number] for number in sorted(shared.bodies)],
    )


def request(method: str, path: str, *, token: str | None = None, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: hub", *(f"{name}: {value}" for name, value in headers)]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + HEAD_END + body
