"""PAR, launches, fresh sign-ins, roles.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html, RFC 9126, OpenID Connect Core section 3.1.2.
"""

from typing import Any

import httpx
import pytest

from hub.errors import FhirError
from hub.oauth.launching import new_launch
from hub.people.sessions import SignedIn
from hub.people.visit import COOKIE
from hub.recording import Recording, RequestFacts
from security.oauth.authorization import Launch
from security.oauth.compact import peek, signature_holds
from security.oauth.signing_keys import IDENTITY
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.smart import SmartApp, answer_in, error_in, signed_in_as, smart_app, waiting_in

SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs user/*.rs"
PAGE = "https://app.example"


@pytest.fixture(scope="module")
def app(http: httpx.Client, backstage: Backstage) -> SmartApp:
    return smart_app(http, backstage, SCOPE, registered=f"{SCOPE} launch user/AuditEvent.rs", authentication="private_key_jwt")


@pytest.fixture(scope="module")
def record(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture(scope="module")
def ana(backstage: Backstage, record: str) -> SignedIn:
    return signed_in_as(backstage, "patient", f"Patient/{record}")


@pytest.fixture(scope="module")
def doctor(backstage: Backstage, ehr: Caller) -> SignedIn:
    return signed_in_as(backstage, "practitioner", "Practitioner/p1", ehr.account.organization)


def pushed(app: SmartApp, **changed: str | None) -> httpx.Response:
    return app.posted("/oauth/par", app.parameters(**changed))


def test_parameters_that_were_pushed_are_asked_for_by_name_once(app: SmartApp, ana: SignedIn) -> None:
    """RFC 9126 sections 2.2 and 4: 201, request_uri, expires_in; good once."""
    answer = pushed(app)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    uri = answer.json()["request_uri"]
    assert 5 <= answer.json()["expires_in"] <= 600
    by_name = {"client_id": app.id, "request_uri": uri}
    secret = waiting_in(app.http.get("/oauth/authorize", params=by_name))
    code = answer_in(app.allowed(ana, secret))["code"]
    assert app.redeem(code).status_code == 200
    assert app.http.get("/oauth/authorize", params=by_name).status_code == 400


def test_what_was_pushed_is_the_clients_who_pushed_it(app: SmartApp, http: httpx.Client, backstage: Backstage) -> None:
    """RFC 9126 section 2.2: bound to the client."""
    other = smart_app(http, backstage, SCOPE)
    uri = pushed(app).json()["request_uri"]
    assert http.get("/oauth/authorize", params={"client_id": other.id, "request_uri": uri}).status_code == 400
    assert waiting_in(http.get("/oauth/authorize", params={"client_id": app.id, "request_uri": uri}))


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"redirect_uri": "https://evil.example"}, 400, "invalid_request"),
        ({"aud": "https://evil.example"}, 400, "invalid_request"),
        ({"scope": "patient/*.x"}, 400, "invalid_scope"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"request_uri": "urn:x"}, 400, "invalid_request"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_to_who_pushes(app: SmartApp, changed: dict[str, str | None], status: int, error: str) -> None:
    """RFC 9126 section 2.3: before any browser is involved."""
    answer = pushed(app, **changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_who_has_to_push_is_refused_in_the_open(http: httpx.Client, backstage: Backstage) -> None:
    """RFC 9126 section 6."""
    app = smart_app(http, backstage, SCOPE, par_required=True)
    assert error_in(app.authorize())["error"] == "invalid_request"
    assert pushed(app).status_code == 201


def launch_id(backstage: Backstage, app: SmartApp, signed: SignedIn, launch: Launch) -> str:
    services = backstage.hub.services
    facts = RequestFacts(request_id=services.new_id(), interaction="launch-begin", user=signed.account.id)
    recording = Recording("launch-begin", None, facts, services)
    return backstage.run(new_launch(services, client_id=app.id, account=signed.account.id, launch=launch, recording=recording))


def test_a_launch_from_the_hub_brings_its_context_along(app: SmartApp, doctor: SignedIn, backstage: Backstage, record: str) -> None:
    """SMART, EHR launch: what was chosen there comes with the token; the id is good once."""
    context = ({"reference": "Device/d1", "role": "https://hub.example/role"},)
    launch = launch_id(
        backstage, app, doctor, Launch(patient=record, encounter="e1", fhir_context=context, need_patient_banner=False, intent="monitor")
    )
    asked: dict[str, str | None] = {"launch": launch, "scope": "launch openid patient/*.rs"}
    body = app.tokens(doctor, **asked)
    assert (body["patient"], body["encounter"], body["intent"], body["need_patient_banner"]) == (record, "e1", "monitor", False)
    assert body["fhirContext"] == list(context)
    assert error_in(app.authorize(**asked))["error"] == "invalid_request"


def test_a_launch_is_answered_by_who_began_it(app: SmartApp, doctor: SignedIn, backstage: Backstage, ehr: Caller, record: str) -> None:
    """RFC 9700 section 4.7: no one else's choice is put under somebody's name."""
    launch = launch_id(backstage, app, doctor, Launch(patient=record))
    colleague = signed_in_as(backstage, "practitioner", "Practitioner/p2", ehr.account.organization)
    secret = app.waiting(launch=launch, scope="launch openid patient/*.rs")
    with pytest.raises(FhirError, match="somebody else"):
        app.allowed(colleague, secret)
    assert app.allowed(doctor, secret)


def test_a_practitioner_chooses_a_patient_and_a_patient_does_not(app: SmartApp, doctor: SignedIn, ana: SignedIn, record: str) -> None:
    """SMART, launch/patient: a patient in context."""
    assert app.tokens(doctor, patient=record)["patient"] == record
    with pytest.raises(FhirError, match="Choose"):
        app.allowed(doctor, app.waiting())
    assert app.tokens(ana)["patient"] == record
    with pytest.raises(FhirError, match="your own"):
        app.allowed(ana, app.waiting(), patient="another")


def test_nobody_gives_more_than_the_app_asked_for_or_the_role_may(app: SmartApp, ana: SignedIn, backstage: Backstage) -> None:
    """RFC 6749 section 3.3: what is ticked lies within both."""
    with pytest.raises(FhirError, match="More was chosen"):
        app.allowed(ana, app.waiting(), scope="patient/*.cruds")
    officer = signed_in_as(backstage, "compliance", None, "Organization/o1")
    body = app.tokens(officer, scope="openid offline_access patient/*.rs user/*.rs user/AuditEvent.rs")
    assert "user/AuditEvent.rs" in body["scope"]
    assert "patient/" not in body["scope"]
    assert not {"patient", "refresh_token"} & body.keys()


def test_the_id_token_is_verified_by_the_keys_that_are_published(app: SmartApp, doctor: SignedIn, record: str, http: httpx.Client) -> None:
    """OpenID Connect Core section 3.1.3.7: kid, RS256, iss, aud, nonce. Items 33 to 37."""
    token = app.tokens(doctor, patient=record, nonce="n-123")["id_token"]
    seen = peek(token, max_chars=8_192)
    assert seen.header["alg"] == "RS256"
    key = app.backstage.hub.signing_keys.verifying(seen.header["kid"], IDENTITY)
    assert key is not None
    assert signature_holds(token, key, IDENTITY)
    document = http.get("/.well-known/openid-configuration").json()
    assert (seen.claims["iss"], seen.claims["aud"], seen.claims["nonce"]) == (document["issuer"], app.id, "n-123")
    assert seen.header["kid"] in {one["kid"] for one in http.get("/oauth/jwks").json()["keys"]}


@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "600"}], ids=str)
def test_an_app_may_ask_for_a_sign_in_that_is_fresh(app: SmartApp, backstage: Backstage, record: str, changed: dict[str, Any]) -> None:
    """OpenID Connect Core section 3.1.2.1: prompt=login, max_age."""
    before = signed_in_as(backstage, "patient", f"Patient/{record}", ago_s=1_200)
    secret = app.waiting(**changed)
    with pytest.raises(FhirError, match="sign in once more"):
        app.allowed(before, secret)
    assert app.allowed(signed_in_as(backstage, "patient", f"Patient/{record}"), secret)


def test_who_is_signed_in_is_asked_all_the_same(app: SmartApp, ana: SignedIn) -> None:
    """OpenID Connect Core section 3.1.2.6: with prompt=none nothing is granted unasked."""
    cookie = {"Cookie": f"{COOKIE.name('http:')}={ana.cookie}"}
    assert error_in(app.authorize(prompt="none"))["error"] == "login_required"
    assert error_in(app.authorize(prompt="none", headers=cookie))["error"] == "consent_required"


def test_the_page_comes_in_the_language_that_the_app_names(app: SmartApp) -> None:
    """OpenID Connect Core section 3.1.2.1: ui_locales."""
    assert app.authorize(ui_locales="de fr-CA en").headers["location"].endswith("&lang=fr")


def test_pages_of_a_registered_app_may_call_and_no_page_calls_authorize(http: httpx.Client, backstage: Backstage) -> None:
    """SMART, CORS: registered origins for token and FHIR. RFC 9700 section 2.6: not the authorization endpoint. Item 20."""
    origin = "https://pages-of-an-app.example"
    sent = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    allowed = "access-control-allow-origin"
    assert allowed not in http.options("/oauth/token", headers=sent).headers
    app = smart_app(http, backstage, SCOPE, origins=(origin,))
    for path in ("/oauth/token", "/fhir/Patient", "/oauth/userinfo", "/oauth/revoke"):
        assert http.options(path, headers=sent).headers[allowed] == origin
    assert allowed not in http.options("/oauth/authorize", headers=sent).headers
    assert allowed not in app.authorize(headers={"Origin": origin}).headers


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth/jwks"])
def test_discovery_is_json_for_pages_of_any_origin(http: httpx.Client, path: str) -> None:
    """SMART, CORS; RFC 8414 section 3. Items 2, 8 and 32."""
    answer = http.get(path, headers={"Origin": "https://anywhere.example", "Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_nothing_of_a_request_that_opens_a_door_is_on_record(app: SmartApp, backstage: Backstage) -> None:
    """Law 4: a record names the client, and no state, no secret, nothing of a person."""
    answer = app.authorize(nonce="n-secret", login_hint="ana@people.example")
    (record,) = backstage.records(answer.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("authorize", "0")
    assert app.id in str(record.event)
    for text in (app.state, "n-secret", "ana@people.example"):
        assert text.encode().hex() not in str(record.event).encode().hex()
