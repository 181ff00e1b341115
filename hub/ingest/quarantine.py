"""Quarantine as people and senders work with it: what waits and why, counted by cause, let in again, or given up with a reason.

Everything is shown and done batch by batch, each with its record. A sender's own items are all that there is for it; of an item it is
told code, place and hint, which say nothing of a patient (law 3). Items are sealed under the system's key: no patient is known yet.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from hub.ingest.recordings import drop_waiting
from hub.ingest.replay import open_waiting
from hub.ingest.waiting import Waiting
from hub.ingest.worn_then import perhaps_of
from hub.instants import fhir_instant
from hub.recording import Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.repository.standing import Standing
from hub.services import Services
from hub.store.protocol import Quarantined, Unit
from hub.store.quarantine import WaitingAsked

EXPIRED_BATCH = 500
REASON_MAX = 500


wanted = WaitingAsked
"""Which items are meant, for who does not see the store."""


def summary(one: Quarantined, waiting: Waiting, *, sender: bool = False) -> dict[str, Any]:
    """What may be said of an item to whoever sent it; `sender`: and who that is, to an administrator."""
    said = {
        "id": one.id,
        "adapter": one.adapter,
        "code": one.code,
        "hint": waiting.hint,
        "pointer": waiting.item.pointer,
        "received": fhir_instant(one.received_us),
        "expires": fhir_instant(one.expires_us),
    }
    return {**said, "client": one.client} if sender else said


async def summaries(services: Services, items: Sequence[Quarantined], *, sender: bool = False) -> list[dict[str, Any]]:
    return [summary(one, await open_waiting(services, one), sender=sender) for one in items]


async def counted(services: Services, asked: WaitingAsked) -> list[dict[str, Any]]:
    """By adapter and cause: how many, since when, until when."""
    return [
        {
            "adapter": one.adapter,
            "code": one.code,
            "count": one.items,
            "oldest": fhir_instant(one.oldest_us),
            "newest": fhir_instant(one.newest_us),
        }
        for one in await services.store.quarantine.counts(asked)
    ]


async def looked_at(recording: Recording, services: Services, one: Quarantined) -> dict[str, Any]:
    """An item with what it says, for a person who may look: health data, recorded for each patient whose it may be."""
    waiting = await open_waiting(services, one)
    for patient in sorted(await perhaps_of(services, waiting)):
        recording.aim_patient(patient)
    said = {name: value for name, value in orjson.loads(waiting.to_bytes())["item"].items() if name != "raw"}
    return {
        **summary(one, waiting, sender=True),
        "device": waiting.device,
        "timeZone": waiting.time_zone,
        "mappingVersion": waiting.mapping_version,
        "item": said,
        "raw": waiting.item.raw.decode("utf-8", "backslashreplace"),
        "recordingBytes": waiting.beside_bytes or None,
    }


async def discard(recording: Recording, services: Services, items: Sequence[Quarantined], by: Standing | None = None) -> int:
    """Give up on these as they were read, for good; the record is in the same transaction. What was sent again meanwhile waits on.

    by  the client for which it is done; None for an operator
    """

    async def once() -> None:
        await recording.commit(Unit(lapsed=items, decided=None if by is None else by.decided({})), writes=())

    await redoing(once, lambda: [one.id for one in items], services.turns, standings=() if by is None else (by,))
    for one in items:
        if (await open_waiting(services, one)).beside_bytes:
            await drop_waiting(services, one.id)
    return len(items)


async def expire(services: Services, recording: Callable[[str], Recording]) -> int:
    """Take away what nobody repaired within HUB_QUARANTINE_DAYS, and record what it was: how many items.

    recording  makes a record for a query that says which items
    """
    done = 0
    while items := await services.store.quarantine.expired(services.clock(), EXPIRED_BATCH):
        async with recording(named(items)) as one:
            done += await discard(one, services, items)
    return done


def named(items: Sequence[Quarantined]) -> str:
    """Which items, from whom and why they waited, for a record: nothing of what they say."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for one in items:
        causes.setdefault((one.client, one.adapter, one.code), []).append(one.id)
    return urlencode([("item", "|".join((*cause, ",".join(ids)))) for cause, ids in causes.items()], safe="|,")


def facts_naming(facts: RequestFacts, items: Sequence[Quarantined]) -> RequestFacts:
    """The same request, with the items of this batch in what is recorded of it."""
    facts.query = "&".join(part for part in (facts.query, named(items)) if part)
    return facts
