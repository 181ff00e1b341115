"""What stands between a page of the console and the network: a session, the form's token, the exit for errors.

One wrapper for every row of the table whose guard is `desk`, as `hub.guard` is for the API. A page without a session
shows nothing and leads to the sign-in; a form that does not come from a page of the session is refused and recorded.
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
from hub.desk.words import DESK_WORDS
from hub.errors import FhirError
from hub.forms import desk_page, form_of, is_secure, language_asked
from hub.guard import facts_of
from hub.operator import Operator, OperatorError
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.sessions import Session, session_of
from hub.store.protocol import Unavailable
from hub.wiring import Hub
from security.browser_session import FORM_TOKEN, cookie_name, form_token, is_ours

log = structlog.get_logger()

SIGN_IN = "/console/sign-in"
SEE_OTHER = 303
NOT_OURS = "This form does not come from a page of your session; open the page again and send it from there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page of the console is given: the hub, who asks and in which language, and the fields of the form if one was sent."""

    hub: Hub
    session: Session
    language: Language
    facts: RequestFacts
    form: Mapping[str, str]

    @property
    def services(self) -> Services:
        return self.hub.services

    @property
    def operator(self) -> Operator:
        """Acts as the commands do, under the name of who signed in."""
        return Operator(self.hub, self.session.reason, user=self.session.user)

    def recording(self, kind: str) -> Recording:
        """A record of what this page does, with path and address."""
        return Recording(kind, None, self.facts, self.services)

    def page(self, template: str, words: Mapping[str, Said] | None = None, *, status: int = 200, **values: Any) -> Response:
        """A page of the console. `words`: rows of the page's own, beside those that every page has."""
        t = {**said(self.language), **said(self.language, DESK_WORDS), **said(self.language, words or {})}
        return desk_page(
            template, self.language, t, status=status, user=self.session.user, form_token=form_token(self.session.cookie), **values
        )

    def done(self, path: str) -> Response:
        """After a form: to a page that may be loaded again without doing it twice."""
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}lang={self.language}", SEE_OTHER)


Endpoint = Callable[[Request, Desk], Awaitable[Response]]


class Desked:
    """An endpoint, reached only with a session; every way out is a page with a record behind it where something was shown or done."""

    def __init__(self, interaction: str, endpoint: Endpoint, hub: Hub) -> None:
        self._interaction = interaction
        self._endpoint = endpoint
        self._hub = hub

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
        except OperatorError as error:
            response = refusal(language, 409, str(error))
        except Exception as error:  # noqa: BLE001 - the last exit: whatever happened, nothing of it is disclosed
            log.warning("unexpected", interaction=self._interaction, error=type(error).__name__, request=facts.request_id)
            response = await self._refused(outcomes.unexpected(), facts, language)
        response.headers["X-Request-Id"] = facts.request_id
        return response

    async def _admitted(self, request: Request, facts: RequestFacts, language: Language) -> Response:
        session = await session_of(self._hub.services, cookie_of(request, self._hub.base_url))
        if session is None:
            return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path, safe='/')}&lang={language}", SEE_OTHER)
        facts.user, facts.reason = session.user, session.reason
        form = await form_of(request) if request.method == "POST" else {}
        if request.method == "POST" and not is_ours(session.cookie, form.get(FORM_TOKEN, ""), request.headers):
            raise FhirError("forbidden", NOT_OURS)
        return await self._endpoint(request, Desk(hub=self._hub, session=session, language=language, facts=facts, form=form))

    async def _refused(self, error: FhirError, facts: RequestFacts, language: Language) -> Response:
        if not facts.recorded:
            try:
                await Recording(self._interaction, None, facts, self._hub.services).refused(error)
            except (FhirError, Unavailable):
                return refusal(language, 503, str(outcomes.unavailable()))
        return refusal(language, outcomes.status(error), str(error))


def cookie_of(request: Request, base_url: str) -> str | None:
    """The session's cookie. What cannot be read is none."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(cookie_name(secure=is_secure(base_url)))
    return found.value if found else None


def refusal(language: Language, status: int, text: str) -> Response:
    t = {**said(language), **said(language, DESK_WORDS)}
    return desk_page("desk_refusal.html", language, t, status=status, text=text, user=None, form_token="")
