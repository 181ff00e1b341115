"""What goes to quarantine, as its row: the same item sent again is the same one, and what waits already keeps its time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from adapters.reading import Reading
from hub.ingest.normalise import reading_key
from hub.ingest.recordings import is_recording, keep_waiting
from hub.ingest.waiting import Waiting
from hub.ingest.weighed import content_of, digest_of, without_bytes
from hub.services import Services
from hub.store.protocol import Quarantined
from hub.vault import QUARANTINE_TYPE

DAY_US: Final = 86_400_000_000


class Queue:
    """Of one client. `came`: what waits already, by id."""

    def __init__(self, services: Services, client: str, came: Mapping[str, Quarantined], received_us: int) -> None:
        self._services, self._client, self._came, self._received_us = services, client, came, received_us

    async def entry(self, waiting: Waiting, *, to_confirm: bool) -> Quarantined:
        """The bytes of a recording are durable when this returns, as they have to be before its row."""
        services = self._services
        id = services.blind.id("quarantine", "\n".join((self._client, *_identity(waiting))))
        if is_recording(waiting.item) and isinstance(waiting.item, Reading):
            content = content_of(waiting.item)
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
        )


def _identity(waiting: Waiting) -> tuple[str, ...]:
    """The same item sent again is the same entry; one frame may give several items with the same bytes, and several of one measure.

    A dual bolus is two doses in one datum: told apart as their keys tell them apart (`reading_key`).
    """
    item = waiting.item
    said = digest_of(item) if is_recording(item) else item.raw.hex()
    if not isinstance(item, Reading):
        return waiting.adapter, waiting.device or "", item.code, said
    return waiting.adapter, waiting.device or "", reading_key(item, item.device or ""), said
