"""POST /webhooks/{adapter}?hook=ID: a vendor's cloud calls, and proves by a signature that it is the vendor (DEVICES 6.5).

Who could not prove itself gets one answer, whatever was wrong: an unknown hook, a wrong signature, a time that is too far
off, a call that came before. The mark that a call came is written in the transaction of its readings, so a call whose
readings were not stored can come again, and one whose readings were stored cannot.

A `ping` is not signed (Withings, DEVICES 2.1): its content is ignored, nothing is stored, and the links it may be about are
polled sooner than they would be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.authenticate import caller_of
from hub.errors import FhirError
from hub.guard import error_response, facts_of, request_ids
from hub.http import PRIVATE, read_body
from hub.ingest.fates import Answer, array
from hub.ingest.hooks import Hook, Hooks
from hub.ingest.intake import Parcel, known_adapter, require_sender, take_in
from hub.ingest.quota import admit, charge, room_for
from hub.ingest.signed import good_keys
from hub.ingest.wakes import wake
from hub.notebook import Notebook, Page
from hub.recording import Recording, RequestFacts
from hub.repository import Repository
from hub.repository.standing import Standing
from hub.store.protocol import NoteWrite, Unavailable
from security.context import AccessContext
from security.oauth.clients import Client
from security.oauth.token_endpoint import TokenDependencies
from security.webhooks import SECRET_PREFIX, WINDOW_S, Signed, signed_by_key, signed_by_secret, unverified_kid

log = structlog.get_logger()

SEEN = "webhook-seen"
SEEN_US = 2 * WINDOW_S * 1_000_000
"""A time may lie as far ahead as behind: for so long the same call could pass once more."""
NOBODYS = (SECRET_PREFIX + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)
"""Tried for an unknown hook, so that finding out takes as long as for a known one. Whatever it is signed with is refused."""
UNPROVED = "The call does not prove who it is from: check hook, secret or key, time and id, and sign each attempt anew."
JWS_HEADER = "jws-signature"
UNAUTHORIZED, CHALLENGE = 401, "Webhook-Signature"
"""RFC 9110 section 15.5.2: a 401 names a scheme."""


async def webhook(request: Request) -> Response:
    """One call of a vendor. Every way out is an answer with a record behind it."""
    services = request.app.state.services
    facts = facts_of(request, "ingest", services)
    try:
        response = await _answer(request, facts)
    except FhirError as error:
        response = await _refused(error, facts, request)
    except Unavailable:
        response = error_response(outcomes.unavailable())
    except Exception as error:  # noqa: BLE001 - the last exit of this route, as hub.guard is of all others
        log.error("unexpected", interaction="webhook", error=type(error).__name__, request=facts.request_id)  # noqa: TRY400
        response = await _refused(outcomes.unexpected(), facts, request)
    if response.status_code == UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = CHALLENGE
    response.headers.update(request_ids(facts))
    return response


async def webhook_test(_: Request) -> Response:
    """HEAD: vendors look whether the address answers before they take it. Says nothing of which hooks there are."""
    return Response(status_code=200, headers=PRIVATE)


async def _answer(request: Request, facts: RequestFacts) -> Response:
    services = request.app.state.services
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise FhirError("media-type", "A webhook comes as its bytes: the signature is over them.", expression="http.Content-Encoding")
    with room_for(request, services):
        body = await read_body(request, services.settings.max_ingest_bytes)
        found = await _found(request)  # once the body is there: who calls decides how long it takes
        if found is not None and found.hook.scheme == "ping":
            return await _pinged(found, body, facts, request)
        signed = await _signed(request, found, body)
        if signed is None or found is None:
            raise FhirError("login", UNPROVED)
        return await _taken(found, signed, body, facts, request)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A hook that is good, as it was read, and the client in whose name it takes in. `changes`: from before both were looked up."""

    page: Page
    hook: Hook
    client: Client
    changes: int | None

    def caller(self, facts: RequestFacts) -> AccessContext:
        return caller_of(self.client, self.client.granted, self.client.purpose, facts.request_id, self.changes)


async def _found(request: Request) -> _Found | None:
    services = request.app.state.services
    changes = services.store.changes
    page, hook = await Hooks(services).find(request.query_params.get("hook", ""))
    client = None if hook is None else await services.find_client(hook.client)
    if hook is None or client is None or client.revoked_us is not None or hook.adapter != request.path_params["adapter"]:
        return None
    return _Found(page=page, hook=hook, client=client, changes=changes)


async def _signed(request: Request, found: _Found | None, body: bytes) -> Signed | None:
    now_us, headers = request.app.state.services.clock(), request.headers
    if found is None:
        signed_by_secret(headers, body, NOBODYS, now_us)
        return None
    hook, client = found.hook, found.client
    if hook.scheme == "hmac":
        return signed_by_secret(headers, body, hook.good(now_us), now_us)
    return await signed_by_client(request, client, body, now_us)


async def signed_by_client(request: Request, client: Client, body: bytes, now_us: int) -> Signed | None:
    """By a key of its registration, or of the set at the URL of its registration."""
    token = request.headers.get(JWS_HEADER, "")

    def signed(jwks: Mapping[str, Any]) -> Signed | None:
        return signed_by_key(token, body, jwks, now_us)

    dependencies: TokenDependencies = request.app.state.token_dependencies
    jwks = await good_keys(dependencies, client, unverified_kid(token), lambda known: signed(known) is not None)
    return None if jwks is None else signed(jwks)


def _rest_on(standing: Standing, found: _Found) -> None:
    """Its transaction notices when the hook is changed."""
    standing.notes[found.page.key] = 0 if found.page.note is None else found.page.note.version


async def _taken(found: _Found, signed: Signed, body: bytes, facts: RequestFacts, request: Request) -> Response:
    services, hook = request.app.state.services, found.hook
    caller = facts.caller = found.caller(facts)
    repository = Repository(caller, services, facts)
    seen = Notebook(services, SEEN)

    async def is_proved_still() -> None:
        """By a secret or a key that is good now. Raises FhirError login."""
        now = await _found(request)
        if now is None or await _signed(request, now, body) is None:
            raise FhirError("login", UNPROVED)
        _rest_on(repository.standing, now)

    _rest_on(repository.standing, found)
    repository.standing.besides = is_proved_still

    async def mark(_: Sequence[Answer]) -> Sequence[NoteWrite]:
        """Raises FhirError login if the call came before; of two at the same time one meets the other's mark."""
        page = await seen.read(f"{hook.id}\n{signed.id}\n{signed.timestamp}")
        if page.content:
            raise FhirError("login", UNPROVED)
        return [await seen.write(page, {"seen": True}, services.clock() + SEEN_US)]

    async with repository.recording("ingest") as recording:
        require_sender(repository)
        await mark(())
        await admit(caller, services)
        parcel = Parcel(adapter=known_adapter(hook.adapter), payload=body, device=hook.device, time_zone=hook.time_zone)
        answers = await take_in(repository, recording, parcel, mark)
    await charge(caller, services, len(answers))
    return Response(array(answers), media_type="application/json", headers=PRIVATE)


async def _pinged(found: _Found, body: bytes, facts: RequestFacts, request: Request) -> Response:
    """Answered at once. Whoever knows the address can make the hub ask the vendor sooner, and nothing else."""
    services, hook = request.app.state.services, found.hook
    caller = facts.caller = found.caller(facts)
    async with Repository(caller, services, facts).recording("ingest") as recording:
        await admit(caller, services)
        await wake(services, recording, hook, body)
    return Response(status_code=204, headers=PRIVATE)


async def _refused(error: FhirError, facts: RequestFacts, request: Request) -> Response:
    if not facts.recorded:
        try:
            await Recording("ingest", facts.caller, facts, request.app.state.services).refused(error)
        except (FhirError, Unavailable):
            return error_response(outcomes.unavailable())
    return error_response(error)
