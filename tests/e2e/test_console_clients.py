"""The pages about applications, people and signing keys in a real browser. docs/guides/console.md"""

from base64 import b64decode
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from hub.console.words import Language, said
from hub.desk.client_words import CLIENT_WORDS
from hub.desk.sure import SURE_WORDS
from hub.desk.user_words import KEY_WORDS, USER_WORDS
from hub.instants import fhir_instant, now_us
from tests.support.axe import accessibility_faults
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import Caller, asked_alone
from tests.support.console import console
from tests.support.fixtures import Running
from tests.support.keyboard import stops

pytestmark = pytest.mark.database
BACK = "https://tension.example.org/back"
NUMBERS = count()
T = {**said("en", CLIENT_WORDS), **said("en", USER_WORDS), **said("en", KEY_WORDS), **said("en", SURE_WORDS)}


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    with console(browser, running) as page:
        yield page


def self_registered(http: httpx.Client, name: str, **changes: object) -> dict[str, str]:
    said = {"client_name": name, "redirect_uris": [BACK], "scope": "launch/patient patient/*.rs openid", **changes}
    answer = http.post("/oauth/clients", json=said)
    assert answer.status_code == 201, answer.text
    return answer.json()


def go(page: Page, running: Running, path: str) -> None:
    page.goto(f"{running.process.url}{path}")


def test_of_a_client_by_itself_the_page_says_when_it_got_a_token_last(page: Page, running: Running, ehr: Caller) -> None:
    """GDPR Art. 32(1)(d): what nobody uses any more is found, and ended. To the day."""
    before = now_us()
    assert ehr.ask_token().status_code == 200
    go(page, running, f"/console/clients/{ehr.account.id}")
    shown = page.locator("dl div").filter(has_text=T["client-used"]).locator("time").inner_text()
    assert fhir_instant(before)[:10] <= shown <= fhir_instant(now_us())[:10]


def test_an_app_that_waits_is_found_looked_at_and_approved_with_fewer_scopes(page: Page, running: Running, http: httpx.Client) -> None:
    """What it says of itself is text, and what it may do is for who approves it to say."""
    name = f"<b>Tension</b> {next(NUMBERS)}"
    made = self_registered(http, name)
    page.get_by_role("link", name=T["clients"]).click()
    page.get_by_label(T["clients-sought"]).fill(name)
    with page.expect_navigation():  # or the link of the page before is clicked
        page.keyboard.press("Enter")
    page.get_by_role("region", name=T["clients-waiting"]).get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name), "the name is text").to_be_visible()
    expect(page.get_by_text(BACK)).to_be_visible()
    page.get_by_label(T["client-scope"]).fill("patient/*.cruds")
    page.get_by_role("button", name=T["do-approve"]).click()
    assert "narrow" in page.locator("main").inner_text()
    go(page, running, f"/console/clients/{made['client_id']}")
    page.get_by_label(T["client-scope"]).fill("patient/Observation.rs")
    page.get_by_role("button", name=T["do-approve"]).click()
    assert page.get_by_role("status").inner_text() == T["told-approve"]
    found = running.backstage.run(running.backstage.hub.oauth.find_client(made["client_id"]))
    assert found is not None
    assert (found.scopes, found.pending) == ("patient/Observation.rs", False)


def test_what_cannot_be_undone_is_asked_about(page: Page, running: Running, http: httpx.Client) -> None:
    """A click on the page changes nothing; the second one does. Refusing forgets, revoking ends."""
    made = self_registered(http, f"Refused {next(NUMBERS)}")
    where = f"/console/clients/{made['client_id']}"
    go(page, running, where)
    page.get_by_role("link", name=T["do-refuse"]).click()
    expect(page.get_by_text(T["sure-refuse"])).to_be_visible()
    page.get_by_role("link", name=T["sure-no"]).click()
    expect(page.get_by_role("button", name=T["do-approve"])).to_be_visible()
    page.get_by_role("link", name=T["do-refuse"]).click()
    page.get_by_role("button", name=T["do-refuse"]).click()
    assert page.get_by_role("status").first.inner_text() == T["told-refuse"]
    go(page, running, where)
    assert page.locator("h1").inner_text() != made["client_name"]


def test_an_app_is_registered_with_a_form_its_secret_shown_once_and_exchanged(page: Page, running: Running) -> None:
    """A reload shows it no more; nothing of it is in a URL."""
    go(page, running, "/console/clients")
    page.get_by_role("link", name=T["client-new"]).click()
    name = f"Formulaire {next(NUMBERS)}"
    page.get_by_label(T["client-name"]).fill(name)
    page.get_by_label(T["client-redirects"]).fill("javascript:alert(1)")
    page.get_by_label(T["method-client_secret_basic"]).check()
    page.get_by_role("button", name=T["do-register"]).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label(T["client-name"]).input_value() == name, "what was typed is still there"
    page.get_by_label(T["client-redirects"]).fill(BACK)
    page.get_by_role("button", name=T["do-register"]).click()
    secret = page.locator("pre code").inner_text()
    assert len(secret) == 43
    assert secret not in page.url
    page.get_by_role("link", name=T["client"], exact=True).click()
    rotate = page.get_by_role("link", name=T["do-rotate"])
    expect(rotate).to_be_visible()
    assert secret not in page.content()
    rotate.click()
    page.get_by_role("button", name=T["do-rotate"]).click()
    expect(page.locator("pre code")).not_to_have_text(secret)
    assert page.locator("pre code").inner_text() != ""
    page.get_by_role("link", name=T["client"], exact=True).click()
    page.get_by_role("link", name=T["do-revoke"]).click()
    page.get_by_role("button", name=T["do-revoke"]).click()
    assert page.get_by_role("status").inner_text() == T["told-revoke"]
    expect(page.get_by_text(T["state-revoked"], exact=True)).to_be_visible()


def test_somebody_is_invited_ended_and_let_in_again(page: Page, running: Running) -> None:
    """As hub user does it: a link that is shown once."""
    go(page, running, "/console/users")
    page.get_by_role("link", name=T["user-new"]).click()
    login = f"officer-{next(NUMBERS)}@example.org"
    page.get_by_label(T["user-name"]).fill("Camille Bernard")
    page.get_by_label(T["user-login"]).fill(login)
    page.get_by_label(T["user-role"]).select_option("patient")
    page.get_by_role("button", name=T["do-add"]).click()
    expect(page.get_by_role("alert"), "a patient's account needs the Patient").to_be_visible()
    page.get_by_label(T["user-role"]).select_option("compliance")
    page.get_by_role("button", name=T["do-add"]).click()
    first = page.locator("pre code").inner_text()
    assert first.startswith(f"{running.process.url}/account/invitation?code=")
    page.get_by_role("link", name=T["user"], exact=True).click()
    invite = page.get_by_role("button", name=T["do-invite"])
    expect(invite).to_be_visible()
    assert first not in page.content()
    invite.click()
    expect(page.locator("pre code")).not_to_have_text(first)
    page.get_by_role("link", name=T["user"], exact=True).click()
    page.get_by_role("link", name=T["do-disable"]).click()
    page.get_by_role("button", name=T["do-disable"]).click()
    assert page.get_by_role("status").inner_text() == T["told-disable"]
    page.get_by_role("button", name=T["do-enable"]).click()
    assert page.get_by_role("status").inner_text() == T["told-enable"]
    go(page, running, "/console/users?sought=OFFICER")
    assert page.get_by_role("row", name="Camille Bernard").count() >= 1


def test_new_signing_keys_are_announced_once(page: Page, running: Running) -> None:
    """Which sign and which are announced is on the page; no key is."""
    go(page, running, "/console/keys")
    expect(page.get_by_text(T["key-signing"], exact=True)).to_have_count(2)
    page.get_by_role("link", name=T["do-rotate-keys"]).click()
    expect(page.get_by_text(T["sure-rotate-keys"])).to_be_visible()
    page.get_by_role("button", name=T["do-rotate-keys"]).click()
    if page.get_by_role("status").count():
        assert page.get_by_role("status").inner_text() == T["told-rotate"]
    go(page, running, "/console/keys")
    expect(page.get_by_text(T["key-announced"], exact=True)).to_have_count(2)
    go(page, running, "/console/keys/rotate")
    page.get_by_role("button", name=T["do-rotate-keys"]).click()
    assert "announced already" in page.locator("main").inner_text()


def test_what_is_opened_and_done_is_on_record_and_only_for_who_signed_in(page: Page, running: Running, http: httpx.Client) -> None:
    """DESIGN 2, law 2; a form that does not come from a page of the session does nothing."""
    made = self_registered(http, f"Recorded {next(NUMBERS)}")
    where = f"{running.process.url}/console/clients/{made['client_id']}"
    (cookie,) = page.context.cookies()
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    records = running.backstage.recorded_by(lambda: asked_alone("GET", where, headers=headers))
    assert [(one.kind, one.outcome) for one in records] == [("client-list", "0")]
    queries = [b64decode(entity["query"]).decode() for entity in records[0].event["entity"] if "query" in entity]
    assert any(made["client_id"] in query for query in queries)
    for path in ("clients", "clients/new", f"clients/{made['client_id']}", "users", "users/new", "keys", "keys/rotate"):
        assert asked_alone("GET", f"{running.process.url}/console/{path}").status_code == 303
    for act in ("approve", "refuse"):
        assert asked_alone("POST", f"{where}/{act}", headers=headers, data={"scope": "openid"}).status_code == 403
        assert asked_alone("POST", f"{where}/{act}", data={"scope": "openid"}).status_code == 303
    assert asked_alone("GET", f"{where}/approve", headers=headers).status_code == 404
    assert asked_alone("GET", f"{running.process.url}/console/users/nobody", headers=headers).status_code == 404


def test_the_keyboard_reaches_every_choice(page: Page, running: Running) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard"""
    go(page, running, "/console/clients/new")
    reached = [at.evaluate("at => at.getAttribute('name') || at.textContent.trim()") for at in stops(page)]
    assert {"name", "scope", "redirects", "launch", "policy", "method", "device", "bound", T["do-register"]} <= set(reached)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
def test_they_are_readable_on_every_screen_and_by_everybody(
    browser: Browser, running: Running, http: httpx.Client, viewport: ViewportSize, language: Language, tmp_path: Path
) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum; and axe finds nothing."""
    long = f"Suivi de la tension artérielle à domicile {next(NUMBERS)}"
    made = self_registered(http, long, redirect_uris=[f"{BACK}/{'a' * 120}"], token_endpoint_auth_method="none")
    with console(browser, running, locale=f"{language}-FR", viewport=viewport) as page:
        for path in (
            *("clients", "clients/new", f"clients/{made['client_id']}", f"clients/{made['client_id']}/refuse"),
            *("users", "users/new", "keys", "keys/rotate"),
        ):
            answer = page.goto(f"{running.process.url}/console/{path}?lang={language}")
            assert answer is not None
            assert answer.status == 200, path
            name = path.replace(made["client_id"], "one").replace("/", "-")
            page.screenshot(path=tmp_path / f"{name}-{language}-{viewport['width']}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path
            assert page.evaluate(CONTRAST) == [], path
            assert accessibility_faults(page) == [], path
            assert page.locator("html").get_attribute("lang") == language
