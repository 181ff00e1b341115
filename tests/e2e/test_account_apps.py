"""/account and /account/apps: what a person lets apps do, seen and ended. SMART 2.2 `management_endpoint`; GDPR Art. 7(3)."""

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from hub.account.app_words import APP_WORDS
from hub.authorizations import Authorizations
from hub.console.words import Language, said
from hub.instants import now_us
from hub.services import random_id
from security.oauth.authorization import Authorization
from tests.support.axe import accessibility_faults
from tests.support.backstage import Account
from tests.support.browser import DESK, PHONE
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.keyboard import tabbed_to
from tests.support.persons import HOUR_US, authorization, begin, new_app, token_of
from tests.support.resources import patient
from tests.support.signed import Somebody, sent, somebody, sound

pytestmark = pytest.mark.database

EN = said("en", APP_WORDS)
SCOPE = (
    "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.crs "
    "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item patient/Goal.cud"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A patient who let an app in; `own`: the patient's id."""

    who: Somebody
    own: str
    app: Account

    def allowed(self, *, ago_us: int = 0, for_us: int = 24 * HOUR_US, scope: str = SCOPE, used_us: int | None = None) -> Authorization:
        """One more authorization, begun so long ago, for so long."""
        made = authorization(self.app, self.who.account.person, scope, patient=self.own, purpose="PATRQT", now=now_us() - ago_us)
        made = Authorization(**{**_fields(made), "id": random_id(), "expires_us": made.created_us + for_us, "used_us": used_us})
        self.who.backstage.run(begin(self.who.backstage.hub, made))
        return made

    def now(self, one: Authorization) -> Authorization:
        held = self.who.backstage.run(Authorizations(self.who.backstage.hub.services).find(one.id))
        assert held is not None
        return held.authorization


def _fields(one: Authorization) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


@pytest.fixture(scope="module")
def home(running: Running, ehr: Caller) -> Home:
    own = ehr.create(patient())["id"]
    app = running.backstage.register(new_app("Carnet de tension", SCOPE + " patient/*.cruds user/*.cruds"))
    return Home(who=somebody(running.backstage, running.process.url, "patient", f"Patient/{own}"), own=own, app=app)


@pytest.fixture
def other(running: Running) -> Somebody:
    """Another account."""
    return somebody(running.backstage, running.process.url, "patient", "Patient/other")


def test_whoever_has_no_session_is_led_to_the_sign_in_and_back(home: Home, http: httpx.Client) -> None:
    """ASVS 5.0 7: a page shows nothing without a session."""
    for path in ("/account", "/account/apps", "/account/apps/x"):
        answer = http.get(path)
        assert (answer.status_code, answer.content) == (303, b"")
        assert answer.headers["location"].startswith("/account/sign-in?next=%2Faccount")


def test_the_home_leads_to_everything_a_role_has(home: Home, running: Running) -> None:
    page = home.who.get("/account").text
    assert all(f'href="{path}?' in page for path in ("/account/apps", "/account/launch", "/account/security"))
    for path in ("/account/apps", "/account/launch", "/account/security"):
        assert home.who.get(path).status_code == 200, path
    officer = somebody(running.backstage, running.process.url, "compliance").get("/account").text
    assert 'href="/account/launch?' not in officer


def test_what_is_shown_is_recorded_under_the_account(home: Home) -> None:
    """DESIGN 2, law 2"""
    for path, kind in (("/account", "account"), ("/account/apps", "authorization-list")):
        (record,) = home.who.records(home.who.get(path))
        assert (record.kind, record.outcome) == (kind, "0")
        assert home.who.account.id in str(record.event["agent"])


def test_an_app_is_shown_with_what_since_when_until_when_and_about_whom(home: Home) -> None:
    """GDPR Art. 15(1): purposes, categories, for how long."""
    one = home.allowed()
    page = home.who.get(f"/account/apps/{one.id}").text
    for words in ("Carnet de tension", "About you", "Read", "Add", "problems that last", "your own use", "also when you are not here"):
        assert words in page
    assert f"/account/apps/{one.id}?" in home.who.get("/account/apps").text


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", 'Last used on <time datetime="2026-11-01">1 November 2026'), ("fr", 'le <time datetime="2026-11-01">1er novembre 2026')],
)
def test_a_person_sees_on_which_day_an_app_was_used_last(home: Home, language: str, words: str) -> None:
    """OWASP ASVS 5.0 10.7.3: what nobody uses any more is what to take away; nothing is said where it is not known."""
    one = home.allowed(used_us=1_793_491_200_000_000)
    page = home.who.get(f"/account/apps?lang={language}").text
    assert words in page
    label = said("en" if language == "en" else "fr", APP_WORDS)["app-used"]
    assert label in home.who.get(f"/account/apps/{one.id}?lang={language}").text
    assert label not in home.who.get(f"/account/apps/{home.allowed().id}?lang={language}").text


def test_what_is_withdrawn_ends_with_the_next_request_and_is_recorded(home: Home, http: httpx.Client) -> None:
    """SMART 2.2, ASVS 5.0 10.7.3: 53, revocation."""
    one = home.allowed()
    bearer = {"Authorization": f"Bearer {token_of(home.who.backstage.hub, one)}"}
    assert http.get("/fhir/Patient", headers=bearer).status_code != 401
    answer = home.who.post(f"/account/apps/{one.id}/withdraw")
    assert answer.status_code == 303
    assert http.get("/fhir/Patient", headers=bearer).status_code == 401
    assert home.now(one).ended_us is not None
    records = home.who.records(answer)
    assert {record.kind for record in records} == {"authorization-end"}
    assert home.who.backstage.patient_token(home.own) in {record.patient for record in records}, "the patient finds it"


def test_withdrawing_twice_keeps_the_first_time(home: Home) -> None:
    one = home.allowed()
    home.who.post(f"/account/apps/{one.id}/withdraw")
    first = home.now(one).ended_us
    assert home.who.post(f"/account/apps/{one.id}/withdraw").status_code == 303
    assert home.now(one).ended_us == first


def test_what_is_over_is_still_shown_and_offers_nothing_to_end(home: Home) -> None:
    one = home.allowed(ago_us=3 * HOUR_US, for_us=HOUR_US)
    assert EN["app-expired"] in home.who.get("/account/apps").text
    page = home.who.get(f"/account/apps/{one.id}").text
    assert EN["app-might"] in page
    assert "/withdraw" not in page


def test_nobody_sees_or_ends_what_another_account_allowed(home: Home, other: Somebody) -> None:
    """ASVS 5.0 8.2.2: an id of another account is as one that there is not."""
    one = home.allowed()
    for id in (one.id, random_id()):
        assert other.get(f"/account/apps/{id}").status_code == 404
        answer = other.post(f"/account/apps/{id}/withdraw")
        assert answer.status_code == 404
        assert [(record.kind, record.outcome) for record in other.records(answer)] == [("authorization-end", "4")]
    assert home.now(one).ended_us is None
    assert one.id not in other.get("/account/apps").text


def test_a_form_from_elsewhere_ends_nothing(home: Home, other: Somebody) -> None:
    """ASVS 5.0 3.5.1"""
    one = home.allowed()
    for csrf in ("", other.csrf, "x" * 64):
        assert home.who.post(f"/account/apps/{one.id}/withdraw", csrf=csrf).status_code == 403
    assert home.now(one).ended_us is None


def test_it_cannot_be_framed_and_is_kept_nowhere(home: Home) -> None:
    """CSP frame-ancestors, ASVS 5.0 14.3.2"""
    headers = home.who.get("/account/apps").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_an_app_is_ended_by_keyboard_alone(browser: Browser, home: Home, size: dict[str, int], language: Language, tmp_path: Path) -> None:
    """WCAG 2.2: keyboard, contrast, reflow; from the first page to the word that it is done."""
    one, t = home.allowed(), said(language, APP_WORDS)
    with home.who.browsing(browser, viewport=size) as page:
        page.goto(f"{home.who.base}/account?lang={language}")
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"account-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("link", name=t["apps"]))
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"apps-{language}-{size['width']}.png", full_page=True)
        sent(page, page.locator(f"a[href*='{one.id}']"))
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"app-{language}-{size['width']}.png", full_page=True)
        tabbed_to(page, page.get_by_role("button", name=t["withdraw"]))
        sent(page)
        page.get_by_role("status").filter(has_text=t["withdrawn"]).wait_for()
        sound(page)
    assert home.now(one).ended_us is not None


def test_every_word_is_said_in_both_languages() -> None:
    """WCAG 2.2, 3.1.1"""
    assert [key for key, both in APP_WORDS.items() if both.en == both.fr or not both.fr] == []
