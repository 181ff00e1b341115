"""A hub where people sign in by another hub: the one is the OpenID provider of the other, both as processes, in a real browser.

OpenID Connect Core 1.0 section 3.1. What a provider says that lies is tested in test_people_federated.py; here both ends are ours.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.account.app_words import APP_WORDS
from hub.account.consent_words import CONSENT_WORDS as ASKED
from hub.account.words import SECURITY_WORDS
from hub.console.words import said
from hub.people.accounts import Accounts
from security.people.assurance import ACR_SECOND_FACTOR
from tests.support.axe import accessibility_faults
from tests.support.backstage import Backstage
from tests.support.browser import DESK, PHONE
from tests.support.caller import asked_alone
from tests.support.launching import allow, deny, sign_in
from tests.support.process import HubProcess
from tests.support.signed import sound
from tests.support.signing_in import Someone, add_person

EN = said("en", SECURITY_WORDS)
NAME, TITLE = "other-hub", "The other hub"
CALLBACK = f"/account/federated/{NAME}"
ANOTHERS = "https://another.example/callback"

pytestmark = pytest.mark.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Hubs:
    """`here` trusts `there`. A browser tells them apart by their hosts, for cookies know no ports."""

    here: HubProcess
    there: HubProcess
    at_here: Backstage
    at_there: Backstage
    client_id: str

    @property
    def base(self) -> str:
        """Of the hub where somebody wants to be signed in."""
        return f"http://localhost:{self.here.port}"

    def pair(self, *, linked: bool = True) -> tuple[Someone, Someone]:
        """One person with an account here and one there; linked by those who run the hub here."""
        own, others = add_person(self.at_here, "compliance"), add_person(self.at_there, "practitioner")
        if linked:
            self.link(own, others)
        return own, others

    def link(self, own: Someone, others: Someone) -> None:
        done = self.here.invoke("user", "link", own.login, "--issuer", self.there.url, "--subject", others.id)
        assert done.code == 0, done.err

    def sessions(self, someone: Someone) -> int:
        return int(self.here.invoke("user", "show", someone.login).json()["sessions"])


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hubs]:
    directory = tmp_path_factory.mktemp("hubs")
    there = HubProcess(directory / "there").start()
    try:
        here = HubProcess(directory / "here", HUB_OPENID_PROVIDERS=str(directory / "providers.json"))
        here._environment["HUB_BASE_URL"] = f"http://localhost:{here.port}"
        client_id = registered(there, here.port, directory)
        here.start()
        try:
            with (
                Backstage(there.data_dir, there.url) as at_there,
                Backstage(here.data_dir, f"http://localhost:{here.port}") as at_here,
            ):
                yield Hubs(here=here, there=there, at_here=at_here, at_there=at_there, client_id=client_id)
        finally:
            here.stop()
    finally:
        there.stop()


def registered(there: HubProcess, port: int, directory: Path) -> str:
    """The hub here as a client of the hub there, by a key: the registration, and the list of providers that follows from it."""
    key, callback = directory / "key.pem", f"http://localhost:{port}{CALLBACK}"
    given = ("client", "add", "A hub", "--app", "--scope", "openid", "--key-out", str(key), "--grant", "authorization_code")
    done = there.invoke(*given, "--redirect-uri", callback)
    assert done.code == 0, done.err
    provider = {
        "name": NAME,
        "title": TITLE,
        "issuer": there.url,
        "client_id": done.json()["client_id"],
        "authentication": "private_key_jwt",
        "key_file": key.name,
        "acr_values": [ACR_SECOND_FACTOR],
    }
    (directory / "providers.json").write_text(json.dumps([provider]))
    return str(provider["client_id"])


@contextmanager
def browsing(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    yield context.new_page()
    context.close()


def led_there(page: Page, hubs: Hubs) -> None:
    """From the sign-in page here by the button of the provider."""
    page.goto(f"{hubs.base}/account/security")
    page.get_by_role("button", name=TITLE).click()
    page.wait_for_url(f"{hubs.there.url}/**")


def answer_held(page: Page) -> str:
    """Says yes on the consent page; where the browser would have been led back to, where it never arrives."""
    page.wait_for_url("**/account/authorize**")
    button = page.locator("button[value=allow]")
    url, form = button.evaluate("at => [at.form.action, Object.fromEntries(new FormData(at.form, at))]")
    answer = page.context.request.post(url, form=form, headers={"Origin": url.partition("/account/")[0]}, max_redirects=0)
    assert answer.status == 303, answer.text()
    return str(answer.headers["location"])


def status_of(page: Page, url: str) -> int:
    """What going there is answered with."""
    answer = page.goto(url)
    assert answer is not None
    return answer.status


def is_in(context: BrowserContext, hubs: Hubs) -> bool:
    page = context.new_page()
    page.goto(f"{hubs.base}/account/security")
    found = urlsplit(page.url).path == "/account/security"
    page.close()
    return found


def test_somebody_signs_in_here_with_the_account_there(hubs: Hubs, browser: Browser) -> None:
    """Sections 3.1.2 and 3.1.3: code flow with PKCE, id_token by RS256; two factors there are two factors here."""
    own, others = hubs.pair()
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        allow(page)
        expect(page.get_by_role("heading", name=EN["security"])).to_be_visible()
        assert page.url.startswith(f"{hubs.base}/account/security")
        assert "code=" not in page.url
    assert hubs.sessions(own) == 1
    filed = hubs.at_here.run(Accounts(hubs.at_here.hub.services).by_federated(hubs.there.url, others.id))
    assert filed is not None
    assert filed.account.id == own.id


def test_the_person_there_is_shown_who_asks_and_where_the_answer_goes(hubs: Hubs, browser: Browser, tmp_path: Path) -> None:
    """The other hub is an app like any other: named, with the host of its address, and with nothing of data to tick. WCAG 2.2, too."""
    _, others = hubs.pair()
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        page.wait_for_url("**/account/authorize**")
        text = page.locator("body").inner_text()
        assert "A hub" in text
        assert "localhost" in text
        assert page.locator("input[type=checkbox]").count() == 0
        assert ASKED["then-identity"].en in text
        assert ASKED["also"].en not in text, "there is nothing before it"
        for size in (PHONE, DESK):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            sound(page)
            assert accessibility_faults(page) == []
            page.screenshot(path=tmp_path / f"identity-{size['width']}.png", full_page=True)
        allow(page)
        page.wait_for_url(f"{hubs.base}/**")
        page.goto(f"{hubs.there.url}/account/apps")
        assert APP_WORDS["about-identity"].en in page.locator("main").inner_text()


def test_who_is_not_linked_is_nobody_here_until_somebody_links_the_account(hubs: Hubs, browser: Browser) -> None:
    """An account there is none here; linked with one that exists, it opens that one."""
    own, others = hubs.pair(linked=False)
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        allow(page)
        expect(page.get_by_role("alert")).to_have_text(EN["elsewhere-not"])
        assert not is_in(page.context, hubs)
        hubs.link(own, others)
        led_there(page, hubs)
        allow(page)
        expect(page.get_by_role("heading", name=EN["security"])).to_be_visible()
    assert hubs.here.invoke("user", "show", own.login).json()["federated"] == [hubs.there.url]


def test_who_says_no_there_is_not_in_here(hubs: Hubs, browser: Browser) -> None:
    """RFC 6749 section 4.1.2.1: access_denied; told in words, and nothing is open."""
    own, others = hubs.pair()
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        deny(page)
        expect(page.get_by_role("alert")).to_have_text(EN["elsewhere-not"])
        assert not is_in(page.context, hubs)
    assert hubs.sessions(own) == 0


def test_an_answer_is_good_once_and_in_the_browser_that_asked(hubs: Hubs, browser: Browser) -> None:
    """RFC 6749 section 10.12, login CSRF: neither another browser nor the same one again gets in by it."""
    own, others = hubs.pair()
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        answer = answer_held(page)
        assert set(parse_qs(urlsplit(answer).query)) == {"code", "state", "iss"}
        with browsing(browser) as thief:
            thief.goto(f"{hubs.base}/account/sign-in")
            assert status_of(thief, answer) == 401
            assert not is_in(thief.context, hubs)
        page.goto(answer)
        assert is_in(page.context, hubs)
        assert status_of(page, answer) == 401
    assert hubs.sessions(own) == 1


def test_a_code_for_another_client_of_the_provider_opens_nothing(hubs: Hubs, browser: Browser) -> None:
    """Section 3.1.3.7, aud; RFC 9700 section 4.5, code injection: what the person allowed another app signs nobody in here."""
    own, others = hubs.pair()
    given = ("client", "add", "Another app", "--app", "--public", "--scope", "openid", "--grant", "authorization_code")
    another = hubs.there.invoke(*given, "--redirect-uri", ANOTHERS).json()["client_id"]
    with browsing(browser) as page:
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if "/oauth/authorize?" in one.url else None)
        led_there(page, hubs)
        ours = dict(parse_qsl(urlsplit(asked[0]).query))
        theirs = {**ours, "client_id": another, "redirect_uri": ANOTHERS}
        sign_in(page, others)
        page.wait_for_url("**/account/authorize**")
        page.goto(f"{hubs.there.url}/oauth/authorize?{urlencode(theirs)}")
        code = parse_qs(urlsplit(answer_held(page)).query)["code"][0]
        injected = urlencode({"code": code, "state": ours["state"], "iss": hubs.there.url})
        assert status_of(page, f"{hubs.base}{CALLBACK}?{injected}") == 403
        assert not is_in(page.context, hubs)
    assert hubs.sessions(own) == 0


def test_whose_account_there_has_ended_is_let_in_here_no_more(hubs: Hubs, browser: Browser) -> None:
    """Whoever is thrown out there has nobody's word to come in by; the code that was given a moment before is worth nothing."""
    own, others = hubs.pair()
    with browsing(browser) as page:
        led_there(page, hubs)
        sign_in(page, others)
        answer = answer_held(page)
        assert hubs.there.invoke("user", "disable", others.login).code == 0
        assert status_of(page, answer) == 403
    assert hubs.sessions(own) == 0


def test_what_the_hub_gets_there_opens_no_data(hubs: Hubs) -> None:
    """The registration is for an identity alone: whatever else is asked for in its name is not there to be given."""
    query = {
        "response_type": "code",
        "client_id": hubs.client_id,
        "redirect_uri": f"{hubs.base}{CALLBACK}",
        "scope": "user/Patient.rs",
        "state": "s",
        "aud": f"{hubs.there.url}/fhir",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    answer = asked_alone("GET", f"{hubs.there.url}/oauth/authorize?{urlencode(query)}")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["invalid_scope"]
