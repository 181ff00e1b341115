"""/console/clients: the applications of this hub, and what an administrator does with them. As `hub client` does it.

What cannot be undone is asked about on a page of its own; a secret is shown once, on the answer to the form that made it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.desk import Desk
from hub.desk.client_form import EMPTY, client_of
from hub.desk.client_words import CLIENT_WORDS
from hub.desk.sure import sure
from hub.errors import FhirError
from hub.instants import fhir_instant
from hub.oauth.self_registered import SelfRegistered
from hub.operator import OperatorError
from hub.registrations import Registrations
from security.oauth.client_authentication import new_client_secret
from security.oauth.clients import Client
from security.oauth.rotation import keys_of

PATH: Final = "/console/clients"
ROWS_MAX: Final = 200
TOLD: Final = frozenset({"approve", "refuse", "narrow", "revoke", "register", "token-end"})
UNKNOWN: Final = "There is no such page; go back to the list of applications."


async def clients(request: Request, desk: Desk) -> Response:
    """`?sought=`: whose name or client_id has this in it. Those that wait first."""
    sought = request.query_params.get("sought", "").strip()
    found = await _registrations(request, desk).all()
    rows = [_row(one) for one in reversed(found.clients) if _named(one, sought)]
    waiting = [_waiting(one) for one in found.waiting if _named(one.client, sought)]
    told = request.query_params.get("told", "")
    return desk.page(
        "clients.html",
        CLIENT_WORDS,
        sought=sought,
        waiting=waiting[:ROWS_MAX],
        rows=rows[:ROWS_MAX],
        left_out=max(0, len(rows) - ROWS_MAX) + max(0, len(waiting) - ROWS_MAX),
        told=told if told in TOLD else None,
    )


async def client(request: Request, desk: Desk) -> Response:
    """One of them, with what can be done with it."""
    registrations = _registrations(request, desk)
    found = await registrations.show(request.path_params["id"])
    one = {**_row(found), "used": await registrations.last_used(found)}
    told = request.query_params.get("told", "")
    return desk.page("client.html", CLIENT_WORDS, one=one, app=found.app, told=told if told in TOLD else None, **_acts(found))


async def new(_: Request, desk: Desk) -> Response:
    """The form to register an app with."""
    async with desk.recording("client-list"):
        return desk.page("client_new.html", CLIENT_WORDS, given=EMPTY, fault=None)


async def register(request: Request, desk: Desk) -> Response:
    """A new app; with a secret the answer shows it, otherwise it leads to the app's page."""
    secret, kept = new_client_secret()
    try:
        wanted = client_of(desk.form, kept, desk.services.clock())
        made = await _registrations(request, desk).add(wanted)
    except (ValueError, OperatorError) as error:
        return desk.page("client_new.html", CLIENT_WORDS, status=400, given={**EMPTY, **desk.form}, fault=str(error))
    if made.secret_hash is not None:
        return _secret(desk, made, secret)
    return desk.done(f"{PATH}/{made.client_id}?told=register")


async def ask(request: Request, desk: Desk) -> Response:
    """Is it meant? For what cannot be undone."""
    id, act = request.path_params["id"], request.path_params["act"]
    if act not in ASKED:
        raise FhirError("not-found", UNKNOWN)
    found = await _registrations(request, desk).show(id)
    where = f"{PATH}/{found.client_id}"
    return sure(desk, CLIENT_WORDS, title=f"do-{act}", what=f"sure-{act}", name=found.name, act=f"{where}/{act}", back=where)


async def do(request: Request, desk: Desk) -> Response:
    """One act on one of them, by the row of `ACTS`."""
    act = ACTS.get(request.path_params["act"])
    if act is None:
        raise FhirError("not-found", UNKNOWN)
    return await act(_registrations(request, desk), request.path_params["id"], desk)


Act = Callable[[Registrations, str, Desk], Awaitable[Response]]


async def _approve(registrations: Registrations, id: str, desk: Desk) -> Response:
    await registrations.approve(id, scope=desk.form.get("scope", "").strip())
    return desk.done(f"{PATH}/{id}?told=approve")


async def _refuse(registrations: Registrations, id: str, desk: Desk) -> Response:
    await registrations.refuse(id)
    return desk.done(f"{PATH}?told=refuse")


async def _narrow(registrations: Registrations, id: str, desk: Desk) -> Response:
    await registrations.narrow(id, desk.form.get("scope", "").strip())
    return desk.done(f"{PATH}/{id}?told=narrow")


async def _revoke(registrations: Registrations, id: str, desk: Desk) -> Response:
    await registrations.revoke_client(id)
    return desk.done(f"{PATH}/{id}?told=revoke")


async def _rotate(registrations: Registrations, id: str, desk: Desk) -> Response:
    made, secret = await registrations.rotate_secret(id)
    return _secret(desk, made, secret)


async def _rotate_token(registrations: Registrations, id: str, desk: Desk) -> Response:
    made, token = await registrations.rotate_token(id)
    return _secret(desk, made, token, what="token")


async def _end_token(registrations: Registrations, id: str, desk: Desk) -> Response:
    await registrations.end_token(id)
    return desk.done(f"{PATH}/{id}?told=token-end")


ACTS: Final[Mapping[str, Act]] = {
    "approve": _approve,
    "refuse": _refuse,
    "narrow": _narrow,
    "revoke": _revoke,
    "rotate": _rotate,
    "token-rotate": _rotate_token,
    "token-end": _end_token,
}
ASKED: Final = frozenset({"refuse", "revoke", "rotate", "token-rotate", "token-end"})
OF_TOKEN: Final = ("token-rotate", "token-end")
"""For an app that looks after its registration by itself (RFC 7592)."""


def _registrations(request: Request, desk: Desk) -> Registrations:
    check = request.app.state.token_dependencies.check_scope_query
    return Registrations(desk.hub, check, desk.signed.reason, user=desk.signed.user)


def _secret(desk: Desk, made: Client, secret: str, *, what: str = "secret") -> Response:
    return desk.page("client_secret.html", CLIENT_WORDS, one=_row(made), secret=secret, what=what)


def _named(client: Client, sought: str) -> bool:
    return sought.casefold() in client.name.casefold() or sought.casefold() in client.client_id.casefold()


def _row(client: Client) -> dict[str, Any]:
    return {
        "id": client.client_id,
        "name": client.name,
        "state": "waiting" if client.pending else "active" if client.revoked_us is None else "revoked",
        "scopes": client.scopes.split(" "),
        "scope": client.scopes,
        "grants": client.grants,
        "method": client.authentication,
        "binding": client.binding,
        "organization": client.organization,
        "purpose": client.purpose,
        "created": fhir_instant(client.created_us),
        "keys": [str(one["kid"]) for one in keys_of(client)] + ([client.jwks_uri] if client.jwks_uri else []),
    }


def _waiting(one: SelfRegistered) -> dict[str, Any]:
    return {**_row(one.client), "until": fhir_instant(one.expires_us)}


def _acts(client: Client) -> dict[str, Any]:
    """What can be done with it now."""
    tokens = OF_TOKEN if client.registration_token is not None else ()
    if client.pending:
        acts: Sequence[str] = (*tokens, "refuse")
    elif client.revoked_us is not None:
        acts = ()
    else:
        acts = (*(("rotate",) if client.secret_hash is not None else ()), *tokens, "revoke")
    changes = "approve" if client.pending else "narrow" if client.app is not None and client.revoked_us is None else None
    return {"acts": acts, "changes": changes}
