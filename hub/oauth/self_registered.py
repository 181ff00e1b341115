"""Apps that registered themselves and that nobody has approved yet, as sealed notes that go by themselves.

They lie apart from the registrations that count, so there is no way to use one before it is approved: it is not there.
"""

from dataclasses import dataclass
from typing import Any, Final

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.oauth.clients import Client

WAITING: Final = "oauth-registration"
DAY_US: Final = 86_400_000_000
LISTED_MAX: Final = 10_000
HASHES: Final = ("secret_hash", "registration_token")
GONE_US: Final = 60_000_000
"""How long it stays that one was approved or refused, for whoever comes at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfRegistered:
    """An app that waits, and the page it was read from. `expires_us`: microseconds since 1970 UTC."""

    client: Client
    page: Page
    expires_us: int


class Waiting:
    """Reads them, and makes the writes that a `Unit` commits together with its record. Raises Unavailable."""

    def __init__(self, services: Services) -> None:
        self._notes = Notebook(services, WAITING)
        self._days = services.settings.registration_days

    async def find(self, client_id: str) -> SelfRegistered | None:
        return _opened(await self._notes.read(client_id))

    async def all(self) -> list[SelfRegistered]:
        """Those who have waited longest first."""
        found = [_opened(page) for page in await self._notes.all(LISTED_MAX)]
        return sorted((one for one in found if one is not None), key=lambda one: one.client.created_us)

    async def added(self, client: Client) -> NoteWrite:
        """One that comes. `client_id` is new, so nothing is overwritten."""
        expires_us = self._notes.now_us + self._days * DAY_US
        return await self._notes.write(await self._notes.read(client.client_id), _document(client), expires_us)

    async def changed(self, one: SelfRegistered, client: Client) -> NoteWrite:
        """Described anew by itself; it is forgotten when it would have been."""
        return await self._notes.write(one.page, _document(client), one.expires_us)

    async def done(self, one: SelfRegistered) -> NoteWrite:
        """Approved or refused; whoever comes second meets a Conflict."""
        return await self._notes.write(one.page, {}, self._notes.now_us + GONE_US)


def _opened(page: Page) -> SelfRegistered | None:
    if not page.content or page.note is None:
        return None
    found = dict(page.content)
    found |= {name: bytes.fromhex(found[name]) for name in HASHES if found.get(name) is not None}
    return SelfRegistered(client=Client.from_document(found), page=page, expires_us=page.note.expires_us or 0)


def _document(client: Client) -> dict[str, Any]:
    """As JSON can hold it."""
    made = client.to_document()
    return made | {name: made[name].hex() for name in HASHES if made[name] is not None}
