"""An app without a browser, and people whom it leads to the hub: the flow of authorize, code, tokens, each step by itself.

    app = smart_app(running, "launch/patient openid fhirUser offline_access patient/*.rs")
    ana = signed_in_as(backstage, "patient", "Patient/p")
    tokens = app.tokens(ana)
    app.refreshed(tokens["refresh_token"])

Each step takes changes to its parameters (None leaves one out), so that a test differs from what works in one point.
"""

import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx

from hub.instants import now_us
from hub.oauth.deciding import denied, granted
from hub.people.accounts import Accounts
from hub.people.sessions import SignedIn, begun
from hub.people.visit import Visit
from hub.recording import RequestFacts
from hub.services import random_id
from hub.store.protocol import Unit
from hub.wiring import Hub
from security.context import PolicyDefault
from security.oauth.client import client_assertion
from security.oauth.client_authentication import new_client_secret
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, App, Authentication, Client, new_client_keys
from security.oauth.code import challenge_of
from security.oauth.person import Person, Role
from security.oauth.scope_request import ScopeRequest
from security.people.account import Account as PersonAccount
from tests.support.backstage import Account, Backstage

REDIRECT = "https://app.example/callback"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EVERYTHING = (
    "openid fhirUser profile launch launch/patient offline_access patient/*.cruds user/*.cruds user/AuditEvent.rs patient/AuditEvent.rs"
)
Json = dict[str, Any]
_numbers = itertools.count()


def signed_in_as(backstage: Backstage, role: Role, fhir_user: str | None = None, organization: str = "", *, ago_s: int = 0) -> SignedIn:
    """Somebody with an account who signed in so long ago, behind the scenes."""
    account = random_id()
    who = Person(account=account, role=role, fhir_user=fhir_user, organization=organization)
    made = PersonAccount(login=f"{account}@people.example", name="Somebody", person=who, created_us=now_us())

    async def begin() -> SignedIn:
        services = backstage.hub.services
        if ago_s:
            services = replace(services, clock=lambda: now_us() - ago_s * 1_000_000)
        signed, note = await begun(services, made, "urn:test:two-factors", ("pwd", "otp"))
        await services.store.commit(Unit(notes=(*await Accounts(services).added(made), note)))
        return signed

    return backstage.run(begin())


def visit_of(hub: Hub, signed: SignedIn) -> Visit:
    """A page of the person's, as if the browser had opened it."""
    facts = RequestFacts(request_id=hub.services.new_id(), interaction="authorize", user=signed.account.id)
    return Visit(hub=hub, signed=signed, language="en", facts=facts, form={})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartApp:
    """A registered app. `http` follows no redirects."""

    http: httpx.Client
    backstage: Backstage
    account: Account
    secret: str = field(default="", repr=False)
    scope: str = EVERYTHING
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def origin(self) -> str:
        return str(self.http.base_url).rstrip("/")

    @property
    def redirect_uri(self) -> str:
        app = self.account.client.app
        assert app is not None
        return app.redirect_uris[0]

    def parameters(self, **changed: str | None) -> dict[str, str]:
        """Of a request that is good but for what is changed."""
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "aud": f"{self.origin}/fhir",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in given.items() if value is not None}

    def authorize(self, *, method: str = "GET", headers: Mapping[str, str] | None = None, **changed: str | None) -> httpx.Response:
        sent = self.parameters(**changed)
        where = {"params": sent} if method == "GET" else {"data": sent}
        return self.http.request(method, "/oauth/authorize", headers=headers, **where)  # type: ignore[arg-type]

    def waiting(self, **changed: str | None) -> str:
        """The secret of a request that waits for its person."""
        return waiting_in(self.authorize(**changed))

    def allowed(self, signed: SignedIn, secret: str, *, scope: str | None = None, patient: str | None = None) -> str:
        """The person says yes: the URL that the browser is led to. `scope`: what is ticked, by default all that can be."""
        hub = self.backstage.hub

        async def say() -> str:
            from hub.oauth.deciding import asked

            visit = visit_of(hub, signed)
            ticked = (await asked(hub, secret)).grantable(signed.account.person) if scope is None else ScopeRequest.parse(scope)
            return await granted(visit, secret, scope=ticked, patient=patient)

        return self.backstage.run(say())

    def refused(self, signed: SignedIn, secret: str) -> str:
        """The person says no."""
        return self.backstage.run(denied(visit_of(self.backstage.hub, signed), secret))

    def code(self, signed: SignedIn, *, patient: str | None = None, ticked: str | None = None, **changed: str | None) -> str:
        return answer_in(self.allowed(signed, self.waiting(**changed), scope=ticked, patient=patient))["code"]

    def redeem(self, code: str, **changed: str | None) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier}
        return self.posted("/oauth/token", {**form, **changed})

    def refresh(self, refresh_token: str, **changed: str | None) -> httpx.Response:
        return self.posted("/oauth/token", {"grant_type": "refresh_token", "refresh_token": refresh_token, **changed})

    def tokens(self, signed: SignedIn, *, patient: str | None = None, ticked: str | None = None, **changed: str | None) -> Json:
        """The whole way, which has to succeed."""
        answer = self.redeem(self.code(signed, patient=patient, ticked=ticked, **changed))
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def refreshed(self, refresh_token: str, **changed: str | None) -> Json:
        answer = self.refresh(refresh_token, **changed)
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def posted(self, path: str, form: Mapping[str, str | None]) -> httpx.Response:
        """With the app's proof of who it is."""
        sent = {**self.proof(), **form}
        kept = {name: value for name, value in sent.items() if value is not None}
        auth = (self.id, self.secret) if self.secret else None
        return self.http.post(path, data=kept, auth=auth)

    def proof(self) -> dict[str, str]:
        method = self.account.client.authentication
        if method == "client_secret_basic":
            return {}
        if method == "none":
            return {"client_id": self.id}
        jti = secrets.token_urlsafe(24)
        made = client_assertion(self.id, self.account.key, f"{self.origin}/oauth/token", time.time_ns() // 1_000, jti)
        return {"client_assertion_type": ASSERTION, "client_assertion": made}

    def get(self, path: str, token: str) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})


def smart_app(
    http: httpx.Client,
    backstage: Backstage,
    scope: str = EVERYTHING,
    *,
    authentication: Authentication = "none",
    grants: tuple[str, ...] = (GRANT_CODE, GRANT_REFRESH),
    redirect_uris: tuple[str, ...] = (REDIRECT,),
    origins: tuple[str, ...] = (),
    registered: str | None = None,
    organization: str = "",
    consent_default: PolicyDefault = "opt-in",
    **more: Any,
) -> SmartApp:
    """A registered app with a name of its own. `registered`: what it may ask for, if that is not what it asks for."""
    secret, kept = new_client_secret() if authentication == "client_secret_basic" else ("", None)
    pem, jwks = new_client_keys() if authentication == "private_key_jwt" else (b"", None)
    client = Client(
        client_id=f"smart-{next(_numbers)}-{secrets.token_hex(4)}",
        name="An app of the tests",
        scopes=ScopeRequest.parse(registered or scope).text(),
        organization=organization,
        purpose="TREAT",
        consent_default=consent_default,
        recorder=False,
        importer=False,
        jwks=jwks,
        jwks_uri=None,
        created_us=now_us(),
        authentication=authentication,
        secret_hash=kept,
        grants=grants,
        app=App(
            redirect_uris=redirect_uris,
            origins=origins,
            par_required=more.pop("par_required", False),
            launch_url=more.pop("launch_url", None),
        ),
        **more,
    )
    account = backstage.register(Account(client=client, key=pem))
    return SmartApp(http=http, backstage=backstage, account=account, secret=secret, scope=scope)


def waiting_in(response: httpx.Response) -> str:
    """The secret of the request, in the redirect to the page that asks the person."""
    assert response.status_code == 303, response.text
    where = urlsplit(response.headers["location"])
    assert where.path == "/account/authorize", response.headers["location"]
    return parse_qs(where.query)["request"][0]


def answer_in(url: str) -> dict[str, str]:
    """The parameters that came back at the redirect_uri."""
    return dict(parse_qsl(urlsplit(url).query))


def error_in(response: httpx.Response) -> dict[str, str]:
    """The same of a redirect that tells the app of an error."""
    assert response.status_code == 303, response.text
    assert response.headers["location"].startswith("https://app.example/"), response.headers["location"]
    return answer_in(response.headers["location"])
