"""Refresh. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.spec.smart.blackbox.launches import STANDALONE, Launches
from tests.spec.smart.blackbox.party import Party

NARROW = "patient/Patient.rs"
REFUSED = (400, 401)
AT_ONCE = 4
Json = dict[str, Any]


@pytest.fixture
def granted(public: Party, launches: Launches) -> Json:
    return launches.tokens(public)


def test_a_refresh_with_a_scope_gives_that(public: Party, granted: Json) -> None:
    """38. SMART 2.2 app-launch, refresh request: scope, a sub-set of the scopes granted in the original launch."""
    answer = public.refresh(granted["refresh_token"], NARROW)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert NARROW in body["scope"].split(" ")
    assert "patient/*.rs" not in body["scope"].split(" ")
    assert public.read(body["access_token"], f"Patient/{granted['patient']}").status_code == 200
    assert public.read(body["access_token"], f"Observation?patient={granted['patient']}").status_code == 403


@pytest.mark.parametrize("name", ["public", "symmetric", "asymmetric"])
def test_a_refresh_without_a_scope_gives_what_was_granted(party: Callable[[str], Party], launches: Launches, name: str) -> None:
    """39. SMART 2.2 app-launch, refresh request: a missing value indicates a request for the same scopes."""
    app = party(name)
    first = launches.tokens(app)
    answer = app.refresh(first["refresh_token"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body["scope"].split(" ")) == set(first["scope"].split(" "))
    assert body["token_type"].lower() == "bearer"
    assert isinstance(body["expires_in"], int)
    assert body["access_token"] != first["access_token"]


@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.rs", "system/*.rs", "launch/encounter"])
def test_a_refresh_never_widens(public: Party, granted: Json, scope: str) -> None:
    """40. SMART 2.2 app-launch, refresh request: no new permissions can be obtained at refresh time."""
    answer = public.refresh(granted["refresh_token"], scope)
    if answer.status_code == 200:
        assert set(answer.json()["scope"].split(" ")) <= set(granted["scope"].split(" "))
    else:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_refresh_is_kept_by_no_cache(public: Party, granted: Json) -> None:
    """41. RFC 6749 section 5.1: Cache-Control no-store, Pragma no-cache."""
    answer = public.refresh(granted["refresh_token"])
    assert "no-store" in answer.headers["cache-control"]
    assert "no-cache" in answer.headers["pragma"]


@pytest.mark.parametrize("token", ["wrong", "a" * 43, ""], ids=["wrong", "shaped", "none"])
def test_an_invalid_refresh_token_is_refused(public: Party, token: str) -> None:
    """42. RFC 6749 section 5.2: invalid_grant."""
    answer = public.refresh(token)
    assert answer.status_code in REFUSED
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")


@pytest.mark.parametrize("name", ["other", "symmetric", "asymmetric"])
def test_a_refresh_token_is_bound_to_its_client(party: Callable[[str], Party], granted: Json, name: str) -> None:
    """Beyond: SMART 2.2 app-launch: a refresh token SHALL be bound to the same client_id."""
    assert party(name).refresh(granted["refresh_token"]).status_code in REFUSED


def test_the_context_goes_on(public: Party, granted: Json) -> None:
    """Beyond: SMART 2.2 app-launch, refresh response: context parameters; the patient is the one of the launch."""
    assert public.refresh(granted["refresh_token"]).json()["patient"] == granted["patient"]


def test_a_refresh_token_that_is_used_again_ends_the_family(public: Party, granted: Json) -> None:
    """Beyond: RFC 9700 section 4.14.2, ASVS 5.0 10.4.5: rotation; a replay invalidates the active token as well."""
    second = public.refresh(granted["refresh_token"]).json()
    assert second["refresh_token"] != granted["refresh_token"]
    assert public.refresh(granted["refresh_token"]).status_code in REFUSED
    assert public.refresh(second["refresh_token"]).status_code in REFUSED
    assert public.read(second["access_token"], f"Patient/{granted['patient']}").status_code == 401


def test_of_several_refreshes_at_once_at_most_one_succeeds(public: Party, granted: Json) -> None:
    """Beyond: ASVS 5.0 15.4.2: rotation holds when it is raced."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: public.refresh(granted["refresh_token"]), range(AT_ONCE)))
    assert sum(answer.status_code == 200 for answer in answers) <= 1


def test_an_access_token_is_no_refresh_token(public: Party, granted: Json) -> None:
    """Beyond: RFC 6749 section 1.5: one kind of credential is not taken for another."""
    assert public.refresh(granted["access_token"]).status_code in REFUSED
    assert public.read(granted["refresh_token"], f"Patient/{granted['patient']}").status_code == 401


def test_a_refresh_token_never_widens_after_it_was_narrowed(public: Party, granted: Json) -> None:
    """Beyond: RFC 6749 section 6: what a refresh may ask for is what the person granted, no more."""
    narrowed = public.refresh(granted["refresh_token"], NARROW).json()
    again = public.refresh(narrowed["refresh_token"])
    assert again.status_code == 200
    assert set(again.json()["scope"].split(" ")) <= set(granted["scope"].split(" "))


def test_online_access_gives_a_refresh_token_too(party: Callable[[str], Party], launches: Launches) -> None:
    """Beyond: SMART 2.2, scopes for requesting a refresh token: online_access, as long as the person is there (permission-online)."""
    other = party("other")
    assert "permission-online" in other.discovered["capabilities"]
    body = launches.tokens(other, STANDALONE.replace("offline_access", "online_access"))
    assert other.refresh(body["refresh_token"]).status_code == 200
