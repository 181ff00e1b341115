"""People who act through an app, for tests that are not about how they signed in: the authorization is written behind the scenes.

    app = app_of(backstage, "patient/*.cruds", organization="Organization/x")
    person = acting(backstage, http, app, Person(account=random_id(), role="patient", fhir_user="Patient/p"), "patient/*.rs", patient="p")
    person.get("Observation?patient=p")
    backstage.run(person.end())

What the flow does (consent screen, code, refresh) is tested in tests/spec/smart; here the hub finds what it would find after it.
"""

import itertools
from typing import cast

import httpx

from hub.authorizations import Authorizations
from hub.instants import now_us
from hub.services import random_id
from hub.store.protocol import NoteWrite, Unit
from hub.wiring import Hub
from security.context import PolicyDefault
from security.oauth.access_token import Acting, issue
from security.oauth.authorization import Authorization, Launch
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, App, Client
from security.oauth.person import Person, Role
from security.oauth.scope_request import ScopeRequest
from tests.support.backstage import Account, Backstage
from tests.support.caller import Caller

HOUR_US = 3_600 * 1_000_000
REDIRECT = "https://app.example/callback"
_numbers = itertools.count()


def person(role: Role, fhir_user: str | None = None, organization: str = "") -> Person:
    """With an account id of its own."""
    return Person(account=random_id(), role=role, fhir_user=fhir_user, organization=organization)


def new_app(name: str, scope: str, *, organization: str = "", purpose: str = "TREAT", consent_default: str = "opt-in") -> Account:
    """A public client through which people act, to be registered."""
    client = Client(
        client_id=f"{name}-app",
        name=name,
        scopes=ScopeRequest.parse(scope).text(),
        organization=organization,
        purpose=purpose,
        consent_default=cast("PolicyDefault", consent_default),
        recorder=False,
        importer=False,
        jwks=None,
        jwks_uri=None,
        created_us=now_us(),
        authentication="none",
        grants=(GRANT_CODE, GRANT_REFRESH),
        app=App(redirect_uris=(REDIRECT,)),
    )
    return Account(client=client, key=b"")


def app_of(backstage: Backstage, scope: str, **more: str) -> Account:
    """A registered app with a name of its own."""
    return backstage.register(new_app(f"app-{next(_numbers)}", scope, **more))


def authorization(app: Account, who: Person, scope: str, *, patient: str | None, purpose: str, now: int) -> Authorization:
    return Authorization(
        id=random_id(),
        client_id=app.id,
        person=who,
        scope=ScopeRequest.parse(scope).text(),
        purpose=purpose,
        offline=True,
        created_us=now,
        expires_us=now + 24 * HOUR_US,
        auth_us=now,
        launch=Launch(patient=patient),
    )


def token_of(hub: Hub, held: Authorization, *, scope: str | None = None, now: int | None = None, jti: str | None = None) -> str:
    """An access token as the token endpoint makes it. `now`: when, in microseconds since 1970."""
    return issue(
        key=hub.signing_keys.current,
        issuer=hub.base_url,
        audience=hub.services.base_url,
        client_id=held.client_id,
        scope=scope or held.scope,
        purpose=held.purpose,
        jti=jti or random_id(),
        now_us=now_us() if now is None else now,
        acting=Acting(person=held.person, authorization=held.id, patient=held.launch.patient, encounter=held.launch.encounter),
    )


async def begin(hub: Hub, new: Authorization) -> None:
    """As the flow does once the person has said yes."""
    await hub.services.store.commit(Unit(notes=await Authorizations(hub.services).begun(new)))


class PersonCaller(Caller):
    """Somebody at a hub. `with_scope`: the same authorization, another token."""

    def __init__(self, http: httpx.Client, app: Account, backstage: Backstage, held: Authorization, scope: str | None = None) -> None:
        super().__init__(http, app, scope or held.scope)
        self.backstage, self.held = backstage, held

    @property
    def token(self) -> str:
        return token_of(self.backstage.hub, self.held, scope=self.scope)

    @property
    def id(self) -> str:
        """Of the patient in context."""
        assert self.held.launch.patient is not None
        return self.held.launch.patient

    def with_scope(self, scope: str) -> "PersonCaller":
        return PersonCaller(self.http, self.account, self.backstage, self.held, ScopeRequest.parse(scope).text())

    def end(self) -> None:
        """The person withdraws what it allowed."""
        self.backstage.run(_end(self.backstage.hub, self.held.id))


async def _end(hub: Hub, id: str) -> None:
    kept = Authorizations(hub.services)
    held = await kept.find(id)
    assert held is not None
    write: NoteWrite = await kept.ended(held)
    await hub.services.store.commit(Unit(notes=(write,)))


def acting(
    backstage: Backstage,
    http: httpx.Client,
    app: Account,
    who: Person,
    scope: str,
    *,
    patient: str | None = None,
    purpose: str | None = None,
) -> PersonCaller:
    """The person lets the app act. `patient`: id of the patient in context; `purpose`: the app's own unless it is said."""
    new = authorization(app, who, scope, patient=patient, purpose=purpose or app.client.purpose, now=now_us())
    backstage.run(begin(backstage.hub, new))
    return PersonCaller(http, app, backstage, new)


def as_patient(backstage: Backstage, http: httpx.Client, app: Account, patient: str, scope: str, purpose: str = "PATRQT") -> PersonCaller:
    """A patient at the own record, which is in context, too."""
    return acting(backstage, http, app, person("patient", f"Patient/{patient}"), scope, patient=patient, purpose=purpose)


def as_practitioner(
    backstage: Backstage,
    http: httpx.Client,
    app: Account,
    practitioner: str,
    organization: str,
    scope: str,
    *,
    patient: str | None = None,
) -> PersonCaller:
    """`practitioner`: id; `organization`: "Organization/x"."""
    who = person("practitioner", f"Practitioner/{practitioner}", organization)
    return acting(backstage, http, app, who, scope, patient=patient, purpose="TREAT")
