"""/account/authorize: a person is asked what an app may do. SMART App Launch 2.2, authorization; RFC 6749 4.1; GDPR Art. 7."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from hub.account.asking import WORDS
from hub.account.consent_words import CONSENT_WORDS, naming
from hub.authorizations import Authorizations
from hub.console.words import Language, said
from hub.notebook import Notebook
from hub.oauth.waiting import REQUESTS
from hub.store.protocol import Unit
from security.browser_session import new_secret
from security.oauth.authorization import Authorization
from security.oauth.clients import App
from security.oauth.scope_request import ScopeRequest
from tests.support.asking import AppServer, Asking
from tests.support.axe import accessibility_faults
from tests.support.backstage import Account
from tests.support.browser import DESK, PHONE
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.keyboard import tabbed_to
from tests.support.persons import REDIRECT, new_app
from tests.support.resources import patient
from tests.support.signed import Somebody, sent, somebody, sound

pytestmark = pytest.mark.database

NAME = "Carnet <b>de tension</b>"
"""What an app is called is text, whatever it looks like."""
SCOPE = (
    "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.crus "
    "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
)
EN = naming(WORDS, NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A patient, and an app that may ask for anything."""

    running: Running
    app: Account
    own: str
    who: Somebody
    place: AppServer

    def asks(self, scope: str = SCOPE, **more: str) -> tuple[Asking, str]:
        """The app asks; the secret under which that waits."""
        asking = Asking(process=self.running.process, app=self.app, scope=scope, more=tuple(more.items()))
        return asking, asking.waiting()

    def opens(self, who: Somebody, secret: str) -> httpx.Response:
        return who.get(f"/account/authorize?request={secret}")

    def says(self, who: Somebody, secret: str, do: str, **form: str) -> httpx.Response:
        return who.post("/account/authorize", request=secret, do=do, **form)

    def allowed(self, who: Somebody) -> list[Authorization]:
        held = self.running.backstage.run(Authorizations(self.running.backstage.hub.services).of_account(who.account.id))
        return [one.authorization for one in held]

    def somebody(self, role: Any = "patient", fhir_user: str | None = None, **more: str) -> Somebody:
        return somebody(self.running.backstage, self.running.process.url, role, fhir_user, **more)


def boxes(page: str) -> dict[str, str]:
    """The form as it comes: every box ticked."""
    names = [part.partition('"')[0] for part in page.split('type="checkbox" name="')[1:]]
    assert names, page
    return dict.fromkeys(names, "on")


@pytest.fixture(scope="module")
def home(running: Running, ehr: Caller) -> Iterator[Home]:
    own, place = ehr.create(patient("Martin"))["id"], AppServer()
    made = new_app("carnet", SCOPE + " launch launch/encounter patient/*.cruds user/*.cruds user/AuditEvent.rs")
    app = App(
        redirect_uris=(REDIRECT, place.redirect_uri),
        homepage="https://carnet.example/accueil",
        policy_uri="https://carnet.example/donnees",
        contact="bonjour@carnet.example",
    )
    client = replace(made.client, name=NAME, app=app)
    account = running.backstage.register(Account(client=client, key=b""))
    who = somebody(running.backstage, running.process.url, "patient", f"Patient/{own}", name="Camille Martin")
    with place:
        yield Home(running=running, app=account, own=own, who=who, place=place)


def test_whoever_has_no_session_signs_in_first_and_comes_back(home: Home, http: httpx.Client) -> None:
    """RFC 6749 section 3.1: the authorization server verifies who the resource owner is first."""
    _, secret = home.asks()
    answer = http.get(f"/account/authorize?request={secret}")
    assert (answer.status_code, answer.content) == (303, b"")
    assert answer.headers["location"].startswith(f"/account/sign-in?next=%2Faccount%2Fauthorize%3Frequest%3D{secret}")


def test_the_page_says_who_asks_for_what_until_when_and_how_it_ends(home: Home) -> None:
    """GDPR Art. 7(2), 13(1), 7(3): who, what, for how long, and that it can be withdrawn."""
    _, secret = home.asks()
    page = home.opens(home.who, secret).text
    for words in (
        "Carnet &lt;b&gt;de tension&lt;/b&gt; asks for access",
        "https://carnet.example/donnees",
        "https://carnet.example/accueil",
        "bonjour@carnet.example",
        "app.example",
        EN["checked-yes"].en,
        "About you",
        "identity and contact details",
        "problems that last",
        "go on when you are not here",
        "at the latest",
        "You can withdraw it at any time",
        'href="/account/apps?',
    ):
        assert words in page, words


def test_the_page_cannot_be_framed_kept_or_led_elsewhere(home: Home) -> None:
    """CSP: frame-ancestors, and form-action that names the app beside the hub; ASVS 5.0 14.3.2; no script, nothing from elsewhere."""
    _, secret = home.asks()
    headers = home.opens(home.who, secret).headers
    policy = {part.split(" ")[0]: part.split(" ")[1:] for part in headers["content-security-policy"].split("; ")}
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] == ["'self'", "https://app.example"]
    assert policy["default-src"] == ["'none'"]
    assert "script-src" not in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_yes_leads_back_with_a_code_and_is_what_was_ticked(home: Home) -> None:
    """15: the redirect carries code and the same state; what was granted is what was asked for, for the own record."""
    asking, secret = home.asks()
    page = home.opens(home.who, secret)
    answer = home.says(home.who, secret, "allow", **boxes(page.text))
    assert answer.status_code == 303
    assert set(asking.answer(answer.headers["location"])) == {"code"}
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    latest = home.allowed(home.who)[0]
    assert latest.scope == ScopeRequest.parse(SCOPE).text()
    assert (latest.launch.patient, latest.offline, latest.purpose) == (home.own, True, "PATRQT")


def test_what_is_unticked_is_not_granted(home: Home) -> None:
    """RFC 6749 section 3.3"""
    _, secret = home.asks()
    ticks = boxes(home.opens(home.who, secret).text)
    kept = {name: value for name, value in ticks.items() if name.startswith("read.") and name != "read.0"}
    home.says(home.who, secret, "allow", **kept)
    latest = home.allowed(home.who)[0]
    assert latest.scope == "fhirUser launch/patient openid patient/Observation.rs patient/Patient.rs"
    assert not latest.offline


def test_no_form_gives_more_than_was_asked_for(home: Home) -> None:
    """Whatever fields it has: what is granted is made of the request."""
    _, secret = home.asks("openid patient/Observation.rs")
    ticks = boxes(home.opens(home.who, secret).text)
    more = {"delete.0": "on", "read.7": "on", "offline_access": "on", "scope": "patient/*.cruds", "patient": "somebody"}
    home.says(home.who, secret, "allow", **ticks, **more)
    latest = home.allowed(home.who)[0]
    assert (latest.scope, latest.launch.patient) == ("openid patient/Observation.rs", home.own)


def test_where_nothing_is_ticked_the_page_asks_again(home: Home) -> None:
    """WCAG 2.2, 3.3.1"""
    _, secret = home.asks()
    home.opens(home.who, secret)
    before = len(home.allowed(home.who))
    answer = home.says(home.who, secret, "allow")
    assert answer.status_code == 400
    assert EN["none-ticked"].en in answer.text
    assert " checked" not in answer.text
    assert len(home.allowed(home.who)) == before


def test_no_leads_back_with_access_denied(home: Home) -> None:
    """19: denial, with state; RFC 6749 section 4.1.2.1"""
    asking, secret = home.asks()
    home.opens(home.who, secret)
    before = len(home.allowed(home.who))
    answer = home.says(home.who, secret, "deny")
    assert asking.answer(answer.headers["location"])["error"] == "access_denied"
    assert len(home.allowed(home.who)) == before
    assert home.opens(home.who, secret).status_code == 404


def test_a_form_that_is_sent_twice_gives_one_code(home: Home) -> None:
    """A request is answered once, whichever answer comes second."""
    _, secret = home.asks()
    ticks = boxes(home.opens(home.who, secret).text)
    assert home.says(home.who, secret, "allow", **ticks).status_code == 303
    after = len(home.allowed(home.who))
    for do in ("allow", "deny", "patients", "search"):
        again = home.says(home.who, secret, do, **ticks)
        assert again.status_code == 404, do
        assert "location" not in again.headers
    assert len(home.allowed(home.who)) == after


def test_a_request_that_nobody_made_is_not_there(home: Home) -> None:
    """Tampered, cut off, none at all, or somebody's guess."""
    _, secret = home.asks()
    home.opens(home.who, secret)
    for other in (new_secret(), secret[:-1], secret[:-1] + ("A" if secret[-1] != "A" else "B"), "", "x", "../" + secret):
        assert home.opens(home.who, other).status_code == 404
        answer = home.says(home.who, other, "allow", **{"read.0": "on"})
        assert answer.status_code == 404
        assert {one.outcome for one in home.who.records(answer)} == {"4"}


def test_a_request_that_is_over_is_not_there(home: Home) -> None:
    _, secret = home.asks()
    ticks = boxes(home.opens(home.who, secret).text)
    services = home.running.backstage.hub.services

    async def run_out() -> None:
        notes = Notebook(services, REQUESTS)
        page = await notes.read(secret)
        await services.store.commit(Unit(notes=(await notes.write(page, page.content, services.clock() - 1_000_000),)))

    home.running.backstage.run(run_out())
    assert home.opens(home.who, secret).status_code == 404
    answer = home.says(home.who, secret, "allow", **ticks)
    assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_a_request_is_whose_who_opened_it_first(home: Home) -> None:
    """A link that was sent on, or taken from another browser's history, gives nothing to whoever has it."""
    _, secret = home.asks()
    ticks = boxes(home.opens(home.who, secret).text)
    other = home.somebody("patient", f"Patient/{home.own}")
    for answer in (home.opens(other, secret), home.says(other, secret, "allow", **ticks), home.says(other, secret, "deny")):
        assert (answer.status_code, "location" in answer.headers) == (403, False)
        assert {one.outcome for one in other.records(answer)} == {"4"}
    assert home.allowed(other) == []
    assert home.says(home.who, secret, "allow", **ticks).status_code == 303


def test_a_form_alone_does_nothing(home: Home) -> None:
    """Nobody says yes to what was not shown to them."""
    _, secret = home.asks()
    for do in ("allow", "deny"):
        assert home.says(home.who, secret, do, **{"read.0": "on"}).status_code == 403


@pytest.mark.parametrize("csrf", ["", "x" * 64])
def test_a_form_from_elsewhere_does_nothing(home: Home, csrf: str) -> None:
    """ASVS 5.0 3.5.1"""
    _, secret = home.asks()
    ticks = boxes(home.opens(home.who, secret).text)
    before = len(home.allowed(home.who))
    answer = home.who.post("/account/authorize", csrf=csrf, request=secret, do="allow", **ticks)
    assert answer.status_code == 403
    assert len(home.allowed(home.who)) == before


def test_what_a_role_may_not_give_it_is_not_asked_for(home: Home) -> None:
    """Least privilege: the role's part is shown, and that something was left out."""
    _, secret = home.asks("openid user/AuditEvent.rs user/Observation.rs")
    officer = home.somebody("compliance")
    page = home.opens(officer, secret).text
    assert "the record of who saw what" in page
    assert "measurements" not in page
    assert EN["left-out"].en in page
    home.says(officer, secret, "allow", **boxes(page), **{"read.1": "on"})
    assert [one.scope for one in home.allowed(officer)] == ["openid user/AuditEvent.rs"]


def test_whoever_may_give_nothing_of_it_is_told_so_and_led_back(home: Home) -> None:
    """RFC 6749 section 4.1.2.1: invalid_scope"""
    asking, secret = home.asks("openid patient/Observation.rs")
    vendor = home.somebody("vendor", organization="Organization/x")
    page = home.opens(vendor, secret)
    assert page.status_code == 403
    assert 'value="allow"' not in page.text
    answer = home.says(vendor, secret, "back")
    assert asking.answer(answer.headers["location"])["error"] == "invalid_scope"
    assert home.allowed(vendor) == []


def test_whoever_it_is_not_signs_in_as_somebody_else(home: Home) -> None:
    """The session ends, and the request is free for the next who opens it."""
    _, secret = home.asks()
    first, second = home.somebody("patient", f"Patient/{home.own}"), home.somebody("patient", f"Patient/{home.own}")
    home.opens(first, secret)
    answer = home.says(first, secret, "other")
    assert answer.headers["location"].startswith("/account/sign-in?next=%2Faccount%2Fauthorize")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert [one.kind for one in first.records(answer)] == ["sign-out"]
    assert first.get("/account").status_code == 303
    assert home.opens(second, secret).status_code == 200


def test_what_is_shown_and_decided_is_recorded_and_no_record_has_the_secret(home: Home) -> None:
    """DESIGN 2, laws 2 and 4: who was shown what app's request, and what came of it."""
    _, secret = home.asks()
    page = home.opens(home.who, secret)
    answers = [(page, "authorize-shown"), (home.says(home.who, secret, "allow", **boxes(page.text)), "authorize-granted")]
    for answer, kind in answers:
        records = home.who.records(answer)
        own = [one for one in records if one.patient is None]
        assert kind in {one.kind for one in own}
        assert home.app.id in str([one.event for one in own])
        assert home.who.account.id in str([one.event for one in own])
        assert secret not in str([one.event for one in records])
    granted = home.who.records(answers[1][0])
    assert home.running.backstage.patient_token(home.own) in {one.patient for one in granted}, "the patient finds it"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_an_app_is_let_in_by_keyboard_alone(browser: Browser, home: Home, size: dict[str, int], language: Language, tmp_path: Path) -> None:
    """WCAG 2.2: keyboard, contrast, reflow; and the page's policy lets the browser go to the app after the form."""
    asking = Asking(
        process=home.running.process, app=home.app, scope=SCOPE, more=(("ui_locales", language),), redirect_uri=home.place.redirect_uri
    )
    t = said(language, naming(CONSENT_WORDS, NAME))
    with home.who.browsing(browser, viewport=size, locale=language, elsewhere=(home.place.url,)) as page:
        page.goto(home.who.base + asking.path)
        assert page.get_by_role("heading", level=1).inner_text() == t["ask"]
        assert page.locator("html").get_attribute("lang") == language
        sound(page)
        assert accessibility_faults(page) == []
        allow, deny = (page.get_by_role("button", name=t[word], exact=True) for word in ("allow", "deny"))
        look = "node => { const s = getComputedStyle(node), b = node.getBoundingClientRect(); return [s.backgroundColor, s.color, s.border, s.fontSize, s.fontWeight, b.width, b.height]; }"  # noqa: E501
        assert allow.evaluate(look) == deny.evaluate(look), "neither is pushed on anybody"
        page.screenshot(path=tmp_path / f"consent-{language}-{size['width']}.png", full_page=True)
        last = page.get_by_role("checkbox").last
        last.focus()
        page.keyboard.press("Space")
        assert not last.is_checked()
        tabbed_to(page, page.get_by_role("button", name=t["allow"], exact=True))
        sent(page)
        page.get_by_role("heading", name="The app").wait_for()
    assert set(asking.answer(home.place.last)) == {"code"}
    assert not home.allowed(home.who)[0].offline, "the last box is the absence of the person"


def test_by_night_it_is_as_readable(browser: Browser, home: Home, tmp_path: Path) -> None:
    """WCAG 2.2, contrast-minimum"""
    _, secret = home.asks("openid patient/*.cruds")
    with home.who.browsing(browser, color_scheme="dark") as page:
        page.goto(f"{home.who.base}/account/authorize?request={secret}&lang=fr")
        sound(page)
        expect(page.locator(".all")).to_have_count(4)
        page.screenshot(path=tmp_path / "consent-night.png", full_page=True)
