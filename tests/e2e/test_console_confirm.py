"""The page on which a person says whose a reading is, in a real browser, in two languages, on every screen. docs/guides/units.md"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from hub.console.words import Language, said
from hub.desk.confirm_words import CONFIRM_WORDS
from hub.ingest.wearing import Use
from hub.operator import Operator, user_name
from hub.sessions import new_code
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.keyboard import tabbed_to
from tests.support.payloads import frame, gatt, identifier_system
from tests.support.resources import patient

pytestmark = pytest.mark.database

UNIT = "74-E8-FF-FE-FF-0C-0C-0C"
EN = said("en", CONFIRM_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A cuff of two people; each reading is at a minute of its own."""

    running: Running
    ehr: Caller
    one: str
    other: str
    minutes: Iterator[int] = field(default_factory=lambda: iter(range(1_000)))

    def link(self) -> str:
        backstage, url = self.running.backstage, self.running.process.url

        async def code() -> str:
            async with Operator(backstage.hub, "asked them").recording("console-link") as recording:
                return await new_code(backstage.hub.services, user_name(), "asked them", recording)

        return f"{url}/console/sign-in?code={backstage.run(code())}"

    def measured(self) -> str:
        """One reading of nobody knows whom; its time as the page shows it."""
        minute = next(self.minutes)
        at = f"2026-05-01T{minute // 60:02}:{minute % 60:02}:00+02:00"
        payload = gatt(frame("2A35", "08780050005d00ff", received_at=at, system_id=UNIT))
        assert self.ehr.fates("gatt", payload)[0]["code"] == "device-not-paired"
        return at

    def total(self, person: str) -> int:
        count: int = self.ehr.search(f"Observation?patient={person}&_summary=count")["total"]
        return count


@pytest.fixture(scope="module")
def home(running: Running, ehr: Caller) -> Home:
    one, other = (ehr.create(patient())["id"] for _ in range(2))
    for index, person in enumerate((one, other), start=1):
        running.backstage.run(
            Operator(running.backstage.hub, "tests").pair(
                system=identifier_system("gatt"),
                manufacturer="unknown",
                product="cuff",
                identifier=UNIT,
                patient=f"Patient/{person}",
                from_us=0,
                to_us=None,
                use=Use(user_index=index),
            )
        )
    return Home(running=running, ehr=ehr, one=one, other=other)


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    made = context.new_page()
    made.goto(home.link())
    made.get_by_role("button").click()
    yield made
    context.close()


def test_a_click_on_a_patient_stores_it_for_this_patient(page: Page, home: Home) -> None:
    """From the console's first page, with nothing but what one sees; recorded under who signed in, with the reason."""
    at, before = home.measured(), home.total(home.other)
    page.get_by_role("link", name=EN["confirm"]).click()
    row = page.get_by_role("row", name=at)
    records = home.running.backstage.recorded_by(lambda: row.get_by_role("button", name=f"Patient/{home.other}").click())
    assert page.get_by_role("status").first.inner_text() == EN["confirm-done-assigned"]
    expect(page.get_by_role("row", name=at)).to_have_count(0)
    assert home.total(home.other) == before + 1
    (own,) = [one for one in records if one.kind == "confirm-assign" and one.patient is None]
    assert all(word in json.dumps(own.event) for word in ("asked them", user_name()))


def test_a_guests_reading_is_taken_off_the_page(page: Page, home: Home) -> None:
    at = home.measured()
    page.goto(f"{home.running.process.url}/console/confirm")
    row = page.get_by_role("row", name=at)
    assert EN["confirm-guest"] in row.inner_text()
    row.get_by_role("button", name=EN["confirm-nobody"]).click()
    assert page.get_by_role("status").first.inner_text() == EN["confirm-done-rejected"]
    expect(page.get_by_role("row", name=at)).to_have_count(0)


def test_whoever_comes_second_is_told_so(page: Page, home: Home) -> None:
    at = home.measured()
    page.goto(f"{home.running.process.url}/console/confirm")
    row = page.get_by_role("row", name=at)
    action = row.locator("form").first.get_attribute("action")
    assert action is not None
    id = action.split("/")[3]
    assert home.running.process.command("device", "confirm", "reject", id).code == 0
    row.get_by_role("button", name=f"Patient/{home.one}").click()
    assert page.get_by_role("status").first.inner_text() == EN["confirm-done-gone"]


def test_it_says_no_value_and_no_name(page: Page, home: Home) -> None:
    """DESIGN 2, law 4: 120/80 was measured, and the patients have names."""
    home.measured()
    page.goto(f"{home.running.process.url}/console/confirm")
    text = page.locator("main").inner_text()
    assert not re.search(r"\b(?:120|80|93)\b", text)
    assert str(patient()["name"][0].get("family", "?")) not in text


def test_a_form_from_elsewhere_does_nothing(page: Page, home: Home) -> None:
    """Without the token of the session: refused, and recorded."""
    home.measured()
    page.goto(f"{home.running.process.url}/console/confirm")
    action = page.locator("form[action*='/assign']").first.get_attribute("action")
    (cookie,) = page.context.cookies()
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    url = f"{home.running.process.url}{action}"
    before = home.total(home.one)
    answer = asked_alone("POST", url, data={"patient": f"Patient/{home.one}"}, headers=headers)
    assert (answer.status_code, home.total(home.one)) == (403, before)
    (record,) = home.running.backstage.records(answer.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("confirm-assign", "4")


def test_the_keyboard_alone_confirms(page: Page, home: Home) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard"""
    at, before = home.measured(), home.total(home.one)
    page.goto(f"{home.running.process.url}/console/confirm")
    wanted = page.get_by_role("row", name=at).get_by_role("button", name=f"Patient/{home.one}")
    tabbed_to(page, wanted)
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text=EN["confirm-done-assigned"]).wait_for()
    assert home.total(home.one) == before + 1


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
def test_it_is_readable_on_every_screen(browser: Browser, home: Home, viewport: ViewportSize, language: Language, tmp_path: Path) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum"""
    home.measured()
    context = browser.new_context(locale=f"{language}-FR", viewport=viewport)
    page = context.new_page()
    page.goto(home.link())
    page.get_by_role("button").click()
    page.goto(f"{home.running.process.url}/console/confirm?lang={language}")
    expect(page.get_by_role("button", name=said(language, CONFIRM_WORDS)["confirm-nobody"]).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    edges = [box["x"] + box["width"] for one in page.get_by_role("button").all() if (box := one.bounding_box())]
    assert max(edges) <= viewport["width"], "no button is cut off"
    assert page.evaluate(CONTRAST) == []
    assert page.locator("html").get_attribute("lang") == language
    page.screenshot(path=tmp_path / f"confirm-{language}-{viewport['width']}.png", full_page=True)
    context.close()
