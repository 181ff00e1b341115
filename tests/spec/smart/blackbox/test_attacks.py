"""Attacks from outside on what people see and what browsers keep. https://www.rfc-editor.org/rfc/rfc9700, OWASP ASVS 5.0 chapters 3, 7, 10

What is asked of pages holds of the hub's own; another server has its own ones, named by its discovery.
"""

import re
import secrets
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

from tests.spec.smart.blackbox.agent import Agent, Hands, Landing
from tests.spec.smart.blackbox.launches import STANDALONE, Launches
from tests.spec.smart.blackbox.pages import forms_of
from tests.spec.smart.blackbox.party import Party, query_of
from tests.spec.smart.blackbox.target import Somebody, Target, http_client

STRANGE = "https://elsewhere.example"
PAGES = ("/account", "/account/sign-in", "/account/apps", "/account/security", "/account/launch")
LONG = 9_000
Json = dict[str, Any]


@pytest.fixture(scope="module")
def patient(target: Target) -> Somebody:
    return target.people["patient"]


@pytest.fixture(scope="module")
def hands(agent: Agent) -> Hands:
    """At the hub's own pages, by their forms."""
    assert isinstance(agent, Hands)
    return agent


def consent_page(hands: Hands, public: Party, who: Somebody) -> httpx.Response:
    """The page at which a person decides, before anything is pressed."""
    browser = hands.browser(who)
    answer = browser.get(public.request(STANDALONE).url)
    while answer.is_redirect:
        answer = browser.get(urljoin(str(answer.request.url), answer.headers["location"]))
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def asked(hands: Hands, public: Party, patient: Somebody) -> httpx.Response:
    return consent_page(hands, public, patient)


def policy_of(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";") if part.strip()]
    return {name: values for name, *values in parts}


def protected(answer: httpx.Response) -> list[str]:
    """What is missing of the headers that keep a page to itself."""
    policy = policy_of(answer)
    wanted = {
        "framing": policy.get("frame-ancestors") == ["'none'"],
        "scripts": policy.get("default-src") == ["'none'"] and "script-src" not in policy,
        "base": policy.get("base-uri") == ["'none'"],
        "sniffing": answer.headers.get("x-content-type-options") == "nosniff",
        "referrer": answer.headers.get("referrer-policy") == "no-referrer",
        "cache": "no-store" in answer.headers.get("cache-control", ""),
    }
    return [name for name, there in wanted.items() if not there]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_can_be_framed_or_cached(hands: Hands, target: Target, patient: Somebody, path: str) -> None:
    """Beyond: RFC 9700 section 4.16, ASVS 5.0 3.4.6: frame-ancestors on each page for people, those of a refusal too."""
    answer = hands.browser(patient).get(f"{target.origin}{path}", follow_redirects=True)
    assert answer.status_code < 500
    assert protected(answer) == []


def test_the_consent_page_cannot_be_framed(asked: httpx.Response) -> None:
    """Beyond: RFC 9700 section 4.16: clickjacking is about this page first of all."""
    assert protected(asked) == []


def test_a_refusal_of_authorize_cannot_be_framed(public: Party, launches: Launches) -> None:
    """Beyond: RFC 9700 section 4.16: the page that tells of a wrong redirect URI is a page as well."""
    _, landing = launches.landed(public, redirect_uri=f"{STRANGE}/callback")
    assert landing.page is not None
    assert protected(landing.page) == []
    assert STRANGE not in landing.page.text


def test_the_consent_page_sends_its_form_to_the_hub_and_the_app_alone(asked: httpx.Response, public: Party) -> None:
    """Beyond: CSP form-action holds for what a form is redirected to: the hub, and the origin that is registered."""
    registered = urlsplit(public.registration.redirect_uri)
    assert set(policy_of(asked)["form-action"]) <= {"'self'", f"{registered.scheme}://{registered.netloc}"}


def test_nothing_of_the_request_becomes_part_of_the_page(hands: Hands, public: Party, patient: Somebody) -> None:
    """Beyond: ASVS 5.0 1.2.1: what an app writes in state, nonce or scope is never markup."""
    word = f"<b>{secrets.token_hex(4)}</b>"
    browser = hands.browser(patient)
    answer = browser.get(public.request(STANDALONE, state=word, nonce=word, login_hint=word, ui_locales=word).url, follow_redirects=True)
    assert word not in answer.text


def test_a_decision_from_elsewhere_is_refused(hands: Hands, patient: Somebody, asked: httpx.Response) -> None:
    """Beyond: RFC 9700 section 4.7, ASVS 5.0 3.5.1: a form that does not come from a page of this session decides nothing."""
    form = next(one for one in forms_of(asked.text) if any("allow" in button for button in one.buttons))
    url = urljoin(str(asked.request.url), form.action)
    pressed = dict([next(button for button in form.buttons if "allow" in button)])
    browser = hands.browser(patient)
    without = {name: value for name, value in form.fields.items() if name != "csrf"}
    for values, headers in (
        ({**without, **pressed}, {}),
        ({**form.fields, **pressed, "csrf": "0" * 64}, {}),
        ({**form.fields, **pressed}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = browser.post(url, data=values, headers=headers)
        assert answer.status_code == 403
        assert "code=" not in answer.headers.get("location", "")


def test_a_request_is_decided_in_the_session_that_it_began_in(
    hands: Hands, launches: Launches, asked: httpx.Response, target: Target
) -> None:
    """Beyond: RFC 9700 section 4.7: a request that one person's browser was shown is not another's to allow, and never twice anybody's."""
    stranger = hands.browser(target.people["practitioner"])
    landing = hands.follow(stranger, stranger.get(str(asked.request.url)), target.people["practitioner"])
    first = hands.follow(hands.browser(target.people["patient"]), asked, target.people["patient"])
    assert sum(one.url is not None and "code=" in one.url for one in (landing, first)) <= 1
    again = hands.follow(hands.browser(target.people["patient"]), asked, target.people["patient"])
    assert again.url is None or "code=" not in again.url


def test_without_a_session_authorize_leads_to_the_sign_in_and_no_further(public: Party, target: Target) -> None:
    """Beyond: OpenID Connect Core section 3.1.2.3: nobody is assumed; and the way back stays within the hub."""
    with http_client() as nobody:
        answer = nobody.get(public.request(STANDALONE).url, follow_redirects=True)
        assert str(answer.request.url).startswith(f"{target.origin}/account/sign-in")
        assert "code=" not in str(answer.request.url)


NEXT = (
    f"{STRANGE}/",
    "//elsewhere.example/",
    "/\\elsewhere.example/",
    "\\\\elsewhere.example",
    "https:elsewhere.example",
    "/account/../../elsewhere",
    "javascript:alert(1)",
    "/%2f/elsewhere.example",
    "/\t/elsewhere.example",
    "/account\r\nLocation: https://elsewhere.example",
)


@pytest.mark.parametrize("next", NEXT)
def test_the_sign_in_leads_back_to_the_hub_alone(hands: Hands, target: Target, patient: Somebody, next: str) -> None:
    """Beyond: RFC 9700 section 4.11 (open redirectors), ASVS 5.0 1.2.2: whatever next says, with a session and without."""
    path = f"{target.origin}/account/sign-in?next={quote(next, safe='')}"
    with http_client() as nobody:
        for browser in (nobody, hands.browser(patient)):
            answer = browser.get(path)
            assert "elsewhere.example" not in urlsplit(answer.headers.get("location", "")).netloc
            actions = [urlsplit(urljoin(path, form.action)) for form in forms_of(answer.text)]
            assert all(f"{one.scheme}://{one.netloc}" == target.origin for one in actions)


def test_a_cookie_that_somebody_planted_begins_no_session(target: Target) -> None:
    """Beyond: ASVS 5.0 7.2.4 (session fixation): what the hub did not give is no session, and is not kept."""
    planted = secrets.token_urlsafe(32)
    with http_client() as browser:
        for name in ("hub-person", "__Host-hub-person"):
            browser.cookies.set(name, planted, domain=urlsplit(target.origin).hostname or "")
        answer = browser.get(f"{target.origin}/account", follow_redirects=True)
        assert urlsplit(str(answer.request.url)).path == "/account/sign-in"
        assert planted not in answer.text


SCOPES = (
    "patient/*.rs\u00a0system/*.rs",
    "patient/*.rs\nsystem/*.rs",
    "patient/*.rs,system/*.rs",
    "patient/../system/*.rs",
    "patient/*.rs system/*.cruds",
    "patient/Patient.rs?_id=*",
    "patient/Observation.rs?_filter=x",
    "patient/Observation.rs?subject:Patient.name=x",
    "patient/Observation.rs?_has:Group:member:_id=x",
    "PATIENT/*.rs",
    "patient/*.*.rs",
    "patient/Observation.dr",
    "patient/Observation.rs?category=a&category:not=b",
    "https://elsewhere.example/scope",
    "offline_access online_access patient/*.rs",
    "patient/Observation.rs?" + "&".join(f"code={number}" for number in range(LONG // 8)),
    " ".join(f"patient/Observation.rs?code={number}" for number in range(200)),
)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: ascii(scope)[:40])
def test_tricks_with_the_syntax_of_scopes_give_nothing(public: Party, launches: Launches, scope: str) -> None:
    """Beyond: RFC 6749 section 3.3, SMART 2.2 scopes: malformed is invalid_scope as a whole, or what is left of it is told."""
    request, landing = launches.landed(public, f"launch/patient {scope}" if "access" not in scope else scope)
    answer = {} if landing.url is None else query_of(landing.url)
    if "code" in answer:
        granted = public.redeem(answer["code"], request).json()["scope"].split(" ")
        assert not [one for one in granted if one.startswith("system/")]
    elif landing.url is not None:
        assert answer["error"] in ("invalid_scope", "invalid_request")


def test_no_token_stands_in_a_url(public: Party, launches: Launches) -> None:
    """Beyond: RFC 9700 section 2.1.2: the browser sees a code, never a token; neither in the query nor in the fragment."""
    _, landing = launches.landed(public)
    assert isinstance(landing, Landing)
    for page in landing.seen:
        words = re.split(r"[?&#]", page.headers.get("location", ""))
        assert not {"access_token", "id_token", "refresh_token"} & {word.split("=")[0] for word in words}


def test_a_code_says_nothing(public: Party, launches: Launches) -> None:
    """Beyond: RFC 9700 section 4.2, ASVS 5.0 11.5.1: random, one unlike the other, and no JWT in disguise."""
    codes = {launches.coded(public).code for _ in range(3)}
    assert len(codes) == 3
    assert not [code for code in codes if "." in code or len(code) < 22]


def cookies_of(answer: httpx.Response) -> dict[str, set[str]]:
    """Name and value of each cookie that is set, and its attributes in lower case."""
    lines = answer.headers.get_list("set-cookie")
    return {line.split(";")[0]: {part.strip().lower() for part in line.split(";")[1:]} for line in lines}


def signed_in_anew(browser: httpx.Client, target: Target, who: Somebody, **changed: str) -> httpx.Response:
    """The sign-in form, filled in and sent."""
    page = browser.get(f"{target.origin}/account/sign-in")
    form = next(one for one in forms_of(page.text) if "password" in one.fields)
    fields = {**form.fields, "login": who.login, "password": who.password, **changed}
    return browser.post(urljoin(str(page.request.url), form.action), data=fields)


def test_the_cookie_is_for_this_hub_and_no_script(target: Target, patient: Somebody) -> None:
    """Beyond: ASVS 5.0 3.3.2 to 3.3.4, RFC 6265 section 4.1.2: HttpOnly, SameSite, the whole path, no Domain."""
    with http_client() as browser:
        browser.get(f"{target.origin}/account/sign-in")
        answer = signed_in_anew(browser, target, patient)
        found = cookies_of(answer)
        assert found
        for attributes in found.values():
            assert {"httponly", "path=/"} <= attributes
            assert {"samesite=lax", "samesite=strict"} & attributes
            assert not [one for one in attributes if one.startswith("domain")]


def test_a_sign_in_changes_the_session(target: Target, patient: Somebody) -> None:
    """Beyond: ASVS 5.0 7.2.4 (session fixation): a new session at each sign-in; what the browser held before opens nothing."""
    with http_client() as browser:
        browser.get(f"{target.origin}/account/sign-in")
        before = dict(browser.cookies)
        assert signed_in_anew(browser, target, patient).is_redirect
        assert browser.get(f"{target.origin}/account").status_code == 200
        assert dict(browser.cookies) != before
    with http_client() as other:
        for name, value in before.items():
            other.cookies.set(name, value, domain=urlsplit(target.origin).hostname or "")
        assert other.get(f"{target.origin}/account").is_redirect


def test_nobody_is_signed_in_by_a_form_from_elsewhere(target: Target, patient: Somebody) -> None:
    """Beyond: RFC 9700 section 4.7.1 (login CSRF): the right password in a form that this browser was not given begins no session."""
    with http_client() as browser:
        answer = signed_in_anew(browser, target, patient, csrf="0" * 64)
        assert answer.status_code == 403
        assert browser.get(f"{target.origin}/account").is_redirect


def test_a_wrong_password_and_an_unknown_name_read_alike(target: Target, patient: Somebody) -> None:
    """Beyond: ASVS 5.0 6.3.8: neither status nor text tells whether there is such an account."""
    unknown = secrets.token_hex(8)
    with http_client() as browser:
        wrong = signed_in_anew(browser, target, patient, password="not the one at all")
        nobody = signed_in_anew(browser, target, patient, login=unknown, password="not the one at all")
    told = [one.text.replace(patient.login, "").replace(unknown, "") for one in (wrong, nobody)]
    without = [re.sub(r'name="csrf" value="[^"]*"', "", text) for text in told]
    assert wrong.status_code == nobody.status_code
    assert without[0] == without[1]
