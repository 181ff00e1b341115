"""Taking what waits through the pipeline again, after its cause is mended: as the client that sent it, batch by batch.

An item that an adapter has read is read again where the mapping has changed since, for the mapping may be what was wrong with it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import structlog

from adapters.contract import Adapter, Context
from adapters.discovery import adapters
from adapters.reading import Item, Reading
from hub.errors import FhirError, Unauthenticated
from hub.ingest import fates
from hub.ingest.fates import Answer
from hub.ingest.pieces import ContentMissing, read_pieces
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.raw import ReadBy, read_now
from hub.ingest.recordings import drop_waiting, is_recording, waiting_pieces
from hub.ingest.sender import SenderGone, Senders, ending
from hub.ingest.waiting import Waiting
from hub.ingest.weighed import in_pieces
from hub.recording import Recording, unacknowledged
from hub.repository import Repository
from hub.repository.consents_then import ConsentsThen
from hub.services import Services
from hub.store.protocol import Quarantined, Unavailable
from hub.store.quarantine import WaitingAsked
from hub.vault import QUARANTINE_TYPE

log = structlog.get_logger()

UNFORESEEN = "The hub could not take this item in; it goes on waiting. The log of the hub says what went wrong."
REPLAY_MAX = 10_000
"""Items of one request; a command goes on."""
REPLAY_BATCH = 500
Advance = Callable[[int], None]


def no_progress(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What is said afterwards about all items that go through again, where they were sent without it."""

    device: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class _Opened:
    """`items`: what is made of it, and `read_by` by whom; of a recording not before its bytes are there."""

    one: Quarantined
    waiting: Waiting
    items: Sequence[Item]
    read_by: ReadBy

    @property
    def way(self) -> tuple[str, ...]:
        """Items sent and read in the same way go through together; a recording alone."""
        waiting, by = self.waiting, self.read_by
        alone = self.one.id if waiting.beside_bytes else "fetched" if waiting.fetched else ""
        said = (waiting.device, waiting.time_zone, waiting.media_type, by.mapping_version, by.software)
        return waiting.adapter, alone, *(one or "" for one in said)


async def pages(services: Services, asked: WaitingAsked, limit: int) -> AsyncIterator[Sequence[Quarantined]]:
    """What is asked for and waits now, oldest first, at most `limit`; each item once, though it goes on waiting."""
    left, until_us = limit, asked.now_us + 1 if asked.until_us is None else asked.until_us
    asked = replace(asked, until_us=until_us)
    while left > 0:
        page = await services.store.quarantine.page(asked, min(left, REPLAY_BATCH))
        if not page:
            return
        yield page
        left -= len(page)
        asked = replace(asked, after=(page[-1].received_us, page[-1].id))


async def replay_as_sent(
    senders: Senders, asked: WaitingAsked, how: How, limit: int = REPLAY_MAX
) -> AsyncIterator[tuple[int, Sequence[Answer]]]:
    """Batch by batch: how many items went through, and their answers. Each is decided as if its sender sent it now; whoever lets
    them in lends no rights. What a client sent that is none any more goes on waiting.
    """
    async for page in pages(senders.services, asked, limit):
        for client in sorted({one.client for one in page}):
            items = [one for one in page if one.client == client]
            yield len(items), await _replay_for(senders, client, items, how)


async def _replay_for(senders: Senders, client: str, items: Sequence[Quarantined], how: How) -> list[Answer]:
    try:
        repository = await senders.repository(client, "quarantine-replay")
        async with ending(), repository.recording("quarantine-replay") as recording:
            return await replay_items(repository, recording, items, how)
    except SenderGone:
        waiting = [await open_waiting(senders.services, one) for one in items]
        return [stays(one, fates.SENDER_REVOKED, fates.SENDER_REVOKED_HINT) for one in waiting]


async def replay_items(repository: Repository, recording: Recording, items: Sequence[Quarantined], how: How) -> list[Answer]:
    """One answer for each item that the bytes give, in the order of the items. All of them are the caller's own."""
    opened = [_read(one, await open_waiting(repository.services, one)) for one in items]
    answers: dict[str, list[Answer]] = {}
    for _, group in groupby(sorted(opened, key=lambda one: one.way), key=lambda one: one.way):
        answers |= await _replay_or_stay(repository, recording, list(group), how)
    return [answer for one in items for answer in answers[one.id]]


async def _replay_or_stay(repository: Repository, recording: Recording, group: Sequence[_Opened], how: How) -> dict[str, list[Answer]]:
    """What goes wrong with a group is said of its items, which go on waiting; the groups behind it go through.

    Raises Unauthenticated where the client was revoked meanwhile, and FhirError transient if the log cannot take it: the store is away,
    and there is no use in going on.
    """
    try:
        return await _replay_alike(repository, recording, group, how)
    except Unauthenticated:
        raise
    except FhirError as error:
        fault = error
    except Unavailable as error:
        fault = unacknowledged(error)
    except Exception as error:  # noqa: BLE001 - one payload that nobody foresaw must not stand before all others
        log.warning("replay_failed", adapter=group[0].waiting.adapter, error=type(error).__name__)
        fault = FhirError("exception", UNFORESEEN)
    recording.forget()
    await recording.refused(fault)
    return {one.one.id: [stays(one.waiting, fault.code, str(fault))] for one in group}


async def _replay_alike(repository: Repository, recording: Recording, group: Sequence[_Opened], how: How) -> dict[str, list[Answer]]:
    first = group[0].waiting
    adapter = adapters().get(first.adapter)
    if adapter is None:
        return {one.one.id: [stays(one.waiting, fates.ADAPTER_MISSING, fates.ADAPTER_MISSING_HINT)] for one in group}
    whole = [await _whole(repository.services, one, adapter) for one in group]
    if lost := [one for one in whole if not one.items]:
        return {one.one.id: [stays(one.waiting, fates.CONTENT_MISSING, fates.CONTENT_MISSING_HINT)] for one in lost}
    sent = Sent(
        manifest=adapter.manifest,
        device=first.device or how.device,  # never another unit's than the sender said: it would be another patient's reading
        time_zone=how.time_zone or first.time_zone,
        media_type=first.media_type,
        read_by=whole[0].read_by,
    )
    items = [item for one in whole for item in one.items]
    then = ConsentsThen(repository.services, repository.rights.visibility) if first.fetched else None
    answers = iter(await Pipeline(repository, sent, recording, then=then).run(items, released=[one.one for one in whole]))
    made = {one.one.id: [next(answers) for _ in one.items] for one in whole}
    for one in whole:
        if one.waiting.beside_bytes and all(answer.fate != "quarantined" for answer in made[one.one.id]):
            await drop_waiting(repository.services, one.one.id)
    return made


def _read(one: Quarantined, waiting: Waiting) -> _Opened:
    """As the adapter of today reads it, where there is one; of a recording the bytes come later."""
    adapter = adapters().get(waiting.adapter)
    if adapter is None or waiting.beside_bytes:
        return _Opened(one, waiting, [waiting.item], waiting.read_by)
    said = Context(media_type=waiting.media_type, device=waiting.device)
    return _Opened(one, waiting, *reread(waiting, adapter, lambda: list(adapter.decode(waiting.item.raw, said))))


async def _whole(services: Services, opened: _Opened, adapter: Adapter) -> _Opened:
    """With the bytes of a recording, which are read piece by piece; without any item where some are lost. Raises Unavailable."""
    one, waiting = opened.one, opened.waiting
    if not waiting.beside_bytes:
        return opened
    held = await with_bytes(services, one, waiting)
    if held is None:
        return replace(opened, items=())
    pieces = await waiting_pieces(services, one.id, waiting.beside_bytes)
    said = Context(media_type=waiting.media_type, device=waiting.device)
    again = replace(waiting, item=held)
    return _Opened(one, waiting, *await asyncio.to_thread(reread, again, adapter, lambda: read_pieces(adapter, pieces, said, held.raw)))


async def with_bytes(services: Services, one: Quarantined, waiting: Waiting) -> Item | None:
    """What waits; a recording with its bytes, which are read as they are asked for. None where some are lost. Raises Unavailable."""
    item = waiting.item
    if not waiting.beside_bytes or not isinstance(item, Reading):
        return item
    pieces = await waiting_pieces(services, one.id, waiting.beside_bytes)
    try:
        return await asyncio.to_thread(in_pieces, item, len(pieces), pieces.read_at)
    except ContentMissing:
        return None


def stays(waiting: Waiting, code: str, hint: str) -> Answer:
    return Answer(fate="quarantined", pointer=waiting.item.pointer, code=code, hint=hint)


def reread(waiting: Waiting, adapter: Adapter, decode: Callable[[], Sequence[Item]]) -> tuple[Sequence[Item], ReadBy]:
    """The item as the adapter reads it today: what it did not know then it may know now, and it may be several.

    decode  reads it again. What is not read again, or cannot be, is still what it was, and was made of it by whom it was then.
    """
    item, as_it_was = waiting.item, ([waiting.item], waiting.read_by)
    if isinstance(item, Reading) and waiting.mapping_version == adapter.manifest.version:
        return as_it_was
    try:
        items = decode()
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with it still is, and others go through
        return as_it_was
    found = [replace(one, pointer=item.pointer) for one in _same(item, items)]
    return (found, read_now(adapter.manifest)) if found else as_it_was


def _same(item: Item, items: Sequence[Item]) -> Sequence[Item]:
    """Of several readings of one frame the one that waits, if it can still be told; each of the others waits by itself or is stored."""
    if not isinstance(item, Reading) or is_recording(item):
        return items
    alike = [one for one in items if isinstance(one, Reading) and (one.measure, one.source_id) == (item.measure, item.source_id)]
    return alike if len(alike) == 1 else items


async def open_waiting(services: Services, one: Quarantined) -> Waiting:
    key = await services.vault.key(None)
    return Waiting.from_bytes(services.vault.open_sealed(key, QUARANTINE_TYPE, one.id, 1, None, one.sealed))
