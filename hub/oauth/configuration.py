"""GET, PUT, DELETE /oauth/clients/{id}: an app that registered itself looks after its registration.

https://www.rfc-editor.org/rfc/rfc7592. By the registration access token that it was given once, and that nobody else has; each change gives
another one in its place (section 2.2), so that one that leaked is good until the app's next change at most.

A registration only ever becomes less, or changes its keys: a person has looked at the rest or is about to, and shall not approve what came
in its place.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.authenticate import bearer, caller_of
from hub.errors import Unauthenticated
from hub.http import read_body
from hub.ingest.registry import Registry
from hub.oauth.register import BODY_MAX_BYTES, CHALLENGE, Refused, answered, json_body, json_response, registered
from hub.oauth.self_registered import SelfRegistered, Waiting
from hub.recording import Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite, Unit
from hub.wiring import Hub
from security.oauth.client_authentication import NOBODYS, new_client_secret, secret_hash
from security.oauth.clients import Client
from security.oauth.dynamic_registration import RegistrationRefused, changed_by_itself, described

READ, CHANGE, DELETE = "client-configuration", "client-configuration-change", "client-configuration-delete"
NOT_YOURS: Final = "this is not the registration access token of a registration that is there"
NEVER_SENT: Final = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""RFC 7592 section 2.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A registration whose token was shown. `waits`: nobody has approved it yet."""

    client: Client
    waits: SelfRegistered | None
    token: str

    def checked(self, now: Client) -> Client:
        """The registration as it is now, while its token is the one that was shown: who was faster has another. Raises Refused."""
        if not _is_good(self.token, now):
            raise _not_yours()
        return now


Act = Callable[[Request, RequestFacts, _Own], Awaitable[Response]]


async def read(request: Request) -> Response:
    return await answered(request, READ, partial(_by_its_token, act=_read))


async def change(request: Request) -> Response:
    return await answered(request, CHANGE, partial(_by_its_token, act=_change))


async def delete(request: Request) -> Response:
    return await answered(request, DELETE, partial(_by_its_token, act=_delete))


async def _by_its_token(request: Request, facts: RequestFacts, *, act: Act) -> Response:
    """One answer for no such registration, one that ended, one that never had a token, and another token (RFC 7592 section 2.1)."""
    hub: Hub = request.app.state.hub
    id = request.path_params["id"]
    try:
        token = bearer(request.headers.get("authorization"))
    except Unauthenticated:
        token = ""
    waits = await Waiting(hub.services).find(id)
    client = await hub.oauth.registration(id) if waits is None else waits.client
    if not _is_good(token, client) or client is None:
        raise _not_yours()
    facts.caller = caller_of(client, client.granted, client.purpose, facts.request_id)
    return await act(request, facts, _Own(client=client, waits=waits, token=token))


def _is_good(token: str, client: Client | None) -> bool:
    known = None if client is None or client.revoked_us is not None else client.registration_token
    same = hmac.compare_digest(secret_hash(token), known or NOBODYS)
    return known is not None and same


async def _read(request: Request, facts: RequestFacts, own: _Own) -> Response:
    async with Recording(READ, facts.caller, facts, request.app.state.services):
        return _shown(own.token, own.client, request)


async def _change(request: Request, facts: RequestFacts, own: _Own) -> Response:
    members = json_body(request.headers.get("content-type", ""), await read_body(request, BODY_MAX_BYTES))
    wanted = _wanted(members, own.client, request)
    token, kept = new_client_secret()
    services: Services = request.app.state.services
    recording = Recording(CHANGE, facts.caller, facts, services)

    def less(now: Client) -> Client:
        return replace(changed_by_itself(own.checked(now), wanted), registration_token=kept)

    if own.waits is not None:
        made, waiting = own.client, Waiting(services)

        async def changed(now: SelfRegistered) -> NoteWrite:
            nonlocal made
            made = less(now.client)
            return await waiting.changed(now, made)

        if await _waits(services, own, changed, recording):
            return _shown(token, made, request)
    return _shown(token, await _counts(request, own, less, recording), request)


def _wanted(members: object, client: Client, request: Request) -> Client:
    """What the whole description says it shall be (a change replaces everything). Raises Refused, RegistrationRefused."""
    said: Mapping[str, Any] = members if isinstance(members, dict) else {}
    if said.get("client_id") != client.client_id or any(name in said for name in NEVER_SENT):
        text = f"client_id is that of the registration, and {', '.join(NEVER_SENT)} are not sent"
        raise RegistrationRefused("invalid_client_metadata", text)
    secret = said.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and hmac.compare_digest(secret_hash(secret), client.secret_hash or NOBODYS)):
        raise RegistrationRefused(
            "invalid_client_metadata", "client_secret is the one that the hub gave, or is left out; nobody chooses it"
        )
    return described(
        members,
        client_id=client.client_id,
        secret_hash=client.secret_hash or NOBODYS,
        now_us=client.created_us,
        check_scope_query=request.app.state.token_dependencies.check_scope_query,
    )


async def _counts(request: Request, own: _Own, change: Callable[[Client], Client], recording: Recording) -> Client:
    """One that was approved becomes another. Raises Refused where it ended meanwhile."""
    try:
        return await Registry(request.app.state.services, request.app.state.oauth).change(own.client.client_id, change, recording)
    except ValueError:
        raise _not_yours() from None


async def _waits(services: Services, own: _Own, note: Callable[[SelfRegistered], Awaitable[NoteWrite]], recording: Recording) -> bool:
    """One that waits becomes another; False where it was decided meanwhile: if it was approved, it counts now and its token is good."""

    async def once() -> bool:
        now = await Waiting(services).find(own.client.client_id)
        if now is not None:
            await recording.commit(Unit(notes=(await note(now),)), writes=())
        return now is not None

    return await redoing(once, lambda: (f"client {own.client.client_id}",), services.turns)


async def _delete(request: Request, facts: RequestFacts, own: _Own) -> Response:
    services: Services = request.app.state.services
    recording = Recording(DELETE, facts.caller, facts, services)

    async def gone(now: SelfRegistered) -> NoteWrite:
        own.checked(now.client)
        return await Waiting(services).done(now)

    if own.waits is None or not await _waits(services, own, gone, recording):
        now_us = services.clock()
        await _counts(request, own, lambda now: replace(own.checked(now), revoked_us=now_us), recording)
    return json_response(None, 204)


def _not_yours() -> Refused:
    return Refused(401, "invalid_token", NOT_YOURS, {"WWW-Authenticate": CHALLENGE})


def _shown(token: str, client: Client, request: Request) -> Response:
    """RFC 7592 section 3. `token`: the one that was shown, or the one in its place; the hub has a hash of it alone, and of the secret."""
    return json_response(registered(client, None, token, request.app.state.base_url), 200)
