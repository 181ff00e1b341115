"""The console in a real browser: a link that is good once, a session, forms that only its own pages can send."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from hub.console.words import Language, said
from hub.desk.words import DESK_WORDS
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import asked_alone, http_client
from tests.support.process import free_port

HUB = Path(sys.executable).with_name("hub")
EN = said("en", DESK_WORDS)
COOKIE = "hub-console"

pytestmark = pytest.mark.database


class Running:
    """A hub, and the commands beside it."""

    def __init__(self, base: str, directory: Path) -> None:
        self.base = base
        self.directory = directory

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [HUB, *arguments, "--data-dir", self.directory], env=environment(), check=False, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def link(self) -> str:
        return self.command("console", "open", "--base-url", self.base, "--reason", "to look")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("hub-console")
    command = [HUB, "serve", "--port", str(free_port()), "--data-dir", directory, "--workers", "2"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready ")
            yield Running(line.split()[1], directory)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    yield context
    context.close()


def signed_in(context: BrowserContext, running: Running) -> Page:
    page = context.new_page()
    page.goto(running.link())
    page.get_by_role("button", name=EN["sign-in"]).click()
    return page


def test_a_link_opens_the_console_under_the_name_of_whoever_had_it_printed(context: BrowserContext, running: Running) -> None:
    """The operating system says who that is; the cookie cannot be read by a page, nor sent by one from elsewhere."""
    page = signed_in(context, running)
    assert urlsplit(page.url).path == "/console"
    expect(page.get_by_text(EN["signed-in"])).to_be_visible()
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Strict")


def test_a_link_is_good_once(context: BrowserContext, running: Running) -> None:
    """What is in a browser's history opens nothing any more; what was tried is in the log."""
    link = running.link()
    page = context.new_page()
    page.goto(link)
    page.goto(link)  # to look at it uses nothing up
    page.get_by_role("button", name=EN["sign-in"]).click()
    context.clear_cookies()
    page.goto(link)
    assert page.get_by_role("alert").inner_text() == EN["sign-in-over"]
    expect(page.get_by_role("button", name=EN["sign-in"])).to_have_count(0)


def test_of_two_browsers_that_use_a_link_at_once_one_is_let_in(running: Running) -> None:
    """The second meets the first one's note, on whichever process."""
    code = running.link().rpartition("=")[2]
    with http_client(running.base) as one, http_client(running.base) as other:
        answers = [client.post("/console/sign-in", data={"code": code}) for client in (one, other)]
    assert sorted(answer.status_code for answer in answers) == [303, 403]


def test_signing_out_ends_the_session_on_every_process(context: BrowserContext, running: Running) -> None:
    """A cookie that somebody has copied is worth nothing afterwards."""
    page = signed_in(context, running)
    (cookie,) = context.cookies()
    page.get_by_role("button", name=EN["sign-out"]).click()
    assert page.get_by_role("status").inner_text() == EN["signed-out"]
    assert context.cookies() == []
    for _ in range(8):  # connections of their own: both processes answer some
        answer = asked_alone("GET", f"{running.base}/console", headers={"Cookie": f"{COOKIE}={cookie['value']}"})
        assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64], ids=["none", "another"])
def test_a_form_from_elsewhere_does_nothing_and_is_recorded(context: BrowserContext, running: Running, token: str) -> None:
    """OWASP ASVS 5.0 3.5.1: the cookie alone is not enough."""
    signed_in(context, running)
    (cookie,) = context.cookies()
    headers = {"Cookie": f"{COOKIE}={cookie['value']}"}
    answer = asked_alone("POST", f"{running.base}/console/sign-out", headers=headers, data={"csrf": token})
    assert answer.status_code == 403
    assert asked_alone("GET", f"{running.base}/console", headers=headers).status_code == 200
    assert answer.headers["x-request-id"] in running.command("audit", "query", "--limit", "20", "--json")


def test_a_browser_that_says_the_form_is_from_elsewhere_is_believed(context: BrowserContext, running: Running) -> None:
    """https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header"""
    page = signed_in(context, running)
    (cookie,) = context.cookies()
    token = page.locator("input[name=csrf]").first.get_attribute("value")
    headers = {"Cookie": f"{COOKIE}={cookie['value']}", "Sec-Fetch-Site": "cross-site"}
    answer = asked_alone("POST", f"{running.base}/console/sign-out", headers=headers, data={"csrf": token})
    assert answer.status_code == 403


@pytest.mark.parametrize("place", ["https://elsewhere.example/", "//elsewhere.example", "/console/../fhir", "/console\r\nX: y"])
def test_after_the_sign_in_nobody_is_led_elsewhere(running: Running, place: str) -> None:
    """OWASP ASVS 5.0 3.7.2: no open redirect."""
    code = running.link().rpartition("=")[2]
    answer = asked_alone("POST", f"{running.base}/console/sign-in", data={"code": code, "next": place})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console?lang=en")


def assert_readable(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
def test_its_pages_are_readable_on_every_screen(browser: Browser, running: Running, viewport: ViewportSize, language: Language) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum"""
    words = said(language, DESK_WORDS)
    context = browser.new_context(locale=f"{language}-FR", viewport=viewport)
    page = context.new_page()
    page.goto(running.link())
    assert_readable(page, viewport["width"])
    page.get_by_role("button", name=words["sign-in"]).click()
    page.get_by_role("button", name=words["sign-out"]).wait_for()
    assert_readable(page, viewport["width"])
    assert page.locator("html").get_attribute("lang") == language
    context.close()
