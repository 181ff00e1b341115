"""What goes to quarantine, as its row: the same item sent again is the same one, and what waits already keeps its time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from adapters.reading import Reading
from hub.errors import FhirError, Throttled
from hub.ingest.normalise import reading_key
from hub.ingest.recordings import is_recording, keep_waiting
from hub.ingest.waiting import Waiting
from hub.ingest.weighed import Content, content_of, digest_of, without_bytes
from hub.metrics import THROTTLED
from hub.services import Services
from hub.store.protocol import Quarantined
from hub.vault import QUARANTINE_TYPE
from security.envelope import DataKey

DAY_US: Final = 86_400_000_000
FULL_WAIT_S: Final = 60
"""Somebody has to let in what waits, or to give it up."""
FULL: Final = (
    "The recordings of this client that wait in quarantine fill what may wait ({limit} bytes, HUB_WAITING_BYTES): "
    "pair their devices and replay them, or discard them; then send the same again."
)


class Queue:
    """Of one client. `came`: what waits already, by id."""

    def __init__(self, services: Services, client: str, came: Mapping[str, Quarantined], received_us: int) -> None:
        self._services, self._client, self._came, self._received_us = services, client, came, received_us

    async def entries(self, waiting: Sequence[tuple[Waiting, bool]]) -> list[Quarantined]:
        """Each with whether a person has to say whose it is. The bytes of recordings are durable when this returns, as they have to be
        before their rows.

        Raises Throttled where the client's recordings fill what may wait; FhirError too-long for one that never could. Then no byte of any
        is written: what nothing names counts for nobody, and who sends several at once could fill the disk by those before the last.
        """
        named = [(self._id(one), one, to_confirm) for one, to_confirm in waiting]
        contents = {id: content_of(one.item) for id, one, _ in named if isinstance(one.item, Reading) and is_recording(one.item)}
        await self._require_room({id: len(content) for id, content in contents.items()})
        for id, content in contents.items():
            await keep_waiting(self._services, id, content)
        key = await self._services.vault.key(None)
        return [self._entry(id, _beside(one, contents.get(id)), key, to_confirm=to_confirm) for id, one, to_confirm in named]

    def _id(self, waiting: Waiting) -> str:
        return self._services.blind.id("quarantine", "\n".join((self._client, *_identity(waiting))))

    def _entry(self, id: str, waiting: Waiting, key: DataKey, *, to_confirm: bool) -> Quarantined:
        services, before = self._services, self._came.get(id)
        return Quarantined(
            id=id,
            client=self._client,
            adapter=waiting.adapter,
            code=waiting.code,
            received_us=before.received_us if before else self._received_us,
            expires_us=before.expires_us if before else self._received_us + services.settings.quarantine_days * DAY_US,
            sealed=services.vault.seal(key, QUARANTINE_TYPE, id, 1, None, waiting.to_bytes()),
            key_version=key.version,
            to_confirm=to_confirm,
            beside_bytes=waiting.beside_bytes,
        )

    async def _require_room(self, sizes: Mapping[str, int]) -> None:
        limit, quarantine = self._services.settings.waiting_bytes, self._services.store.quarantine
        for size_bytes in sizes.values():
            if size_bytes > limit:
                raise FhirError("too-long", f"A recording of {size_bytes} bytes cannot wait: HUB_WAITING_BYTES is {limit}.")
        there = await quarantine.waits(list(sizes)) if sizes else frozenset[str]()
        more = sum(size_bytes for id, size_bytes in sizes.items() if id not in there)
        if more and await quarantine.bytes_beside(self._client) + more > limit:
            THROTTLED.labels("waiting").inc()
            raise Throttled(FULL.format(limit=limit), FULL_WAIT_S)


def _beside(waiting: Waiting, content: Content | None) -> Waiting:
    """As it is sealed: without the bytes that lie beside it."""
    if content is None or not isinstance(waiting.item, Reading):
        return waiting
    return replace(waiting, item=without_bytes(waiting.item), beside_bytes=len(content))


def _identity(waiting: Waiting) -> tuple[str, ...]:
    """The same item sent again is the same entry; one frame may give several items with the same bytes, and several of one measure.

    A dual bolus is two doses in one datum: told apart as their keys tell them apart (`reading_key`).
    """
    item = waiting.item
    said = digest_of(item) if is_recording(item) else item.raw.hex()
    if not isinstance(item, Reading):
        return waiting.adapter, waiting.device or "", item.code, said
    return waiting.adapter, waiting.device or "", reading_key(item, item.device or ""), said
