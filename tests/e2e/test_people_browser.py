"""The pages by which people sign in, in a real browser: keyboard, both languages, phone and desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from hub.account.words import SECURITY_WORDS
from hub.console.words import Language, said
from hub.people.words import PEOPLE_WORDS
from security.people.lockout import FREE_ACCOUNT
from security.people.totp import code_of, step_of
from tests.support.axe import accessibility_faults
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.fixtures import Running
from tests.support.signing_in import PASSWORD, Someone, add_person, forget_addresses, now_us

WORDS: dict[Language, dict[str, str]] = {
    language: {**said(language, PEOPLE_WORDS), **said(language, SECURITY_WORDS)} for language in ("en", "fr")
}
EN = WORDS["en"]
SMALL = {"width": 320, "height": 640}

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def forgiven(running: Running) -> Iterator[None]:
    """Wrong proofs are many here; the address that all tests come from is not to wait for it."""
    yield
    forget_addresses(running.backstage)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    yield context
    context.close()


def typed(page: Page, someone: Someone, password: str = PASSWORD, words: dict[str, str] = EN) -> None:
    """With the keyboard alone: the login has the first field, Enter sends."""
    page.get_by_label(words["login"], exact=True).press_sequentially(someone.login)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(password)
    page.keyboard.press("Enter")


def assert_readable(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    assert accessibility_faults(page) == []


def test_a_practitioner_signs_in_by_keyboard_and_looks_at_the_sessions(context: BrowserContext, running: Running) -> None:
    """Password, then the code of the app; the page of one's security says where one is signed in."""
    someone, page = add_person(running.backstage, "practitioner"), context.new_page()
    page.goto(f"{running.process.url}/account/security")
    typed(page, someone)
    page.get_by_label(EN["code"]).fill(someone.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=EN["security"])).to_be_visible()
    assert EN["session-here"] in page.get_by_role("listitem").filter(has_text="Chrome").inner_text()
    page.get_by_role("button", name=EN["sign-out"]).click()
    assert page.get_by_role("status").inner_text() == EN["signed-out"]
    assert [one["name"] for one in context.cookies()] == ["hub-person-step"]


def test_wrong_passwords_and_then_the_right_one_look_alike(context: BrowserContext, running: Running) -> None:
    """Whoever tries learns nothing, not even that it has to wait."""
    someone, page = add_person(running.backstage, "administrator"), context.new_page()
    page.goto(f"{running.process.url}/account/sign-in")
    for password in (*["wrong words of nobody"] * FREE_ACCOUNT, PASSWORD):
        page.get_by_label(EN["login"], exact=True).fill("")
        typed(page, someone, password)
        expect(page.get_by_role("alert")).to_have_text(EN["not-right"])
        page.goto(f"{running.process.url}/account/sign-in")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("viewport", [SMALL, PHONE, DESK], ids=["320", "390", "1280"])
def test_the_whole_way_in_is_readable_on_every_screen(
    browser: Browser, running: Running, viewport: ViewportSize, language: Language
) -> None:
    """Enrolment with a wrong code first, recovery codes, security. https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum"""
    words, width = WORDS[language], viewport["width"]
    someone = add_person(running.backstage, "compliance", second_factor=False)
    context = browser.new_context(locale=f"{language}-FR", viewport=viewport)
    page = context.new_page()
    page.goto(f"{running.process.url}/account/security")
    assert_readable(page, width)
    typed(page, someone, words=words)
    expect(page.get_by_role("img", name=words["enrol-picture"])).to_be_visible()
    assert_readable(page, width)
    secret = page.locator("pre code").inner_text().replace(" ", "")
    page.get_by_label(words["enrol-code"]).fill("000 000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(words["enrol-wrong"])
    page.get_by_label(words["enrol-code"]).fill(code_of(secret, step_of(now_us())))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=words["codes"])).to_be_visible()
    assert_readable(page, width)
    page.get_by_role("link", name=words["codes-kept"]).click()
    page.locator("summary").first.click()
    expect(page.get_by_label(words["end-apps"])).to_be_checked()
    assert_readable(page, width)
    assert page.locator("html").get_attribute("lang") == language
    context.close()
