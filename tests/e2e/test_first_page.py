"""The first page in a real browser, against a hub that runs: both languages, by keyboard alone, on a telephone and on a desk."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from hub.console.words import WORDS, said
from tests.support.browser import CONTRAST, DESK, PHONE, opened
from tests.support.caller import asked_alone
from tests.support.process import free_port

HUB = Path(sys.executable).with_name("hub")

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """A hub on an empty directory; its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    with tempfile.TemporaryDirectory(prefix="hub-page-") as directory:
        command = [HUB, "serve", "--port", str(free_port()), "--data-dir", directory]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                said_ready = process.stdout.readline()
                assert said_ready.startswith("ready ")
                yield said_ready.split()[1]
            finally:
                process.terminate()
                process.wait(60)


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("fr-FR", "fr"), ("de-DE", "en")])
def test_a_browser_gets_the_page_in_its_language(browser: Browser, base: str, locale: str, language: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#name-accept-language"""
    with opened(browser, base, locale=locale) as page:
        assert page.locator("html").get_attribute("lang") == language
        assert page.get_by_role("heading", level=1).inner_text() == getattr(WORDS["headline"], language)


def test_the_languages_are_switched_by_a_link_and_back(browser: Browser, base: str) -> None:
    """https://www.w3.org/TR/WCAG22/#language-of-parts: each link is in the language it leads to."""
    with opened(browser, base) as page:
        page.get_by_role("link", name="Français").click()
        expect(page.get_by_role("heading", name=said("fr")["start"])).to_be_visible()
        assert page.locator("nav a[aria-current]").inner_text() == "Français"
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", name=said("en")["start"])).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(browser: Browser, base: str) -> None:
    """https://www.w3.org/TR/WCAG22/#bypass-blocks"""
    with opened(browser, base) as page:
        skip = page.get_by_role("link", name=said("en")["skip"])
        assert skip.bounding_box()["y"] < 0
        page.keyboard.press("Tab")
        assert skip.bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "/docs"


def test_every_link_is_reached_by_tab_and_shows_where_one_is(browser: Browser, base: str) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard, #focus-visible"""
    with opened(browser, base) as page:
        stops = []
        for _ in range(page.locator("a").count()):
            page.keyboard.press("Tab")
            stops.append(page.evaluate("document.activeElement.getAttribute('href')"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert stops == page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")


@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_runs_out_of_the_window(browser: Browser, base: str, viewport: Any, language: str) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow: no scrolling in two directions down to 320 pixels."""
    with opened(browser, base, f"/?lang={language}", viewport=viewport) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it_by_day_and_by_night(browser: Browser, base: str, scheme: Any) -> None:
    """https://www.w3.org/TR/WCAG22/#contrast-minimum: 4.5 to 1."""
    with opened(browser, base, color_scheme=scheme) as page:
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 22, 21)"
        assert dark == (scheme == "dark")
        assert page.evaluate(CONTRAST) == []


def test_a_command_is_copied_as_it_is_meant(browser: Browser, base: str) -> None:
    """What is shown on several lines is one line in the clipboard."""
    select = """() => { const range = document.createRange(); range.selectNodeContents(document.querySelectorAll('.steps code')[1]);
      const selection = getSelection(); selection.removeAllRanges(); selection.addRange(range); return selection.toString(); }"""
    with opened(browser, base, viewport=PHONE) as page:
        token = page.evaluate(select)
    assert token == f"TOKEN=$(.venv/bin/hub token --base-url {base} --client-id CLIENT_ID --key my-app.pem)"


def test_where_the_page_leads_there_is_an_answer(browser: Browser, base: str) -> None:
    """DESIGN 4, paths: discovery and probes are for everybody."""
    with opened(browser, base) as page:
        paths = page.evaluate("[...document.querySelectorAll('main a')].map(a => a.getAttribute('href'))")
    assert {path: asked_alone("GET", base + path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert len(paths) == 4
