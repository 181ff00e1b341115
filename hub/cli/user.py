"""hub user add | list | show | invite | reset | disable | enable | link | unlink: people who sign in."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, cast
from urllib.parse import urlencode

import typer

from hub.authorizations import Authorizations
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub, settings_with
from hub.cli.saying import table
from hub.instants import fhir_instant
from hub.operator import Operator
from hub.people.accounts import Accounts
from hub.people.roster import FHIR_USERS, Roster
from hub.people.sessions import sessions_of
from hub.wiring import Hub
from security.oauth.person import ROLES, Person, Role
from security.people.account import Account, folded
from security.people.lockout import FOREVER_US
from security.people.rpps import is_rpps

app = typer.Typer(no_args_is_help=True)
LOGIN_MAX = 256
INVITATION = "/account/invitation"

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Where the hub answers; by default where its settings say.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="How pages call the person.")],
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")],
    login: Annotated[str, typer.Option("--login", help="What the person signs in with, for instance an address.")],
    patient: Annotated[str | None, typer.Option("--patient", help="Patient/ID that the person is.")] = None,
    practitioner: Annotated[
        str | None, typer.Option("--practitioner", help="Practitioner/ID that the person is; without it one is created.")
    ] = None,
    organization: Annotated[str, typer.Option("--organization", help="Organization/ID in whose name the person acts.")] = "",
    rpps: Annotated[str | None, typer.Option("--rpps", help="Number in the directory of professionals: eleven digits.")] = None,
    language: Annotated[str, typer.Option("--language", help="fr or en.")] = "fr",
    base_url: BaseUrl = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """A new account; prints JSON with the link that the person chooses a password with, good once and for 72 hours."""
    given = {"patient": patient, "practitioner": practitioner}
    _refuse_wrong_use(role, login, given, organization, rpps)

    async def act(hub: Hub) -> dict[str, Any]:
        person = Person(
            account=hub.services.new_id(), role=cast("Role", role), fhir_user=patient or practitioner, organization=organization
        )
        new = Account(login=folded(login), name=name, person=person, created_us=hub.services.clock(), rpps=rpps, language=language)
        account, code = await _roster(hub, reason).add(new)
        return {**shown(account), "invitation": _link(code, base_url, data_dir, mongodb_url)}

    _print(data_dir, mongodb_url, act)


@app.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every account."""

    async def act(hub: Hub) -> list[Account]:
        async with Operator(hub).recording("account-list"):
            return sorted(await Accounts(hub.services).all(), key=lambda one: one.created_us)

    accounts = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps([shown(account) for account in accounts], indent=2))
        return
    rows = [[one.login, one.name, one.person.role, one.person.fhir_user or "", _state(one)] for one in accounts]
    table("Accounts", ["login", "name", "role", "is", "state"], rows)


@app.command("show")
def show(login: Login, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """One account: what it is, how it proves itself, what is open."""

    async def act(hub: Hub) -> dict[str, Any]:
        account = await _roster(hub, None).find(login)
        async with Operator(hub).recording("account-list", path=f"/account/{account.id}"):
            sessions = await sessions_of(hub.services, account.id)
            held = await Authorizations(hub.services).of_account(account.id)
        open_ = [one.authorization for one in held if one.authorization.holds(hub.services.clock())]
        return {**shown(account), "sessions": len(sessions), "authorizations": len(open_)}

    _print(data_dir, mongodb_url, act)


@app.command("invite")
def invite(login: Login, base_url: BaseUrl = None, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Another link for who has not used the first; that one is good no more."""

    async def act(hub: Hub) -> dict[str, Any]:
        code = await _roster(hub, reason).invite(login)
        return {"login": folded(login), "invitation": _link(code, base_url, data_dir, mongodb_url)}

    _print(data_dir, mongodb_url, act)


@app.command("reset")
def reset(login: Login, base_url: BaseUrl = None, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Password or phone lost: both are chosen anew by the link that is printed. What is open ends."""

    async def act(hub: Hub) -> dict[str, Any]:
        code = await _roster(hub, reason).reset(login)
        return {"login": folded(login), "invitation": _link(code, base_url, data_dir, mongodb_url)}

    _print(data_dir, mongodb_url, act)


@app.command("disable")
def disable(login: Login, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """End an account: its sessions, and what it let apps do, are over on every process with the next request."""

    async def act(hub: Hub) -> dict[str, Any]:
        await _roster(hub, reason).disable(login)
        return {"login": folded(login), "disabled": True}

    _print(data_dir, mongodb_url, act)


@app.command("enable")
def enable(login: Login, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Open an account again: after it was disabled, or after too many wrong passwords."""

    async def act(hub: Hub) -> dict[str, Any]:
        await _roster(hub, reason).enable(login)
        return {"login": folded(login), "disabled": False}

    _print(data_dir, mongodb_url, act)


@app.command("link")
def link(
    login: Login,
    issuer: Annotated[str, typer.Option("--issuer", help="The provider, as its tokens name it (HUB_OPENID_PROVIDERS).")],
    subject: Annotated[str, typer.Option("--subject", help="The person's `sub` there.")],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """The person signs in with another OpenID provider from now on."""

    async def act(hub: Hub) -> dict[str, Any]:
        await _roster(hub, reason).link(login, issuer, subject)
        return {"login": folded(login), "issuer": issuer, "linked": True}

    _print(data_dir, mongodb_url, act)


@app.command("unlink")
def unlink(
    login: Login,
    issuer: Annotated[str, typer.Option("--issuer", help="The provider, as hub user show names it.")],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Another OpenID provider opens this account no more. Its sessions, and what it let apps do, end: whoever came in that way is out."""

    async def act(hub: Hub) -> dict[str, Any]:
        await _roster(hub, reason).unlink(login, issuer)
        return {"login": folded(login), "issuer": issuer, "linked": False}

    _print(data_dir, mongodb_url, act)


def shown(account: Account) -> dict[str, Any]:
    """What may be known of an account by those who run the hub: no secret, no hash."""
    return {
        "account": account.id,
        "login": account.login,
        "name": account.name,
        "role": account.person.role,
        "fhirUser": account.person.fhir_user,
        "organization": account.person.organization or None,
        "rpps": account.rpps,
        "created": fhir_instant(account.created_us),
        "state": _state(account),
        "password": account.password is not None,
        "second_factor": account.totp is not None,
        "recovery_codes": len(account.recovery),
        "federated": [issuer for issuer, _ in account.federated],
        "failures": account.failures,
        "locked_until": _until(account.locked_until_us),
        "code_failures": account.code_failures,
        "code_locked_until": _until(account.code_locked_until_us),
    }


def _until(us: int) -> str | None:
    return None if us == 0 else "hub user enable" if us == FOREVER_US else fhir_instant(us)


def _state(account: Account) -> str:
    if account.disabled_us is not None:
        return "disabled"
    return "invited" if account.password is None and not account.federated else "active"


def _roster(hub: Hub, reason: str | None) -> Roster:
    return Roster(hub.services, lambda kind, account: Operator(hub, reason).recording(kind, path=f"/account/{account}"))


def _link(code: str, base_url: str | None, data_dir: Any, mongodb_url: str | None) -> str:
    origin = (base_url or settings_with(data_dir=data_dir, mongodb_url=mongodb_url).origin).rstrip("/")
    return f"{origin}{INVITATION}?{urlencode({'code': code})}"


def _print(data_dir: Any, mongodb_url: str | None, act: Callable[[Hub], Awaitable[dict[str, Any]]]) -> None:
    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act), indent=2))


def _refuse_wrong_use(role: str, login: str, given: dict[str, str | None], organization: str, rpps: str | None) -> None:
    """Wrong use (exit code 2) before anything is opened."""
    if role not in ROLES:
        raise typer.BadParameter(f"--role is one of {', '.join(ROLES)}")
    if not folded(login) or len(login) > LOGIN_MAX or any(not one.isprintable() for one in login):
        raise typer.BadParameter(f"--login is a text of at most {LOGIN_MAX} characters")
    for option, reference in given.items():
        if reference is not None and option != role:
            raise typer.BadParameter(f"--{option} goes with --role {option}")
        if reference is not None and not _is_reference(reference, FHIR_USERS[cast("Role", option)]):
            raise typer.BadParameter(f"--{option} is {FHIR_USERS[cast('Role', option)]}/ID")
    if role == "patient" and given["patient"] is None:
        raise typer.BadParameter("--role patient needs --patient Patient/ID")
    if role == "patient" and organization:
        raise typer.BadParameter("a patient acts in nobody's name: leave --organization out")
    if organization and not _is_reference(organization, "Organization"):
        raise typer.BadParameter("--organization is Organization/ID")
    if rpps is not None and (role != "practitioner" or not is_rpps(rpps)):
        raise typer.BadParameter("--rpps goes with --role practitioner, and has eleven digits, the last of which checks the others")


def _is_reference(text: str, type: str) -> bool:
    return text.startswith(f"{type}/") and text.count("/") == 1 and not text.endswith("/")
