"""Who sends, where there is no access token: a registered client, named by the operator who set the transport up.

Looked up anew for each payload, so that a client that was revoked sends nothing any more, whatever runs in its name.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hub.authenticate import caller_of
from hub.errors import FhirError, Unauthenticated
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.services import Services
from security.oauth.clients import Client

GONE = "there is no such client any more, or it has been revoked; hub client list shows them"


class SenderGone(Exception):
    """There is no such client, or it has been revoked: nothing may be taken in in its name."""


@asynccontextmanager
async def ending() -> AsyncIterator[None]:
    """Who was revoked while something went on in its name is gone, once that is on record. Raises SenderGone."""
    try:
        yield
    except Unauthenticated as error:
        raise SenderGone(GONE) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """find_client  the registry
    user         the operating-system user who set this up, for the record; reason  why, if it was said
    """

    services: Services
    find_client: Callable[[str], Awaitable[Client | None]]
    user: str | None = None
    reason: str | None = None

    async def repository(self, client_id: str, interaction: str = "ingest") -> Repository:
        """The door to data of this client, for one payload. Raises SenderGone."""
        changes = self.services.store.changes
        client = await self.find_client(client_id)
        if client is None or client.revoked_us is not None:
            raise SenderGone(GONE)
        request_id = self.services.new_id()
        caller = caller_of(client, client.granted, client.purpose, request_id, changes)
        facts = RequestFacts(request_id=request_id, interaction=interaction, user=self.user, reason=self.reason, caller=caller)
        return Repository(caller, self.services, facts)


def retryable(error: FhirError) -> bool:
    """Not the payload's fault: the same may go through later."""
    return error.code in {"transient", "lock-error", "conflict", "throttled"}
