"""The way into the console and out of it. The link is opened with GET, which changes nothing; the button begins the session.

So that neither a browser that loads pages ahead nor whatever looks at links in messages uses the code up.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.console.words import Language, said
from hub.desk import COOKIE, Desk
from hub.desk.words import DESK_WORDS
from hub.errors import FhirError
from hub.forms import desk_page, form_of, language_asked
from hub.guard import facts_of
from hub.outcomes import status as status_of
from hub.page_guard import SEE_OTHER
from hub.recording import Recording, RequestFacts
from hub.sessions import begin, end, who_of

HOME = "/console"


async def sign_in(request: Request) -> Response:
    """GET /console/sign-in: how to get a link; with `code`, whom it stands for and the button."""
    language, code = language_asked(request), request.query_params.get("code", "")
    try:
        who = await who_of(request.app.state.services, code) if code else None
    except FhirError as error:
        return _page(language, status=status_of(error), fault=str(error))
    kept = f"{urlencode({'code': code, 'next': _next(request)})}&" if who else ""
    fault = said(language, DESK_WORDS)["sign-in-over"] if code and who is None else None
    return _page(language, status=403 if fault else 200, code=code if who else None, who=who, next=_next(request), fault=fault, keep=kept)


async def signed_in(request: Request) -> Response:
    """POST /console/sign-in: a session for whoever brings a code that is good, and the record of it in the same transaction."""
    facts = facts_of(request, "console-sign-in", request.app.state.services)
    response = await _begun(request, facts, language_asked(request))
    response.headers["X-Request-Id"] = facts.request_id
    return response


async def _begun(request: Request, facts: RequestFacts, language: Language) -> Response:
    services = request.app.state.services
    try:
        form = await form_of(request)
        who = await who_of(services, form.get("code", ""))
        if who is not None:
            facts.user, facts.reason = who
        async with Recording("console-sign-in", None, facts, services) as recording:
            session = await begin(services, form.get("code", ""), recording)
    except FhirError as error:
        return _refused(language, error)
    place = form.get("next", HOME)
    response = RedirectResponse(f"{place if _is_inside(place) else HOME}?lang={language}", SEE_OTHER)
    response.headers["Set-Cookie"] = COOKIE.header(session.cookie, request.app.state.base_url)
    return response


async def sign_out(_: Request, desk: Desk) -> Response:
    """POST /console/sign-out: over on every process, and the browser forgets it."""
    async with desk.recording("console-sign-out") as recording:
        await end(desk.services, desk.signed, recording)
    response = _page(desk.language, out=True)
    response.headers["Set-Cookie"] = COOKIE.header("", desk.hub.base_url)
    return response


def _refused(language: Language, error: FhirError) -> Response:
    if error.code == "login":
        return _page(language, status=403, fault=said(language, DESK_WORDS)["sign-in-over"])
    return _page(language, status=status_of(error), fault=str(error))


def _page(language: Language, *, status: int = 200, **values: object) -> Response:
    blank = {"code": None, "who": None, "next": HOME, "fault": None, "out": False, "user": None, "form_token": ""}
    return desk_page("desk_sign_in.html", language, DESK_WORDS, status=status, **{**blank, **values})


def _next(request: Request) -> str:
    asked = request.query_params.get("next", HOME)
    return asked if _is_inside(asked) else HOME


def _is_inside(path: str) -> bool:
    """A page of the console and nothing else: no other host, no other scheme, no line of a header."""
    return path == HOME or (path.startswith(f"{HOME}/") and all(part.replace("-", "").isalnum() for part in path.split("/")[1:]))
