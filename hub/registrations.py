"""What an administrator does with registrations of apps: approve, refuse, narrow, change, give another secret, see.

As everything that an operator does (hub/operator.py): under a name and for a reason, each act and its record in one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hub.instants import fhir_instant
from hub.oauth.client_used import last_used
from hub.oauth.self_registered import SelfRegistered, Waiting
from hub.operator import Operator, OperatorError
from hub.repository.redoing import redoing
from hub.store.protocol import Unit
from hub.wiring import Hub
from security.oauth.client_authentication import new_client_secret
from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, Client
from security.oauth.registration import CheckScopeQuery, checked, narrowed

NOT_WAITING = "no app of this id waits to be approved; hub client list --pending shows those that do"
NO_CLIENT = "there is no client of this id; hub client list shows them"
NO_TOKEN = "this client has no registration access token; it does not look after its registration by itself"  # noqa: S105 (a text)
NO_APP = "this client is no app; backends are registered by whoever runs the hub, and look after nothing by themselves"
NO_SECRET = "this client has no secret; it proves itself in another way"  # noqa: S105 (a text)
CHANGED = "others changed this registration again and again, and nothing was changed; try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Those that count, and those that wait."""

    clients: list[Client]
    waiting: list[SelfRegistered]


class Registrations(Operator):
    """`check_scope_query`: raises ValueError for what the hub cannot enforce (`hub.search.scope_query.check_scope_query`)."""

    def __init__(self, hub: Hub, check_scope_query: CheckScopeQuery, reason: str | None = None, *, user: str | None = None) -> None:
        super().__init__(hub, reason, user=user)
        self._oauth = hub.oauth
        self._check = check_scope_query

    async def all(self) -> Registered:
        async with self.recording("client-list"):
            return Registered(clients=await self._oauth.clients(), waiting=await Waiting(self._services).all())

    async def show(self, client_id: str) -> Client:
        """One that counts, or one that waits. Raises OperatorError."""
        async with self.recording("client-list", path=f"/clients/{client_id}"):
            found = await self._oauth.registration(client_id)
            if found is not None:
                return found
            waits = await Waiting(self._services).find(client_id)
            if waits is None:
                raise OperatorError(NO_CLIENT)
            return waits.client

    async def last_used(self, client: Client) -> str | None:
        """The day on which it got a token by itself last. None for apps through which people act: they see it each for themselves."""
        used_us = await last_used(self._services, client.client_id) if GRANT_CLIENT_CREDENTIALS in client.grants else None
        return None if used_us is None else fhir_instant(used_us)[:10]

    async def add(self, client: Client) -> Client:
        """A new app. Raises OperatorError, or ValueError where it cannot be registered so."""
        return await self.add_client(checked(client, self._check), None)

    async def approve(
        self, client_id: str, *, scope: str | None = None, organization: str | None = None, purpose: str | None = None
    ) -> Client:
        """From now on it counts, with no more scopes than it asked for. Raises OperatorError."""
        reference = organization if organization and organization.startswith("Organization/") else ""
        async with self.recording("client-approve", path=f"/clients/{client_id}") as recording:

            async def once() -> Client:
                recording.forget()
                waits = await self._waits(client_id)
                client = waits.client if scope is None else self._narrowed(waits.client, scope)
                client = replace(client, pending=False, organization=reference, purpose=purpose or client.purpose)
                done = await Waiting(self._services).done(waits)
                return await self._added(client, None if reference else organization, recording, notes=(done,))

            return await redoing(once, lambda: (f"client {client_id}",), self._services.turns, changed=CHANGED)

    async def refuse(self, client_id: str) -> None:
        """It is as if it had never come. Raises OperatorError."""
        async with self.recording("client-refuse", path=f"/clients/{client_id}") as recording:

            async def once() -> None:
                done = await Waiting(self._services).done(await self._waits(client_id))
                await recording.commit(Unit(notes=(done,)), writes=())

            await redoing(once, lambda: (f"client {client_id}",), self._services.turns, changed=CHANGED)

    async def change(self, client_id: str, change: Callable[[Client], Client]) -> Client:
        """Another description of an app, checked as a new one is; access tokens given before go on for their five minutes."""
        return await self.change_client("client-change", client_id, lambda client: _described(change(client), self._check))

    async def narrow(self, client_id: str, scope: str) -> Client:
        """Fewer scopes for an app that counts. Raises OperatorError."""
        return await self.change_client("client-change", client_id, lambda client: narrowed(client, scope, self._check))

    async def rotate_secret(self, client_id: str) -> tuple[Client, str]:
        """A new secret, shown this once; the old one is good no more, on any process. Raises OperatorError."""
        secret, kept = new_client_secret()

        def rotated(client: Client) -> Client:
            if client.secret_hash is None:
                raise ValueError(NO_SECRET)
            return replace(client, secret_hash=kept)

        return await self.change_client("client-secret-rotate", client_id, rotated), secret

    async def rotate_token(self, client_id: str) -> tuple[Client, str]:
        """Another registration access token (RFC 7592), shown this once, in place of the one it had, if any. Raises OperatorError."""
        token, kept = new_client_secret()

        def rotated(client: Client) -> Client:
            if client.app is None:
                raise ValueError(NO_APP)
            return replace(client, registration_token=kept)

        return await self._token_changed("client-token-rotate", client_id, rotated), token

    async def end_token(self, client_id: str) -> Client:
        """The registration goes on, and nobody changes it but an administrator. Raises OperatorError."""

        def ended(client: Client) -> Client:
            if client.registration_token is None:
                raise ValueError(NO_TOKEN)
            return replace(client, registration_token=None)

        return await self._token_changed("client-token-end", client_id, ended)

    async def _token_changed(self, kind: str, client_id: str, change: Callable[[Client], Client]) -> Client:
        """Of an app that counts, or of one that waits."""
        waiting = Waiting(self._services)
        if await waiting.find(client_id) is None:
            return await self.change_client(kind, client_id, change)
        async with self.recording(kind, path=f"/clients/{client_id}") as recording:

            async def once() -> Client:
                waits = await self._waits(client_id)
                try:
                    made = change(waits.client)
                except ValueError as error:
                    raise OperatorError(str(error)) from error
                await recording.commit(Unit(notes=(await waiting.changed(waits, made),)), writes=())
                return made

            return await redoing(once, lambda: (f"client {client_id}",), self._services.turns, changed=CHANGED)

    async def _waits(self, client_id: str) -> SelfRegistered:
        found = await Waiting(self._services).find(client_id)
        if found is None:
            raise OperatorError(NOT_WAITING)
        return found

    def _narrowed(self, client: Client, scope: str) -> Client:
        try:
            return narrowed(client, scope, self._check)
        except ValueError as error:
            raise OperatorError(str(error)) from error


def _described(client: Client, check: CheckScopeQuery) -> Client:
    return client if client.app is None else checked(client, check)
