"""People of the tests: accounts made behind the scenes, and sessions as if they had signed in."""

import os
import re
import secrets
import time
from dataclasses import dataclass, replace

import httpx

from hub.people.accounts import Accounts
from hub.people.addresses import ADDRESSES
from hub.people.roster import Roster
from hub.people.sessions import SignedIn, begun, listed
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Unit
from hub.wiring import Hub
from security.browser_session import form_token
from security.oauth.person import Person, Role
from security.people.account import Account
from security.people.assurance import ACR_PASSWORD, ACR_SECOND_FACTOR, AMR_PASSWORD, AMR_SECOND_FACTOR
from security.people.passwords import hashed
from security.people.totp import SECRET_BYTES, code_of, new_secret, step_of
from tests.support.backstage import Backstage
from tests.support.caller import TIMEOUT_S, TLS

PASSWORD = "seven grey herons over the dunes"
COOKIE = "hub-person"
_FORM = re.compile(r'name="csrf" value="([^"]*)"')
_hashed: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """An account that exists, with what its person knows and has."""

    account: Account
    password: str = PASSWORD
    totp: str | None = None

    @property
    def login(self) -> str:
        return self.account.login

    @property
    def id(self) -> str:
        return self.account.id

    def code(self, more: int = 0) -> str:
        """What the app shows now; `more` steps later."""
        assert self.totp is not None
        return code_of(self.totp, step_of(now_us()) + more)


def now_us() -> int:
    return time.time_ns() // 1_000


def add_person(
    backstage: Backstage,
    role: Role,
    *,
    fhir_user: str | None = None,
    organization: str = "",
    second_factor: bool | None = None,
    **more: object,
) -> Someone:
    """An account with PASSWORD and, unless it is a patient's, an authenticator app; a practitioner becomes a Practitioner."""
    hub = backstage.hub
    person = Person(account=hub.services.new_id(), role=role, fhir_user=fhir_user, organization=organization)
    login = f"{role}-{secrets.token_hex(6)}@people.example"
    account = Account(login=login, name=f"{role} of the tests", person=person, created_us=now_us(), **more)  # type: ignore[arg-type]
    totp = new_secret(os.urandom(SECRET_BYTES)) if (second_factor if second_factor is not None else role != "patient") else None
    return backstage.run(_added(hub, account, totp))


async def _added(hub: Hub, account: Account, totp: str | None) -> Someone:
    made, _ = await Roster(hub.services, lambda kind, _: _recording(hub.services, kind)).add(account)
    filed = await Accounts(hub.services).find(made.id)
    assert filed is not None
    whole = replace(made, password=_password(), password_changed_us=now_us(), totp=totp, invitation=None)
    notes = await Accounts(hub.services).changed(filed, whole)
    await _recording(hub.services, "account-change").commit(Unit(notes=notes), writes=())
    return Someone(account=whole, totp=totp)


def session_of(backstage: Backstage, someone: Someone) -> SignedIn:
    """A session as if the person had just signed in; its `cookie` goes into the browser under COOKIE."""
    return backstage.run(_session(backstage.hub, someone))


async def _session(hub: Hub, someone: Someone) -> SignedIn:
    acr, amr = (ACR_SECOND_FACTOR, AMR_SECOND_FACTOR) if someone.totp else (ACR_PASSWORD, AMR_PASSWORD)
    signed, note = await begun(hub.services, someone.account, acr, amr)
    notes = (note, await listed(hub.services, signed, "tests"))
    await _recording(hub.services, "sign-in").commit(Unit(notes=notes), writes=())
    return signed


def visitor(base: str, signed: SignedIn | None = None) -> httpx.Client:
    """A browser without pages: keeps cookies, follows nothing."""
    client = httpx.Client(base_url=base, trust_env=False, timeout=TIMEOUT_S, verify=TLS)
    if signed is not None:
        client.cookies.set(COOKIE, signed.cookie, domain=client.base_url.host)
    return client


def forget_addresses(backstage: Backstage, kind: str = ADDRESSES) -> None:
    """As if no wrong proof, or nothing of another `kind` that is counted, had come from anywhere: all tests of a process sit behind one
    address, which may not go on without end."""
    backstage.admin["hub"]["notes"].delete_many({"kd": kind})


def csrf(signed: SignedIn) -> dict[str, str]:
    """What forms of a session carry."""
    return {"csrf": form_token(signed.cookie)}


def sent(client: httpx.Client, page: str, fields: dict[str, str], *, to: str | None = None) -> httpx.Response:
    """The form of a page, filled in and sent, as a browser does it."""
    shown = client.get(page)
    found = _FORM.search(shown.text)
    assert found is not None, shown.text
    return client.post(to or page.partition("?")[0], data={"csrf": found[1], **fields})


def _recording(services: Services, kind: str) -> Recording:
    return Recording(kind, None, RequestFacts(request_id=services.new_id(), interaction=kind, user="tests"), services)


def _password() -> str:
    """PASSWORD, hashed once for all: it takes its time."""
    if not _hashed:
        _hashed.append(hashed(PASSWORD, os.urandom(16)))
    return _hashed[0]
