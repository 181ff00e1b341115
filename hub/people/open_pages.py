"""What stands between the network and the pages before a session: the token of their forms, the exit for errors.

A form before the sign-in is bound to the browser too: a cookie that the page sets, and a token that follows from it. Otherwise somebody
could sign a person's browser in to an account of their own (login CSRF, RFC 6749 section 10.12).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Language, Said
from hub.forms import desk_page, own_form
from hub.outbound import Outbound
from hub.page_guard import Exit, OpenedPage
from hub.people.browsers import browser_of
from hub.people.discovery import Discovery
from hub.people.entering import Entered, Entering
from hub.people.sessions import SignedIn, signed_in
from hub.people.visit import COOKIE, refusal
from hub.people.words import PEOPLE_WORDS
from hub.recording import RequestFacts
from hub.wiring import Hub
from security.browser_session import SecretCookie, form_token, new_secret
from security.people.federation import Provider

HOME = "/account"
STEP_COOKIE = SecretCookie(plain="hub-person-step", same_site="Lax", age_us=3_600_000_000)
"""Lax, for another provider leads the browser back by a link. An hour, as long as a form may stay open; a step ends sooner, by its note."""
NOT_OURS = "This form does not come from a page that this browser was given; open the page again."
PLACE = re.compile(r"/(?:account|oauth|console)(?:/[A-Za-z0-9_-]+)*(?:\?[A-Za-z0-9_.~%=&+-]*)?")
"""A page of the hub: no other host, no other scheme, no line of a header."""
PLACE_MAX = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller(OpenedPage):
    """Who opens such a page.

    asked   parameters of the URL, and of its path
    cookie  binds its forms to the browser, and names the step to the second factor once there is one
    before  the session that the browser has already
    """

    asked: Mapping[str, str]
    cookie: str
    before: SignedIn | None
    user_agent: str
    outbound: Outbound
    discovery: Discovery
    providers: Mapping[str, Provider]

    @property
    def entering(self) -> Entering:
        return Entering(services=self.services, facts=self.facts, browser=browser_of(self.user_agent), before=self.before)

    def page(self, template: str, words: Mapping[str, Said], *, status: int = 200, **values: Any) -> Response:
        shown = {"user": None, "form_token": form_token(self.cookie), **values}
        return self.kept(desk_page(template, self.language, PEOPLE_WORDS, words, status=status, **shown))

    def kept(self, response: Response, cookie: str | None = None) -> Response:
        """With the cookie of forms and steps; "" forgets it."""
        value = self.cookie if cookie is None else cookie
        response.headers.append("Set-Cookie", STEP_COOKIE.header(value, self.hub.base_url))
        return response

    def begun(self, signed: SignedIn, response: Response) -> Response:
        """With the session; the step is done."""
        response.headers.append("Set-Cookie", COOKIE.header(signed.cookie, self.hub.base_url))
        return self.kept(response, "")

    def entered(self, entered: Entered) -> Response:
        """Where the person goes on."""
        if entered.signed is not None:
            return self.begun(entered.signed, self.done(entered.next))
        return self.kept(self.done("/account/second-factor"), entered.step)


Endpoint = Callable[[Caller], Awaitable[Response]]


def opened(interaction: str) -> Callable[[Endpoint], Callable[[Request], Awaitable[Response]]]:
    """An endpoint without a session; every way out is a page, and what was refused is on record."""
    exit = Exit(interaction=interaction, refused_as="sign-in-refused", refusal=refusal)

    def around(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        @wraps(endpoint)
        async def answer(request: Request) -> Response:
            hub: Hub = request.app.state.hub

            async def admitted(facts: RequestFacts, language: Language) -> Response:
                return await endpoint(await _caller(request, hub, facts, language))

            return await exit.of(request, hub.services, admitted)

        return answer

    return around


async def _caller(request: Request, hub: Hub, facts: RequestFacts, language: Language) -> Caller:
    """Raises FhirError for a form from elsewhere, before anything else is looked at."""
    cookie = STEP_COOKIE.of(request.headers, hub.base_url)
    form = await own_form(request, cookie, NOT_OURS)
    return Caller(
        hub=hub,
        language=language,
        facts=facts,
        asked={**request.query_params, **request.path_params},
        form=form,
        cookie=cookie or new_secret(),
        before=await signed_in(hub.services, COOKIE.of(request.headers, hub.base_url)),
        user_agent=request.headers.get("user-agent", ""),
        outbound=request.app.state.outbound,
        discovery=request.app.state.discovery,
        providers=request.app.state.openid_providers,
    )


def place_of(asked: str | None) -> str:
    """Where to go on after the sign-in: a page of this hub, whatever is asked for. OWASP ASVS 5.0 3.7.2."""
    return asked if asked and len(asked) <= PLACE_MAX and PLACE.fullmatch(asked) else HOME
