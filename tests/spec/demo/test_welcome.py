"""The first page: languages, headers, live facts. In a browser: tests/e2e/test_first_page.py (RFC 9110, CSP 3)."""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.discovery import adapters
from hub.console import welcome as module
from hub.console.welcome import welcome
from hub.console.words import LANGUAGES, WORDS, language_of, said
from hub.store.protocol import Unavailable

BASE = "https://hub.example.org"


class Database:
    """What the page asks of the store: does it answer?"""

    def __init__(self, *, answers: bool = True, seconds: float = 0) -> None:
        self._answers, self._seconds = answers, seconds

    async def ping(self) -> None:
        await asyncio.sleep(self._seconds)
        if not self._answers:
            raise Unavailable("none")


async def page(query: str = "", *, base: str = BASE, database: Database | None = None, **headers: str) -> httpx.Response:
    app = Starlette(routes=[Route("/", welcome)])
    app.state.base_url, app.state.services = base, SimpleNamespace(store=database or Database())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        return await client.get(f"/{query}", headers=headers)


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "", "en"),
        (None, "fr", "fr"),
        (None, "fr-CA, en;q=0.8", "fr"),
        (None, "en-GB,en;q=0.9,fr;q=0.8", "en"),
        (None, "de, fr;q=0.5, en;q=0.4", "fr"),
        (None, "de", "en"),
        (None, "*", "en"),
        (None, "en;q=0, *", "fr"),
        (None, "fr;q=0", "en"),
        (None, "fr;q=much, en;q=0.1", "en"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("de", "fr", "fr"),
    ],
)
def test_the_link_decides_then_the_browser_then_english(asked: str | None, accepted: str, expected: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#name-accept-language"""
    assert language_of(asked, accepted) == expected


@given(st.none() | st.text(), st.text())
def test_whatever_a_browser_sends_there_is_a_language(asked: str | None, accepted: str) -> None:
    """RFC 9110 section 12.5.4: a preference, never an error."""
    assert language_of(asked, accepted) in LANGUAGES


def test_every_word_is_said_in_both_languages() -> None:
    """The page is for people in France and for those who help them: https://www.w3.org/TR/WCAG22/#language-of-page"""
    assert all(english.strip() and french.strip() for english, french in WORDS.values())
    assert not any(re.search(r" [:;?!]", text) for text in said("fr").values())


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_in_the_language_it_says(language: str) -> None:
    """https://www.w3.org/TR/WCAG22/#language-of-page; RFC 9110 section 12.5.5: Vary names what the answer depends on."""
    answer = await page(f"?lang={language}")
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept-Language"
    assert f'<html lang="{language}">' in answer.text
    assert getattr(WORDS["skip"], language) in answer.text


async def test_nothing_can_be_loaded_or_run_but_the_page_itself() -> None:
    """https://www.w3.org/TR/CSP3/: no source for anything, and one style named by its hash."""
    answer = await page()
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


async def test_no_script_and_no_address_of_others_is_on_the_page() -> None:
    """DESIGN 3, console: no external assets."""
    text = (await page()).text
    assert "<script" not in text
    assert re.search(r"\son\w+=|javascript:|style=", text) is None
    assert {match for match in re.findall(r'https?://[^\s"\'<&]+', text) if not match.startswith(BASE)} == {"http://www.w3.org/2000/svg"}


async def test_what_comes_from_outside_is_escaped() -> None:
    """https://owasp.org/www-community/attacks/xss/: the base URL is a setting, and still text."""
    answer = await page(base='https://"><script>alert(1)</script>')
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_the_facts_are_those_of_this_hub() -> None:
    """DESIGN 4: what runs here: version, FHIR base, adapters."""
    answer = await page()
    for fact in (f"{BASE}/fhir", "4.0.1", "0.1.0", *adapters()):
        assert fact in answer.text


@pytest.mark.parametrize(("database", "key"), [(Database(), "ready"), (Database(answers=False), "not-ready")])
async def test_the_state_is_that_of_the_database(database: Database, key: str) -> None:
    """DESIGN 4, /readyz: ready is when a write could be made durable now."""
    answer = await page(database=database)
    assert answer.status_code == 200
    assert f">{WORDS[key].en}</dd>" in answer.text


async def test_a_database_that_is_slow_to_answer_does_not_hold_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """STYLE 7.8: every wait has a limit."""
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.01)
    answer = await page(database=Database(seconds=60))
    assert f">{WORDS['not-ready'].en}</dd>" in answer.text


class Outline(HTMLParser):
    """Headings, links, and whether every element that was opened was closed in its turn."""

    VOID = frozenset({"meta", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """`<path/>` opens and closes at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_well_formed_and_its_headings_are_in_order(language: str) -> None:
    """https://www.w3.org/TR/WCAG22/#info-and-relationships: one h1, no level left out; ids are unique, links lead somewhere."""
    outline = Outline()
    outline.feed((await page(f"?lang={language}")).text)
    assert outline.open == []
    assert outline.headings.count(1) == 1
    assert all(level <= before + 1 for before, level in zip([0, *outline.headings], outline.headings, strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
