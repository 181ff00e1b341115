"""What may be registered of an app, by a person or by itself. RFC 7591 sections 2 and 3.2.2, SMART App Launch 2.2."""

from dataclasses import replace
from typing import Any

import pytest

from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, GRANT_CODE, GRANT_DEVICE, GRANT_REFRESH, App, Client, new_client_keys
from security.oauth.dynamic_registration import RegistrationRefused, described
from security.oauth.registration import checked, metadata, narrowed
from security.scopes import Query

BACK = "https://app.example.org/back"
MEMBERS = {
    "client_name": "Heart diary",
    "redirect_uris": [BACK],
    "scope": "launch/patient patient/*.rs",
    "token_endpoint_auth_method": "none",
}
HASH = b"\x01" * 32


def enforceable(resource_type: str, query: Query) -> None:
    if (resource_type, {name for name, _ in query}) != ("Observation", {"category"}):
        raise ValueError(resource_type)


def app(**changes: Any) -> Client:
    client = Client(
        client_id="diary",
        name="Heart diary",
        scopes="patient/*.rs launch/patient",
        organization="",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks=None,
        jwks_uri=None,
        created_us=1,
        authentication="none",
        grants=(GRANT_CODE,),
        app=App(redirect_uris=(BACK,)),
    )
    return replace(client, **changes)


def by_itself(**changes: Any) -> Client:
    members = {name: value for name, value in {**MEMBERS, **changes}.items() if value is not ...}
    return described(members, client_id="diary", secret_hash=HASH, now_us=1, check_scope_query=enforceable)


def refusal(**changes: Any) -> RegistrationRefused:
    with pytest.raises(RegistrationRefused) as error:
        by_itself(**changes)
    return error.value


def test_an_app_is_registered_in_canonical_form() -> None:
    """SMART scopes: one way of writing what is the same; the pages it is led back to may call."""
    made = checked(app(), enforceable)
    assert made.scopes == "launch/patient patient/*.rs"
    assert made.app is not None
    assert made.app.origins == ("https://app.example.org",)
    assert checked(made, enforceable) == made
    assert checked(app(app=App(redirect_uris=(BACK,), origins=("https://else.example",))), enforceable).app == App(
        redirect_uris=(BACK,), origins=("https://else.example",)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"app": None},
        {"app": App()},
        {"app": App(redirect_uris=("https://a.example/#x",))},
        {"app": App(redirect_uris=tuple(f"{BACK}/{n}" for n in range(11)))},
        {"app": App(redirect_uris=(BACK,), logo_uri="javascript:alert(1)")},
        {"app": App(redirect_uris=(BACK,), launch_url="http://a.example/launch")},
        {"app": App(redirect_uris=(BACK,), origins=("https://a.example/",))},
        {"app": App(redirect_uris=(BACK,), contact="a\nb")},
        {"grants": (GRANT_DEVICE,)},
        {"grants": (GRANT_REFRESH,), "app": App()},
        {"grants": (GRANT_CODE, "password")},
        {"grants": ()},
        {"scopes": ""},
        {"scopes": "patient/*.rs system/*.rs"},
        {"scopes": "patient/Obs.rs"},
        {"scopes": "patient/Observation.rs?code=1"},
        {"scopes": "patient/*.rs offline_access"},
        {"name": " "},
        {"name": "a" * 81},
        {"name": "Heart\u202ediary"},
        {"name": "Heart\ndiary"},
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any]) -> None:
    """Each of them would be a client that can do nothing, or one that people would be misled by."""
    with pytest.raises(ValueError):
        checked(app(**changes), enforceable)


def test_scopes_are_narrowed_and_never_widened() -> None:
    """Whoever approves may give less than was asked for."""
    client = checked(app(scopes="launch/patient openid patient/*.rs"), enforceable)
    assert narrowed(client, "patient/Observation.rs?category=x openid", enforceable).scopes == "openid patient/Observation.rs?category=x"
    for wider in ("patient/*.cruds", "user/*.rs", "patient/*.rs fhirUser", "system/*.rs", "", "nonsense"):
        with pytest.raises(ValueError):
            narrowed(client, wider, enforceable)


def test_a_registration_is_shown_in_the_words_of_the_standard_and_without_secrets() -> None:
    """RFC 7591 section 2."""
    client = replace(app(grants=(GRANT_CODE,)), authentication="client_secret_basic", secret_hash=HASH, binding="dpop")
    said = metadata(client)
    assert said["redirect_uris"] == [BACK]
    assert (said["response_types"], said["token_endpoint_auth_method"], said["dpop_bound_access_tokens"]) == (
        ["code"],
        "client_secret_basic",
        True,
    )
    assert HASH.hex() not in str(said)
    assert str(HASH) not in str(said)


def test_an_app_that_describes_itself_waits() -> None:
    """RFC 7591; ours: pending until somebody has approved it, with nothing that only an operator gives."""
    made = by_itself()
    assert made.pending
    assert (made.organization, made.recorder, made.importer, made.administrator, made.introspector) == ("", False, False, False, False)
    assert (made.authentication, made.secret_hash, made.grants) == ("none", None, (GRANT_CODE,))
    assert by_itself(token_endpoint_auth_method=...).secret_hash == HASH
    _, public = new_client_keys()
    assert by_itself(token_endpoint_auth_method="private_key_jwt", jwks=public).jwks == public
    assert by_itself(unheard_of={"a": 1}) == made
    backend = by_itself(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public,
        grant_types=[GRANT_CLIENT_CREDENTIALS],
        redirect_uris=...,
        scope="system/*.rs",
    )
    assert backend.grants == (GRANT_CLIENT_CREDENTIALS,)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": ["https://a.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ...}, "invalid_redirect_uri"),
        ({"redirect_uris": BACK}, "invalid_client_metadata"),
        ({"redirect_uris": [BACK, 7]}, "invalid_client_metadata"),
        ({"client_name": ...}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"scope": ...}, "invalid_client_metadata"),
        ({"scope": "system/*.cruds"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "x", "kid": "1"}]}},
            "invalid_client_metadata",
        ),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://169.254.169.254/latest"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": []}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"contacts": ["a@b.example", "c@d.example"]}, "invalid_client_metadata"),
        ({"logo_uri": "data:image/png;base64,AAAA"}, "invalid_client_metadata"),
        ({"dpop_bound_access_tokens": "yes"}, "invalid_client_metadata"),
        ({"tls_client_certificate_bound_access_tokens": True}, "invalid_client_metadata"),
        ({"software_statement": "ey.ey.x"}, "invalid_software_statement"),
        ({"grant_types": [GRANT_CLIENT_CREDENTIALS], "redirect_uris": ..., "scope": "system/*.rs"}, "invalid_client_metadata"),
    ],
    ids=str,
)
def test_what_it_says_is_read_strictly(changes: dict[str, Any], error: str) -> None:
    """RFC 7591 section 3.2.2."""
    refused = refusal(**changes)
    assert refused.error == error
    assert refused.description.isascii()


@pytest.mark.parametrize("body", [None, [], "text", 7, {}])
def test_a_body_that_is_no_description_is_refused(body: object) -> None:
    with pytest.raises(RegistrationRefused):
        described(body, client_id="diary", secret_hash=HASH, now_us=1, check_scope_query=enforceable)
