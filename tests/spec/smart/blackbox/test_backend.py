"""Backend services. https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html"""

import time
from typing import Any

import pytest

from tests.spec.smart.blackbox.assertions import assertion as signed
from tests.spec.smart.blackbox.assertions import new_key, thumbprint
from tests.spec.smart.blackbox.party import ASSERTION_TYPE, Party

SCOPE = "system/Patient.rs"
REFUSED = (400, 401)
LIFETIME_MAX_S = 300
Json = dict[str, Any]


def assertion(backend: Party, *, header: Json | None = None, key: bytes | None = None, **claims: Any) -> str:
    """As this client makes it, but for what is changed; a claim that is None is left out."""
    pem = backend.registration.key
    assert pem is not None
    kid = backend.registration.kid or thumbprint(pem)
    return signed(backend.client_id, key or pem, backend.discovered["token_endpoint"], header={"kid": kid, **(header or {})}, **claims)


def test_a_good_request_gets_a_token(backend: Party) -> None:
    """49. SMART 2.2 backend-services, access token response: access_token, token_type bearer, expires_in, scope."""
    answer = backend.by_itself(SCOPE)
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    assert body["token_type"].lower() == "bearer"
    assert isinstance(body["expires_in"], int)
    assert body["scope"] == SCOPE
    assert backend.read(body["access_token"], "Patient?_count=1").status_code == 200


def test_its_token_is_short_and_has_no_refresh(backend: Party) -> None:
    """Beyond: SMART 2.2 backend-services: expires_in SHOULD NOT exceed 300; refresh tokens SHOULD NOT be issued."""
    body = backend.by_itself(SCOPE).json()
    assert 0 < body["expires_in"] <= LIFETIME_MAX_S
    assert {"refresh_token", "id_token", "patient"} & set(body) == set()


@pytest.mark.parametrize("grant_type", ["not_a_grant_type", "password", "authorization_code", ""])
def test_a_wrong_grant_type_is_refused(backend: Party, grant_type: str) -> None:
    """46. RFC 6749 section 5.2: unsupported_grant_type, or invalid_request."""
    answer = backend.by_itself(SCOPE, grant_type=grant_type)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request", "unauthorized_client")


@pytest.mark.parametrize("kind", ["not_an_assertion_type", "", ASSERTION_TYPE.upper()])
def test_a_wrong_assertion_type_is_refused(backend: Party, kind: str) -> None:
    """47. RFC 7523 section 2.2: the value is fixed."""
    answer = backend.by_itself(SCOPE, client_assertion_type=kind)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


DAYS_S = 10 * 86_400
"""From when this file is read, which on a busy machine is long before its tests run."""
BAD: dict[str, Json] = {
    "iss": {"iss": "nobody-knows"},
    "sub": {"sub": "nobody-knows"},
    "no iss": {"iss": None},
    "no sub": {"sub": None},
    "aud": {"aud": "https://elsewhere.example/oauth/token"},
    "no aud": {"aud": None},
    "expired": {"exp": 1_700_000_000},
    "no exp": {"exp": None},
    "exp in days": {"exp": int(time.time()) + DAYS_S},
    "exp as text": {"exp": "soon"},
    "no jti": {"jti": None},
    "blank jti": {"jti": ""},
    "nbf ahead": {"nbf": int(time.time()) + DAYS_S},
    "kid": {"header": {"kid": "no-such-key"}},
    "jku": {"header": {"jku": "https://elsewhere.example/jwks.json"}},
    "typ": {"header": {"typ": "at+jwt"}},
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_assertion_is_refused(backend: Party, what: str) -> None:
    """48. SMART 2.2 client-confidential-asymmetric, signature verification: exp at most five minutes ahead, jku equal to the registered
    URL; invalid_client.
    """
    answer = backend.by_itself(SCOPE, client_assertion=assertion(backend, **BAD[what]))
    assert answer.status_code in REFUSED
    assert answer.json()["error"] == "invalid_client"
    assert "no-store" in answer.headers["cache-control"]


def test_another_key_is_refused(backend: Party) -> None:
    """48. SMART 2.2 client-confidential-asymmetric: the signature is that of the registered key with this kid."""
    answer = backend.by_itself(SCOPE, client_assertion=assertion(backend, key=new_key()))
    assert answer.status_code in REFUSED
    assert answer.json()["error"] == "invalid_client"


def test_a_jti_is_good_once(backend: Party) -> None:
    """48. SMART 2.2 client-confidential-asymmetric: the jti has not been previously encountered for the given iss."""
    once = assertion(backend)
    assert backend.by_itself(SCOPE, client_assertion=once).status_code == 200
    again = backend.by_itself(SCOPE, client_assertion=once)
    assert again.status_code in REFUSED
    assert again.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "token", ["eyJhbGciOiJub25lIn0.e30.", "a.b", "", "a" * 9_000, "é"], ids=["none", "two", "blank", "long", "unicode"]
)
def test_what_is_no_assertion_is_refused(backend: Party, token: str) -> None:
    """48. RFC 8725 sections 3.1 and 3.2: neither the algorithm none, nor what has no form."""
    answer = backend.by_itself(SCOPE, client_assertion=token)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


def test_a_refusal_describes_itself(backend: Party) -> None:
    """Beyond: SMART 2.2 backend-services: the server SHOULD include an error_uri or error_description."""
    body = backend.by_itself("system/Nonsense.rs").json()
    assert body["error"] == "invalid_scope"
    assert body["error_description"]


@pytest.mark.parametrize("scope", ["patient/*.rs", "user/*.rs", "openid", "launch/patient", "offline_access", ""])
def test_scopes_of_people_are_refused_to_who_acts_alone(backend: Party, scope: str) -> None:
    """Beyond: SMART 2.2 backend-services: system scopes; no user is in the loop."""
    answer = backend.by_itself(scope)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"
