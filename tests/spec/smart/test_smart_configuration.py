"""SMART App Launch 2.2, conformance: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html"""

from urllib.parse import urlsplit

import pytest

from security.oauth.metadata import SMART_CONFIGURATION_PATH, fhir_base, smart_configuration
from security.scopes import Scopes

BASE_URL = "https://hub.example.org"
FLOWS = {"launch-ehr", "launch-standalone", "sso-openid-connect"}


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
    """Metadata for asymmetric clients: private_key_jwt, and RS384 and/or ES384."""
    document = smart_configuration(BASE_URL)
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(document["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}


def test_only_what_exists_is_announced() -> None:
    """Metadata: authorization_endpoint goes with a launch, issuer and jwks_uri with sso-openid-connect; we have neither."""
    document = smart_configuration(BASE_URL)
    assert FLOWS.isdisjoint(document["capabilities"])
    assert {"issuer", "jwks_uri", "authorization_endpoint", "introspection_endpoint"}.isdisjoint(document)
    assert document["grant_types_supported"] == ["client_credentials"]


def test_every_announced_scope_can_be_asked_for() -> None:
    """Metadata: scopes_supported lists scopes a client may request."""
    for text in smart_configuration(BASE_URL)["scopes_supported"]:
        assert Scopes.parse(text).items
