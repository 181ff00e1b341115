"""The pages on which a patient links an account, in a real browser: by keyboard alone, at both widths, in both languages. WCAG 2.2 AA."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.backstage import Backstage, new_client
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import Caller, http_client
from tests.support.keyboard import tabbed_to
from tests.support.process import HubProcess
from tests.support.resources import patient


@pytest.fixture(scope="module")
def invited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an invitation of a hub that is registered at Withings."""
    directory: Path = tmp_path_factory.mktemp("invited")
    (directory / "secret").write_text("a-secret-of-the-tests")
    settings = {"HUB_WITHINGS_CLIENT_ID": "hub", "HUB_WITHINGS_SECRET_FILE": str(directory / "secret")}
    process = HubProcess(directory / "data", **settings).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            account = backstage.register(new_client("Clinique du Lac", "system/*.cruds", consent_default="opt-out", recorder=True))
            person = Caller(http, account).create(patient())["id"]
        named = ("--client-id", account.id, "--patient", f"Patient/{person}", "--feed", "heart", "--feed", "sleep")
        yield process.url + process.command("poll", "invite", "withings", *named).json()["path"]
    finally:
        process.stop()


def sound(page: Page) -> None:
    """Enough contrast, nothing wider than the screen, one heading, a name for the language."""
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize(("size", "language", "begin"), [(PHONE, "fr", "Commencer"), (DESK, "en", "Begin")])
def test_an_account_is_linked_by_keyboard_alone(browser: Browser, invited: str, size: dict[str, int], language: str, begin: str) -> None:
    """As far as the door of the vendor's own page."""
    context = browser.new_context(viewport=size, locale=language)  # type: ignore[arg-type]
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{invited}&lang={language}")
    sound(page)
    expect(page.get_by_text("Clinique du Lac")).to_have_count(1)
    tabbed_to(page, page.get_by_role("button", name=begin))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    sound(page)
    link = page.get_by_role("link", name="Withings")
    assert (link.get_attribute("href") or "").startswith("https://account.withings.com/oauth2_user/authorize2?")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert complaints == []
    page.goto(f"{invited.partition('/clouds')[0]}/clouds/callback?error=access_denied&lang={language}")
    sound(page)
    expect(page.get_by_role("alert")).to_have_count(1)
    context.close()
