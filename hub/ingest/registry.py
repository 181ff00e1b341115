"""Changes of registrations, each in one transaction with its record; whoever comes second reads again what the first did."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.oauth import OAuthStore
from hub.store.protocol import ClientWrite, NoteWrite, Unit
from security.oauth.clients import Client

CHANGED = "others changed this registration again and again, and nothing was changed; try again"
NO_CLIENT = "there is no client of this id; hub client list shows them"
REVOKED = "the client has been revoked: nothing of it can be changed any more"


class Registry:
    def __init__(self, services: Services, oauth: OAuthStore) -> None:
        self._services, self._oauth = services, oauth

    async def change(
        self, client_id: str, change: Callable[[Client], Client], recording: Recording, *, revoked_too: bool = False
    ) -> Client:
        """What `change` makes of it, which may raise ValueError; durable, with the record, when it returns.

        revoked_too  also of one that has been revoked
        """

        async def once() -> Client:
            before = await self._oauth.registration(client_id)
            if before is None:
                raise ValueError(NO_CLIENT)
            if before.revoked_us is not None and not revoked_too:
                raise ValueError(REVOKED)
            return await self.write(change(before), before, recording)

        return await redoing(once, lambda: (f"client {client_id}",), self._services.turns, changed=CHANGED)

    async def write(self, made: Client, before: Client, recording: Recording, notes: Sequence[NoteWrite] = ()) -> Client:
        """In place of what was read, with these notes. Raises Conflict where it is no longer so."""
        made = replace(made, revision=before.revision + 1)
        await recording.commit(Unit(clients=(ClientWrite(new=made, expected_revision=before.revision),), notes=notes), writes=())
        return made
