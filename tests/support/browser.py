"""A real browser for tests of pages: the system's Chromium, driven by playwright. Loaded by tests/conftest.py for every test.

A test that asks for `browser` is marked `browser`, and left out with the reason where there is no Chromium.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None)
"""The build of Chromium that has no window rather than the one that hides it: a page in it takes a third of the processor time."""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
ARGUMENTS = ["--disable-features=LocalNetworkAccessChecks"]
"""Chromium asks a person before a page from elsewhere may reach this machine; a test has no person to ask."""
SHOWN_MS = 60_000
"""Only what never comes takes so long. `expect(…)` waits for it, where `is_visible()` looks at once, maybe at half of a page."""
expect.set_options(timeout=SHOWN_MS)

CONTRAST = """() => {
  const lit = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = node => { for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor; if (colour !== 'rgba(0, 0, 0, 0)') return colour; } return 'rgb(255, 255, 255)'; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), low = [];
  while (walker.nextNode()) { const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest('svg')) continue;
    const [one, two] = [lit(getComputedStyle(node).color), lit(behind(node))].sort((a, b) => b - a);
    if ((one + 0.05) / (two + 0.05) < 4.5) low.push(node.outerHTML.slice(0, 80)); }
  return low; }"""
"""What on the page stands out less than 4.5 to 1."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium-headless-shell)")
    # The sandbox of Chromium does not work for root, and continuous integration often is; the pages are our own.
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *sandbox])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, base: str, path: str = "/", **options: Any) -> Iterator[Page]:
    """The page; at the end nothing may have been complained about, and nothing fetched from elsewhere."""
    context = browser.new_context(**{"locale": "en-GB", "viewport": DESK, **options})
    page, complaints, elsewhere = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith((base, "data:")) else None)
    page.goto(base + path)
    yield page
    assert complaints == []
    assert elsewhere == []
    assert context.cookies() == []
    context.close()
