"""A real browser for tests of pages: the system's Chromium, driven by playwright. Loaded by tests/conftest.py for every test.

A test that asks for `browser` is marked `browser`, and left out with the reason where there is no Chromium.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
ARGUMENTS = ["--disable-features=LocalNetworkAccessChecks"]
"""Chromium asks a person before a page from elsewhere may reach this machine; a test has no person to ask."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    # The sandbox of Chromium does not work for root, and continuous integration often is; the pages are our own.
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *sandbox])
        yield browser
        browser.close()
