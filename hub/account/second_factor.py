"""The second step: a code of the app or a recovery code, or, for who has no app yet and needs one, its enrolment."""

from starlette.responses import Response

from hub.account.qr import picture_of
from hub.account.words import ENTRY_WORDS
from hub.errors import FhirError
from hub.people.open_pages import Caller, opened
from hub.people.proving import NotRight
from hub.people.steps import Step, step_of
from hub.people.visit import SIGN_IN
from security.people.totp import uri_of

WRONG = 403
ISSUER = "HDS hub"
"""What the app calls the account, beside the login."""
_KEY_GROUP = 4


@opened("second-factor-page")
async def second_factor(caller: Caller) -> Response:
    """GET /account/second-factor: what is asked for now; without a step, back to the sign-in."""
    step = await step_of(caller.services, caller.cookie)
    return caller.done(SIGN_IN) if step is None else _page(caller, step)


@opened("second-factor")
async def second_factor_given(caller: Caller) -> Response:
    """POST /account/second-factor: the session, if the code is right."""
    step = await step_of(caller.services, caller.cookie)
    if step is None:
        return caller.done(SIGN_IN)
    code = caller.form.get("code", "")
    try:
        if step.secret is None:
            return caller.entered(await caller.entering.by_code(caller.cookie, code))
        entered = await caller.entering.enrolled(caller.cookie, code)
    except NotRight:
        return _page(caller, step, fault="code-not-right" if step.secret is None else "enrol-wrong", status=WRONG)
    if entered.signed is None:
        raise FhirError("login", "The step ended without a session.")
    next = caller.done(entered.next).headers["location"]
    return caller.begun(entered.signed, caller.page("account_codes.html", ENTRY_WORDS, codes=entered.codes, next=next))


def _page(caller: Caller, step: Step, *, fault: str | None = None, status: int = 200) -> Response:
    if step.secret is None:
        return caller.page("account_second_factor.html", ENTRY_WORDS, status=status, fault=fault)
    return caller.page(
        "account_enrol.html",
        ENTRY_WORDS,
        status=status,
        fault=fault,
        why="enrol-why",
        act=None,
        **shown_secret(step.secret, step.filed.account.login),
    )


def shown_secret(secret: str, login: str) -> dict[str, str]:
    """The secret as a picture and as a key in groups of four."""
    key = " ".join(secret[at : at + _KEY_GROUP] for at in range(0, len(secret), _KEY_GROUP))
    return {"picture": picture_of(uri_of(secret, ISSUER, login)), "key": key}
