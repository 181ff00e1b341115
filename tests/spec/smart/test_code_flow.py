"""The way of an authorization code over HTTP: RFC 6749 section 4.1, RFC 7636, SMART App Launch 2.2, app launch. Items 15 to 31.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from typing import Any

import httpx
import pytest

from hub.people.sessions import SignedIn
from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.smart import SmartApp, answer_in, error_in, signed_in_as, smart_app, waiting_in

SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"


@pytest.fixture(scope="module")
def app(http: httpx.Client, backstage: Backstage) -> SmartApp:
    """A public app."""
    return smart_app(http, backstage, SCOPE)


@pytest.fixture(scope="module")
def ana(backstage: Backstage, ehr: Caller) -> SignedIn:
    """A patient with a record."""
    return signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")


def own(signed: SignedIn) -> str:
    return str(signed.account.person.fhir_user).partition("/")[2]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_authorize_takes_a_request_by_either_method(app: SmartApp, method: str) -> None:
    """SMART: GET and POST. Item 16."""
    assert waiting_in(app.authorize(method=method))


def test_the_answer_carries_a_code_the_state_and_who_answers(app: SmartApp, ana: SignedIn) -> None:
    """RFC 6749 section 4.1.2, RFC 9207 section 2. Item 15."""
    url = app.allowed(ana, app.waiting())
    assert url.startswith(f"{app.redirect_uri}?")
    answer = answer_in(url)
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (app.state, app.origin)


@pytest.mark.parametrize("authentication", ["none", "client_secret_basic", "private_key_jwt"])
def test_a_code_is_redeemed_by_an_app_of_each_kind(http: httpx.Client, backstage: Backstage, ana: SignedIn, authentication: Any) -> None:
    """SMART: public, symmetric and asymmetric clients. Items 20 to 23."""
    app = smart_app(http, backstage, SCOPE, authentication=authentication)
    body = app.tokens(ana)
    assert body["token_type"].lower() == "bearer"
    assert 0 < body["expires_in"] <= ACCESS_TOKEN_LIFETIME_S
    assert set(body["scope"].split(" ")) == set(SCOPE.split(" "))
    assert body["patient"] == own(ana)
    assert body["need_patient_banner"] is True
    assert app.get("/oauth/userinfo", body["access_token"]).json()["sub"] == ana.account.id


def test_nobody_in_between_keeps_the_answer(app: SmartApp, ana: SignedIn) -> None:
    """RFC 6749 section 5.1. Item 24."""
    answer = app.redeem(app.code(ana))
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


def test_without_offline_or_online_access_there_is_no_refresh_token(app: SmartApp, ana: SignedIn) -> None:
    """SMART: refresh tokens are asked for by scope."""
    assert "refresh_token" in app.tokens(ana)
    assert "refresh_token" not in app.tokens(ana, scope="launch/patient patient/*.rs")
    assert "refresh_token" not in app.tokens(ana, ticked="patient/*.rs")


def test_denial_is_told_to_the_app_with_its_state(app: SmartApp, ana: SignedIn) -> None:
    """RFC 6749 section 4.1.2.1. Item 19."""
    answer = answer_in(app.refused(ana, app.waiting()))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", app.state, app.origin)
    assert "code" not in answer


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "patient/*.sdurc"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example/request"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "login_required"),
        ({"scope": "launch openid", "launch": "x" * 43}, "invalid_request"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_to_the_app_and_gives_no_code(app: SmartApp, changed: dict[str, str | None], error: str) -> None:
    """RFC 6749 section 4.1.2.1, SMART aud, RFC 7636. Item 17."""
    assert waiting_in(app.authorize())
    assert error_in(app.authorize(**changed))["error"] == error


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://app.example/callback/"},
        {"redirect_uri": "https://app.example/Callback"},
        {"redirect_uri": "https://app.example/callback?next=https://evil.example"},
        {"redirect_uri": "https://app.example.evil.example/callback"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": None},
    ],
    ids=str,
)
def test_an_address_that_is_not_registered_is_never_led_to(app: SmartApp, changed: dict[str, str | None]) -> None:
    """RFC 9700 section 2.1: exact comparison; RFC 6749 section 4.1.2.1: the person is told, nobody else. Item 18."""
    answer = app.authorize(**changed)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state"])
def test_a_parameter_that_comes_twice_is_refused(app: SmartApp, name: str) -> None:
    """RFC 6749 section 3.1: parameters must not be included more than once."""
    sent = [*app.parameters().items(), (name, app.parameters()[name])]
    answer = app.http.get("/oauth/authorize", params=sent)
    if name in {"client_id", "redirect_uri"}:
        assert (answer.status_code, answer.headers.get("location")) == (400, None)
    else:
        assert error_in(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "x" * 43},
        {"code_verifier": None},
        {"code_verifier": ""},
        {"code_verifier": "x" * 48},
        {"redirect_uri": "https://app.example/other"},
    ],
    ids=str,
)
def test_a_code_is_given_for_what_was_asked_alone(app: SmartApp, ana: SignedIn, changed: dict[str, str | None]) -> None:
    """RFC 6749 section 4.1.3, RFC 7636 section 4.6. Items 26 and 28 to 30."""
    code = app.code(ana)
    answer = app.redeem(**{"code": code, **changed})  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert app.redeem(code).status_code == 200


def test_the_challenge_is_not_its_own_verifier(app: SmartApp, ana: SignedIn) -> None:
    """RFC 7636 section 4.2: S256, not plain. Item 31."""
    challenge = app.parameters()["code_challenge"]
    assert app.redeem(app.code(ana), code_verifier=challenge).json()["error"] == "invalid_grant"


def test_a_code_of_one_app_is_nothing_to_another(app: SmartApp, ana: SignedIn, http: httpx.Client, backstage: Backstage) -> None:
    """RFC 6749 section 4.1.3: bound to the client. Item 27."""
    other = smart_app(http, backstage, SCOPE)
    code = app.code(ana)
    assert other.redeem(code, code_verifier=app.verifier).json()["error"] == "invalid_grant"
    assert app.redeem(code, client_id="nobody").status_code == 401
    assert app.redeem(code).status_code == 200


def test_a_code_that_comes_twice_ends_what_it_began(app: SmartApp, ana: SignedIn) -> None:
    """RFC 6749 section 4.1.2, ASVS 5.0 10.4.2: deny, and revoke what was given."""
    code = app.code(ana)
    first = app.redeem(code).json()
    assert app.get("/oauth/userinfo", first["access_token"]).status_code == 200
    assert app.redeem(code).json()["error"] == "invalid_grant"
    assert app.get("/oauth/userinfo", first["access_token"]).status_code == 401
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_request_is_answered_once(app: SmartApp, ana: SignedIn) -> None:
    """ASVS 5.0 10.4.2: a page that is sent twice gives no second code."""
    secret = app.waiting()
    assert app.allowed(ana, secret)
    with pytest.raises(Exception, match="over"):
        app.allowed(ana, secret)
