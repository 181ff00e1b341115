"""Pages on which a patient links a vendor's account: opened by a link that an operator hands over, ended at the vendor's and back.

GET /clouds/link shows what will be fetched and changes nothing; the button (POST) begins it for this browser alone; GET /clouds/callback is
where the vendor leads the browser back to. A page never says whose link it is: whoever holds it knows.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Language, said
from hub.errors import FhirError
from hub.forms import desk_page, language_asked, own_form
from hub.guard import facts_of, request_ids
from hub.ingest.granting import INVITED_US, Granting, Invitation
from hub.ingest.polling import At
from hub.instants import fhir_instant
from hub.linking.words import LINK_WORDS, VENDORS
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unavailable
from security.browser_session import SecretCookie, form_token, new_secret
from security.oauth.clients import Client

CALLBACK = "/clouds/callback"
INVITATION, STATE, CODE = "invitation", "state", "code"
COOKIE = SecretCookie(plain="hub-link", same_site="Lax", age_us=INVITED_US)
"""Lax: the vendor's page leads back by a link, and the browser has to bring it then; no form from elsewhere does."""
NOT_OURS = "This form does not come from a page that this browser was given."


async def link_page(request: Request) -> Response:
    """GET /clouds/link?invitation=…: what will be fetched, and the button."""
    language, word = language_asked(request), request.query_params.get(INVITATION, "")
    try:
        _, invitation = await Granting(_services(request)).invitation(word)
        client = await _client(request, invitation)
    except (FhirError, Unavailable) as error:
        return _not(language, error)
    cookie = _cookie_of(request) or new_secret()
    facts = {**_facts(language, invitation, client), "word": word, "form_token": form_token(cookie), "keep": f"{INVITATION}={word}&"}
    response = _page("link.html", language, **facts)
    response.headers["Set-Cookie"] = COOKIE.header(cookie, request.app.state.base_url)
    return response


async def link_begin(request: Request) -> Response:
    """POST /clouds/link: the way to the vendor's page, for this browser."""
    language, services = language_asked(request), _services(request)
    facts = facts_of(request, "cloud-link", services)
    cookie = _cookie_of(request)
    try:
        form = await own_form(request, cookie, NOT_OURS)
        assert cookie is not None  # noqa: S101 - `own_form` has refused whoever has none
        granting = Granting(services)
        _, invitation = await granting.invitation(form.get(INVITATION, ""))
        async with _recording(facts, invitation, services) as recording:
            await _client(request, invitation)
            url = await granting.begin(form[INVITATION], cookie, _at(request, invitation), redirect_uri(request), recording)
    except (FhirError, Unavailable) as error:
        return await _refused(language, error, facts, services)
    made = _page("link_go.html", language, vendor=VENDORS[invitation.cloud], url=url, keep=f"{INVITATION}={form[INVITATION]}&")
    return _named(made, facts)


async def link_callback(request: Request) -> Response:
    """GET /clouds/callback: the vendor's answer. Only the browser that began it ends it."""
    language, services = language_asked(request), _services(request)
    facts = facts_of(request, "cloud-link", services)
    facts.query = ""  # the code in it is a secret, if only for half a minute
    asked, cookie = request.query_params, _cookie_of(request)
    try:
        if cookie is None or CODE not in asked:
            raise FhirError("business-rule", "No permission came back with this browser.")  # noqa: TRY301
        granting = Granting(services)
        invitation = await granting.invited_by(asked.get(STATE, ""))
        async with _recording(facts, invitation, services) as recording:
            await _client(request, invitation)  # before the code is exchanged: nobody would hold what it brings
            clouds, outbound = request.app.state.clouds, request.app.state.outbound
            await granting.finish(asked.get(STATE, ""), asked[CODE], cookie, clouds, redirect_uri(request), outbound, recording)
    except (FhirError, Unavailable) as error:
        return await _refused(language, error, facts, services)
    return _named(_page("link_done.html", language, vendor=VENDORS[invitation.cloud], keep=""), facts)


def _named(response: Response, facts: RequestFacts) -> Response:
    """With the id under which the log has it."""
    response.headers.update(request_ids(facts))
    return response


def redirect_uri(request: Request) -> str:
    """As it is registered at the vendor's."""
    return f"{request.app.state.base_url}{CALLBACK}"


def _cookie_of(request: Request) -> str | None:
    return COOKIE.of(request.headers, request.app.state.base_url)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _at(request: Request, invitation: Invitation) -> At:
    found: At | None = request.app.state.clouds.get(invitation.cloud)
    if found is None:
        raise FhirError("transient", "The hub is not registered at this vendor.")
    return found


async def _client(request: Request, invitation: Invitation) -> Client:
    client: Client | None = await request.app.state.token_dependencies.find_client(invitation.client)
    if client is None or client.revoked_us is not None:
        raise FhirError("not-found", "The client was revoked.")
    return client


def _recording(facts: RequestFacts, invitation: Invitation, services: Services) -> Recording:
    """In the name of who invited."""
    facts.user, facts.reason = invitation.user, invitation.reason
    return Recording("cloud-link", None, facts, services)


def _facts(language: Language, invitation: Invitation, client: Client) -> dict[str, Any]:
    t = said(language, LINK_WORDS)
    return {
        "vendor": VENDORS[invitation.cloud],
        "client": client.name,
        "feeds": [t[name] for name in (invitation.cloud, *invitation.feeds)],
        "since": fhir_instant(invitation.invited_us if invitation.since_us is None else invitation.since_us)[:10],
        "again": invitation.since_us is None,
    }


async def _refused(language: Language, error: FhirError | Unavailable, facts: RequestFacts, services: Services) -> Response:
    """With a record, before it is told (law 2)."""
    if isinstance(error, FhirError) and not facts.recorded:
        try:
            await Recording("cloud-link", None, facts, services).refused(error)
        except (FhirError, Unavailable) as failure:
            return _named(_not(language, failure), facts)
    return _named(_not(language, error), facts)


def _not(language: Language, error: FhirError | Unavailable) -> Response:
    code = error.code if isinstance(error, FhirError) else "transient"
    word = {"not-found": "link-over", "transient": "link-later", "lock-error": "link-later", "duplicate": "link-taken"}.get(
        code, "link-refused"
    )
    return _page("link_not.html", language, status={"link-over": 404, "link-later": 503}.get(word, 403), fault=word, keep="")


def _page(template: str, language: Language, *, status: int = 200, **values: object) -> Response:
    return desk_page(template, language, LINK_WORDS, status=status, **values)
