"""Somebody signed in at a browser, for tests that are not about how one signs in: account and session are written behind the scenes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from hub.instants import now_us
from hub.people.accounts import Accounts
from hub.people.sessions import SignedIn, begun
from hub.people.visit import COOKIE
from hub.services import random_id
from hub.store.protocol import Unit
from security.browser_session import form_token
from security.oauth.person import Person, Role
from security.people.account import Account, folded
from tests.support.backstage import Backstage, Recorded
from tests.support.browser import CONTRAST, DESK
from tests.support.caller import TIMEOUT_S, TLS

REPORT = "document.documentElement.scrollWidth <= innerWidth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """An account with a session."""

    backstage: Backstage
    base: str
    signed: SignedIn
    told: list[str] = field(default_factory=list)
    """What the browser complained about."""

    @property
    def account(self) -> Account:
        return self.signed.account

    @property
    def cookies(self) -> dict[str, str]:
        return {COOKIE.name(self.base): self.signed.cookie}

    @property
    def csrf(self) -> str:
        return form_token(self.signed.cookie)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._send("GET", path, **more)

    def post(self, path: str, csrf: str | None = None, **form: str) -> httpx.Response:
        """As a form of the session's own page, unless another token is given."""
        return self._send("POST", path, data={"csrf": self.csrf if csrf is None else csrf, **form})

    def records(self, answer: httpx.Response) -> list[Recorded]:
        return self.backstage.records(answer.headers["x-request-id"])

    @contextmanager
    def browsing(self, browser: Browser, *, elsewhere: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
        """At the end nothing may have been complained about, and nothing fetched from elsewhere but from the places named."""
        context = browser.new_context(**{"locale": "en-GB", "viewport": DESK, **options})
        self.enter(context)
        page, complaints, strange = context.new_page(), [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        ours = (self.base, "data:", *elsewhere)
        page.on("request", lambda one: strange.append(one.url) if not one.url.startswith(ours) else None)
        yield page
        context.close()
        assert complaints == []
        assert strange == []

    def enter(self, context: BrowserContext) -> None:
        context.add_cookies([{"name": name, "value": value, "url": self.base} for name, value in self.cookies.items()])

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        with httpx.Client(cookies=self.cookies, trust_env=False, follow_redirects=False, timeout=TIMEOUT_S, verify=TLS) as client:
            return client.request(method, self.base + path, **more)


def somebody(
    backstage: Backstage, base: str, role: Role, fhir_user: str | None = None, *, organization: str = "", name: str = "Camille Essai"
) -> Somebody:
    person = Person(account=random_id(), role=role, fhir_user=fhir_user, organization=organization)
    account = Account(login=folded(f"{person.account}@essai.example"), name=name, person=person, created_us=now_us())

    async def entered() -> SignedIn:
        services = backstage.hub.services
        signed, session = await begun(services, account, "urn:test", ("pwd",))
        await services.store.commit(Unit(notes=(*await Accounts(services).added(account), session)))
        return signed

    return Somebody(backstage=backstage, base=base, signed=backstage.run(entered()))


def sound(page: Page) -> None:
    """Enough contrast, nothing wider than the screen, one heading, a name for the language, each field with a label."""
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(REPORT)
    expect(page.locator("h1")).to_have_count(1)
    assert page.locator("html").get_attribute("lang") in ("en", "fr")


def sent(page: Page, on: Locator | None = None) -> None:
    """By the enter key, on what has the focus; the next page is there."""
    if on is not None:
        on.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
