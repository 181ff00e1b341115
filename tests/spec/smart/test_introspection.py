"""Introspection and userinfo: RFC 7662, SMART App Launch 2.2, token introspection; OpenID Connect Core section 5.3. Items 43 to 45."""

from typing import Any

import httpx
import pytest

from hub.people.sessions import SignedIn
from security.oauth.compact import peek
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.smart import SmartApp, signed_in_as, smart_app

SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"
INACTIVE = {"active": False}


@pytest.fixture(scope="module")
def app(http: httpx.Client, backstage: Backstage) -> SmartApp:
    return smart_app(http, backstage, SCOPE)


@pytest.fixture(scope="module")
def server(http: httpx.Client, backstage: Backstage) -> SmartApp:
    """A resource server, which may ask about everybody's tokens."""
    return smart_app(http, backstage, "openid", authentication="client_secret_basic", introspector=True)


@pytest.fixture(scope="module")
def record(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture(scope="module")
def ana(backstage: Backstage, record: str) -> SignedIn:
    return signed_in_as(backstage, "patient", f"Patient/{record}")


@pytest.fixture(scope="module")
def tokens(app: SmartApp, ana: SignedIn) -> Any:
    return app.tokens(ana)


def asked(by: SmartApp, token: str) -> Any:
    answer = by.posted("/oauth/introspect", {"token": token})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_a_good_token_is_told_with_its_context(server: SmartApp, app: SmartApp, ana: SignedIn, tokens: Any, record: str) -> None:
    """SMART: active, scope, client_id, exp; launch context; iss, sub and fhirUser as in the id_token. Item 43."""
    said = asked(server, tokens["access_token"])
    identity = peek(tokens["id_token"], max_chars=8_192).claims
    assert (said["active"], said["client_id"], said["patient"]) == (True, app.id, record)
    assert set(said["scope"].split(" ")) == set(tokens["scope"].split(" "))
    assert said["exp"] > said["iat"]
    assert {name: said[name] for name in ("iss", "sub", "fhirUser")} == {name: identity[name] for name in ("iss", "sub", "fhirUser")}


def test_a_refresh_token_is_told_too(server: SmartApp, app: SmartApp, ana: SignedIn) -> None:
    """RFC 7662 section 2.1; one that was used is worth nothing."""
    refresh = app.tokens(ana)["refresh_token"]
    assert asked(server, refresh)["client_id"] == app.id
    app.refreshed(refresh)
    assert asked(server, refresh) == INACTIVE


@pytest.mark.parametrize("token", ["nonsense", "x" * 43, "a.b.c"])
def test_of_a_bad_token_nothing_is_said(server: SmartApp, token: str) -> None:
    """RFC 7662 section 2.2: active false, and nothing else. Item 44."""
    assert asked(server, token) == INACTIVE


def test_of_a_token_that_has_ended_nothing_is_said(server: SmartApp, app: SmartApp, ana: SignedIn) -> None:
    """RFC 7662 section 2.2."""
    token = app.tokens(ana)["access_token"]
    assert asked(server, token)["active"]
    app.posted("/oauth/revoke", {"token": token})
    assert asked(server, token) == INACTIVE


def test_a_client_asks_about_its_own_tokens_alone(http: httpx.Client, backstage: Backstage, ana: SignedIn, tokens: Any) -> None:
    """RFC 7662 section 2.2: whoever may not know of this token is told that it is not active."""
    app = smart_app(http, backstage, SCOPE, authentication="private_key_jwt")
    assert asked(app, app.tokens(ana)["access_token"])["active"]
    assert asked(app, tokens["access_token"]) == INACTIVE


def test_who_may_ask_may_show_an_access_token_instead(http: httpx.Client, another: Any, tokens: Any) -> None:
    """SMART: an authorised client may introspect with a bearer token."""
    caller = another("system/Patient.rs")
    form = {"token": caller.token}
    said = http.post("/oauth/introspect", data=form, headers={"Authorization": f"Bearer {caller.token}"})
    assert said.json()["client_id"] == caller.account.id
    others = http.post("/oauth/introspect", data={"token": tokens["access_token"]}, headers={"Authorization": f"Bearer {caller.token}"})
    assert others.json() == INACTIVE


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic bm9ib2R5Om5v"}], ids=["nothing", "bearer", "secret"]
)
def test_who_proves_nothing_is_told_nothing(http: httpx.Client, tokens: Any, headers: dict[str, str]) -> None:
    """RFC 7662 section 2.1: the endpoint requires authorization. Item 45."""
    answer = http.post("/oauth/introspect", data={"token": tokens["access_token"]}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_public_app_is_told_nothing(app: SmartApp, tokens: Any) -> None:
    """RFC 7662 section 4: it has nothing to prove itself by, so anybody could scan for tokens."""
    assert app.posted("/oauth/introspect", {"token": tokens["access_token"]}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_says_who_it_is(http: httpx.Client, ana: SignedIn, tokens: Any, record: str, method: str) -> None:
    """OpenID Connect Core section 5.3: sub as in the id_token."""
    answer = http.request(method, "/oauth/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    base = str(http.base_url).rstrip("/")
    assert answer.json() == {"sub": ana.account.id, "fhirUser": f"{base}/fhir/Patient/{record}"}


def test_userinfo_is_for_whom_it_was_allowed(app: SmartApp, ana: SignedIn) -> None:
    """OpenID Connect Core section 5.3.1: with the scope openid."""
    token = app.tokens(ana, scope="launch/patient patient/*.rs")["access_token"]
    assert app.get("/oauth/userinfo", token).status_code == 403
    assert app.http.get("/oauth/userinfo").status_code == 401
