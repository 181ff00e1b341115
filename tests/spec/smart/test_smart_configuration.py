"""SMART App Launch 2.2, conformance: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.oauth.token import GRANTS
from hub.routes import ROUTES
from security.oauth.metadata import (
    SMART_CONFIGURATION_PATH,
    authorization_server,
    fhir_base,
    openid_configuration,
    smart_configuration,
)
from security.oauth.scope_request import ScopeRequest

BASE_URL = "https://hub.example.org"


def test_the_document_lies_under_the_fhir_base() -> None:
    """Using well-known: appended to the whole base, including its path."""
    assert fhir_base(BASE_URL) + "/.well-known/smart-configuration" == BASE_URL + SMART_CONFIGURATION_PATH


@pytest.mark.parametrize("field", ["grant_types_supported", "capabilities", "code_challenge_methods_supported"])
def test_required_lists_are_lists_of_text(field: str) -> None:
    """Metadata: token_endpoint, grant_types_supported, capabilities, code_challenge_methods_supported are always there."""
    value = smart_configuration(BASE_URL)[field]
    assert isinstance(value, list)
    assert value
    assert all(isinstance(entry, str) for entry in value)


@pytest.mark.parametrize("base_url", [BASE_URL, BASE_URL + "/", "http://127.0.0.1:8000", "https://example.org/hub"])
def test_the_token_endpoint_is_an_absolute_url(base_url: str) -> None:
    """Metadata: URLs are absolute."""
    url = urlsplit(str(smart_configuration(base_url)["token_endpoint"]))
    assert url.scheme in {"http", "https"}
    assert url.netloc
    assert url.path.endswith("/oauth/token")
    assert "//" not in url.path


def test_s256_is_listed_and_plain_is_not() -> None:
    """Metadata: code_challenge_methods_supported SHALL include S256 and SHALL NOT include plain."""
    assert smart_configuration(BASE_URL)["code_challenge_methods_supported"] == ["S256"]


def test_clients_prove_themselves_with_rs384_or_es384() -> None:
    """Metadata for asymmetric clients: private_key_jwt, and RS384 and/or ES384. Item 12."""
    document = smart_configuration(BASE_URL)
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    assert set(document["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}


def test_single_sign_on_goes_with_issuer_and_keys() -> None:
    """Metadata: issuer and jwks_uri if, and only if, sso-openid-connect. Item 7."""
    document = smart_configuration(BASE_URL)
    assert "sso-openid-connect" in document["capabilities"]
    assert {"issuer", "jwks_uri"} <= document.keys()


def test_a_launch_goes_with_an_authorization_endpoint() -> None:
    """Metadata: authorization_endpoint where there is launch-ehr or launch-standalone."""
    document = smart_configuration(BASE_URL)
    assert {"launch-ehr", "launch-standalone"} <= set(document["capabilities"])
    assert document["authorization_endpoint"] == f"{BASE_URL}/oauth/authorize"


@pytest.mark.parametrize("document", [smart_configuration, openid_configuration, authorization_server])
def test_every_address_is_absolute_and_is_answered(document: Callable[..., dict[str, Any]]) -> None:
    """Metadata: URLs are absolute; what is announced is in the route table. Item 11."""
    said = {name: url for name, url in document(BASE_URL, registration=True).items() if name.endswith(("_endpoint", "_uri"))}
    paths = {url.removeprefix(BASE_URL) for name, url in said.items() if name != "management_endpoint"}
    assert all(url.startswith(f"{BASE_URL}/") for url in said.values())
    assert paths <= {row.path for row in ROUTES}


@pytest.mark.parametrize("document", [smart_configuration, openid_configuration, authorization_server])
def test_every_grant_type_is_served_and_every_one_served_is_announced(document: Callable[[str], dict[str, Any]]) -> None:
    """Metadata: grant_types_supported. Item 5."""
    assert set(document(BASE_URL)["grant_types_supported"]) == set(GRANTS)


def test_self_registration_is_announced_where_it_is_offered() -> None:
    """RFC 7591, RFC 8414 section 2: registration_endpoint."""
    assert smart_configuration(BASE_URL, registration=True)["registration_endpoint"] == f"{BASE_URL}/oauth/clients"
    assert "registration_endpoint" not in smart_configuration(BASE_URL)


@pytest.mark.parametrize("document", [smart_configuration, openid_configuration, authorization_server])
def test_certificates_are_announced_where_the_hub_sees_them(document: Callable[..., dict[str, Any]]) -> None:
    """RFC 8705 sections 2 and 3.3: a hub that sees no certificate of its clients takes none and binds to none."""
    seen, unseen = document(BASE_URL, certificates=True), document(BASE_URL)
    assert seen["tls_client_certificate_bound_access_tokens"] is True
    assert unseen["tls_client_certificate_bound_access_tokens"] is False
    methods = ("token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported")
    assert all("tls_client_auth" in seen[name] and "tls_client_auth" not in unseen[name] for name in methods)


def test_the_issuer_has_the_fields_that_openid_connect_requires() -> None:
    """OpenID Connect Discovery 1.0 section 3. Item 32."""
    required = {
        *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"),
        *("subject_types_supported", "id_token_signing_alg_values_supported"),
    }
    document = openid_configuration(BASE_URL)
    assert required <= document.keys()
    assert "RS256" in document["id_token_signing_alg_values_supported"]


def test_every_announced_scope_can_be_asked_for() -> None:
    """Metadata: scopes_supported lists scopes a client may request."""
    for text in smart_configuration(BASE_URL)["scopes_supported"]:
        asked = ScopeRequest.parse(text)
        assert asked.resources.items or asked.context
