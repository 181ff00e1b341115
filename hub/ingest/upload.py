"""HTTP push of what is too long for memory: spooled, read in pieces, taken in part by part, answered as it becomes durable.

The answer begins when the whole payload is there and the first part of it is durable: what is wrong with the payload as a whole is said
with a status. Then each part's answers follow when they are durable. Whatever ends it in the middle, the answer is cut off where it says
no more than what is so; the same sent again is answered `duplicate` up to there, or, under its Idempotency-Key, with the answers it had.
docs/adr/0020-uploads.md
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from adapters.contract import Context, Streaming, Unreadable
from adapters.reading import Item
from hub.errors import FhirError, Throttled
from hub.ingest.fates import Answer, array, ndjson
from hub.ingest.idempotency import Answered, Once
from hub.ingest.intake import Parcel
from hub.ingest.pipeline import NOTHING_BESIDE, Pipeline
from hub.ingest.quota import FULL_WAIT_S, admit, charge
from hub.ingest.sender import retryable
from hub.ingest.spool import Spool
from hub.ingest.weighed import weighed
from hub.metrics import THROTTLED
from hub.recording import Recording
from hub.repository import Repository
from hub.settings import Settings
from hub.turns import Full

log = structlog.get_logger()

PART_ITEMS: Final = 2_000
"""In one transaction, with their answers. Five times as many do not fit into the smallest cache that MongoDB may be given."""
PART_BYTES: Final = 4_000_000
"""Of the items' own bytes: a part ends where one of the two is reached, so that the same payload has the same parts each time."""
TAKEN_IN_S: Final = 7_200.0
"""How long a payload that has arrived may be taken in: what was good when the request began is not good for ever (docs/adr/0020)."""
TRIES: Final = 60
RETRY_S: Final = 1.0
SPOOL: Final = "spool"
TURNED_AWAY: Final = "As many large payloads as are taken at once are on their way; send the same again after Retry-After."


class CutOff(Exception):
    """The answer ends here, before its end. Says nothing: why is in the log and in the record."""


def is_upload(request: Request, parcel: Parcel, settings: Settings) -> bool:
    """May it be too long for memory? Only where the adapter reads in pieces, and unless it announces that it is not."""
    if not isinstance(parcel.adapter, Streaming):
        return False
    packed = request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    announced = request.headers.get("content-length", "")
    return packed or not announced.isdecimal() or int(announced) > settings.max_ingest_bytes


@contextmanager
def space_for(request: Request, repository: Repository, prefix: bytes) -> Iterator[Spool]:
    """A spool, for one of the client's few payloads at once. Raises Throttled."""
    services, settings = repository.services, repository.services.settings
    announced = request.headers.get("content-length", "")
    packed = "content-encoding" in request.headers
    size = int(announced) if announced.isdecimal() and not packed else settings.max_upload_bytes
    with ExitStack() as stack:
        try:
            stack.enter_context(services.seats.take(repository.caller.account, settings.uploads_at_once))
            stack.enter_context(services.spool_room.take(min(size, settings.max_upload_bytes), settings.spool_bytes))
        except Full:
            THROTTLED.labels("room").inc()
            raise Throttled(TURNED_AWAY, FULL_WAIT_S) from None
        spool = Spool(settings.spool_dir or settings.data_dir / SPOOL, services.vault, prefix=prefix)
        stack.callback(spool.close)
        yield spool


class Upload:
    """One payload on its way through the pipeline.

    parcel  without its payload, which is in the spool
    key     the Idempotency-Key
    """

    def __init__(self, repository: Repository, parcel: Parcel, spool: Spool, key: str | None) -> None:
        self._repository, self._services = repository, repository.services
        self._parcel, self._spool, self._key = parcel, spool, key
        self._items = items_of(parcel, spool)
        self._held: Part | None = None
        self._until = monotonic() + TAKEN_IN_S
        self._number = 0
        self.replayed = self.ended = False

    @property
    def turn(self) -> str:
        """Nobody else may do the same at the same time."""
        return f"{self._repository.caller.client_id}\n{self._key}" if self._key else f"upload {id(self)}"

    async def part(self, recording: Recording) -> Sequence[Answer]:
        """The answers of the next part, durable. `ended` says whether it was the last. Raises FhirError."""
        if self._held is None:
            self._held = await asyncio.to_thread(next_part, self._items)
        answers = await self._taken_in(self._held.items, recording)
        self.ended, self._held = self._held.last, None
        self._number += 1
        await charge(self._repository.caller, self._services, 0 if self.replayed else len(answers))
        return answers

    async def _taken_in(self, items: Sequence[Item], recording: Recording) -> Sequence[Answer]:
        if self._key is None:
            return await Pipeline(self._repository, self._parcel.sent, recording, NOTHING_BESIDE).run(items)
        once = Once(self._repository, self._key, self._spool.digest, self._number)
        kept = await once.kept()
        self.replayed = kept is not None
        if kept is None:
            try:
                return await Pipeline(self._repository, self._parcel.sent, recording, once.keep).run(items)
            except Answered:
                recording.forget()
                kept, self.replayed = await once.kept() or [], True
        return kept

    async def rest(self) -> AsyncIterator[Sequence[Answer]]:
        """Part after part, as long as the client was not revoked and it has not lasted too long. Each has a record of its own, and so has
        what ends it.

        Raises CutOff.
        """
        while not self.ended:
            try:
                answers = await self._patiently()
            except FhirError as error:
                log.warning("upload_cut_off", adapter=self._parcel.adapter.manifest.name, code=error.code)
                raise CutOff from None
            except Exception as error:  # noqa: BLE001 - the status has been sent: all that is left is to end
                log.error("upload_failed", adapter=self._parcel.adapter.manifest.name, error=type(error).__name__)  # noqa: TRY400
                raise CutOff from None
            yield answers

    async def _patiently(self) -> Sequence[Answer]:
        """What the hub cannot do now it does a little later; the payload is here already."""
        for _ in range(TRIES):
            try:
                async with self._repository.recording("ingest") as recording:
                    await self._repository.standing.look()
                    if monotonic() > self._until:
                        raise FhirError("too-costly", "It has lasted too long.")  # noqa: TRY301
                    await admit(self._repository.caller, self._services)
                    return await self.part(recording)
            except FhirError as error:
                if not retryable(error):
                    raise
                await asyncio.sleep(error.retry_after_s if isinstance(error, Throttled) else RETRY_S)
        raise FhirError("transient", "The hub could not make it durable for a long while.")

    def close(self) -> None:
        with suppress(ValueError):  # a thread is still at it, and finds the spool closed
            self._items.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Items that go through together. `last`: nothing comes after them."""

    items: Sequence[Item]
    last: bool


def next_part(items: Iterator[Item]) -> Part:
    """As many as one transaction takes, and memory."""
    part: list[Item] = []
    size = 0
    for item in items:
        part.append(item)
        size += len(item.raw)
        if len(part) >= PART_ITEMS or size >= PART_BYTES:
            return Part(items=part, last=False)
    return Part(items=part, last=True)


def items_of(parcel: Parcel, spool: Spool) -> Generator[Item, None, None]:
    """Read as they are asked for. Raises FhirError structure before the first."""
    adapter, said = parcel.adapter, Context(media_type=parcel.media_type, device=parcel.device)
    if not isinstance(adapter, Streaming):
        raise TypeError("only what reads in pieces is spooled")
    try:
        for item in adapter.decode_stream(spool.reader(), said):
            yield weighed(item, spool.read_at)
    except Unreadable as error:
        raise FhirError("structure", f"{error.code}: {error}", expression=error.pointer or None) from error


class Answering(StreamingResponse):
    """The answers as they become durable: objects one a line, or one array.

    held    let go at the end, however it comes; given by whoever is sure that the answer is going to be sent
    """

    def __init__(self, parts: AsyncIterator[Sequence[Answer]], *, lines: bool) -> None:
        super().__init__(_lines(parts) if lines else _array(parts))
        self.held = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.held:
            await super().__call__(scope, receive, send)


async def _lines(parts: AsyncIterator[Sequence[Answer]]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield ndjson(part)


async def _array(parts: AsyncIterator[Sequence[Answer]]) -> AsyncIterator[bytes]:
    """Cut off in the middle it is no JSON."""
    before = b"["
    async for part in parts:
        if part:
            yield before + array(part)[1:-1]
            before = b","
    yield b"]" if before == b"," else b"[]"
