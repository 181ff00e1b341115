"""OpenID Connect. https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data

joserfc reads the tokens here, as an app would with a library of its own.
"""

import base64
import json
import secrets
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.spec.smart.blackbox.launches import STANDALONE, Launches
from tests.spec.smart.blackbox.party import Party
from tests.spec.smart.blackbox.target import Target

REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
LEEWAY_S = 5
NONCE = secrets.token_urlsafe(24)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def configuration(discovered: Json, web: httpx.Client) -> Json:
    answer = web.get(f"{discovered['issuer']}/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    found: Json = answer.json()
    return found


@pytest.fixture(scope="module")
def keys(configuration: Json, web: httpx.Client) -> list[Json]:
    found: list[Json] = web.get(configuration["jwks_uri"]).json()["keys"]
    return found


@pytest.fixture(scope="module")
def answered(public: Party, launches: Launches) -> Json:
    return launches.tokens(public, STANDALONE, nonce=NONCE)


def header_of(token: str) -> Json:
    part = token.split(".", maxsplit=1)[0]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@pytest.fixture(scope="module")
def claims(answered: Json, keys: list[Json]) -> Json:
    signing = [one for one in keys if one["kty"] == "RSA"]
    return jwt.decode(answered["id_token"], KeySet.import_key_set({"keys": signing}), algorithms=["RS256"]).claims  # type: ignore[typeddict-item]


def test_the_configuration_is_whole(configuration: Json, discovered: Json) -> None:
    """32. OpenID Connect Discovery 1.0 section 3: the seven required fields; issuer is the one it was found by; RS256 MUST be included."""
    assert REQUIRED - set(configuration) == set()
    assert configuration["issuer"] == discovered["issuer"]
    assert "RS256" in configuration["id_token_signing_alg_values_supported"]
    assert "none" not in configuration["id_token_signing_alg_values_supported"]


def test_an_rsa_key_is_published(keys: list[Json]) -> None:
    """33. SMART 2.2, sso-openid-connect: public keys as bare JWK keys."""
    rsa = [one for one in keys if one["kty"] == "RSA"]
    assert rsa
    for one in rsa:
        assert RSAKey.import_key({name: one[name] for name in ("kty", "n", "e")}).raw_value.key_size >= 2048


def test_nothing_private_is_published(keys: list[Json]) -> None:
    """Beyond: RFC 7517 section 9.2: private and symmetric keys MUST be protected from disclosure."""
    assert [one["kid"] for one in keys if PRIVATE & set(one)] == []


def test_each_key_has_a_name_of_its_own(keys: list[Json]) -> None:
    """Beyond: SMART 2.2 client-confidential-asymmetric: within a set, kid and kty name one key."""
    names = [(one["kid"], one["kty"]) for one in keys]
    assert len(set(names)) == len(names)


def test_the_header_names_a_published_key(answered: Json, keys: list[Json]) -> None:
    """34. SMART 2.2, sso-openid-connect: RSA SHA-256, and a kid that is there."""
    header = header_of(answered["id_token"])
    assert header["alg"] == "RS256"
    assert [one["kty"] for one in keys if one["kid"] == header["kid"]] == ["RSA"]


def test_the_signature_holds(claims: Json) -> None:
    """35. OpenID Connect Core section 3.1.3.7, point 6."""
    assert claims


def test_the_claims_are_right(claims: Json, public: Party, discovered: Json) -> None:
    """36. OpenID Connect Core sections 2 and 3.1.3.7: iss, aud, exp, iat; sub of 255 ASCII characters at most."""
    now = time.time()
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    assert claims["iss"] == discovered["issuer"]
    assert audience == [public.client_id]
    assert claims["iat"] <= now + LEEWAY_S
    assert claims["exp"] > now
    assert 0 < len(claims["sub"]) <= 255
    assert claims["sub"].isascii()


def test_the_nonce_comes_back(claims: Json) -> None:
    """Beyond: OpenID Connect Core section 3.1.3.7, point 11: if a nonce was sent, it MUST be there and be that one."""
    assert claims["nonce"] == NONCE


@pytest.mark.parametrize("who", ["patient", "practitioner"])
def test_fhir_user_is_a_person_that_can_be_read(public: Party, launches: Launches, target: Target, who: str) -> None:
    """37. SMART 2.2, fhirUser: the URL of a Patient, Practitioner, RelatedPerson or Person, readable with the token."""
    type = "Patient" if who == "patient" else "Practitioner"
    scope = f"openid fhirUser user/{type}.rs" + (" launch/patient patient/Patient.rs" if who == "patient" else "")
    body = launches.tokens(public, scope, who=who)
    part = body["id_token"].split(".")[1]
    user = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["fhirUser"]
    relative = user.removeprefix(f"{target.fhir}/")
    assert relative == target.people[who].fhir_user
    answer = public.read(body["access_token"], relative)
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == type


def test_no_fhir_user_without_its_scope(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2, scopes for identity: fhirUser is what asks for the claim."""
    body = launches.tokens(public, "openid launch/patient patient/Patient.rs")
    part = body["id_token"].split(".")[1]
    assert "fhirUser" not in json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_userinfo_says_the_same_person(public: Party, configuration: Json, answered: Json, claims: Json) -> None:
    """Beyond: OpenID Connect Core section 5.3.2: the sub of userinfo MUST be that of the id_token."""
    endpoint = configuration["userinfo_endpoint"]
    answer = public.http.get(endpoint, headers={"Authorization": f"Bearer {answered['access_token']}"})
    assert answer.status_code == 200
    assert answer.json()["sub"] == claims["sub"]
    assert public.http.get(endpoint).status_code == 401
    assert public.http.get(endpoint, params={"access_token": answered["access_token"]}).status_code in (400, 401)


def test_an_id_token_opens_no_data(public: Party, answered: Json) -> None:
    """Beyond: RFC 9068 section 4, RFC 8725 section 3.11: one kind of token is not taken for another."""
    assert public.read(answered["id_token"], f"Patient/{answered['patient']}").status_code == 401
