"""Is whoever asked still who may ask? Looked up again where something has changed since, and before whatever is done anew.

A request is let in once, at its beginning (`hub.authenticate`), and may go on long after: while its body comes, while recordings are
kept, page after page. Who was revoked meanwhile, or whose key was taken away, is refused as the next request would be (laws 1 and 3).
What goes by is no reason: a token that expires while its request is on its way was good when it was shown (docs/adr/0020-uploads.md).
"""

from collections.abc import Awaitable, Callable, Mapping

from hub.authorizations import Authorizations
from hub.errors import CHALLENGE_INVALID, Unauthenticated
from hub.services import Services
from hub.store.protocol import Decided
from security.context import AccessContext, Registered
from security.oauth.authorization import Authorization
from security.oauth.clients import Client
from security.oauth.person import Person


async def nothing_besides() -> None:
    """Nothing else than the registration has to be as it was."""


class Standing:
    """Of one caller, through one request.

    besides  what else has to be as it was, looked at whenever the registration is; raises FhirError
    notes    versions of the notes that this rests on, by key
    """

    def __init__(self, caller: AccessContext, services: Services) -> None:
        self._caller, self._services = caller, services
        self.registered = caller.registered
        self.besides: Callable[[], Awaitable[None]] = nothing_besides
        self.notes: dict[bytes, int] = {} if caller.rests_on is None else dict([caller.rests_on])

    async def still(self) -> None:
        """Asks nobody where nothing has changed that this process knows of: the transaction notices the rest. Raises Unauthenticated."""
        if self.registered is not None and self.registered.changes != self._services.store.changes:
            await self.look()

    async def look(self) -> None:
        """Raises what `besides` raises, and Unauthenticated."""
        if self.registered is None:
            return
        changes, caller = self._services.store.changes, self._caller
        await self.besides()
        client = await self._services.find_client(caller.client_id)
        if client is None or not client.is_good(caller.key_id, self._services.clock()):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=caller.client_id)
        await self._authorized()
        self.registered = registered(client, changes)

    async def _authorized(self) -> None:
        """Does the person still let the app? Raises Unauthenticated."""
        caller = self._caller
        if caller.authorization is None or caller.person is None:
            return
        kept = Authorizations(self._services)
        held = await kept.current(kept.ask(caller.authorization))
        now_us = self._services.clock()
        if held is None or not is_good(held.authorization, caller.client_id, caller.person, caller.token_id, now_us):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=caller.client_id)
        self.notes |= [held.rests_on]

    def decided(self, rules: Mapping[bytes, int]) -> Decided:
        """For a unit that rests on the caller and on these versions of patients' rules, read after the caller was looked up."""
        if self.registered is None:
            return Decided(changes=None, rules=rules, notes=self.notes)
        return Decided(changes=self.registered.changes, rules=rules, callers=(self.registered,), notes=self.notes)


def registered(client: Client, changes: int | None) -> Registered:
    """`changes`: as many as the store knew of before the client was looked up."""
    owner = () if client.unit is None else (client.unit.owner,)
    return Registered(ids=(client.client_id, *owner), revision=client.revision, changes=changes)


def is_good(held: Authorization, client_id: str, person: Person, token_id: str | None, now_us: int) -> bool:
    """Does an authorization bear a token of this client in which this person acts?"""
    return held.client_id == client_id and held.person == person and held.holds(now_us, token_id)
