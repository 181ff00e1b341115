"""/console/users: who may sign in, and what an administrator does with accounts. As `hub user` does it.

A link of an invitation is shown once, on the answer to the form that made it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.authorizations import Authorizations
from hub.desk import Desk
from hub.desk.sure import sure
from hub.desk.user_words import USER_WORDS
from hub.errors import FhirError
from hub.instants import fhir_instant
from hub.people.accounts import Accounts
from hub.people.roster import FHIR_USERS, Roster
from hub.people.sessions import sessions_of
from security.oauth.person import ROLES, Person
from security.people.account import Account, folded
from security.people.rpps import is_rpps

PATH: Final = "/console/users"
INVITATION: Final = "/account/invitation"
ROWS_MAX: Final = 200
LOGIN_MAX, NAME_MAX = 256, 200
TOLD: Final = frozenset({"disable", "enable"})
FIELDS: Final = ("name", "login", "role", "fhir", "organization", "rpps")
UNKNOWN: Final = "There is no such page or account; go back to the list of people."


async def users(request: Request, desk: Desk) -> Response:
    """`?sought=`: whose name or login has this in it."""
    sought = request.query_params.get("sought", "").strip()
    async with desk.recording("account-list"):
        everybody = await Accounts(desk.services).all()
    found = [one for one in everybody if sought.casefold() in one.name.casefold() or sought.casefold() in one.login]
    ordered = sorted(found, key=lambda one: (one.name.casefold(), one.created_us))
    rows = [_row(one, desk.services.clock()) for one in ordered[:ROWS_MAX]]
    return desk.page("users.html", USER_WORDS, sought=sought, rows=rows, left_out=max(0, len(ordered) - ROWS_MAX))


async def user(request: Request, desk: Desk) -> Response:
    """One account: what it is, how it proves itself, what is open."""
    async with desk.recording("account-list"):
        account = await _account(request, desk)
        sessions = await sessions_of(desk.services, account.id)
        held = await Authorizations(desk.services).of_account(account.id)
    now_us, told = desk.services.clock(), request.query_params.get("told", "")
    apps = sum(one.authorization.holds(now_us) for one in held)
    shown: dict[str, Any] = {"one": _row(account, now_us), "sessions": len(sessions), "apps": apps, "acts": _acts(account, now_us)}
    return desk.page("user.html", USER_WORDS, told=told if told in TOLD else None, **shown)


async def new_user(_: Request, desk: Desk) -> Response:
    """The form to invite somebody with."""
    async with desk.recording("account-list"):
        return _form(desk, dict.fromkeys(FIELDS, ""), None)


async def add_user(_: Request, desk: Desk) -> Response:
    """A new account; the answer shows the link, once."""
    given = {field: desk.form.get(field, "").strip() for field in FIELDS}
    try:
        account, code = await _roster(desk).add(_described(given, desk))
    except (ValueError, FhirError) as error:
        if isinstance(error, FhirError) and error.code == "transient":
            raise
        return _form(desk, given, str(error))
    return _invitation(desk, account, code)


async def ask_user(request: Request, desk: Desk) -> Response:
    """Is it meant? For what ends sessions and takes proofs away."""
    act = request.path_params["act"]
    if act not in ASKED:
        raise FhirError("not-found", UNKNOWN)
    async with desk.recording("account-list"):
        account = await _account(request, desk)
    where = f"{PATH}/{account.id}"
    return sure(desk, USER_WORDS, title=f"do-{act}", what=f"sure-{act}", name=account.name, act=f"{where}/{act}", back=where)


async def do_user(request: Request, desk: Desk) -> Response:
    """One act on one of them, by the row of `ACTS`."""
    act = ACTS.get(request.path_params["act"])
    if act is None:
        raise FhirError("not-found", UNKNOWN)
    return await act(desk, await _account(request, desk))


Act = Callable[[Desk, Account], Awaitable[Response]]


async def _invite(desk: Desk, account: Account) -> Response:
    return _invitation(desk, account, await _roster(desk).invite(account.login))


async def _reset(desk: Desk, account: Account) -> Response:
    return _invitation(desk, account, await _roster(desk).reset(account.login))


async def _disable(desk: Desk, account: Account) -> Response:
    await _roster(desk).disable(account.login)
    return desk.done(f"{PATH}/{account.id}?told=disable")


async def _enable(desk: Desk, account: Account) -> Response:
    await _roster(desk).enable(account.login)
    return desk.done(f"{PATH}/{account.id}?told=enable")


ACTS: Final[Mapping[str, Act]] = {"invite": _invite, "reset": _reset, "disable": _disable, "enable": _enable}
ASKED: Final = frozenset({"reset", "disable"})


async def _account(request: Request, desk: Desk) -> Account:
    filed = await Accounts(desk.services).find(request.path_params["id"])
    if filed is None:
        raise FhirError("not-found", UNKNOWN)
    return filed.account


def _roster(desk: Desk) -> Roster:
    return Roster(desk.services, lambda kind, account: desk.operator.recording(kind, path=f"/account/{account}"))


def _form(desk: Desk, given: Mapping[str, str], fault: str | None) -> Response:
    return desk.page("user_new.html", USER_WORDS, status=200 if fault is None else 400, given=given, roles=ROLES, fault=fault)


def _invitation(desk: Desk, account: Account, code: str) -> Response:
    link = f"{desk.hub.base_url}{INVITATION}?{urlencode({'code': code})}"
    return desk.page("user_link.html", USER_WORDS, one=_row(account, desk.services.clock()), link=link)


def _described(given: Mapping[str, str], desk: Desk) -> Account:
    """Raises ValueError with a text for who fills the form in."""
    role, fhir_user, organization, rpps = given["role"], given["fhir"] or None, given["organization"], given["rpps"] or None
    if role not in ROLES:
        raise ValueError("Choose a role.")
    if not 0 < len(given["name"]) <= NAME_MAX or not given["name"].isprintable():
        raise ValueError(f"The name has 1 to {NAME_MAX} characters.")
    if not folded(given["login"]) or len(given["login"]) > LOGIN_MAX or not given["login"].isprintable():
        raise ValueError(f"The login has 1 to {LOGIN_MAX} characters.")
    if fhir_user is not None and not _is_reference(fhir_user, FHIR_USERS.get(role, "")):
        raise ValueError("A patient is Patient/ID, a practitioner is Practitioner/ID, the other roles are nothing of the kind.")
    if organization and (role == "patient" or not _is_reference(organization, "Organization")):
        raise ValueError("The organisation is Organization/ID; a patient acts in nobody's name.")
    if rpps is not None and (role != "practitioner" or not is_rpps(rpps)):
        raise ValueError("An RPPS number goes with a practitioner and has eleven digits, the last of which checks the others.")
    id = desk.services.new_id()
    person = Person(account=id, role=role, fhir_user=fhir_user, organization=organization)
    now_us = desk.services.clock()
    return Account(login=folded(given["login"]), name=given["name"], person=person, created_us=now_us, rpps=rpps, language=desk.language)


def _is_reference(text: str, type: str) -> bool:
    return bool(type) and text.startswith(f"{type}/") and text.count("/") == 1 and not text.endswith("/")


def _row(account: Account, now_us: int) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "login": account.login,
        "role": account.person.role,
        "fhir": account.person.fhir_user,
        "organization": account.person.organization,
        "state": _state(account, now_us),
        "factor": account.totp is not None,
        "failures": account.failures + account.code_failures,
        "since": fhir_instant(account.created_us),
    }


def _state(account: Account, now_us: int) -> str:
    if account.disabled_us is not None:
        return "disabled"
    if max(account.locked_until_us, account.code_locked_until_us) > now_us:
        return "locked"
    return "invited" if account.password is None and not account.federated else "active"


def _acts(account: Account, now_us: int) -> Sequence[str]:
    """What can be done with it now; those that are asked about are links, the others are buttons."""
    state = _state(account, now_us)
    return {
        "disabled": ("enable",),
        "locked": ("enable", "reset", "disable"),
        "invited": ("invite", "disable"),
        "active": ("reset", "disable"),
    }[state]
