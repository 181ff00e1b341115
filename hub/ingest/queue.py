"""What goes to quarantine, as its row: the same item sent again is the same one, and what waits already keeps its time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from adapters.reading import Reading
from hub.errors import FhirError, Throttled
from hub.ingest.normalise import reading_key
from hub.ingest.recordings import is_recording, keep_waiting
from hub.ingest.waiting import Waiting
from hub.ingest.weighed import content_of, digest_of, without_bytes
from hub.metrics import THROTTLED
from hub.services import Services
from hub.store.protocol import Quarantined
from hub.vault import QUARANTINE_TYPE

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
        self._bytes: int | None = None

    async def entry(self, waiting: Waiting, *, to_confirm: bool) -> Quarantined:
        """The bytes of a recording are durable when this returns, as they have to be before its row."""
        services = self._services
        id = services.blind.id("quarantine", "\n".join((self._client, *_identity(waiting))))
        if is_recording(waiting.item) and isinstance(waiting.item, Reading):
            content = content_of(waiting.item)
            await self._require_room(id, len(content))
            await keep_waiting(services, id, content)
            waiting = replace(waiting, item=without_bytes(waiting.item), beside_bytes=len(content))
        key = await services.vault.key(None)
        before = self._came.get(id)
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

    async def _require_room(self, id: str, size_bytes: int) -> None:
        """Raises Throttled where the client's recordings fill what may wait; FhirError too-long for one that never could."""
        limit, quarantine = self._services.settings.waiting_bytes, self._services.store.quarantine
        if size_bytes > limit:
            raise FhirError("too-long", f"A recording of {size_bytes} bytes cannot wait: HUB_WAITING_BYTES is {limit}.")
        if await quarantine.waits([id]):
            return
        if self._bytes is None:
            self._bytes = await quarantine.bytes_beside(self._client)
        if self._bytes + size_bytes > limit:
            THROTTLED.labels("waiting").inc()
            raise Throttled(FULL.format(limit=limit), FULL_WAIT_S)
        self._bytes += size_bytes


def _identity(waiting: Waiting) -> tuple[str, ...]:
    """The same item sent again is the same entry; one frame may give several items with the same bytes, and several of one measure.

    A dual bolus is two doses in one datum: told apart as their keys tell them apart (`reading_key`).
    """
    item = waiting.item
    said = digest_of(item) if is_recording(item) else item.raw.hex()
    if not isinstance(item, Reading):
        return waiting.adapter, waiting.device or "", item.code, said
    return waiting.adapter, waiting.device or "", reading_key(item, item.device or ""), said
