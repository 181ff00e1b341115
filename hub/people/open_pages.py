"""What stands between the network and the pages before a session: the token of their forms, the exit for errors.

A form before the sign-in is bound to the browser too: a cookie that the page sets, and a token that follows from it. Otherwise somebody
could sign a person's browser in to an account of their own (login CSRF, RFC 6749 section 10.12).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub import outcomes
from hub.console.words import Language, Said, said
from hub.errors import FhirError
from hub.forms import desk_page, form_of, is_secure, language_asked
from hub.guard import facts_of
from hub.outbound import Outbound
from hub.people.browsers import browser_of
from hub.people.entering import Entered, Entering
from hub.people.sessions import SignedIn, signed_in
from hub.people.visit import SEE_OTHER, cookie_header, cookie_name, cookie_of, named_cookie, refusal
from hub.people.words import PEOPLE_WORDS
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unavailable
from hub.wiring import Hub
from security.browser_session import FORM_TOKEN, SECRET, SESSION_US, form_token, is_ours, new_secret
from security.people.federation import Provider

log = structlog.get_logger()

HOME = "/account"
FORM_S = 3_600
"""How long a form may stay open; a step ends sooner, by its note."""
PLACE = re.compile(r"/(?:account|oauth|console)(?:/[A-Za-z0-9_-]+)*(?:\?[A-Za-z0-9_.~%=&+-]*)?")
"""A page of the hub: no other host, no other scheme, no line of a header."""
PLACE_MAX = 2_048


class NotOurs(FhirError):
    """The form does not come from a page that this browser was given."""

    def __init__(self) -> None:
        super().__init__("forbidden", "This form does not come from a page that this browser was given; open the page again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who opens such a page.

    asked   parameters of the URL, and of its path
    cookie  binds its forms to the browser, and names the step to the second factor once there is one
    before  the session that the browser has already
    """

    hub: Hub
    language: Language
    facts: RequestFacts
    asked: Mapping[str, str]
    form: Mapping[str, str]
    cookie: str
    before: SignedIn | None
    user_agent: str
    outbound: Outbound
    providers: Mapping[str, Provider]

    @property
    def services(self) -> Services:
        return self.hub.services

    @property
    def entering(self) -> Entering:
        return Entering(services=self.services, facts=self.facts, browser=browser_of(self.user_agent), before=self.before)

    def words(self, more: Mapping[str, Said]) -> Mapping[str, str]:
        return {**said(self.language), **said(self.language, PEOPLE_WORDS), **said(self.language, more)}

    def page(self, template: str, more: Mapping[str, Said], *, status: int = 200, **values: Any) -> Response:
        shown = {"user": None, "form_token": form_token(self.cookie), **values}
        return self.kept(desk_page(template, self.language, self.words(more), status=status, **shown))

    def to(self, path: str) -> Response:
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}lang={self.language}", SEE_OTHER)

    def kept(self, response: Response, cookie: str | None = None) -> Response:
        """With the cookie of forms and steps; "" forgets it. Lax, for another provider leads the browser back by a link."""
        value = self.cookie if cookie is None else cookie
        secure = is_secure(self.hub.base_url)
        header = cookie_header(step_cookie(secure=secure), value, secure=secure, age_s=FORM_S if value else 0)
        response.headers.append("Set-Cookie", header)
        return response

    def begun(self, signed: SignedIn, response: Response) -> Response:
        """With the session; the step is done."""
        secure = is_secure(self.hub.base_url)
        header = cookie_header(cookie_name(secure=secure), signed.cookie, secure=secure, age_s=SESSION_US // 1_000_000)
        response.headers.append("Set-Cookie", header)
        return self.kept(response, "")

    def entered(self, entered: Entered) -> Response:
        """Where the person goes on."""
        if entered.signed is not None:
            return self.begun(entered.signed, self.to(entered.next))
        return self.kept(self.to("/account/second-factor"), entered.step)


Endpoint = Callable[[Caller], Awaitable[Response]]


def opened(interaction: str) -> Callable[[Endpoint], Callable[[Request], Awaitable[Response]]]:
    """An endpoint without a session; every way out is a page, and what was refused is on record."""

    def around(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        @wraps(endpoint)
        async def answer(request: Request) -> Response:
            hub: Hub = request.app.state.hub
            facts = facts_of(request, interaction, hub.services)
            language = language_asked(request)
            try:
                response = await endpoint(await _caller(request, hub, facts, language))
            except Unavailable:
                response = refusal(language, 503, str(outcomes.unavailable()))
            except FhirError as error:
                response = await _refused(error, facts, language, hub)
            except Exception as error:  # noqa: BLE001 - the last exit: whatever happened, nothing of it is disclosed
                log.warning("unexpected", interaction=interaction, error=type(error).__name__, request=facts.request_id)
                response = await _refused(outcomes.unexpected(), facts, language, hub)
            response.headers["X-Request-Id"] = facts.request_id
            return response

        return answer

    return around


async def _caller(request: Request, hub: Hub, facts: RequestFacts, language: Language) -> Caller:
    """Raises NotOurs for a form from elsewhere, before anything else is looked at."""
    cookie = named_cookie(request, step_cookie(secure=is_secure(hub.base_url)))
    form = await form_of(request) if request.method == "POST" else {}
    if request.method == "POST" and (cookie is None or not is_ours(cookie, form.get(FORM_TOKEN, ""), request.headers)):
        raise NotOurs
    return Caller(
        hub=hub,
        language=language,
        facts=facts,
        asked={**request.query_params, **request.path_params},
        form=form,
        cookie=cookie if cookie is not None and SECRET.fullmatch(cookie) else new_secret(),
        before=await signed_in(hub.services, cookie_of(request, hub.base_url)),
        user_agent=request.headers.get("user-agent", ""),
        outbound=request.app.state.outbound,
        providers=request.app.state.openid_providers,
    )


async def _refused(error: FhirError, facts: RequestFacts, language: Language, hub: Hub) -> Response:
    if not facts.recorded:
        try:
            await Recording("sign-in-refused", None, facts, hub.services).refused(error)
        except (FhirError, Unavailable):
            return refusal(language, 503, str(outcomes.unavailable()))
    return refusal(language, outcomes.status(error), str(error))


def step_cookie(*, secure: bool) -> str:
    """https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2"""
    return "__Host-hub-person-step" if secure else "hub-person-step"


def place_of(asked: str | None) -> str:
    """Where to go on after the sign-in: a page of this hub, whatever is asked for. OWASP ASVS 5.0 3.7.2."""
    return asked if asked and len(asked) <= PLACE_MAX and PLACE.fullmatch(asked) else HOME
