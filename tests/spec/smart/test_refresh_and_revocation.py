"""Refresh tokens, and how everything ends: RFC 6749 section 6, RFC 7009, RFC 9700 section 4.14, ASVS 5.0 10.4. Items 38 to 42 and 53."""

from typing import Any

import httpx
import pytest

from hub.authorizations import Authorizations
from hub.people.accounts import Accounts
from hub.people.sessions import SignedIn, ended
from hub.store.protocol import Unit
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.smart import SmartApp, signed_in_as, smart_app

SCOPE = "launch/patient openid offline_access patient/*.rs"
ONLINE = "openid online_access patient/*.rs"


@pytest.fixture(scope="module")
def app(http: httpx.Client, backstage: Backstage) -> SmartApp:
    return smart_app(http, backstage, SCOPE, registered=f"{SCOPE} user/*.rs")


@pytest.fixture(scope="module")
def record(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def ana(backstage: Backstage, record: str) -> SignedIn:
    """A patient, signed in for this test."""
    return signed_in_as(backstage, "patient", f"Patient/{record}")


def good(app: SmartApp, token: str) -> bool:
    return app.get("/oauth/userinfo", token).status_code == 200


def refused(answer: httpx.Response, error: str = "invalid_grant") -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


def test_a_refresh_gives_another_token_of_each_kind(app: SmartApp, ana: SignedIn, record: str) -> None:
    """RFC 6749 section 6; the launch context comes again. Items 38, 39 and 41."""
    first = app.tokens(ana)
    second = app.refreshed(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert (second["scope"], second["patient"]) == (first["scope"], record)
    assert good(app, second["access_token"])
    assert "id_token" in first
    assert "id_token" not in second
    narrowed = app.refreshed(second["refresh_token"], scope="openid")
    assert narrowed["scope"] == "openid"
    assert app.refreshed(narrowed["refresh_token"])["scope"] == first["scope"]


def test_a_refresh_gives_no_more_than_was_granted(app: SmartApp, ana: SignedIn) -> None:
    """RFC 6749 section 6. Item 40."""
    refresh = app.tokens(ana)["refresh_token"]
    refused(app.refresh(refresh, scope=f"{SCOPE} user/*.rs"), "invalid_scope")
    assert app.refreshed(refresh)


def test_a_refresh_gives_no_token_whose_query_cannot_be_enforced(app: SmartApp, ana: SignedIn) -> None:
    """SMART App Launch 2.2, scopes: no token is better than one whose query is left out; the refresh token stays good."""
    refresh = app.tokens(ana)["refresh_token"]
    refused(app.refresh(refresh, scope="patient/Observation.rs?no-such-parameter=x"), "invalid_scope")
    assert app.refreshed(refresh, scope="patient/Observation.rs?category=vital-signs")


def test_a_refresh_token_that_comes_twice_ends_everything(app: SmartApp, ana: SignedIn) -> None:
    """RFC 9700 section 4.14.2, ASVS 5.0 10.4.5: one of the two who had it is not the app."""
    first = app.tokens(ana)
    second = app.refreshed(first["refresh_token"])
    refused(app.refresh(first["refresh_token"]))
    refused(app.refresh(second["refresh_token"]))
    assert not good(app, second["access_token"])


@pytest.mark.parametrize("token", ["x" * 43, "x", "é" * 43])
def test_what_is_no_refresh_token_is_refused(app: SmartApp, token: str) -> None:
    """RFC 6749 section 5.2. Item 42."""
    refused(app.refresh(token))


def test_a_refresh_token_of_one_app_is_nothing_to_another(app: SmartApp, ana: SignedIn, http: httpx.Client, backstage: Backstage) -> None:
    """RFC 6749 section 6: bound to the client; the attempt ends nothing."""
    refresh = app.tokens(ana)["refresh_token"]
    refused(smart_app(http, backstage, SCOPE).refresh(refresh))
    assert app.refreshed(refresh)


def test_online_access_ends_with_the_session(ana: SignedIn, http: httpx.Client, backstage: Backstage) -> None:
    """SMART: a refresh token of online_access is good as long as the person remains online."""
    app = smart_app(http, backstage, ONLINE)
    refresh = app.refreshed(app.tokens(ana)["refresh_token"])["refresh_token"]
    backstage.run(_sign_out(backstage, ana))
    refused(app.refresh(refresh))


async def _sign_out(backstage: Backstage, signed: SignedIn) -> None:
    services = backstage.hub.services
    await services.store.commit(Unit(notes=(await ended(services, signed),)))


def test_offline_access_goes_on_without_the_session(app: SmartApp, ana: SignedIn, backstage: Backstage) -> None:
    """SMART: offline_access remains after the person is gone."""
    refresh = app.tokens(ana)["refresh_token"]
    backstage.run(_sign_out(backstage, ana))
    assert app.refreshed(refresh)


@pytest.mark.parametrize("change", ["disabled", "another role"])
def test_who_is_no_longer_who_they_were_gives_no_more_tokens(app: SmartApp, ana: SignedIn, backstage: Backstage, change: str) -> None:
    """ASVS 5.0 8.3.2: changes take effect at once."""
    refresh = app.tokens(ana)["refresh_token"]
    backstage.run(_changed(backstage, ana, change))
    refused(app.refresh(refresh))


async def _changed(backstage: Backstage, signed: SignedIn, change: str) -> None:
    from dataclasses import replace

    accounts = Accounts(backstage.hub.services)
    filed = await accounts.find(signed.account.id)
    assert filed is not None
    account = filed.account
    other = replace(account, disabled_us=1) if change == "disabled" else replace(account, person=replace(account.person, role="vendor"))
    await backstage.hub.services.store.commit(Unit(notes=await accounts.changed(filed, other)))


def test_what_the_person_withdraws_is_over_with_the_next_request(app: SmartApp, ana: SignedIn, backstage: Backstage) -> None:
    """ASVS 5.0 10.7.3: people see and end what apps may do. Item 53."""
    tokens = app.tokens(ana)
    assert good(app, tokens["access_token"])
    backstage.run(_withdraw(backstage, ana))
    assert not good(app, tokens["access_token"])
    refused(app.refresh(tokens["refresh_token"]))


async def _withdraw(backstage: Backstage, signed: SignedIn) -> None:
    kept = Authorizations(backstage.hub.services)
    (held,) = await kept.of_account(signed.account.id)
    await backstage.hub.services.store.commit(Unit(notes=(await kept.ended(held),)))


def test_an_access_token_that_is_given_back_ends_alone(app: SmartApp, ana: SignedIn) -> None:
    """RFC 7009 section 2.1."""
    tokens = app.tokens(ana)
    assert app.posted("/oauth/revoke", {"token": tokens["access_token"], "token_type_hint": "access_token"}).status_code == 200
    assert not good(app, tokens["access_token"])
    assert good(app, app.refreshed(tokens["refresh_token"])["access_token"])


def test_a_refresh_token_that_is_given_back_ends_everything(app: SmartApp, ana: SignedIn) -> None:
    """RFC 7009 section 2.1: the access tokens of the same grant, too."""
    tokens = app.tokens(ana)
    assert app.posted("/oauth/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    assert not good(app, tokens["access_token"])
    refused(app.refresh(tokens["refresh_token"]))


@pytest.mark.parametrize("token", ["nonsense", "x" * 43, "a.b.c"])
def test_what_is_no_token_is_given_back_already(app: SmartApp, token: str) -> None:
    """RFC 7009 section 2.2: 200 for an invalid token."""
    assert app.posted("/oauth/revoke", {"token": token}).status_code == 200


def test_an_app_cannot_end_what_another_has(app: SmartApp, ana: SignedIn, http: httpx.Client, backstage: Backstage) -> None:
    """RFC 7009 section 2.1: a token that was issued to another client is refused."""
    tokens, other = app.tokens(ana), smart_app(http, backstage, SCOPE)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert other.posted("/oauth/revoke", {"token": token}).status_code == 400
    assert good(app, tokens["access_token"])


def test_who_proves_nothing_ends_nothing(app: SmartApp, ana: SignedIn, http: httpx.Client) -> None:
    """RFC 7009 section 2.1: the client is authenticated first."""
    token = app.tokens(ana)["access_token"]
    answer = http.post("/oauth/revoke", data={"token": token, "client_id": "nobody"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert good(app, token)


def test_a_client_gives_back_a_token_of_its_own(running: Any, ehr: Caller, another: Any) -> None:
    """RFC 7009: tokens of SMART Backend Services, too; the others of the client go on."""
    caller = another("system/Patient.rs")
    one, two = (caller.ask_token().json()["access_token"] for _ in range(2))
    form = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": caller.assertion()}
    assert caller.http.post("/oauth/revoke", data={"token": one, **form}).status_code == 200
    statuses = [caller.http.get("/fhir/Patient", headers={"Authorization": f"Bearer {token}"}).status_code for token in (one, two)]
    assert statuses == [401, 200]


def test_each_step_is_on_record_under_the_app_and_the_person(app: SmartApp, ana: SignedIn, backstage: Backstage, record: str) -> None:
    """ASVS 5.0 16.3.2, SECURITY 3.4 (6): every decision is recorded; the patient finds it in the own report."""
    code = app.code(ana)
    answer = app.redeem(code)
    refresh = app.refresh(answer.json()["refresh_token"])
    for response, kind in ((answer, "ITI-71"), (refresh, "token-refreshed")):
        found = backstage.records(response.headers["x-request-id"])
        assert {(one.kind, one.outcome) for one in found} == {(kind, "0")}
        assert {one.patient for one in found} == {None, backstage.patient_token(record)}
        assert app.id in str(found[0].event)
        assert code not in str(found[0].event)
    reused = backstage.records(app.redeem(code).headers["x-request-id"])
    assert [(one.kind, one.outcome) for one in reused if one.patient is None] == [("token-reused", "0"), ("ITI-71", "4")]
