"""The page of the quarantine in a real browser: causes over time, let in again, given up with a reason, looked at with a reason.

By keyboard, on a telephone and on a desk, in two languages; every act is on record under the name of who signed in (law 2).
"""

import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from hub.console.words import Language, said
from hub.desk.quarantine_chart import DAYS, Seen, chart
from hub.desk.quarantine_words import QUARANTINE_WORDS
from hub.desk.words import DESK_WORDS
from hub.operator import Operator, user_name
from hub.sessions import new_code
from tests.support.backstage import Backstage
from tests.support.browser import CONTRAST, DESK, PHONE
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, libreview, weight
from tests.support.resources import patient

EN = said("en", {**DESK_WORDS, **QUARANTINE_WORDS})
DAY_US = 86_400_000_000
MARK_MAX = 20
WINDOWS: list[ViewportSize] = [{"width": 320, "height": 640}, PHONE, DESK]
Json = dict[str, Any]


@pytest.fixture
def sender(another: Callable[..., Caller], ehr: Caller, backstage: Backstage) -> Caller:
    """Items of three causes that came on several days; nothing else waits."""
    backstage.admin["hub"]["quarantine"].delete_many({})
    made = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    for number in range(6):
        made.fates("withings", weight(70_000 + number))
    for number in range(3):
        made.fates("withings", weight(80_000 + number, date=1_750_000_000 + number), device=f"scale-{made.account.id}")
    made.fates("libreview", libreview("page-L", ("25-01-2026 08:15", "0", "104")))
    for number, one in enumerate(backstage.admin["hub"]["quarantine"].find({}).sort("_id", 1)):
        backstage.admin["hub"]["quarantine"].update_one({"_id": one["_id"]}, {"$inc": {"t": -number * 2 * DAY_US}})
    return made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    yield context
    context.close()


def opened(context: BrowserContext, running: Running, path: str = "/console/quarantine") -> Page:
    """Signed in, and on the page. Nothing may be complained about."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{running.process.url}/console/sign-in?code={code(running.backstage)}")
    page.locator("main form button").click()
    page.goto(f"{running.process.url}{path}")
    return page


def code(backstage: Backstage) -> str:
    """As `hub console open` prints it."""
    services = backstage.hub.services

    async def made() -> str:
        async with Operator(backstage.hub, "to look").recording("console-link") as recording:
            return await new_code(services, user_name(), "to look", recording)

    return backstage.run(made())


def waiting(backstage: Backstage, **asked: str) -> int:
    return int(backstage.admin["hub"]["quarantine"].count_documents(asked))


def unfold(page: Page, heading: str, name: str) -> Any:
    """The acts of the first entry of this name under a heading."""
    entry = page.locator(f"section[aria-labelledby={heading}] li", has=page.get_by_text(name, exact=True)).first
    entry.locator("summary").click()
    return entry


def test_causes_are_counted_and_drawn_over_time(context: BrowserContext, running: Running, sender: Caller) -> None:
    """WCAG 1.1.1: what the drawing says, a table says too."""
    page = opened(context, running)
    assert page.get_by_role("heading", level=1).inner_text() == EN["quarantine"]
    assert page.locator(".facts dd").first.inner_text() == "10"
    counts = page.locator("section[aria-labelledby=causes] .many").all_inner_texts()
    assert counts == ["6", "3", "1"]
    expect(page.get_by_role("img", name=EN["q-over-time"])).to_be_visible()
    assert page.locator(".chart rect[class]").count() >= 10
    assert page.locator(".legend code").all_inner_texts() == ["device-missing", "device-not-paired", "time-zone-missing"]
    page.get_by_text(EN["q-as-table"]).click()
    cells = page.locator("section[aria-labelledby=over-time] td").all_inner_texts()
    assert sum(map(int, cells)) == 10


def test_nothing_of_a_value_is_on_the_page(context: BrowserContext, running: Running, sender: Caller) -> None:
    page = opened(context, running)
    assert not re.search(r"70\.?00|104", page.locator("main").inner_text().replace(sender.account.id, ""))


def test_all_of_one_cause_are_let_in_with_what_was_missing(
    context: BrowserContext, running: Running, sender: Caller, ehr: Caller, backstage: Backstage
) -> None:
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("libreview"), "page-L", f"Patient/{person}", from_us=0)
    page = opened(context, running)
    entry = unfold(page, "causes", "time-zone-missing")
    entry.get_by_label(EN["q-zone"]).fill("Europe/Paris")
    entry.get_by_role("button", name=EN["q-replay-all"]).click()
    assert page.get_by_role("status").inner_text() == f"{EN['q-outcome']} 1 {EN['q-stored']}."
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 1
    assert waiting(backstage, co="time-zone-missing") == 0


def test_what_is_given_up_needs_a_reason_and_is_on_record(
    context: BrowserContext, running: Running, sender: Caller, backstage: Backstage
) -> None:
    page = opened(context, running)
    entry = unfold(page, "causes", "device-missing")
    entry.get_by_role("button", name=EN["q-discard-all"]).click()
    assert waiting(backstage, co="device-missing") == 6, "the browser asks for the reason first"
    entry.get_by_label(EN["q-reason"]).fill("a scale of the shop")
    records = backstage.recorded_by(lambda: entry.get_by_role("button", name=EN["q-discard-all"]).click())
    assert page.get_by_role("status").inner_text() == f"{EN['q-outcome']} 6 {EN['q-discarded']}."
    assert waiting(backstage, co="device-missing") == 0
    (record,) = [one for one in records if one.kind == "quarantine-discard"]
    assert record.event["purposeOfEvent"][0]["text"] == "a scale of the shop"


def test_one_item_is_looked_at_with_a_reason_and_that_is_on_record(
    context: BrowserContext, running: Running, sender: Caller, backstage: Backstage
) -> None:
    page = opened(context, running, "/console/quarantine?code=time-zone-missing")
    entry = unfold(page, "items", "time-zone-missing")
    entry.get_by_label(EN["q-reason"]).fill("the vendor asks")
    records = backstage.recorded_by(lambda: entry.get_by_role("button", name=EN["q-look"]).click())
    expect(page.get_by_role("main")).to_contain_text("104")
    assert "quarantine-read" in {one.kind for one in records}


def test_a_look_is_on_record_for_who_had_the_unit_where_no_time_can_be_told(
    context: BrowserContext, running: Running, sender: Caller, ehr: Caller, backstage: Backstage
) -> None:
    """Law 2: the value is health data of whoever had the unit, also before anybody can say when it was measured."""
    person = ehr.create(patient())["id"]
    made = libreview("page-M", ("25-01-2026 08:15", "0", "105"))
    backstage.pair(identifier_system("libreview"), "page-M", f"Patient/{person}", from_us=0)
    sender.fates("libreview", made)
    page = opened(context, running, "/console/quarantine?code=time-zone-missing")
    (id,) = (one["id"] for one in sender.get("/quarantine?code=time-zone-missing").json()[-1:])
    entry = page.locator("section[aria-labelledby=items] li", has=page.locator(f"input[value='{id}']")).first
    entry.locator("summary").click()
    entry.get_by_label(EN["q-reason"]).fill("the vendor asks")
    records = backstage.recorded_by(lambda: entry.get_by_role("button", name=EN["q-look"]).click())
    expect(page.get_by_role("main")).to_contain_text("105")
    assert backstage.patient_token(person) in {one.patient for one in records if one.kind == "quarantine-read"}


def test_filters_narrow_the_page_and_can_be_taken_off(context: BrowserContext, running: Running, sender: Caller) -> None:
    page = opened(context, running)
    page.get_by_role("link", name="device-not-paired").click()
    expect(page.locator("section[aria-labelledby=items] li")).to_have_count(3)
    page.get_by_label(EN["q-older"]).fill("30")
    page.get_by_role("button", name=EN["q-show"]).click()
    expect(page.locator("section[aria-labelledby=items] li")).to_have_count(0)
    page.get_by_role("link", name=EN["q-everything"]).click()
    expect(page.locator("section[aria-labelledby=items] li")).to_have_count(10)


def test_a_form_from_elsewhere_does_nothing(context: BrowserContext, running: Running, sender: Caller, backstage: Backstage) -> None:
    """CSRF: without the token of the session a form is refused, and that is on record; without a session there is no page."""
    opened(context, running)
    (cookie,) = context.cookies()
    url = f"{running.process.url}/console/quarantine"
    form = {"act": "discard", "code": "device-missing", "reason": "x"}
    for more in ({}, {"csrf": "x" * 43}):
        answer = asked_alone(
            "POST", url, data={**form, **more}, cookies={cookie["name"]: cookie["value"]}, headers={"Origin": running.process.url}
        )
        assert answer.status_code == 403
    assert asked_alone("POST", url, data=form).status_code == 303
    assert asked_alone("GET", url).headers["location"].startswith("/console/sign-in")
    assert waiting(backstage, co="device-missing") == 6


@pytest.mark.parametrize(
    "form", [{"act": "discard", "reason": "x"}, {"act": "replay"}, {"act": "discard", "code": "device-missing"}, {"act": "dance"}]
)
def test_a_form_that_names_nothing_or_says_no_reason_does_nothing(
    context: BrowserContext, running: Running, sender: Caller, backstage: Backstage, form: dict[str, str]
) -> None:
    page = opened(context, running)
    (cookie,) = context.cookies()
    token = page.locator("input[name=csrf]").first.get_attribute("value") or ""
    answer = asked_alone(
        "POST",
        f"{running.process.url}/console/quarantine",
        data={**form, "csrf": token},
        cookies={cookie["name"]: cookie["value"]},
        headers={"Origin": running.process.url},
    )
    assert answer.status_code == 400
    assert waiting(backstage) == 10


def test_it_works_by_keyboard_alone(context: BrowserContext, running: Running, sender: Caller, backstage: Backstage) -> None:
    """https://www.w3.org/TR/WCAG22/#keyboard: tab to the acts of a cause, open them, say why, send."""
    page = opened(context, running)
    page.locator("section[aria-labelledby=causes] summary").first.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/quarantine?discarded=*")
    assert waiting(backstage, co="device-missing") == 0


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_and_fits(
    browser: Browser, running: Running, sender: Caller, tmp_path: Path, language: Language, scheme: Any
) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow, #contrast-minimum, #language-of-page."""
    context = browser.new_context(locale="fr-FR" if language == "fr" else "en-GB", color_scheme=scheme)
    page = opened(context, running)
    page.locator("section[aria-labelledby=causes] summary").first.click()
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate(CONTRAST) == []
    for size in WINDOWS:
        mark = page.locator(".legend svg").first.bounding_box()
        assert mark is not None
        assert mark["width"] < MARK_MAX, "a legend, and not a picture"
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.screenshot(path=tmp_path / f"quarantine-{language}-{size['width']}-{scheme}.png", full_page=True)
    context.close()


def test_the_style_closes_what_it_opens() -> None:
    """A brace that is lost takes all rules behind it out of the desk's window, and no browser says a word."""
    style = files("hub.console").joinpath("templates", "console.css").read_text("utf-8")
    assert style.count("{") == style.count("}")
    assert re.search(r"^\.chart", style, re.MULTILINE)


def test_a_chart_has_a_colour_for_the_commonest_causes_and_one_for_all_others() -> None:
    now_us = 20_000 * DAY_US
    drawn = chart([Seen(20_000 - n, f"cause-{n % 8}", 10 - n % 8) for n in range(16)], now_us)
    assert drawn is not None
    assert drawn.causes == ["cause-0", "cause-1", "cause-2", "cause-3", "cause-4", ""]
    assert sum(bar.items for bar in drawn.bars) == sum(sum(counts) for _, counts in drawn.rows) == sum(10 - n % 8 for n in range(16))
    assert max(bar.y + bar.height for bar in drawn.bars) <= 150
    assert min(bar.y for bar in drawn.bars) >= 0


def test_a_chart_tells_of_the_last_thirty_days_and_of_nothing_if_nothing_came() -> None:
    now_us = 20_000 * DAY_US
    assert chart([Seen(20_000 - DAYS, "old", 1), Seen(20_001, "ahead", 1)], now_us) is None
    drawn = chart([Seen(20_000, "a", 1)], now_us)
    assert drawn is not None
    assert (len(drawn.rows), drawn.most) == (1, 1)
