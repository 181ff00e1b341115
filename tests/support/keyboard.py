"""A page by the tabulator alone: all that it stops at, until it comes round.

However much a page holds that other tests left on it: whoever counts the stops counts those too.
"""

from collections.abc import Iterator

from playwright.sync_api import ElementHandle, Locator, Page

_NEW = """() => { const met = window.metByTab ??= new WeakSet(), at = document.activeElement;
  return !met.has(at) && Boolean(met.add(at)); }"""


def stops(page: Page) -> Iterator[ElementHandle]:
    """What the tabulator reaches from where the focus is, in its order, each once; the end of the page counts as one."""
    page.evaluate("() => { delete window.metByTab }")
    while True:
        page.keyboard.press("Tab")
        if not page.evaluate(_NEW):
            return
        at = page.evaluate_handle("document.activeElement").as_element()
        assert at is not None
        yield at


def tabbed_to(page: Page, wanted: Locator) -> None:
    """The focus is on what was wanted; AssertionError where the tabulator comes round without it."""
    sought = wanted.element_handle()
    assert any(page.evaluate("([at, sought]) => at === sought", [at, sought]) for at in stops(page)), (
        f"the keyboard does not reach {wanted}"
    )
