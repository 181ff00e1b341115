"""POST /oauth/device_authorization, and what the device gets for its code at the token endpoint.

https://www.rfc-editor.org/rfc/rfc8628#section-3.1, #section-3.4. A code is good once: the version of its note decides between those who
come at the same time; whoever comes a second time ends what the code began, as with an authorization code.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.limits import Limit, sender
from hub.oauth.answers import Asking, answered, oauth_json
from hub.oauth.binding import binding_of
from hub.oauth.devices import DeviceNotes
from hub.oauth.giving import ended_for_reuse, given, still_held
from hub.repository.redoing import redoing
from hub.store.protocol import Unit
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import GRANT_DEVICE, GRANT_REFRESH
from security.oauth.code import refreshed_scope
from security.oauth.device_flow import EXPIRES_US, INTERVAL_S, VERIFICATION_PATH, DeviceRequest, shown
from security.oauth.errors import OAuthError
from security.oauth.scope_request import ScopeRequest
from security.scopes import ScopeSyntax

NOT_GOOD: Final = "the device code is not good: unknown, used, or given to another client"
UNREGISTERED: Final = "this client is not registered for the device grant"
PER_SENDER: Final = Limit(what="device codes", most=600, window_us=600_000_000)
"""As many of one app may wait at once behind one address: each device needs one. Whoever asks for more, in the name of an app that has
nothing to prove itself by, keeps none of its devices elsewhere from asking."""


async def device_authorization(request: Request) -> Response:
    return await answered(request, "device-authorization", _begin)


async def _begin(asking: Asking) -> Response:
    proved = await asking.client()
    if GRANT_DEVICE not in proved.client.grants:
        raise OAuthError("unauthorized_client", UNREGISTERED)
    scope = _scope(asking, proved)

    async def once() -> tuple[str, str]:
        counted = await PER_SENDER.taken(asking.services, f"{proved.client.client_id} {sender(asking.facts.address)}")
        device_code, user_code, notes = await DeviceNotes(asking.services).begun(proved.client, scope)
        await asking.recording.commit(Unit(notes=(counted, *notes)), writes=())
        return device_code, user_code

    device_code, user_code = await redoing(once, lambda: (f"devices {proved.client.client_id}",), asking.services.turns)
    page = asking.hub.base_url + VERIFICATION_PATH
    return oauth_json(
        {
            "device_code": device_code,
            "user_code": shown(user_code),
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={shown(user_code)}",
            "expires_in": EXPIRES_US // 1_000_000,
            "interval": INTERVAL_S,
        }
    )


def _scope(asking: Asking, proved: ProvedClient) -> ScopeRequest:
    """What of it the client is registered for. Raises OAuthError invalid_scope."""
    try:
        asked = ScopeRequest.parse(asking.needed("scope"))
    except ScopeSyntax as error:
        raise OAuthError("invalid_scope", str(error)) from None
    if {"online_access", "launch"} & asked.context:
        raise OAuthError("invalid_scope", "a device has neither a session of the person nor a launch; ask for offline_access")
    scope = asked.within(proved.client.allowed)
    if GRANT_REFRESH not in proved.client.grants:
        scope = ScopeRequest(scope.resources, scope.context - {"offline_access"})
    if any(one.level == "system" for one in scope.resources.items) or not scope.resources.items:
        raise OAuthError("invalid_scope", "nothing of it can be allowed by a person to this client")
    return scope


async def device_code(asking: Asking, proved: ProvedClient) -> Mapping[str, Any]:
    """The row of the token endpoint. Raises OAuthError: authorization_pending, slow_down, access_denied, expired_token, invalid_grant."""
    if GRANT_DEVICE not in proved.client.grants:
        raise OAuthError("unauthorized_client", UNREGISTERED)
    secret = asking.needed("device_code")
    cnf = await binding_of(asking.request, proved.client)
    return await redoing(lambda: _once(asking, proved, cnf, secret), lambda: (f"device {secret}",), asking.services.turns)


async def _once(asking: Asking, proved: ProvedClient, cnf: Mapping[str, str], secret: str) -> Mapping[str, Any]:
    notes = DeviceNotes(asking.services)
    page = await notes.by_device(secret)
    request = None if page is None else DeviceRequest.from_document(page.content)
    if page is None or request is None or request.client_id != proved.client.client_id:
        raise OAuthError("invalid_grant", NOT_GOOD)
    if request.state == "redeemed":
        await ended_for_reuse(asking, request.authorization or "", NOT_GOOD)
    if request.state == "denied":
        raise OAuthError("access_denied", "the person said no")
    if request.expires_us <= asking.now_us:
        raise OAuthError("expired_token", "the code has run out; begin again")
    soon, polled = await notes.polled(secret)
    if soon or request.state == "waiting":
        await asking.services.store.commit(Unit(notes=(polled,)))
        raise _not_yet(soon=soon)
    held = await still_held(asking, request.authorization or "", NOT_GOOD)
    authorization, jkt = held.authorization, cnf.get("jkt")
    written = (await notes.changed(page, replace(request, state="redeemed")), polled)
    if jkt is not None and proved.method == "none":  # RFC 9449 section 5: a public client's refresh tokens are bound to its key
        authorization = replace(authorization, jkt=jkt)
    scope = refreshed_scope(None, authorization, proved.client)
    return await given(asking, proved, held, authorization, scope, cnf, written, first=True)


def _not_yet(*, soon: bool) -> OAuthError:
    if soon:
        return OAuthError("slow_down", "asked too soon; wait five seconds longer between questions from now on")
    return OAuthError("authorization_pending", "the person has not decided yet")
