"""The pages under /docs in a real browser: both languages, by keyboard alone, on a telephone and on a desk; what they show is what runs."""

import os
import shlex
import subprocess
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser

from hub.console.words import said
from hub.reference.openapi import DETAILED
from hub.reference.pages import ONLY_REFUSED
from hub.reference.words import DOCS
from hub.routes import ROUTES
from hub.search.parameters import RESOURCE_TYPES
from tests.support.browser import CONTRAST, DESK, PHONE, opened
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import observation, patient

PAGES = ("/docs", "/docs/Observation")
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture(scope="module")
def base(running: Running) -> str:
    return running.process.url


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("fr-FR", "fr")])
def test_the_pages_speak_the_readers_language_and_keep_it_from_page_to_page(
    browser: Browser, base: str, locale: str, language: str
) -> None:
    """https://www.w3.org/TR/WCAG22/#language-of-page"""
    with opened(browser, base, "/docs", locale=locale) as page:
        assert page.locator("html").get_attribute("lang") == language
        assert page.get_by_role("heading", level=1).inner_text() == said(language, DOCS)["docs"]  # type: ignore[arg-type]
        page.get_by_role("link", name="Observation", exact=True).click()
        assert page.get_by_role("heading", level=1).inner_text() == "Observation"
        assert page.locator("html").get_attribute("lang") == language
        page.get_by_role("link", name=said(language, DOCS)["back"]).click()  # type: ignore[arg-type]
        assert page.get_by_role("heading", level=1).inner_text() == said(language, DOCS)["docs"]  # type: ignore[arg-type]


def test_the_first_page_leads_here_and_this_page_to_the_description_for_programs(browser: Browser, base: str) -> None:
    """Discovery: from / to /docs to /openapi.json."""
    with opened(browser, base, "/") as page:
        page.get_by_role("link", name="/docs").click()
        assert page.get_by_role("link", name="/openapi.json").get_attribute("href") == "/openapi.json"


def test_every_interaction_and_type_that_runs_is_on_it(browser: Browser, base: str) -> None:
    """Read from the tables, so that it cannot lag behind; what is there only to say why it is refused is not offered."""
    with opened(browser, base, "/docs") as page:
        listed = page.evaluate(
            "[...document.querySelectorAll('.interaction summary')].map(one => one.textContent.trim().split(/\\s+/).slice(0, 2))"
        )
        types = page.evaluate("[...document.querySelectorAll('.tiles a')].map(one => one.textContent)")
    paths = ("/fhir", "/oauth", "/ingest")
    offered = {(row.method, row.path) for row in ROUTES if row.path.startswith(paths)} - {ONLY_REFUSED}
    assert {tuple(one) for one in listed} == offered
    assert set(types) == set(RESOURCE_TYPES)


@pytest.mark.parametrize("type", ["Observation", "Patient"])
def test_every_search_parameter_of_a_type_is_on_its_page(browser: Browser, base: str, type: str) -> None:
    """A parameter is a row; the page shows the rows."""
    with opened(browser, base, f"/docs/{type}") as page:
        listed = page.evaluate("[...document.querySelectorAll('.rows strong code')].map(one => one.textContent)")
    assert listed == sorted(RESOURCE_TYPES[type].parameters)


def test_an_interaction_is_opened_and_closed_by_keyboard(browser: Browser, base: str) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard: without a script, with the browser's own disclosure."""
    with opened(browser, base, "/docs") as page:
        page.locator(".interaction summary").first.focus()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        for expected in (True, False):
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open") is expected


@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_runs_out_of_the_window(browser: Browser, base: str, viewport: Any, path: str, language: str) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, with everything opened."""
    with opened(browser, base, f"{path}?lang={language}", viewport=viewport) as page:
        page.evaluate(OPEN_ALL)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_text_stands_out_by_day_and_by_night(browser: Browser, base: str, scheme: Any, path: str) -> None:
    """https://www.w3.org/TR/WCAG22/#contrast-minimum: 4.5 to 1."""
    with opened(browser, base, path, color_scheme=scheme) as page:
        page.evaluate(OPEN_ALL)
        assert page.evaluate(CONTRAST) == []


def test_headings_go_down_one_by_one(browser: Browser, base: str) -> None:
    """https://www.w3.org/TR/WCAG22/#info-and-relationships"""
    with opened(browser, base, "/docs") as page:
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_command_that_asks_for_nothing_but_a_token_works_as_it_is_copied(browser: Browser, base: str, ehr: Caller) -> None:
    """What is on the page is what one types: BASE, TOKEN and ID set, in a shell."""
    made = ehr.create(observation(ehr.create(patient())["id"]))
    with opened(browser, base, "/docs/Observation", viewport=PHONE) as page:
        commands = page.evaluate("[...document.querySelectorAll('.interaction')].map(one => one.querySelector('pre').textContent.trim())")
    environment = {**os.environ, "BASE": base, "TOKEN": ehr.token, "ID": made["id"]}
    ran = [one for one in commands if "-X" not in one and "@" not in one]
    assert len(ran) >= 4
    for command in ran:
        assert shlex.split(command)[0] == "curl"
        done = subprocess.run(["bash", "-euc", command], capture_output=True, text=True, check=True, env=environment, timeout=300)
        assert '"severity":"error"' not in done.stdout, command
        assert '"resourceType":' in done.stdout


def test_a_type_that_is_not_offered_has_no_page(base: str, ehr: Caller) -> None:
    """read.html#404: the same answer as for any path that leads nowhere."""
    assert ehr.http.get("/docs/Nonsense").status_code == 404
    assert set(DETAILED) & set(RESOURCE_TYPES)
