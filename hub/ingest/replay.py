"""Quarantine: what waits, and taking it through the pipeline again after its cause is mended."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from adapters.contract import Context, Unreadable
from adapters.discovery import adapters
from adapters.reading import Item, Reading
from hub.ingest.fates import Answer
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.waiting import Waiting
from hub.instants import fhir_instant
from hub.recording import Recording
from hub.repository import Repository
from hub.services import Services
from hub.store.protocol import Quarantined
from hub.vault import QUARANTINE_TYPE

REPLAY_MAX = 10_000
REPLAY_BATCH = 2_000


async def list_waiting(repository: Repository, limit: int) -> list[dict[str, Any]]:
    """Id, adapter, cause and place of each waiting item of this client, oldest first."""
    found = await repository.services.store.quarantined(repository.caller.client_id, limit)
    return [summary(one, await open_waiting(repository.services, one)) for one in found]


def summary(one: Quarantined, waiting: Waiting) -> dict[str, Any]:
    return {
        "id": one.id,
        "adapter": one.adapter,
        "code": one.code,
        "hint": waiting.hint,
        "pointer": waiting.item.pointer,
        "received": fhir_instant(one.received_us),
        "expires": fhir_instant(one.expires_us),
    }


async def replay_items(
    repository: Repository, recording: Recording, *, ids: Sequence[str] | None, device: str | None, time_zone: str | None
) -> list[Answer]:
    """One answer per item that was replayed. Items of other clients do not exist here."""
    store, client = repository.services.store, repository.caller.client_id
    found = await store.quarantined(client, REPLAY_MAX) if ids is None else await store.quarantined_items(ids)
    own = [(one, await open_waiting(repository.services, one)) for one in found if one.client == client]
    answers: list[Answer] = []
    own.sort(key=lambda pair: _way(pair[1]))
    for _, group in groupby(own, key=lambda pair: _way(pair[1])):
        pairs = list(group)
        first = pairs[0][1]
        sent = Sent(
            manifest=adapters()[first.adapter].manifest,
            device=device or first.device,
            time_zone=time_zone or first.time_zone,
        )
        for start in range(0, len(pairs), REPLAY_BATCH):
            part = pairs[start : start + REPLAY_BATCH]
            items = [item for _, waiting in part for item in reread(waiting)]
            answers += await Pipeline(repository, sent, recording).run(items, released=[one.id for one, _ in part])
    return answers


def reread(waiting: Waiting) -> list[Item]:
    """The item as the adapter reads it today: what it did not know then it may know now, and it may be several."""
    if isinstance(waiting.item, Reading):
        return [waiting.item]
    try:
        items = list(adapters()[waiting.adapter].decode(waiting.item.raw, Context(device=waiting.device)))
    except Unreadable:
        return [waiting.item]
    return items or [waiting.item]


async def open_waiting(services: Services, one: Quarantined) -> Waiting:
    key = await services.vault.key(None)
    return Waiting.from_bytes(services.vault.open_sealed(key, QUARANTINE_TYPE, one.id, 1, None, one.sealed))


def _way(waiting: Waiting) -> tuple[str, str, str]:
    """Items sent in the same way go through together."""
    return waiting.adapter, waiting.device or "", waiting.time_zone or ""
