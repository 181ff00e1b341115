"""Who may redeem a code, and what a refresh gives: RFC 6749 sections 4.1.3 and 6, RFC 7636 appendix B."""

from typing import Any

import pytest

from security.oauth.code import Code, RefreshToken, challenge_of, check_code, refreshed_scope, verifies
from security.oauth.errors import OAuthError
from tests.spec.oauth.test_authorization_request import REDIRECT, client
from tests.spec.oauth.test_id_token import authorization

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CODE = Code(authorization="a-1", client_id="app-1", redirect_uri=REDIRECT, code_challenge=CHALLENGE)
FORM = {"redirect_uri": REDIRECT, "code_verifier": VERIFIER}


def test_the_example_of_the_specification_holds() -> None:
    """RFC 7636 appendix B."""
    assert challenge_of(VERIFIER) == CHALLENGE
    assert verifies(VERIFIER, CHALLENGE)


@pytest.mark.parametrize("verifier", ["", CHALLENGE, VERIFIER[:-1], VERIFIER + "A", "é" * 43, "x" * 129, f"{VERIFIER}\n"])
def test_no_other_verifier_does(verifier: str) -> None:
    """RFC 7636 sections 4.1 and 4.6."""
    assert not verifies(verifier, CHALLENGE)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ({"redirect_uri": f"{REDIRECT}/"}, "app-1"),
        ({"redirect_uri": None}, "app-1"),
        ({"code_verifier": None}, "app-1"),
        ({"code_verifier": "x" * 43}, "app-1"),
        ({}, "app-2"),
    ],
)
def test_a_code_is_bound_to_client_address_and_verifier(form: dict[str, Any], name: str) -> None:
    """RFC 6749 section 4.1.3: one error for each."""
    check_code(CODE, FORM, client())
    sent = {name: value for name, value in {**FORM, **form}.items() if value is not None}
    with pytest.raises(OAuthError) as refusal:
        check_code(CODE, sent, client(client_id=name))
    assert refusal.value.error == "invalid_grant"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, "openid patient/*.rs"),
        ("patient/*.rs", "patient/*.rs"),
        ("patient/Observation.r", "patient/Observation.r"),
        ("openid", "openid"),
        ("patient/Observation.rs?category=x", "patient/Observation.rs?category=x"),
    ],
)
def test_a_refresh_gives_what_was_granted_or_a_part_of_it(asked: str | None, given: str) -> None:
    """RFC 6749 section 6. Items 38 and 39."""
    assert refreshed_scope(asked, authorization(scope="openid patient/*.rs"), client()).text() == given


@pytest.mark.parametrize(
    "asked", ["patient/*.cruds", "user/*.rs", "openid fhirUser", "offline_access", "nonsense", "patient/*.rs system/*.rs"]
)
def test_a_refresh_never_gives_more(asked: str) -> None:
    """RFC 6749 section 6: the scope must not include any that was not originally granted. Item 40."""
    with pytest.raises(OAuthError) as refusal:
        refreshed_scope(asked, authorization(scope="openid patient/*.rs"), client())
    assert refusal.value.error == "invalid_scope"


def test_what_the_client_is_no_longer_registered_for_is_gone() -> None:
    """ASVS 5.0 8.3.2: a change takes effect at once."""
    granted = authorization(scope="openid patient/*.rs")
    assert refreshed_scope(None, granted, client(scopes="openid patient/Observation.rs")).text() == "openid patient/Observation.rs"
    with pytest.raises(OAuthError):
        refreshed_scope(None, granted, client(scopes="user/*.rs"))


def test_what_is_kept_of_both_comes_back_from_its_note() -> None:
    """RFC 9700 section 4.14: what they are bound to is remembered, they themselves are not."""
    assert Code.from_document(CODE.to_document()) == CODE
    token = RefreshToken(authorization="a-1", client_id="app-1", used=True)
    assert RefreshToken.from_document(token.to_document()) == token
