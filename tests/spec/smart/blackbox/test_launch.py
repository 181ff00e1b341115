"""Launch and authorize. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html"""

import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.agent import Agent
from tests.spec.smart.blackbox.launches import STANDALONE, Launches
from tests.spec.smart.blackbox.party import Party, query_of
from tests.spec.smart.blackbox.target import Target

Json = dict[str, Any]
APPS = ("public", "symmetric", "asymmetric")


@pytest.mark.parametrize("name", APPS)
def test_a_launch_ends_at_the_app_with_code_and_state(party: Callable[[str], Party], launches: Launches, name: str) -> None:
    """15. SMART 2.2 app-launch, Obtain authorization code, response: code, and state with the exact value received from the client."""
    app = party(name)
    coded = launches.coded(app)
    assert coded.answer["state"] == coded.request.state
    assert len(coded.code) >= 22


@pytest.mark.parametrize("post", [False, True], ids=["GET", "POST"])
def test_authorize_works_by_get_and_by_post(public: Party, target: Target, agent: Agent, post: bool) -> None:
    """16. SMART 2.2 app-launch, Obtain authorization code: servers SHALL support GET and POST at the authorization endpoint."""
    request = public.request(STANDALONE)
    landing = agent.decide(request, target.people["patient"], post=post)
    assert landing.url is not None
    assert query_of(landing.url)["state"] == request.state
    assert "code" in query_of(landing.url)


@pytest.mark.parametrize(
    "aud", ["https://elsewhere.example/fhir", "", "http://127.0.0.1/fhir", "{fhir}/Patient", "{fhir}@elsewhere.example"]
)
def test_a_wrong_aud_gets_no_code(public: Party, target: Target, launches: Launches, aud: str) -> None:
    """17. SMART 2.2 app-launch, aud: it prevents leaking a genuine bearer token to a counterfeit resource server."""
    request, landing = launches.landed(public, aud=aud.replace("{fhir}", target.fhir))
    answer = {} if landing.url is None else query_of(landing.url)
    assert "code" not in answer
    if landing.url is not None:
        assert answer["error"] in ("invalid_request", "invalid_target")
        assert answer["state"] == request.state


ELSEWHERE = (
    "https://elsewhere.example/callback",
    "{registered}/",
    "{registered}?more=1",
    "{registered}#fragment",
    "{registered}/../other",
    "{registered}%2F..%2Fother",
    "{registered}@elsewhere.example",
    "{upper}",
    "//elsewhere.example/callback",
    "javascript:alert(1)",
    "data:text/html,hello",
    "/account",
)


@pytest.mark.parametrize("redirect_uri", ELSEWHERE)
def test_an_unregistered_redirect_uri_is_never_gone_to(public: Party, launches: Launches, redirect_uri: str) -> None:
    """18. RFC 6749 section 3.1.2.4, RFC 9700 section 2.1: compared as text; otherwise the person is told, and nobody redirected."""
    registered = public.registration.redirect_uri
    asked = redirect_uri.replace("{registered}", registered).replace("{upper}", registered.replace("https://", "HTTPS://").upper())
    _, landing = launches.landed(public, redirect_uri=asked)
    assert landing.url is None
    assert landing.page is None or landing.page.status_code == 400


def test_an_unknown_client_is_never_redirected(public: Party, launches: Launches) -> None:
    """Beyond: RFC 6749 section 4.1.2.1: a client identifier that is missing or invalid MUST NOT lead to a redirect."""
    for client_id in ("nobody", ""):
        _, landing = launches.landed(public, client_id=client_id)
        assert landing.url is None


def test_a_denial_is_told_with_the_state(public: Party, launches: Launches) -> None:
    """19. RFC 6749 section 4.1.2.1: access_denied, and the state if there was one."""
    request, landing = launches.landed(public, allow=False)
    assert landing.url is not None
    assert landing.url.startswith(public.registration.redirect_uri)
    answer = query_of(landing.url)
    assert (answer["error"], answer["state"]) == ("access_denied", request.state)
    assert "code" not in answer


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, {"unsupported_response_type"}),
        ({"response_type": "id_token"}, {"unsupported_response_type"}),
        ({"response_type": "code token"}, {"unsupported_response_type"}),
        ({"response_type": ""}, {"invalid_request", "unsupported_response_type"}),
        ({"code_challenge": ""}, {"invalid_request"}),
        ({"code_challenge_method": ""}, {"invalid_request"}),
        ({"code_challenge_method": "plain"}, {"invalid_request"}),
        ({"code_challenge": "short"}, {"invalid_request"}),
        ({"scope": "patient/Nonsense.rs"}, {"invalid_scope"}),
        ({"scope": "system/*.rs"}, {"invalid_scope"}),
        ({"scope": "patient/Observation.sr"}, {"invalid_scope"}),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, {"request_not_supported", "invalid_request", "invalid_request_object"}),
        ({"request_uri": "https://elsewhere.example/request"}, {"request_uri_not_supported", "invalid_request", "invalid_request_uri"}),
    ],
    ids=lambda one: " ".join(f"{name}={value}" for name, value in one.items()) if isinstance(one, dict) else "",
)
def test_a_bad_request_is_told_to_the_app_with_its_state(
    public: Party, launches: Launches, changed: dict[str, str], error: set[str]
) -> None:
    """Beyond: RFC 6749 section 4.1.2.1, RFC 7636 section 4.4.1: the error goes to the redirect URI, with the exact state."""
    scope = changed.get("scope", STANDALONE)
    request, landing = launches.landed(public, scope, **{name: value for name, value in changed.items() if name != "scope"})
    assert landing.url is not None
    answer = query_of(landing.url)
    assert answer["error"] in error
    assert answer["state"] == request.state
    assert "code" not in answer


def test_the_answer_names_its_issuer(public: Party, launches: Launches, discovered: Json) -> None:
    """Beyond: RFC 9207 section 2: iss in success and in error, so that no app takes one server's answer for another's (mix-up)."""
    assert launches.coded(public).answer["iss"] == discovered["issuer"]
    _, denied = launches.landed(public, allow=False)
    assert query_of(denied.url or "")["iss"] == discovered["issuer"]


def test_unknown_parameters_are_ignored(public: Party, launches: Launches) -> None:
    """Beyond: RFC 6749 section 3.1: the authorization server MUST ignore unrecognized request parameters."""
    assert launches.coded(public, made_up="1", __x="2").code


def test_a_parameter_that_comes_twice_is_refused(public: Party, target: Target, web: httpx.Client) -> None:
    """Beyond: RFC 6749 section 3.1: request parameters MUST NOT be included more than once."""
    request = public.request(STANDALONE)
    answer = web.get(f"{request.url}&scope=patient/Patient.rs")
    assert answer.status_code == 400 or "error=invalid_request" in answer.headers.get("location", "")
    twice = web.get(f"{request.url}&redirect_uri=https://elsewhere.example/callback")
    assert twice.status_code == 400
    assert "elsewhere.example" not in twice.headers.get("location", "")


def test_a_launch_that_nobody_began_gets_no_code(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 app-launch, launch: an opaque value of the EHR's; what it does not know is no launch."""
    request, landing = launches.landed(public, "launch openid patient/Patient.rs", launch=secrets.token_urlsafe(32))
    answer = {} if landing.url is None else query_of(landing.url)
    assert "code" not in answer
    assert landing.url is None or answer["state"] == request.state


def test_the_way_to_the_code_is_kept_by_no_cache(public: Party, launches: Launches) -> None:
    """Beyond: RFC 6749 section 10.3, RFC 9700 section 4.2.4: neither cached nor told to the next site."""
    _, landing = launches.landed(public)
    for page in landing.seen:
        assert "no-store" in page.headers["cache-control"]
        assert page.headers["referrer-policy"] == "no-referrer"


def test_the_code_is_sent_by_a_redirect_that_repeats_no_form(public: Party, launches: Launches) -> None:
    """Beyond: RFC 9700 section 4.12: never 307, which would send the person's form on to the app."""
    _, landing = launches.landed(public)
    assert landing.page is not None
    assert landing.page.status_code in (302, 303)
