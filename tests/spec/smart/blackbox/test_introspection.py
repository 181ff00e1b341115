"""Introspection and revocation. https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html, RFC 7662, RFC 7009"""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.launches import Launches
from tests.spec.smart.blackbox.party import Party

REFUSED = (400, 401)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def asker(party: Callable[[str], Party]) -> Party:
    return party("introspector")


@pytest.fixture
def granted(public: Party, launches: Launches) -> Json:
    return launches.tokens(public)


def claims_of(token: str) -> Json:
    part = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_good_token_is_described_as_it_was_given(asker: Party, public: Party, granted: Json) -> None:
    """43. SMART 2.2 token-introspection: active, scope, client_id, exp; the launch context; iss, sub and fhirUser of the id_token."""
    answer = asker.introspect(granted["access_token"])
    assert answer.status_code == 200, answer.text
    body, identity = answer.json(), claims_of(granted["id_token"])
    assert body["active"] is True
    assert set(body["scope"].split(" ")) == set(granted["scope"].split(" "))
    assert body["client_id"] == public.client_id
    assert isinstance(body["exp"], int)
    assert body["patient"] == granted["patient"]
    assert body.get("encounter") == granted.get("encounter")
    assert (body["iss"], body["sub"]) == (identity["iss"], identity["sub"])
    assert body["fhirUser"] == identity["fhirUser"]


def test_a_client_may_ask_about_its_own_token_by_its_own_proof(party: Callable[[str], Party], launches: Launches) -> None:
    """43. RFC 7662 section 2.1: the protected resource or client authenticates at the endpoint."""
    app = party("symmetric")
    token = launches.tokens(app)["access_token"]
    assert app.introspect(token).json()["active"] is True


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "", "é"])
def test_a_bad_token_is_not_active_and_that_is_all(asker: Party, token: str) -> None:
    """44. RFC 7662 section 2.2: active false, and SHOULD NOT include any additional information."""
    answer = asker.introspect(token)
    if token:
        assert answer.status_code == 200
        assert answer.json() == {"active": False}
    else:
        assert answer.status_code == 400


def test_a_tampered_token_is_not_active(asker: Party, granted: Json) -> None:
    """44. RFC 7662 section 4: the signature is checked before anything is said."""
    head, body, signature = granted["access_token"].split(".")
    forged = ".".join((head, body, signature[::-1]))
    assert asker.introspect(forged).json() == {"active": False}


def test_an_unauthorised_asker_learns_nothing(public: Party, granted: Json) -> None:
    """45. RFC 7662 section 2.1: to prevent token scanning, the endpoint MUST require some form of authorization."""
    endpoint = public.discovered["introspection_endpoint"]
    form = {"token": granted["access_token"]}
    assert public.http.post(endpoint, data=form).status_code == 401
    assert public.http.post(endpoint, data=form, auth=httpx.BasicAuth("nobody", "knows")).status_code == 401
    assert public.http.post(endpoint, data=form, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert public.http.get(endpoint, params=form).status_code in (400, 401, 404, 405)


def test_a_client_that_is_no_asker_learns_nothing_of_others(party: Callable[[str], Party], granted: Json) -> None:
    """45. RFC 7662 section 4: who may ask about which token is the server's to decide; of another's token: not active."""
    answer = party("symmetric").introspect(granted["access_token"])
    assert answer.status_code in (401, 403) or answer.json() == {"active": False}


def test_an_asker_may_prove_itself_by_a_bearer_token(asker: Party, granted: Json) -> None:
    """Beyond: SMART 2.2 token-introspection: SHALL be permitted to authenticate by an appropriately-scoped bearer token, about any client's
    token.
    """
    own = asker.by_itself("system/*.rs").json()["access_token"]
    answer = asker.http.post(
        asker.discovered["introspection_endpoint"], data={"token": granted["access_token"]}, headers={"Authorization": f"Bearer {own}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["active"] is True


def test_introspection_is_kept_by_no_cache(asker: Party, granted: Json) -> None:
    """Beyond: ASVS 5.0 14.3.2: what is said of a token holds for this moment."""
    assert "no-store" in asker.introspect(granted["access_token"]).headers["cache-control"]


def test_after_revocation_neither_data_nor_refresh(public: Party, asker: Party, granted: Json) -> None:
    """53. RFC 7009 section 2.1: a refresh token is revoked with the access tokens based on the same grant; at once."""
    token, patient = granted["access_token"], granted["patient"]
    assert public.read(token, f"Patient/{patient}").status_code == 200
    assert public.revoke(granted["refresh_token"]).status_code == 200
    assert public.read(token, f"Patient/{patient}").status_code in (401, 403, 404)
    assert public.refresh(granted["refresh_token"]).status_code in REFUSED
    assert asker.introspect(token).json() == {"active": False}


def test_an_access_token_is_revoked_by_itself(public: Party, granted: Json) -> None:
    """53. RFC 7009 section 2: an access token is no good with the next request."""
    assert public.revoke(granted["access_token"]).status_code == 200
    assert public.read(granted["access_token"], f"Patient/{granted['patient']}").status_code == 401


def test_revoking_what_nobody_knows_is_no_error(public: Party) -> None:
    """Beyond: RFC 7009 section 2.2: invalid tokens do not cause an error response."""
    assert public.revoke("nonsense").status_code == 200


def test_nobody_revokes_anothers_token(party: Callable[[str], Party], public: Party, granted: Json) -> None:
    """Beyond: RFC 7009 section 2.1: the token was issued to the client that asks, or the request is refused; here without a word."""
    answer = party("other").revoke(granted["refresh_token"])
    assert answer.status_code in (200, 400)
    assert public.read(granted["access_token"], f"Patient/{granted['patient']}").status_code == 200


def test_a_page_may_revoke_from_its_origin(public: Party, granted: Json) -> None:
    """Beyond: RFC 7009 section 2.3: CORS, so that a public client in a page can sign out."""
    answer = public.post("revocation_endpoint", {"token": granted["refresh_token"]}, headers={"Origin": public.registration.origin})
    assert answer.headers["access-control-allow-origin"] == public.registration.origin
