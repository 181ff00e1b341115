"""An app that registered itself looks after its registration: GET, PUT, DELETE at its configuration endpoint.

https://www.rfc-editor.org/rfc/rfc7592
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hub.limits import LIMITS
from hub.operator import Operator
from hub.registrations import Registrations
from hub.search.scope_query import check_scope_query
from security.oauth.clients import App as ClientApp
from security.oauth.clients import Client, new_client_keys
from security.oauth.rotation import retired
from tests.spec.smart.test_registration import ask_token, description
from tests.support.fixtures import Running
from tests.support.signing_in import forget_addresses

pytestmark = pytest.mark.database
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def many(running: Running) -> Iterator[None]:
    """What was counted of the registrations of this address is forgotten, by whichever file."""
    forget_addresses(running.backstage, LIMITS)
    yield
    forget_addresses(running.backstage, LIMITS)


class App:
    """One that has just registered itself. `said`: what it sent."""

    def __init__(self, http: httpx.Client, running: Running, **changes: Any) -> None:
        self.http, self.running, self.said = http, running, description(**changes)
        answer = http.post("/oauth/clients", json=self.said)
        assert answer.status_code == 201, answer.text
        self.made: Json = answer.json()
        self.id, self.approved = self.made["client_id"], False

    def ask(self, method: str, *, token: str | None = None, json: Json | None = None) -> httpx.Response:
        """`token`: the one that was given with the registration, if nothing else is said; empty: no header."""
        shown = self.made["registration_access_token"] if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return self.http.request(method, self.made["registration_client_uri"], headers=headers, json=json)

    def change(self, **changes: Any) -> httpx.Response:
        said = {"client_id": self.id, **self.said, **changes}
        answer = self.ask("PUT", json={name: value for name, value in said.items() if value is not ...})
        self.made |= {name: value for name, value in answer.json().items() if name == "registration_access_token"}
        return answer

    def approve(self, scope: str | None = None) -> None:
        registrations = Registrations(self.running.backstage.hub, check_scope_query, "tests")
        self.running.backstage.run(registrations.approve(self.id, scope=scope))
        self.approved = True

    def by_operator(self, kind: str, change: Callable[[Client], Client]) -> None:
        operator = Operator(self.running.backstage.hub, "tests")
        self.running.backstage.run(operator.change_client(kind, self.id, change))

    @property
    def client(self) -> Client:
        found = self.running.backstage.run(self.running.backstage.hub.oauth.registration(self.id))
        assert found is not None
        return found

    def records(self, answer: httpx.Response) -> list[tuple[str, str]]:
        return [(one.kind, one.outcome) for one in self.running.backstage.records(answer.headers["x-request-id"])]


@pytest.fixture
def app(http: httpx.Client, running: Running) -> App:
    return App(http, running)


def test_an_app_reads_its_registration_with_the_token_that_it_was_given(app: App, http: httpx.Client, running: Running) -> None:
    """RFC 7592 sections 2.1 and 3: everything that is registered, no secret, not to be stored; by a token that lies nowhere."""
    assert app.made["registration_client_uri"] == f"{http.base_url}/oauth/clients/{app.id}".replace("//oauth", "/oauth")
    answer = app.ask("GET")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    secret = {"client_secret", "client_secret_expires_at"}
    assert answer.json() == {name: value for name, value in app.made.items() if name not in secret}
    assert app.records(answer) == [("client-list", "0")]
    app.approve()
    assert app.ask("GET").json() == {**answer.json(), "approved": True}
    for collection in ("notes", "oauth_clients"):
        assert app.made["registration_access_token"] not in str(list(running.backstage.admin["hub"][collection].find()))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("approved", [False, True])
def test_nobody_else_learns_that_it_is_there(app: App, http: httpx.Client, running: Running, method: str, *, approved: bool) -> None:
    """RFC 7592 section 2.1: 401, and the same for a registration that never was; another app's token opens nothing."""
    if approved:
        app.approve()
    other = App(http, running)
    body = {"client_id": app.id, **app.said} if method == "PUT" else None
    refused = [app.ask(method, token=token, json=body) for token in ("", "wrong", other.made["registration_access_token"])]
    other.made["registration_client_uri"] += "x"
    refused.append(other.ask(method, json=body))
    assert {(one.status_code, one.text, one.headers["www-authenticate"].partition(" ")[0]) for one in refused} == {
        (401, refused[0].text, "Bearer")
    }
    assert [app.records(one) for one in refused] == [[("110122", "4")]] * 4
    assert app.ask("GET").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"client_id": ...},
        {"registration_access_token": "x"},
        {"registration_client_uri": "https://a.example/"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 1},
        {"client_secret": "chosen"},
        {"client_secret": 7},
        {"client_name": ...},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"scope": "nonsense"},
        {"software_statement": "e.e.e"},
    ],
    ids=str,
)
def test_what_may_not_be_sent_is_refused_and_changes_nothing(app: App, changes: Json) -> None:
    """RFC 7592 section 2.2: four members are never sent, the id is its own, a secret is not chosen."""
    before = app.ask("GET").json()
    answer = app.change(**changes)
    assert (answer.status_code, answer.json()["error"].startswith("invalid_")) == (400, True)
    assert app.records(answer) == [("client-change", "4")]
    assert app.ask("GET").json() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": "Heart Diary of the Hospital"},
        {"redirect_uris": ["https://evil.example.org/back"]},
        {"scope": "launch/patient patient/*.cruds openid"},
        {"token_endpoint_auth_method": "none"},
        {"client_uri": "https://evil.example.org/"},
        {"initiate_login_uri": "https://evil.example.org/"},
        {"contacts": ["evil@example.org"]},
        {"grant_types": ["authorization_code", "refresh_token"]},
        {"dpop_bound_access_tokens": False},
        {"require_pushed_authorization_requests": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("approved", [False, True])
def test_what_somebody_looks_at_does_not_become_something_else(
    http: httpx.Client, running: Running, changes: Json, *, approved: bool
) -> None:
    """Ours: neither after an administrator approved it nor between the look and the approval does it get more scope, or another address."""
    app = App(http, running, dpop_bound_access_tokens=True, require_pushed_authorization_requests=True)
    if approved:
        app.approve()
    before = app.ask("GET").json()
    answer = app.change(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert app.ask("GET").json() == before


@pytest.mark.parametrize("approved", [False, True])
def test_it_may_become_less_and_change_its_keys(http: httpx.Client, running: Running, *, approved: bool) -> None:
    """RFC 7592 section 2.2: in place of the description before; ours: fewer scopes and redirect URIs, stricter tokens, other keys."""
    (_, first), (_, second) = new_client_keys(), new_client_keys()
    uris = ["https://app.example.org/back", "https://app.example.org/other"]
    app = App(http, running, token_endpoint_auth_method="private_key_jwt", jwks=first, redirect_uris=uris)
    if approved:
        app.approve()
    answer = app.change(jwks=second, scope="patient/Observation.rs", redirect_uris=uris[:1], dpop_bound_access_tokens=True)
    assert (answer.status_code, app.records(answer)) == (200, [("client-change", "0")]), answer.text
    assert answer.json() == app.ask("GET").json()
    if not approved:
        app.approve()
    client = app.client
    assert client.app is not None
    assert (client.jwks, client.scopes, client.app.redirect_uris, client.binding) == (second, "patient/Observation.rs", (uris[0],), "dpop")
    assert client.organization.startswith("Organization/")
    assert app.change(jwks=second, redirect_uris=uris).status_code == 400, "what was given up does not come back"


def test_a_key_that_was_ended_comes_back_neither_under_its_name_nor_by_way_of_a_url(http: httpx.Client, running: Running) -> None:
    """RFC 7517 section 5: whoever runs the hub has ended it, perhaps for somebody else has it; its kid is no other key's either."""
    (_, first), (_, second), (_, third) = new_client_keys(), new_client_keys(), new_client_keys()
    both = {"keys": [*first["keys"], *second["keys"]]}
    app = App(http, running, token_endpoint_auth_method="private_key_jwt", jwks=both)
    app.approve()
    kid = first["keys"][0]["kid"]
    app.by_operator("client-key-retire", lambda client: retired(client, kid, 1, 1))
    assert app.change(jwks=both).status_code == 200, "described as it is"
    assert app.change(jwks=second, scope="patient/Observation.rs").status_code == 200
    another = {"keys": [{**third["keys"][0], "kid": kid}]}
    for keys in ({"jwks": both}, {"jwks": another}, {"jwks": ..., "jwks_uri": "https://app.example.org/jwks"}):
        answer = app.change(**keys, scope="patient/Observation.rs")
        assert (answer.status_code, answer.json()["error"], "ended" in answer.text) == (400, "invalid_client_metadata", True)
    assert app.ask("GET").json()["jwks"] == second


def test_whose_pages_may_call_stays_as_an_administrator_said_but_for_addresses_given_up(http: httpx.Client, running: Running) -> None:
    """Ours: a change of something else, for instance of a key, takes nothing away that was given to it."""
    uris = ["https://app.example.org/back", "https://other.example.org/back"]
    app = App(http, running, redirect_uris=uris)
    app.approve()
    origins = ("https://app.example.org", "https://pages.example.org", "https://other.example.org")
    app.by_operator("client-change", lambda client: replace(client, app=replace(client.app or ClientApp(), origins=origins)))
    assert app.change(dpop_bound_access_tokens=True).status_code == 200
    assert app.client.app is not None
    assert app.client.app.origins == origins
    assert app.change(dpop_bound_access_tokens=True, redirect_uris=uris[:1]).status_code == 200
    assert app.client.app is not None
    assert app.client.app.origins == origins[:2]


@pytest.mark.parametrize("approved", [False, True])
def test_an_app_that_ends_its_registration_is_gone_with_its_token(app: App, *, approved: bool) -> None:
    """RFC 7592 section 2.3: 204; then 401, and invalid_client for whatever it proves."""
    if approved:
        app.approve()
    answer = app.ask("DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    assert app.records(answer) == [("client-revoke", "0")]
    assert [app.ask(method).status_code for method in ("GET", "DELETE")] == [401, 401]
    assert ask_token(app.http, app.id, app.made["client_secret"]).json()["error"] == "invalid_client"
