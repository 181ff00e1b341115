"""One's own security: password, second factor, recovery codes, sessions. OWASP ASVS 5.0 6.2, 7.5."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hub.account.second_factor import shown_secret
from hub.account.words import FAULTS, SECURITY_WORDS
from hub.console.words import in_language
from hub.errors import FhirError
from hub.instants import fhir_instant
from hub.people.browsers import browser_of
from hub.people.entering import PasswordFault
from hub.people.proving import NotRight
from hub.people.securing import Renewed, Securing
from hub.people.sessions import Listed, id_of, sessions_of
from hub.people.visit import COOKIE, Visit

PATH = "/account/security"
WRONG = 403
DONE = frozenset({"password-done", "password-apps-done", "sessions-done"})


async def security(request: Request, visit: Visit) -> Response:
    """GET /account/security."""
    done = request.query_params.get("done", "")
    async with visit.recording("account-security"):
        return await _page(visit, done=done if done in DONE else None)


async def security_changed(request: Request, visit: Visit) -> Response:
    """POST /account/security: one of ACTS, by the button."""
    act = ACTS.get(visit.form.get("act", ""))
    if act is None:
        raise FhirError("invalid", "There is no such act on this page.")
    agent = browser_of(request.headers.get("user-agent", ""))
    try:
        return await act(visit, Securing(services=visit.services, facts=visit.facts, signed=visit.signed, browser=agent))
    except NotRight:
        return await _page(visit, fault="present-wrong")
    except PasswordFault as error:
        return await _page(visit, said=in_language(visit.language, FAULTS[error.fault]))


async def _password(visit: Visit, securing: Securing) -> Response:
    if visit.form.get("password", "") != visit.form.get("again", ""):
        return await _page(visit, fault="not-same")
    apps = visit.form.get("apps") == "end"
    renewed = await securing.password(visit.form.get("present", ""), visit.form.get("password", ""), apps=apps)
    return _with(visit, renewed, visit.done(f"{PATH}?done={'password-apps-done' if apps else 'password-done'}"))


async def _enrol(visit: Visit, securing: Securing) -> Response:
    return _enrolment(visit, await securing.enrol(visit.form.get("present", "")))


async def _confirm(visit: Visit, securing: Securing) -> Response:
    try:
        renewed = await securing.enrolled(visit.form.get("code", ""))
    except NotRight:
        return _enrolment(visit, await securing.enrolling(), fault="enrol-wrong")
    return _codes_shown(visit, renewed)


async def _codes(visit: Visit, securing: Securing) -> Response:
    return _codes_shown(visit, await securing.codes(visit.form.get("present", "")))


async def _end(visit: Visit, securing: Securing) -> Response:
    await securing.end(visit.form.get("session", "-"))
    return visit.done(f"{PATH}?done=sessions-done")


async def _end_others(visit: Visit, securing: Securing) -> Response:
    await securing.end()
    return visit.done(f"{PATH}?done=sessions-done")


ACTS: Mapping[str, Callable[[Visit, Securing], Awaitable[Response]]] = {
    "password": _password,
    "enrol": _enrol,
    "confirm": _confirm,
    "codes": _codes,
    "end": _end,
    "end-others": _end_others,
}


def _enrolment(visit: Visit, secret: str, *, fault: str | None = None) -> Response:
    shown = shown_secret(secret, visit.signed.account.login)
    why = "enrol-why" if visit.signed.account.sees_others else "enrol-own-why"
    return visit.page(
        "account_enrol.html", SECURITY_WORDS, status=WRONG if fault else 200, fault=fault, why=why, action=PATH, act="confirm", **shown
    )


def _codes_shown(visit: Visit, renewed: Renewed) -> Response:
    after = replace(visit, signed=renewed.signed)
    next = f"{PATH}?lang={visit.language}"
    return _with(visit, renewed, after.page("account_codes.html", SECURITY_WORDS, codes=renewed.codes, next=next))


def _with(visit: Visit, renewed: Renewed, response: Response) -> Response:
    response.headers["Set-Cookie"] = COOKIE.header(renewed.signed.cookie, visit.hub.base_url)
    return response


async def _page(visit: Visit, *, done: str | None = None, fault: str | None = None, said: str | None = None) -> Response:
    account = visit.signed.account
    here = id_of(visit.services, visit.signed)
    sessions = await sessions_of(visit.services, account.id)
    changed_us = account.password_changed_us
    return visit.page(
        "account_security.html",
        SECURITY_WORDS,
        status=WRONG if fault or said else 200,
        done=done,
        fault=fault,
        said=said,
        has_password=account.password is not None,
        since=fhir_instant(changed_us)[:10] if account.password and changed_us else None,
        second=account.totp is not None,
        left=len(account.recovery),
        login=account.login,
        sessions=[_shown(one, here) for one in sessions],
    )


def _shown(one: Listed, here: str) -> dict[str, object]:
    return {
        "id": one.id,
        "browser": one.browser,
        "since": fhir_instant(one.auth_us),
        "until": fhir_instant(one.expires_us),
        "here": one.id == here,
    }
