"""GET and POST /oauth/authorize: what needs no person is checked here, then the person is asked (`/account/authorize`).

https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html. Until the redirect_uri is
trusted whatever is wrong is told to the person, on a page; from then on to the app.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub import outcomes
from hub.console.words import LANGUAGES
from hub.errors import FhirError
from hub.forms import language_asked
from hub.guard import facts_of
from hub.http import read_body
from hub.oauth.launching import launch_of
from hub.oauth.waiting import REQUEST_URI, Waiting, answered, begun, waiting
from hub.page_guard import SEE_OTHER
from hub.people.sessions import signed_in
from hub.people.visit import COOKIE, refusal
from hub.recording import Recording, RequestFacts
from hub.store.protocol import Conflict, Unavailable, Unit
from hub.wiring import Hub
from security.oauth.authorization_request import (
    UNTRUSTED,
    Answering,
    AuthorizationRequest,
    Refused,
    Untrusted,
    checked,
    client_id_of,
    trusted,
)
from security.oauth.clients import Client
from security.oauth.errors import NO_STORE
from security.oauth.form import FORM_MAX_BYTES, MEDIA_TYPE
from security.oauth.token_endpoint import TokenDependencies

log = structlog.get_logger()

CONSENT: Final = "/account/authorize"
FIELDS_MAX: Final = 32
HEADERS: Final = {**NO_STORE, "Referrer-Policy": "no-referrer"}
"""The URL holds a code or a secret: nobody keeps it, and no page is told where its reader came from (RFC 9700 section 4.2.4)."""
UNKNOWN_LAUNCH: Final = "launch is none that this server gave this client, or it was used, or it is over"

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that waits for nothing but its person. `pushed`: where it comes from PAR, what is used up by it."""

    request: AuthorizationRequest
    pushed: Waiting | None = None


async def authorize(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    facts = facts_of(request, "authorize", hub.services)
    try:
        response = await _answer(request, hub, facts)
    except Unavailable:
        response = refusal(language_asked(request), 503, str(outcomes.unavailable()))
    except FhirError as error:
        response = refusal(language_asked(request), outcomes.status(error), str(error))
    except Exception as error:  # noqa: BLE001 - the last exit of this route, as hub.guard is of all others
        log.warning("unexpected", interaction="authorize", error=type(error).__name__, request=facts.request_id)
        response = refusal(language_asked(request), 500, str(outcomes.unexpected()))
    response.headers["X-Request-Id"] = facts.request_id
    return response


async def _answer(request: Request, hub: Hub, facts: RequestFacts) -> Response:
    recording = Recording("authorize", None, facts, hub.services)
    try:
        pairs = await _pairs(request)
        client = await _client(hub, pairs)
        if client is not None:
            recording.says(client_id=client.client_id, client_name=client.name)
        pushed = await _pushed(hub, pairs, client)
        sent = pairs if pushed is None else [("redirect_uri", pushed.request.redirect_uri), ("state", pushed.request.state)]
        answering = trusted(sent, client, hub.base_url)
    except Untrusted:
        await recording.oauth_refused("invalid_request")
        return refusal(language_asked(request), 400, UNTRUSTED)
    try:
        assert client is not None  # noqa: S101 - `trusted` has refused whoever is none
        asked = Checked(request=pushed.request, pushed=pushed) if pushed is not None else _checked(request, hub, pairs, client)
        await _check_launch(hub, asked.request)
        await _check_silent(request, hub, asked.request)
        return await _wait(request, hub, asked, recording)
    except Refused as refused:
        await recording.oauth_refused(refused.error)
        return to_app(answering, refused)


def to_app(answering: Answering, refused: Refused) -> Response:
    return RedirectResponse(answering.refused(refused), SEE_OTHER, headers=HEADERS)


def _checked(request: Request, hub: Hub, pairs: Pairs, client: Client) -> Checked:
    dependencies: TokenDependencies = request.app.state.token_dependencies
    made = checked(pairs, client, audience=hub.services.base_url, check_scope_query=dependencies.check_scope_query)
    return Checked(request=made)


async def _pairs(request: Request) -> Pairs:
    """The parameters of the URL or, by POST, of the body, as often as they come. Raises Untrusted for what cannot be read."""
    text = request.scope["query_string"]
    if request.method == "POST":
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Untrusted
        text = await read_body(request, FORM_MAX_BYTES)
    try:
        return parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Untrusted from None


async def _client(hub: Hub, pairs: Pairs) -> Client | None:
    named = client_id_of(pairs)
    return None if named is None else await hub.oauth.find_client(named)


async def _pushed(hub: Hub, pairs: Pairs, client: Client | None) -> Waiting | None:
    """What was pushed beforehand, if the request says so; whatever else it says is passed over (RFC 9126 section 4). Raises Untrusted."""
    uris = [value for name, value in pairs if name == "request_uri" and value.startswith(REQUEST_URI)]
    if not uris:
        return None
    found = await waiting(hub.services, uris[0].removeprefix(REQUEST_URI), pushed=True) if len(uris) == 1 else None
    if found is None or client is None or found.request.client_id != client.client_id:
        raise Untrusted
    return found


async def _check_launch(hub: Hub, asked: AuthorizationRequest) -> None:
    if asked.launch is not None and await launch_of(hub.services, asked.launch, asked.client_id) is None:
        raise Refused("invalid_request", UNKNOWN_LAUNCH)


async def _check_silent(request: Request, hub: Hub, asked: AuthorizationRequest) -> None:
    """prompt=none (OpenID Connect Core section 3.1.2.6). Nothing is ever granted without the page on which the person says yes."""
    if "none" not in asked.prompt:
        return
    signed = await signed_in(hub.services, COOKIE.of(request.headers, hub.base_url))
    if signed is None or (asked.max_age_s is not None and hub.services.clock() - signed.auth_us > asked.max_age_s * 1_000_000):
        raise Refused("login_required", "nobody is signed in, or not recently enough")
    raise Refused("consent_required", "the person has to be asked each time")


async def _wait(request: Request, hub: Hub, asked: Checked, recording: Recording) -> Response:
    secret, note = await begun(hub.services, asked.request, pushed=False)
    notes = (note,) if asked.pushed is None else (note, await answered(hub.services, asked.pushed))
    try:
        await recording.commit(Unit(notes=notes), writes=())
    except Conflict:
        raise Refused("invalid_request", "request_uri has been used") from None
    return RedirectResponse(f"{CONSENT}?request={quote(secret)}{_language(request)}", SEE_OTHER, headers=HEADERS)


def _language(request: Request) -> str:
    """Of ui_locales the first that there are pages in; without, the browser says it (OpenID Connect Core section 3.1.2.1)."""
    wanted = (one.partition("-")[0].lower() for one in request.query_params.get("ui_locales", "").split())
    return next((f"&lang={one}" for one in wanted if one in LANGUAGES), "")
