"""Where an invitation leads: the password is chosen, then the second factor. To look at the page uses nothing up."""

from urllib.parse import urlencode

from starlette.responses import Response

from hub.account.words import ENTRY_WORDS, FAULTS
from hub.console.words import in_language
from hub.errors import FhirError
from hub.people.entering import PasswordFault
from hub.people.open_pages import HOME, Caller, opened
from security.people.account import Account
from security.people.password_rules import LENGTH_MIN, LENGTH_MIN_ALONE

WRONG = 400
OVER = 403


@opened("invitation-page")
async def invitation(caller: Caller) -> Response:
    """GET /account/invitation?code=…: whom it is for, and the form."""
    code = caller.asked.get("code", "")
    try:
        filed = await caller.entering.invited(code)
    except FhirError as error:
        if error.code != "login":
            raise
        return caller.page("account_invitation.html", ENTRY_WORDS, status=OVER, code=None, fault="invited-over", said=None)
    return _page(caller, code, filed.account)


@opened("invitation")
async def invitation_taken(caller: Caller) -> Response:
    """POST /account/invitation: the password is the account's, and the link is used up."""
    code, password = caller.form.get("code", ""), caller.form.get("password", "")
    account = (await caller.entering.invited(code)).account
    if password != caller.form.get("again", ""):
        return _page(caller, code, account, fault="not-same")
    try:
        entered = await caller.entering.by_invitation(code, password, HOME)
    except PasswordFault as error:
        return _page(caller, code, account, said=in_language(caller.language, FAULTS[error.fault]))
    return caller.entered(entered)


def _page(caller: Caller, code: str, account: Account, *, fault: str | None = None, said: str | None = None) -> Response:
    least = LENGTH_MIN if account.sees_others else LENGTH_MIN_ALONE
    return caller.page(
        "account_invitation.html",
        ENTRY_WORDS,
        status=WRONG if fault or said else 200,
        code=code,
        name=account.name,
        login=account.login,
        characters=in_language(caller.language, ENTRY_WORDS["characters"]).format(least),
        fault=fault,
        said=said,
        keep=f"{urlencode({'code': code})}&",
    )
