"""What stands between a page for people and the network: a session, the form's token, the exit for errors.

One wrapper for every row of the table whose guard is `person`, as `hub.guard` is for the API. Without a session a page shows nothing and
leads to the sign-in, which leads back; a form that does not come from a page of the session is refused and recorded.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hub import outcomes
from hub.console.words import Language, Said, said
from hub.errors import FhirError
from hub.forms import desk_page, form_of, is_secure, language_asked
from hub.guard import facts_of
from hub.people.sessions import SignedIn, signed_in
from hub.people.words import PEOPLE_WORDS, in_french
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unavailable
from hub.wiring import Hub
from security.browser_session import FORM_TOKEN, form_token, is_ours

log = structlog.get_logger()

SIGN_IN = "/account/sign-in"
SEE_OTHER = 303
NOT_OURS = "This form does not come from a page of your session; open the page again and send it from there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a page for people is given: the hub, who signed in, in which language, and the fields of the form if one was sent."""

    hub: Hub
    signed: SignedIn
    language: Language
    facts: RequestFacts
    form: Mapping[str, str]

    @property
    def services(self) -> Services:
        return self.hub.services

    def recording(self, kind: str) -> Recording:
        """A record of what this page does, with path, address and the account."""
        return Recording(kind, None, self.facts, self.services)

    def page(self, template: str, words: Mapping[str, Said] | None = None, *, status: int = 200, **values: Any) -> Response:
        """A page with forms. `words`: rows of the page's own, beside those that every page has."""
        t = {**said(self.language), **said(self.language, PEOPLE_WORDS), **said(self.language, words or {})}
        shown = {"user": self.signed.account.name, "form_token": form_token(self.signed.cookie)}
        return desk_page(template, self.language, t, status=status, **shown, **values)

    def done(self, path: str) -> Response:
        """After a form: to a page of the hub that may be loaded again without doing it twice."""
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}lang={self.language}", SEE_OTHER)


Endpoint = Callable[[Request, Visit], Awaitable[Response]]


class Visited:
    """An endpoint, reached only with a session; every way out is a page with a record behind it where something was shown or done."""

    def __init__(self, interaction: str, endpoint: Endpoint, hub: Hub) -> None:
        self._interaction, self._endpoint, self._hub = interaction, endpoint, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        facts = facts_of(request, self._interaction, self._hub.services)
        language = language_asked(request)
        try:
            response = await self._admitted(request, facts, language)
        except Unavailable:
            response = refusal(language, 503, str(outcomes.unavailable()))
        except FhirError as error:
            response = await self._refused(error, facts, language)
        except Exception as error:
            traceback = error if self._hub.services.settings.debug else None  # its text may repeat values of a resource (law 4)
            log.warning(
                "unexpected", interaction=self._interaction, error=type(error).__name__, request=facts.request_id, exc_info=traceback
            )
            response = await self._refused(outcomes.unexpected(), facts, language)
        response.headers["X-Request-Id"] = facts.request_id
        return response

    async def _admitted(self, request: Request, facts: RequestFacts, language: Language) -> Response:
        signed = await signed_in(self._hub.services, cookie_of(request, self._hub.base_url))
        if signed is None:
            return RedirectResponse(f"{SIGN_IN}?next={quote(_here(request), safe='')}&lang={language}", SEE_OTHER)
        facts.user = signed.account.id
        form = await form_of(request) if request.method == "POST" else {}
        if request.method == "POST" and not is_ours(signed.cookie, form.get(FORM_TOKEN, ""), request.headers):
            raise FhirError("forbidden", NOT_OURS)
        return await self._endpoint(request, Visit(hub=self._hub, signed=signed, language=language, facts=facts, form=form))

    async def _refused(self, error: FhirError, facts: RequestFacts, language: Language) -> Response:
        if not facts.recorded:
            try:
                await Recording(self._interaction, None, facts, self._hub.services).refused(error)
            except (FhirError, Unavailable):
                return refusal(language, 503, str(outcomes.unavailable()))
        return refusal(language, outcomes.status(error), str(error))


def _here(request: Request) -> str:
    """Where to go on after the sign-in: path and query of a page, path alone of a form."""
    query = request.url.query if request.method == "GET" else ""
    return request.url.path + (f"?{query}" if query else "")


def cookie_name(*, secure: bool) -> str:
    """https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2: the prefix binds it to this host alone, and to TLS."""
    return "__Host-hub-person" if secure else "hub-person"


def cookie_of(request: Request, base_url: str) -> str | None:
    """The session's cookie."""
    return named_cookie(request, cookie_name(secure=is_secure(base_url)))


def named_cookie(request: Request, name: str) -> str | None:
    """What cannot be read is none."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(name)
    return found.value if found else None


def set_cookie(value: str, *, secure: bool, age_s: int) -> str:
    """The header of a session. Lax and not Strict: an app leads the browser to `authorize` by a link, and a session has to be seen then;
    what changes anything is a form with the session's token.
    """
    return cookie_header(cookie_name(secure=secure), value, secure=secure, age_s=age_s)


def cookie_header(name: str, value: str, *, secure: bool, age_s: int, same_site: str = "Lax") -> str:
    """https://www.rfc-editor.org/rfc/rfc6265#section-4.1: for this host alone, unseen by any script."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", f"SameSite={same_site}", f"Max-Age={age_s}"]
    return "; ".join([*parts, *(("Secure",) if secure else ())])


def refusal(language: Language, status: int, text: str) -> Response:
    t = {**said(language), **said(language, PEOPLE_WORDS)}
    return desk_page(
        "people_refusal.html", language, t, status=status, text=in_french(text) if language == "fr" else text, user=None, form_token=""
    )
