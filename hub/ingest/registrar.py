"""Credentials of single units made and changed, each act in one transaction with its record. docs/guides/units.md"""

from collections.abc import Callable, Mapping
from typing import Any

from hub import outcomes
from hub.ingest.registry import CHANGED, Registry
from hub.ingest.units import Invitation, Invitations, Unit, credential, credential_mark
from hub.notebook import Page
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.oauth import OAuthStore
from hub.store.protocol import ClientWrite, Conflict, Locked, NoteWrite
from hub.store.protocol import Unit as Writes
from security.oauth.clients import Client
from security.oauth.rotation import rotated

HAS_ONE = "this unit has a credential that is good; rotate its keys, or revoke it first"
NO_OWNER = "there is no such client, or it has been revoked; hub client list shows them"
NO_UNIT = "there is no credential of this id; hub device credential list shows them"


class Gone(ValueError):
    """Whom it is about is not there, or no longer, or is there already."""


RecordingOf = Callable[[Client], Recording]
"""The record of the act, once it is known whose credential comes of it."""


class Registrar:
    def __init__(self, services: Services, oauth: OAuthStore) -> None:
        self._services, self._oauth = services, oauth
        self._registry = Registry(services, oauth)

    async def owner(self, client_id: str) -> Client:
        """Raises Gone unless it is an application's, and good."""
        found = await self._oauth.find_client(client_id)
        if found is None or found.revoked_us is not None or found.unit is not None:
            raise Gone(NO_OWNER)
        return found

    async def add(self, unit: Unit, jwks: Mapping[str, Any], recording: Recording) -> Client:
        """A first credential, as an operator gives it. Raises ValueError where there is a good one."""

        async def once() -> Client:
            made, mark = await self._first(unit, jwks)
            await recording.commit(Writes(clients=(ClientWrite(new=made),), notes=[mark]), writes=())
            return made

        return await redoing(once, lambda: (unit.token(self._services).hex(),), self._services.turns, changed=CHANGED)

    async def require_none(self, unit: Unit) -> None:
        """Raises Gone where the unit has a good credential."""
        for known in await self._oauth.of_units(unit.token(self._services)):
            counted = await self._oauth.find_client(known.client_id)
            if counted is not None and counted.revoked_us is None:
                raise Gone(HAS_ONE)

    async def _first(self, unit: Unit, jwks: Mapping[str, Any]) -> tuple[Client, NoteWrite]:
        """Marked first and then looked for, so that of two who do it at once one looks again."""
        mark = await credential_mark(self._services, unit.token(self._services))
        await self.require_none(unit)
        return await credential(self._services, unit, jwks), mark

    async def enrol(self, page: Page, invitation: Invitation, jwks: Mapping[str, Any], recording_of: RecordingOf) -> Client | None:
        """What the code stands for, done, and the code used up.

        None where the code is good no more: somebody else has used it meanwhile, the unit has a credential by another way, or in
        whose name it was given has been revoked.
        Raises ValueError where it cannot be done with these keys: then the code is as good as before.
        """
        used = await Invitations(self._services).used(page)
        try:
            if invitation.credential is not None:
                return await self._again(invitation.credential, invitation.overlap_us, jwks, recording_of, used)
            owner = await self.owner(invitation.owner)
            unit = Unit(owner=owner, adapter=invitation.adapter, identifier=invitation.identifier, signs=invitation.signs)
            made, mark = await self._first(unit, jwks)
            async with recording_of(made) as recording:
                await recording.commit(Writes(clients=(ClientWrite(new=made),), notes=[mark, used]), writes=())
        except Locked as error:
            raise outcomes.locked() from error
        except (Conflict, Gone):
            return None
        return made

    async def _again(self, client_id: str, overlap_us: int, jwks: Mapping[str, Any], recording_of: RecordingOf, used: NoteWrite) -> Client:
        before, now = await self.unit(client_id), self._services.clock()
        made = rotated(before, jwks, now + overlap_us, now)
        async with recording_of(before) as recording:
            await self._registry.write(made, before, recording, [used])
        return made

    async def unit(self, client_id: str) -> Client:
        """A unit's credential as it was written. Raises Gone unless it is good."""
        found, counted = await self._oauth.registration(client_id), await self._oauth.find_client(client_id)
        if found is None or found.unit is None or counted is None or counted.revoked_us is not None:
            raise Gone(NO_UNIT)
        return found
