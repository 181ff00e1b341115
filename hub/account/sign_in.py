"""The way in with login and password, and the way out. NIST SP 800-63B-4, OWASP ASVS 5.0 chapters 6 and 7."""

from contextlib import suppress
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.account.words import ENTRY_WORDS
from hub.console.pages import form_target
from hub.page_guard import SEE_OTHER
from hub.people.open_pages import Caller, opened, place_of
from hub.people.proving import NotRight
from hub.people.sessions import ended
from hub.people.visit import COOKIE, SIGN_IN, Visit
from hub.store.protocol import Conflict, Unit

WRONG = 403


@opened("sign-in-page")
async def sign_in(caller: Caller) -> Response:
    """GET /account/sign-in: the form. `next`: where to go on; `out`: said after a sign-out."""
    return sign_in_page(caller, place_of(caller.asked.get("next")), out=caller.asked.get("out") == "1")


@opened("sign-in")
async def signed_in(caller: Caller) -> Response:
    """POST /account/sign-in: a session, or the step to the second factor."""
    next, login = place_of(caller.form.get("next")), caller.form.get("login", "")
    try:
        entered = await caller.entering.by_password(login, caller.form.get("password", ""), next)
    except NotRight:
        return sign_in_page(caller, next, login=login, fault="not-right", status=WRONG)
    return caller.entered(entered)


async def sign_out(_: Request, visit: Visit) -> Response:
    """POST /account/sign-out: over on every process, and the browser forgets it."""
    with suppress(Conflict):  # ended by somebody else at this moment
        await visit.recording("sign-out").commit(Unit(notes=(await ended(visit.services, visit.signed),)), writes=())
    response = RedirectResponse(f"{SIGN_IN}?out=1&lang={visit.language}", SEE_OTHER)
    response.headers["Set-Cookie"] = COOKIE.header("", visit.hub.base_url)
    return response


def sign_in_page(caller: Caller, next: str, *, login: str = "", fault: str | None = None, out: bool = False, status: int = 200) -> Response:
    """The form, and a button for each other provider; the page's policy lets a form lead to these."""
    providers = caller.providers.values()
    places = [form_target(url) for one in providers for url in (one.issuer, *one.origins)]
    return caller.page(
        "account_sign_in.html",
        ENTRY_WORDS,
        status=status,
        next=next,
        login=login,
        fault=fault,
        out=out,
        keep=f"{urlencode({'next': next})}&",
        providers=[(one.name, one.title) for one in providers],
        forms_to=" ".join(dict.fromkeys(place for place in places if place)),
    )
