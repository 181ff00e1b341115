"""Apps and people at a running hub, as a test needs them: registered behind the scenes, signed in without a page.

The pages by which people sign in have tests of their own; here a session is begun as they would begin it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import cast

from hub.instants import now_us
from hub.operator import Operator
from hub.people.accounts import Accounts
from hub.people.sessions import begun
from hub.people.visit import cookie_name
from hub.store.protocol import Unit
from security.context import PolicyDefault
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, App, Authentication, Client, new_client_keys
from security.oauth.person import Person, Role
from security.oauth.scope_request import ScopeRequest
from security.people.account import Account, folded
from tests.support.backstage import Backstage

PASSWORD = ("pwd",)
SECOND_FACTOR = ("pwd", "otp")
ACR = "urn:hds-hub:acr:tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An app through which people act. `secret` of a symmetric one, `key` (PEM) of an asymmetric one."""

    client: Client
    secret: str | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.client.client_id


def register_app(
    backstage: Backstage,
    scope: str,
    redirect_uris: Sequence[str],
    *,
    authentication: Authentication = "none",
    organization: str = "",
    consent_default: str = "opt-out",
    name: str = "App of the tests",
    grants: Sequence[str] = (GRANT_CODE, GRANT_REFRESH),
    **app: object,
) -> Registered:
    """`app`: further fields of `App`, such as launch_url and origins."""
    secret = secrets.token_urlsafe(32) if authentication == "client_secret_basic" else None
    pem, public = new_client_keys() if authentication == "private_key_jwt" else (None, None)
    client = Client(
        client_id=f"app-{secrets.token_hex(8)}",
        name=name,
        scopes=ScopeRequest.parse(scope).text(),
        organization=organization,
        purpose="TREAT",
        consent_default=cast("PolicyDefault", consent_default),
        recorder=False,
        importer=False,
        jwks=public,
        jwks_uri=None,
        created_us=now_us(),
        authentication=authentication,
        secret_hash=None if secret is None else sha256(secret.encode()).digest(),
        grants=tuple(grants),
        app=replace(App(redirect_uris=tuple(redirect_uris)), **app),  # type: ignore[arg-type]
    )
    added = backstage.run(Operator(backstage.hub, "tests").add_client(client, None))
    return Registered(client=added, secret=secret, key=pem)


def add_person(
    backstage: Backstage, role: Role, *, fhir_user: str | None = None, organization: str = "", name: str = "Camille Essai"
) -> Account:
    """An account that nobody can sign in to by a password: sessions of it are begun by `session_of`."""
    person = Person(account=secrets.token_hex(16), role=role, fhir_user=fhir_user, organization=organization)
    account = Account(login=folded(f"{role}-{secrets.token_hex(6)}@tests.example"), name=name, person=person, created_us=now_us())

    async def act() -> None:
        notes = await Accounts(backstage.hub.services).added(account)
        await backstage.hub.services.store.commit(Unit(notes=notes))

    backstage.run(act())
    return account


def session_of(backstage: Backstage, account: Account, *, secure: bool = False) -> str:
    """A new session as `name=value` of its cookie."""

    async def act() -> str:
        amr = SECOND_FACTOR if account.sees_others else PASSWORD
        signed, note = await begun(backstage.hub.services, account, ACR, amr)
        await backstage.hub.services.store.commit(Unit(notes=(note,)))
        return signed.cookie

    return f"{cookie_name(secure=secure)}={backstage.run(act())}"
