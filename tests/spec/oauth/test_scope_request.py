"""Resource scopes beside the words that speak about a person's session."""

import pytest

from security.oauth.scope_request import ScopeRequest
from security.scopes import ScopeSyntax


def test_words_of_the_session_come_first_and_each_once() -> None:
    """SMART 2.2, scopes: openid, fhirUser, launch and access words stand beside resource scopes."""
    asked = ScopeRequest.parse("patient/Observation.rs openid launch/patient openid fhirUser offline_access")
    assert asked.text() == "fhirUser launch/patient offline_access openid patient/Observation.rs"
    assert ScopeRequest.parse(asked.text()) == asked


def test_words_alone_are_a_request() -> None:
    """OpenID Connect Core 1.0 section 3.1.2.1: an app may only ask who somebody is."""
    assert ScopeRequest.parse("openid fhirUser").resources.items == ()


def test_offline_and_online_exclude_each_other() -> None:
    """SMART 2.2, scopes for requesting a refresh token."""
    with pytest.raises(ScopeSyntax):
        ScopeRequest.parse("openid offline_access online_access")


def test_a_registration_may_name_offline_and_online_access() -> None:
    """SMART 2.2, scopes for requesting a refresh token: which of the two an app asks for may differ from one launch to the next."""
    allowed = ScopeRequest.registered("openid offline_access online_access")
    asked = ScopeRequest.parse("openid online_access")
    assert asked.within(allowed) == asked


def test_within_keeps_what_both_allow() -> None:
    """RFC 6749 section 3.3: the server may give less than was asked for."""
    asked = ScopeRequest.parse("openid offline_access patient/*.cruds")
    assert asked.within(ScopeRequest.parse("openid patient/Observation.rs")).text() == "openid patient/Observation.rs"
