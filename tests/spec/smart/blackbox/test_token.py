"""The token endpoint. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.launches import STANDALONE, Coded, Launches
from tests.spec.smart.blackbox.party import Party, challenge_of

APPS = ("public", "symmetric", "asymmetric")
REFUSED = (400, 401)
AT_ONCE = 8
Json = dict[str, Any]


def not_kept(answer: httpx.Response) -> bool:
    return "no-store" in answer.headers["cache-control"] and "no-cache" in answer.headers["pragma"]


@pytest.fixture
def coded(public: Party, launches: Launches) -> Coded:
    """A code that nobody has redeemed."""
    return launches.coded(public)


@pytest.fixture(scope="module")
def answers(party: Callable[[str], Party], launches: Launches) -> dict[str, httpx.Response]:
    """A token answer for each kind of app; the public one asks from a page of its origin."""
    made = {}
    for name in APPS:
        app = party(name)
        coded = launches.coded(app)
        headers = {"Origin": app.registration.origin} if name == "public" else None
        made[name] = app.redeem(coded.code, coded.request, headers=headers)
    return made


def test_a_public_client_redeems_from_a_page(answers: dict[str, httpx.Response], public: Party) -> None:
    """20. SMART 2.2 app-launch, CORS: from a client's registered origin(s), access to the token endpoint."""
    assert answers["public"].status_code == 200, answers["public"].text
    assert answers["public"].headers["access-control-allow-origin"] == public.registration.origin


def test_a_page_asks_before_and_is_permitted(public: Party, web: httpx.Client) -> None:
    """20. Fetch, CORS-preflight: of the token endpoint, from a registered origin."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = web.options(public.discovered["token_endpoint"], headers={"Origin": public.registration.origin, **asked})
    assert answer.headers["access-control-allow-origin"] == public.registration.origin


def test_a_page_of_another_origin_reads_nothing(public: Party, coded: Coded) -> None:
    """Beyond: SMART 2.2 app-launch, CORS: registered origins only."""
    answer = public.redeem(coded.code, coded.request, headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_symmetric_client_proves_itself_by_basic(answers: dict[str, httpx.Response]) -> None:
    """21. SMART 2.2 client-confidential-symmetric: HTTP Basic with client_id and secret."""
    assert answers["symmetric"].status_code == 200, answers["symmetric"].text


@pytest.mark.parametrize("how", ["wrong", "none", "form"])
def test_a_symmetric_client_without_its_secret_gets_nothing(party: Callable[[str], Party], launches: Launches, how: str) -> None:
    """21. RFC 6749 sections 2.3.1 and 5.2: 401 invalid_client, with the challenge of the scheme that was used."""
    app = party("symmetric")
    coded = launches.coded(app)
    form = {
        "grant_type": "authorization_code",
        "code": coded.code,
        "redirect_uri": app.registration.redirect_uri,
        "code_verifier": coded.request.verifier,
    }
    more: Json = {"client_id": app.client_id} if how == "none" else {}
    if how == "form":
        more = {"client_id": app.client_id, "client_secret": "guessed"}
    auth = httpx.BasicAuth(app.client_id, "guessed") if how == "wrong" else None
    answer = app.http.post(app.discovered["token_endpoint"], data={**form, **more}, auth=auth)
    assert answer.status_code in REFUSED
    if how == "wrong":
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].lower().startswith("basic")
        assert answer.json()["error"] == "invalid_client"


def test_an_asymmetric_client_proves_itself_by_an_assertion(answers: dict[str, httpx.Response]) -> None:
    """22. SMART 2.2 client-confidential-asymmetric: client_assertion_type and client_assertion."""
    assert answers["asymmetric"].status_code == 200, answers["asymmetric"].text


def test_an_asymmetric_client_without_its_assertion_gets_nothing(party: Callable[[str], Party], launches: Launches) -> None:
    """22. RFC 7523 section 3: who is registered with a key cannot pass as a public client."""
    app = party("asymmetric")
    coded = launches.coded(app)
    answer = app.redeem(coded.code, coded.request, client_assertion="", client_assertion_type="", client_id=app.client_id)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("name", APPS)
def test_the_answer_has_its_fields(answers: dict[str, httpx.Response], name: str) -> None:
    """23. SMART 2.2 app-launch, token response: access_token, token_type Bearer, expires_in a number, scope a string."""
    body = answers[name].json()
    assert isinstance(body["access_token"], str)
    assert body["token_type"].lower() == "bearer"
    assert isinstance(body["expires_in"], int)
    assert 0 < body["expires_in"] <= 3600
    assert isinstance(body["scope"], str)
    assert body["scope"]


@pytest.mark.parametrize("name", APPS)
def test_the_answer_is_kept_by_no_cache(answers: dict[str, httpx.Response], name: str) -> None:
    """24. SMART 2.2 app-launch, token response: Cache-Control no-store and Pragma no-cache SHALL be there."""
    assert answers[name].headers["content-type"].partition(";")[0] == "application/json"
    assert not_kept(answers[name])


def test_a_refusal_is_kept_by_no_cache_either(public: Party, coded: Coded) -> None:
    """Beyond: RFC 6749 section 5.1, ASVS 5.0 14.3.2: no answer of the token endpoint lies in a cache, refusals included."""
    assert not_kept(public.redeem("wrong", coded.request))


def test_the_context_is_the_patients_and_well_formed(answers: dict[str, httpx.Response], launches: Launches) -> None:
    """25. SMART 2.2 scopes-and-launch-context, fhirContext: objects with reference, canonical or identifier; no empty role; no plain
    Patient.
    """
    for answer in answers.values():
        body = answer.json()
        assert body["patient"] == launches.target.people["patient"].patient
        for entry in body.get("fhirContext", []):
            assert set(entry) & {"reference", "canonical", "identifier"}
            assert entry.get("role", "launch") != ""
            reference = str(entry.get("reference", ""))
            assert entry.get("role", "launch") != "launch" or not reference.startswith(("Patient/", "Encounter/"))


def test_a_banner_is_asked_for_by_a_boolean(answers: dict[str, httpx.Response]) -> None:
    """Beyond: SMART 2.2 scopes-and-launch-context: need_patient_banner is a boolean, as context-banner promises."""
    assert isinstance(answers["public"].json()["need_patient_banner"], bool)


@pytest.mark.parametrize("code", ["wrong", "", "a" * 43, "é", "x" * 10_000], ids=["wrong", "none", "shaped", "unicode", "long"])
def test_a_wrong_code_is_refused(public: Party, coded: Coded, code: str) -> None:
    """26. RFC 6749 section 5.2: 400 invalid_grant; invalid_request where there is none."""
    answer = public.redeem(code, coded.request)
    assert answer.status_code == 400
    assert answer.json()["error"] in (("invalid_request", "invalid_grant") if not code else ("invalid_grant",))


@pytest.mark.parametrize("name", ["other", "symmetric", "asymmetric"])
def test_a_code_of_another_client_is_refused(party: Callable[[str], Party], coded: Coded, name: str) -> None:
    """27. RFC 6749 section 4.1.3: the code was issued to the authenticated client, or to this client_id. Injection across clients."""
    answer = party(name).redeem(coded.code, coded.request)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] in ("invalid_grant", "invalid_client")


def test_a_client_that_nobody_knows_is_refused(public: Party, coded: Coded) -> None:
    """27. RFC 6749 section 5.2: invalid_client."""
    answer = public.redeem(coded.code, coded.request, client_id="nobody-knows")
    assert answer.status_code in REFUSED
    assert answer.json()["error"] in ("invalid_client", "invalid_grant")


@pytest.mark.parametrize("name", APPS)
def test_no_verifier_is_refused(party: Callable[[str], Party], launches: Launches, name: str) -> None:
    """28. SMART 2.2 app-launch, PKCE: the EHR SHALL ensure that the code_verifier is present; of confidential apps too."""
    app = party(name)
    coded = launches.coded(app)
    assert app.redeem(coded.code, coded.request, code_verifier="").status_code in REFUSED


def test_a_blank_verifier_is_refused(public: Party, coded: Coded) -> None:
    """29. RFC 7636 section 4.6: an empty value proves nothing."""
    form = {"grant_type": "authorization_code", "code": coded.code, "redirect_uri": public.registration.redirect_uri}
    sent = {**form, "client_id": public.client_id, "code_verifier": ""}
    assert public.http.post(public.discovered["token_endpoint"], data=sent).status_code in REFUSED


def test_a_wrong_verifier_is_refused(public: Party, coded: Coded) -> None:
    """30. RFC 7636 section 4.6: invalid_grant if the values are not equal; and the code is used up by the attempt or stays, but never good
    twice.
    """
    answer = public.redeem(coded.code, coded.request, code_verifier=public.request(STANDALONE).verifier)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] == "invalid_grant"


def test_the_challenge_is_no_verifier(public: Party, coded: Coded) -> None:
    """31. RFC 7636 section 7.2: what was in the authorization request is of no use to who saw it (plain)."""
    answer = public.redeem(coded.code, coded.request, code_verifier=challenge_of(coded.request.verifier))
    assert answer.status_code in REFUSED


def test_another_redirect_uri_is_refused(public: Party, coded: Coded) -> None:
    """Beyond: RFC 6749 section 4.1.3: redirect_uri is identical to the one of the authorization request."""
    answer = public.redeem(coded.code, coded.request, redirect_uri=f"{public.registration.redirect_uri}/")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_a_code_is_good_once_and_its_replay_ends_what_it_gave(public: Party, coded: Coded) -> None:
    """Beyond: RFC 6749 section 4.1.2, ASVS 5.0 10.4.2: used twice, it is denied, and the tokens given for it are revoked."""
    first = public.redeem(coded.code, coded.request)
    assert first.status_code == 200
    token, patient = first.json()["access_token"], first.json()["patient"]
    assert public.read(token, f"Patient/{patient}").status_code == 200
    again = public.redeem(coded.code, coded.request)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert public.read(token, f"Patient/{patient}").status_code == 401
    assert public.refresh(first.json()["refresh_token"]).status_code in REFUSED


def test_of_several_at_once_at_most_one_redeems(public: Party, coded: Coded) -> None:
    """Beyond: RFC 6749 section 10.5, ASVS 5.0 15.4.2: one code, many at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: public.redeem(coded.code, coded.request), range(AT_ONCE)))
    assert sum(answer.status_code == 200 for answer in answers) <= 1
    assert {answer.status_code for answer in answers} <= {200, 400}


def test_scopes_that_were_narrowed_are_told(public: Party, launches: Launches) -> None:
    """Beyond: RFC 6749 section 3.3: if the scope issued is different, scope says which it is; what nobody may have is left out."""
    body = launches.tokens(public, f"{STANDALONE} patient/AuditEvent.rs")
    assert "AuditEvent" not in body["scope"]
    assert "patient/*.rs" in body["scope"].split(" ")


def test_version_1_scopes_are_understood(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 scopes, v1 .read means .rs; the token says what it is good for."""
    body = launches.tokens(public, "launch/patient patient/Observation.read")
    assert {"patient/Observation.rs", "patient/Observation.read"} & set(body["scope"].split(" "))
    assert public.read(body["access_token"], f"Observation?patient={body['patient']}").status_code == 200


def test_no_refresh_token_without_asking_for_one(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 scopes-and-launch-context: offline_access or online_access requests a refresh_token."""
    assert "refresh_token" not in launches.tokens(public, "launch/patient patient/Patient.rs")


def test_no_identity_without_asking_for_it(public: Party, launches: Launches) -> None:
    """Beyond: OpenID Connect Core section 3.1.2.1: without openid it is plain OAuth, and there is no id_token."""
    assert "id_token" not in launches.tokens(public, "launch/patient patient/Patient.rs")


def test_a_patient_is_in_context_whenever_patient_scopes_are_granted(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 scopes-and-launch-context: if a scope restricted to a single patient is granted, the EHR SHALL establish a patient
    in context.
    """
    request, landing = launches.landed(public, "openid patient/Patient.rs")
    if landing.url is not None and "code=" in landing.url:
        code = landing.url.split("code=")[1].split("&")[0]
        body = public.redeem(code, request).json()
        assert "patient" in body or "patient/" not in body["scope"]


def test_what_authorize_was_told_stays_out_of_the_token_endpoint(public: Party, coded: Coded) -> None:
    """Beyond: RFC 6749 section 3.2: parameters in the query of the token endpoint are not parameters; POST only."""
    query = {"grant_type": "authorization_code", "code": coded.code, "code_verifier": coded.request.verifier, "client_id": public.client_id}
    assert public.http.get(public.discovered["token_endpoint"], params=query).status_code in (400, 404, 405)
    assert public.http.post(public.discovered["token_endpoint"], params=query).status_code == 400


@pytest.mark.parametrize("grant_type", ["password", "implicit", "", "urn:ietf:params:oauth:grant-type:saml2-bearer"])
def test_other_grants_are_refused(public: Party, grant_type: str) -> None:
    """Beyond: RFC 6749 section 5.2: unsupported_grant_type; RFC 9700 section 2.4: the password grant MUST NOT be used."""
    answer = public.post("token_endpoint", {"grant_type": grant_type, "username": "u", "password": "p"})
    assert answer.status_code == 400
    assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request", "unauthorized_client")
