"""Pages that stand open to everybody, judged by axe-core. https://www.w3.org/TR/WCAG22/"""

import pytest
from playwright.sync_api import Browser

from tests.support.axe import accessibility_faults
from tests.support.browser import DESK, PHONE, opened
from tests.support.fixtures import Running

pytestmark = pytest.mark.database


def test_the_judge_finds_what_is_wrong(browser: Browser) -> None:
    """Guards the others of this kind: a page with faults has them found."""
    page = browser.new_page()
    page.set_content("<html><body><img src='data:,'><input><p style='color:#aaa;background:#fff'>pale</p></body></html>")
    rules = {fault.partition(":")[0] for fault in accessibility_faults(page)}
    assert {"image-alt", "label", "color-contrast", "html-has-lang"} <= rules
    page.close()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/", "/docs", "/docs/Observation", "/console/sign-in"])
def test_a_page_for_everybody_can_be_used_by_everybody(browser: Browser, running: Running, path: str, viewport: dict[str, int]) -> None:
    """WCAG 2.2, levels A and AA, as far as a machine can tell."""
    with opened(browser, running.process.url, path, viewport=viewport) as page:
        assert accessibility_faults(page) == []
