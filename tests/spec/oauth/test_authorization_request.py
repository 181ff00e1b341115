"""A request to authorize, before any person: RFC 6749 section 4.1.1, RFC 7636, RFC 8252, RFC 9207, OpenID Connect Core section 3.1.2."""

from dataclasses import replace
from typing import Any

import pytest

from security.oauth.authorization_request import (
    UNTRUSTED,
    AuthorizationRequest,
    Refused,
    Untrusted,
    checked,
    client_id_of,
    trusted,
)
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, App, Client
from security.oauth.redirect_uri import answer_at, is_registered
from security.scopes import Query
from tests.spec.oauth.world import FHIR_BASE, ISSUER, NOW_US

REDIRECT = "https://app.example/callback"
GOOD = {
    "response_type": "code",
    "client_id": "app-1",
    "redirect_uri": REDIRECT,
    "scope": "launch/patient openid patient/*.rs offline_access",
    "state": "s-1",
    "aud": FHIR_BASE,
    "code_challenge": "x" * 43,
    "code_challenge_method": "S256",
}


def client(**changes: Any) -> Client:
    given: dict[str, Any] = {
        "client_id": "app-1",
        "name": "app",
        "scopes": "launch launch/patient openid fhirUser offline_access patient/*.cruds user/*.rs",
        "organization": "Organization/o1",
        "purpose": "TREAT",
        "consent_default": "opt-in",
        "recorder": False,
        "importer": False,
        "jwks": None,
        "jwks_uri": None,
        "created_us": NOW_US,
        "authentication": "none",
        "grants": (GRANT_CODE, GRANT_REFRESH),
        "app": App(redirect_uris=(REDIRECT,)),
    }
    return Client(**{**given, **changes})


def enforceable(type: str, query: Query) -> None:
    if type != "Observation":
        raise ValueError(query)


def made(app: Client | None = None, *, pushed: bool = False, **changed: str | None) -> AuthorizationRequest:
    sent = [(name, value) for name, value in {**GOOD, **changed}.items() if value is not None]
    return checked(sent, app or client(), audience=FHIR_BASE, check_scope_query=enforceable, pushed=pushed)


def refused(app: Client | None = None, **changed: str | None) -> Refused:
    with pytest.raises(Refused) as refusal:
        made(app, **changed)
    return refusal.value


def test_a_good_request_becomes_what_was_asked_in_canonical_words() -> None:
    """RFC 6749 section 4.1.1; RFC 7636 section 4.3."""
    request = made(scope="patient/*.read openid launch/patient", nonce="n-1", max_age="60", prompt="login consent")
    assert request.scope == "launch/patient openid patient/*.rs"
    assert (request.state, request.nonce, request.max_age_s, request.prompt) == ("s-1", "n-1", 60, ("login", "consent"))
    assert AuthorizationRequest.from_document(request.to_document()) == request


@pytest.mark.parametrize("aud", [FHIR_BASE, f"{FHIR_BASE}/"])
def test_the_audience_is_the_fhir_base_with_and_without_a_slash(aud: str) -> None:
    """SMART: aud is the FHIR base URL of the resource server."""
    assert made(aud=aud)


def test_who_asks_for_an_identity_alone_need_not_say_for_which_server() -> None:
    """OpenID Connect Core section 3.1.2.1 knows no aud; SMART asks for it so that no token goes to a false server of data."""
    assert made(scope="openid offline_access", aud=None).scope == "offline_access openid"
    for scope in ("openid patient/*.rs", "openid launch/patient", "openid user/Patient.rs", "openid fhirUser"):
        assert refused(scope=scope, aud=None).error == "invalid_request"
    assert refused(scope="openid", aud="https://elsewhere.example/fhir").error == "invalid_request", "what is said has to be right"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"aud": f"{FHIR_BASE}//"}, "invalid_request"),
        ({"aud": FHIR_BASE.upper()}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"state": ""}, "invalid_request"),
        ({"state": "s" * 3_000}, "invalid_request"),
        ({"nonce": "n" * 2_000}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"launch": "l-1"}, "invalid_scope"),
        ({"scope": "launch openid"}, "invalid_request"),
        ({"scope": "openid offline_access online_access"}, "invalid_scope"),
        ({"scope": "patient/Observation.rs?code:in=x"}, "invalid_scope"),
        ({"scope": "patient/Condition.rs?category=x"}, "invalid_scope"),
        ({"scope": "patient/Nonsense.rs"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "user/AuditEvent.rs"}, "invalid_scope"),
    ],
    ids=str,
)
def test_what_is_wrong_has_the_code_of_its_clause(changed: dict[str, str | None], error: str) -> None:
    """RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6, RFC 8707 section 2."""
    assert refused(**changed).error == error


def test_a_client_without_this_grant_is_told_so() -> None:
    """RFC 6749 section 4.1.2.1: unauthorized_client."""
    assert refused(client(grants=(GRANT_REFRESH,))).error == "unauthorized_client"


def test_who_has_to_push_its_parameters_is_held_to_it() -> None:
    """RFC 9126 section 6: require_pushed_authorization_requests of a client."""
    app = client(app=App(redirect_uris=(REDIRECT,), par_required=True))
    assert refused(app).error == "invalid_request"
    assert made(app, pushed=True)


def test_words_that_are_not_understood_are_passed_over() -> None:
    """OpenID Connect Core section 3.1.2.1; system/ scopes are nobody's to give."""
    assert made(scope="openid email address phone system/*.rs patient/*.rs").scope == "openid patient/*.rs"


def test_nothing_is_asked_that_the_client_is_not_registered_for() -> None:
    """RFC 6749 section 3.3: the server may narrow the scope."""
    assert (
        made(client(scopes="openid patient/Observation.rs"), scope="openid fhirUser patient/*.cruds").scope
        == "openid patient/Observation.rs"
    )


def test_who_takes_no_refresh_tokens_asks_for_none() -> None:
    """SMART: offline_access asks for a refresh token."""
    assert made(client(grants=(GRANT_CODE,))).scope == "launch/patient openid patient/*.rs"


@pytest.mark.parametrize(
    "app",
    [None, client(revoked_us=NOW_US), client(pending=True), client(app=None), client(app=App())],
    ids=["unknown", "revoked", "pending", "no app", "no address"],
)
def test_nothing_is_sent_where_the_client_is_not_good(app: Client | None) -> None:
    """RFC 6749 section 4.1.2.1: no redirect; one text for every cause."""
    assert trusted(GOOD.items(), client(), ISSUER)
    with pytest.raises(Untrusted, match=UNTRUSTED[:20]):
        trusted(GOOD.items(), app, ISSUER)


def test_a_parameter_that_names_the_place_comes_once() -> None:
    """RFC 6749 section 3.1."""
    with pytest.raises(Untrusted):
        trusted([*GOOD.items(), ("redirect_uri", REDIRECT)], client(), ISSUER)
    assert client_id_of(GOOD.items()) == "app-1"
    assert client_id_of([*GOOD.items(), ("client_id", "app-1")]) is None
    assert client_id_of([("client_id", "x" * 300)]) is None


@pytest.mark.parametrize(
    ("registered", "sent", "good"),
    [
        (REDIRECT, REDIRECT, True),
        (REDIRECT, "https://app.example/callback?x=1", False),
        (REDIRECT, "https://APP.example/callback", False),
        (REDIRECT, "https://app.example:443/callback", False),
        (REDIRECT, "https://app.example/a/../callback", False),
        (REDIRECT, "https://app.example/callback#", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb", True),
        ("http://[::1]/cb", "http://[::1]:51004/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", False),
        ("http://127.0.0.1/cb", "http://127.0.0.2/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://evil@127.0.0.1/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:99999999/cb", False),
        ("http://localhost/cb", "http://localhost:51004/cb", False),
        ("com.example.app:/cb", "com.example.app:/cb", True),
    ],
)
def test_an_address_is_compared_as_text_but_for_the_port_of_a_native_app(registered: str, sent: str, good: bool) -> None:
    """RFC 9700 section 2.1, RFC 8252 section 7.3."""
    assert is_registered(client(app=App(redirect_uris=(registered,))), sent) == good


def test_only_a_native_app_may_come_back_at_another_port() -> None:
    """RFC 8252 section 7.3: of native apps, which are public clients."""
    app = client(app=App(redirect_uris=("http://127.0.0.1/cb",)))
    kept = replace(app, authentication="client_secret_basic", secret_hash=b"x" * 32)
    assert is_registered(app, "http://127.0.0.1:5/cb")
    assert not is_registered(kept, "http://127.0.0.1:5/cb")


def test_an_answer_keeps_the_query_of_the_address_and_names_who_answers() -> None:
    """RFC 6749 section 4.1.2, RFC 9207 section 2."""
    assert answer_at("https://app.example/cb?x=1", {"code": "a b&c"}) == "https://app.example/cb?x=1&code=a+b%26c"
    answering = trusted(GOOD.items(), client(), ISSUER)
    assert answering.granted("c") == f"{REDIRECT}?code=c&state=s-1&iss=https%3A%2F%2Fhub.example.org"
    assert "error=access_denied" in answering.refused(Refused("access_denied", "no"))
