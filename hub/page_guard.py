"""What stands between a page with forms and the network: a session, the form's token, the exit for errors.

One wrapper for every row of the table whose guard is `desk` or `person`, as `hub.guard` is for the API; pages before a session leave by the
same exit. Without a session a page shows nothing and leads to the sign-in, which leads back; a form that does not come from a page of the
session is refused and recorded.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hub import outcomes
from hub.console.words import Language
from hub.errors import FhirError, Throttled
from hub.forms import language_asked, own_form
from hub.guard import facts_of
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unavailable
from hub.wiring import Hub
from security.browser_session import SecretCookie

log = structlog.get_logger()

SEE_OTHER = 303
NOT_OURS = "This form does not come from a page of your session; open the page again and send it from there."

Endpoint = Callable[..., Awaitable[Response]]
Refusal = Callable[[Language, int, str], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """What every page with forms is given: the hub, the language, what is known of the request, the fields of the form if one was sent."""

    hub: Hub
    language: Language
    facts: RequestFacts
    form: Mapping[str, str]

    @property
    def services(self) -> Services:
        return self.hub.services

    def recording(self, kind: str) -> Recording:
        """A record of what this page does, with path and address, and who if that is known."""
        return Recording(kind, None, self.facts, self.services)

    def done(self, path: str) -> Response:
        """After a form: to a page of the hub that may be loaded again without doing it twice."""
        return RedirectResponse(f"{path}{'&' if '?' in path else '?'}lang={self.language}", SEE_OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The ways out of a page: whatever happens is a page, and a refusal is on record before it is told (law 2).

    interaction  as the log and the records of the page call it
    refused_as   the kind of the record of a refusal
    refusal      the page that says no
    conflicts    errors that the page's own records have already, and that say why it cannot be done now: 409
    """

    interaction: str
    refused_as: str
    refusal: Refusal
    conflicts: tuple[type[Exception], ...] = ()

    async def of(self, request: Request, services: Services, answer: Callable[[RequestFacts, Language], Awaitable[Response]]) -> Response:
        facts, language = facts_of(request, self.interaction, services), language_asked(request)
        try:
            response = await answer(facts, language)
        except Unavailable:
            response = self.refusal(language, 503, str(outcomes.unavailable()))
        except FhirError as error:
            response = await self._refused(error, facts, language, services)
        except self.conflicts as error:
            response = self.refusal(language, 409, str(error))
        except Exception as error:
            traceback = error if services.settings.debug else None  # its text may repeat values of a resource (law 4)
            log.warning(
                "unexpected", interaction=self.interaction, error=type(error).__name__, request=facts.request_id, exc_info=traceback
            )
            response = await self._refused(outcomes.unexpected(), facts, language, services)
        response.headers["X-Request-Id"] = facts.request_id
        return response

    async def _refused(self, error: FhirError, facts: RequestFacts, language: Language, services: Services) -> Response:
        if not facts.recorded:
            try:
                await Recording(self.refused_as, None, facts, services).refused(error)
            except (FhirError, Unavailable):
                return self.refusal(language, 503, str(outcomes.unavailable()))
        response = self.refusal(language, outcomes.status(error), str(error))
        if isinstance(error, Throttled):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response


class Signed(Protocol):
    """A session: what is known of who signed in."""

    @property
    def cookie(self) -> str: ...


S = TypeVar("S", bound=Signed)
S_contra = TypeVar("S_contra", bound=Signed, contravariant=True)


class Given(Protocol[S_contra]):
    """Makes what an endpoint is given."""

    def __call__(self, *, hub: Hub, signed: S_contra, language: Language, facts: RequestFacts, form: Mapping[str, str]) -> OpenedPage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """What tells the pages of one kind of session from those of another.

    session    whose session a cookie is; None if there is none, or it is over
    sign_in    path of the sign-in, with where it leads back to
    who        user and reason, as the log names them
    given      what an endpoint is given
    refusal, conflicts   as of Exit
    """

    cookie: SecretCookie
    session: Callable[[Services, str | None], Awaitable[S | None]]
    sign_in: Callable[[Request], str]
    who: Callable[[S], tuple[str, str | None]]
    given: Given[S]
    refusal: Refusal
    conflicts: tuple[type[Exception], ...] = ()


class GuardedPage(Generic[S]):
    """An endpoint, reached only with a session; every way out is a page with a record behind it where something was shown or done."""

    def __init__(self, interaction: str, endpoint: Endpoint, hub: Hub, kind: Kind[S]) -> None:
        self._endpoint, self._hub, self._kind = endpoint, hub, kind
        self._exit = Exit(interaction=interaction, refused_as=interaction, refusal=kind.refusal, conflicts=kind.conflicts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)

        async def answer(facts: RequestFacts, language: Language) -> Response:
            return await self._admitted(request, facts, language)

        response = await self._exit.of(request, self._hub.services, answer)
        await response(scope, receive, send)

    async def _admitted(self, request: Request, facts: RequestFacts, language: Language) -> Response:
        kind, hub = self._kind, self._hub
        cookie = kind.cookie.of(request.headers, hub.base_url)
        form: Mapping[str, str] = {}
        signed = await kind.session(hub.services, cookie)
        if signed is not None and request.method == "POST":
            facts.user, facts.reason = kind.who(signed)
            form = await own_form(request, cookie, NOT_OURS)
            signed = await kind.session(hub.services, cookie)  # who sends decides how long a form takes: it may be over by now
        if signed is None:
            return RedirectResponse(f"{kind.sign_in(request)}&lang={language}", SEE_OTHER)
        facts.user, facts.reason = kind.who(signed)
        return await self._endpoint(request, kind.given(hub=hub, signed=signed, language=language, facts=facts, form=form))
