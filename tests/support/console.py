"""The console for tests: a link that opens it, a page that is signed in, and what holds for each of its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from hub.operator import Operator, user_name
from hub.sessions import new_code
from tests.support.browser import DESK
from tests.support.fixtures import Running


def link(running: Running, reason: str = "to look") -> str:
    """Good once."""
    backstage = running.backstage

    async def code() -> str:
        async with Operator(backstage.hub, reason).recording("console-link") as recording:
            return await new_code(backstage.hub.services, user_name(), reason, recording)

    return f"{running.process.url}/console/sign-in?code={backstage.run(code())}"


@contextmanager
def console(browser: Browser, running: Running, **options: Any) -> Iterator[Page]:
    """A browser that has signed in."""
    context = browser.new_context(**{"locale": "en-GB", "viewport": DESK, **options})
    page = context.new_page()
    page.goto(link(running))
    page.get_by_role("button").click()
    try:
        yield page
    finally:
        context.close()
