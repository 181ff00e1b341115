"""Discovery. https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known"""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.spec.smart.blackbox.target import Target

ALWAYS: dict[str, type] = {
    "token_endpoint": str,
    "grant_types_supported": list,
    "capabilities": list,
    "code_challenge_methods_supported": list,
}
LAUNCHES = frozenset({"launch-ehr", "launch-standalone"})
SETS = {
    "patient standalone": {"launch-standalone", "client-public", "context-standalone-patient", "permission-patient"},
    "patient from portal": {"launch-ehr", "client-public", "context-ehr-patient", "permission-patient"},
    "clinician standalone": {"launch-standalone", "client-public", "permission-user", "permission-patient"},
    "clinician EHR launch": {
        "launch-ehr",
        "client-public",
        "permission-user",
        "permission-patient",
        "context-ehr-patient",
        "context-ehr-encounter",
    },
}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def answer(target: Target, web: httpx.Client) -> httpx.Response:
    return web.get(f"{target.fhir}/.well-known/smart-configuration")


def test_discovery_answers(answer: httpx.Response) -> None:
    """1. SMART 2.2 conformance, Using Well-Known: FHIR endpoints requiring authorization SHALL serve a JSON document."""
    assert answer.status_code == 200


def test_discovery_is_application_json(answer: httpx.Response) -> None:
    """2. SMART 2.2 conformance, Response: servers SHALL respond with application/json."""
    assert answer.headers["content-type"].partition(";")[0] == "application/json"


def test_discovery_is_an_object(answer: httpx.Response) -> None:
    """3. SMART 2.2 conformance, Response: a JSON document."""
    assert isinstance(answer.json(), dict)


def test_required_fields_are_there_and_of_their_type(discovered: Json) -> None:
    """4. SMART 2.2 conformance, Metadata: what is required always, and what a launch needs besides."""
    assert {name for name, kind in ALWAYS.items() if not isinstance(discovered.get(name), kind)} == set()
    assert LAUNCHES & set(discovered["capabilities"])
    assert isinstance(discovered["authorization_endpoint"], str)


def test_the_code_grant_is_named(discovered: Json) -> None:
    """5. SMART 2.2 conformance, Metadata: authorization_code with SMART App Launch, client_credentials with backend services."""
    assert {"authorization_code", "client_credentials"} <= set(discovered["grant_types_supported"])


def test_pkce_is_by_s256_and_not_plain(discovered: Json) -> None:
    """6. SMART 2.2 conformance, Metadata: S256 SHALL be included, plain SHALL NOT."""
    assert "S256" in discovered["code_challenge_methods_supported"]
    assert "plain" not in discovered["code_challenge_methods_supported"]


def test_issuer_and_keys_are_there_exactly_with_openid(discovered: Json) -> None:
    """7. SMART 2.2 conformance, Metadata: issuer and jwks_uri with sso-openid-connect; otherwise issuer SHALL be omitted."""
    expected = "sso-openid-connect" in discovered["capabilities"]
    assert ("issuer" in discovered, "jwks_uri" in discovered) == (expected, expected)


@pytest.mark.parametrize("origin", ["https://somewhere.example", "null"])
def test_any_page_may_read_discovery(target: Target, web: httpx.Client, origin: str) -> None:
    """8. SMART 2.2 app-launch, CORS: for requests from any origin, access to the public discovery endpoints."""
    answer = web.get(f"{target.fhir}/.well-known/smart-configuration", headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] in ("*", origin)


@pytest.mark.parametrize("origin", ["https://somewhere.example", "null"])
def test_any_page_may_read_the_capability_statement(target: Target, web: httpx.Client, origin: str) -> None:
    """9. SMART 2.2 app-launch, CORS: metadata is one of the discovery endpoints."""
    answer = web.get(f"{target.fhir}/metadata", headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in ("*", origin)


@pytest.mark.parametrize("accept", ["*/*", "application/xml", "application/fhir+xml", "text/html", "image/png;q=0.1"])
def test_discovery_is_the_same_whatever_is_accepted(target: Target, web: httpx.Client, discovered: Json, accept: str) -> None:
    """10. SMART 2.2 conformance: SHALL be JSON, regardless of Accept headers provided in the request."""
    answer = web.get(f"{target.fhir}/.well-known/smart-configuration", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert answer.json() == discovered


def test_every_url_is_absolute(discovered: Json) -> None:
    """11. SMART 2.2 conformance: all endpoint URLs in the response document SHALL be absolute URLs."""
    urls = {name: value for name, value in discovered.items() if name.endswith(("_endpoint", "_uri", "_bundle")) or name == "issuer"}
    assert {name for name, value in urls.items() if not (urlsplit(value).scheme and urlsplit(value).netloc)} == set()


def test_asymmetric_clients_find_their_algorithms(discovered: Json) -> None:
    """12. SMART 2.2 client-confidential-asymmetric, Discovery: private_key_jwt, and RS384 and/or ES384."""
    assert "client-confidential-asymmetric" in discovered["capabilities"]
    assert "private_key_jwt" in discovered["token_endpoint_auth_methods_supported"]
    assert {"RS384", "ES384"} & set(discovered["token_endpoint_auth_signing_alg_values_supported"])


@pytest.mark.parametrize("name", SETS)
def test_the_four_named_sets_are_whole(discovered: Json, name: str) -> None:
    """Beyond: SMART 2.2 conformance, Capability Sets: each capability of a set is required to satisfy it."""
    assert SETS[name] - set(discovered["capabilities"]) == set()


def test_recommended_fields_are_there(discovered: Json) -> None:
    """Beyond: SMART 2.2 conformance, Metadata, RECOMMENDED: where people see and withdraw what apps may do, and where tokens are asked
    about and ended.
    """
    recommended = {
        "scopes_supported",
        "response_types_supported",
        "management_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "user_access_brand_bundle",
    }
    assert recommended - set(discovered) == set()
    assert discovered["response_types_supported"] == ["code"]


def test_a_capability_has_a_name_of_the_guide_or_is_a_url(discovered: Json) -> None:
    """Beyond: SMART 2.2 conformance: capabilities of other organizations SHALL use full URIs."""
    known = set().union(*SETS.values()) | {
        "authorize-post",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-banner",
        "context-style",
        "context-standalone-encounter",
        "permission-offline",
        "permission-online",
        "permission-v1",
        "permission-v2",
        "smart-app-state",
    }
    assert {one for one in discovered["capabilities"] if one not in known and "://" not in one} == set()


def test_the_capability_statement_names_the_same_endpoints(target: Target, web: httpx.Client, discovered: Json) -> None:
    """Beyond: SMART 2.2 conformance, older clients: the oauth-uris extension, where it is there, says what discovery says."""
    security = web.get(f"{target.fhir}/metadata").json()["rest"][0]["security"]
    uris = {one["url"]: one["valueUri"] for extension in security["extension"] for one in extension.get("extension", ())}
    assert (uris["token"], uris["authorize"]) == (discovered["token_endpoint"], discovered["authorization_endpoint"])


def test_rfc_8414_and_openid_say_the_same(target: Target, web: httpx.Client, discovered: Json) -> None:
    """Beyond: RFC 8414 section 3: the same server under its other two well-known addresses, of one mind."""
    for name in ("oauth-authorization-server", "openid-configuration"):
        other = web.get(f"{target.origin}/.well-known/{name}").json()
        both = set(other) & {one for one in discovered if one.endswith(("_endpoint", "_uri")) or one == "issuer"}
        assert {"issuer", "token_endpoint", "authorization_endpoint", "jwks_uri"} <= both
        assert {one: other[one] for one in both} == {one: discovered[one] for one in both}
