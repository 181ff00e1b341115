"""The page about units in a real browser: what is the matter with which, in two languages, on every screen. docs/guides/devices-life.md"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from fhir_profiles.product import Product
from fhir_profiles.unit import UnitNames
from hub.console.words import Language, said
from hub.desk.unit_words import FINDING_WORDS, UNIT_WORDS
from hub.operator import Operator, user_name
from hub.registry import Registry
from hub.sessions import new_code
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.keyboard import stops
from tests.support.payloads import identifier_system
from tests.support.resources import patient

pytestmark = pytest.mark.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    running: Running
    patient: str

    def link(self) -> str:
        backstage, url = self.running.backstage, self.running.process.url

        async def code() -> str:
            async with Operator(backstage.hub, "to look").recording("console-link") as recording:
                return await new_code(backstage.hub.services, user_name(), "to look", recording)

        return f"{url}/console/sign-in?code={backstage.run(code())}"


@pytest.fixture(scope="module")
def fleet(running: Running, ehr: Caller) -> Fleet:
    """A sensor that has expired and whose battery is low, and one that is well."""
    backstage, one, system = running.backstage, ehr.create(patient())["id"], identifier_system("withings")
    sensor = Product(key="page-sensor", manufacturer="ACME <b>", model="S", name="Capteur & fils", lifetime_s=14 * 86_400)

    async def register() -> None:
        registry = Registry(backstage.hub, "tests")
        await registry.add_product(sensor)
        for unit, expires in (("page-expired", "2020-01-31"), ("page-well", "2099-01-31")):
            await registry.register(UnitNames(system=system, identifier=unit), sensor.key, expires=expires)

    backstage.run(register())
    backstage.pair(system, "page-expired", f"Patient/{one}", from_us=0)
    said_of_it = {"model": "X", "battery": "low", "fw": "7", "last_session_date": 1_577_836_800, "deviceid": "page-expired"}
    assert ehr.fates("withings", orjson.dumps({"status": 0, "body": {"devices": [said_of_it]}})) == []
    return Fleet(running=running, patient=one)


@pytest.fixture
def page(browser: Browser, fleet: Fleet) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    made = context.new_page()
    made.goto(fleet.link())
    made.get_by_role("button").click()
    yield made
    context.close()


def test_the_console_leads_to_the_units_that_somebody_should_look_at(page: Page, fleet: Fleet) -> None:
    """Without a finding nothing is shown that nobody has to look at; by a finding only what has it."""
    words = said("en", {**UNIT_WORDS, **FINDING_WORDS})
    page.get_by_role("link", name=words["units"]).click()
    page.goto(f"{page.url}&unit=page-" if "?" in page.url else f"{page.url}?unit=page-")
    row = page.get_by_role("row", name="page-expired")
    expect(row).to_have_count(1)
    assert row.locator(".marks li").all_inner_texts() == [words["finding-low-battery"], words["finding-expired"]]
    expect(page.get_by_role("row", name="page-well")).to_have_count(0)
    page.get_by_role("link", name=words["units-all"], exact=True).click()
    expect(page.get_by_role("row", name="page-well")).to_have_count(1)
    page.get_by_role("link", name=words["finding-silent"]).click()
    expect(page.get_by_role("row", name="page-expired")).to_have_count(0)


def test_a_unit_is_found_by_a_part_of_its_name_among_thousands(page: Page, fleet: Fleet) -> None:
    """The page shows 500; who has a unit in hand reads its number off it."""
    words = said("en", {**UNIT_WORDS, **FINDING_WORDS})
    page.goto(f"{fleet.running.process.url}/console/units")
    page.get_by_label(words["units-sought"]).fill("PAGE-we")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("row", name="page-well")).to_have_count(1)
    assert page.get_by_label(words["units-sought"]).input_value() == "PAGE-we"
    page.get_by_label(words["units-sought"]).fill('capteur & fils"')
    page.get_by_role("button", name=words["units-seek"]).click()
    assert page.get_by_role("status").inner_text() == words["units-none"]
    page.get_by_role("link", name=words["units-all"], exact=True).click()
    assert page.get_by_label(words["units-sought"]).input_value() == 'capteur & fils"', "the choice beside it keeps what was sought"


def test_it_names_no_patient_and_what_a_maker_calls_itself_is_text(page: Page, fleet: Fleet) -> None:
    """DESIGN 2, law 4; nothing that was typed in becomes part of the page."""
    page.goto(f"{fleet.running.process.url}/console/units?finding=all")
    html = page.content()
    assert fleet.patient not in html
    assert "Patient/" not in html
    assert page.get_by_text("Capteur & fils · ACME <b>").count() >= 1


def test_it_is_recorded_who_looked_and_an_unknown_finding_is_refused(page: Page, fleet: Fleet) -> None:
    """DESIGN 2, law 2."""
    (cookie,) = page.context.cookies()
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    url = f"{fleet.running.process.url}/console/units"
    answer = asked_alone("GET", url, headers=headers)
    (record,) = fleet.running.backstage.records(answer.headers["x-request-id"])
    assert (answer.status_code, record.kind, record.outcome) == (200, "device-status", "0")
    assert "to look" in json.dumps(record.event)
    assert asked_alone("GET", f"{url}?finding=sad", headers=headers).status_code == 400
    assert asked_alone("GET", url).status_code == 303


def test_the_keyboard_reaches_every_choice(page: Page, fleet: Fleet) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard"""
    page.goto(f"{fleet.running.process.url}/console/units")
    reached = [at.evaluate("at => at.getAttribute('href') || at.className") for at in stops(page)]
    assert "?lang=en&finding=expired" in reached
    assert "scroll" in reached


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
def test_it_is_readable_on_every_screen(browser: Browser, fleet: Fleet, viewport: ViewportSize, language: Language, tmp_path: Path) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum"""
    context = browser.new_context(locale=f"{language}-FR", viewport=viewport)
    page = context.new_page()
    page.goto(fleet.link())
    page.get_by_role("button").click()
    page.goto(f"{fleet.running.process.url}/console/units?finding=expired&lang={language}")
    expect(page.get_by_text(said(language, FINDING_WORDS)["finding-expired"]).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(CONTRAST) == []
    assert page.locator("html").get_attribute("lang") == language
    page.screenshot(path=tmp_path / f"units-{language}-{viewport['width']}.png", full_page=True)
    context.close()
