"""Choosing a patient: for an app that asks for one, and for one that is started here. SMART App Launch 2.2: launch/patient, EHR launch."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from hub.account.asking import WORDS
from hub.account.consent_words import naming
from hub.authorizations import Authorizations
from hub.console.words import Language, said
from hub.oauth.launching import launch_of
from security.oauth.clients import App
from tests.support.asking import AppServer, Asking
from tests.support.axe import accessibility_faults
from tests.support.backstage import Account
from tests.support.browser import DESK, PHONE
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.persons import REDIRECT, new_app
from tests.support.resources import ABSENT, actor, consent, organization, patient
from tests.support.signed import Somebody, sent, somebody, sound

pytestmark = pytest.mark.database

SCOPE = "openid fhirUser launch/patient patient/Observation.rs patient/Patient.rs"
SYSTEM = "https://ins.example"
MANY = 13
EN = naming(WORDS, "Courbe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A practitioner of an organisation with patients, and an app that is registered for it.

    one   somebody with a name, a birth date and an identifier of her own; many: others of one name; hidden: of another organisation
    """

    running: Running
    app: Account
    who: Somebody
    one: str
    many: tuple[str, ...]
    hidden: str
    place: AppServer

    def asks(self, who: Somebody | None = None, scope: str = SCOPE, **more: str) -> tuple[Asking, str]:
        """The app asks, and the person has opened the page."""
        asking = Asking(process=self.running.process, app=self.app, scope=scope, more=tuple(more.items()))
        secret = asking.waiting()
        assert (who or self.who).get(f"/account/authorize?request={secret}").status_code == 200
        return asking, secret

    def says(self, secret: str, do: str, **form: str) -> httpx.Response:
        return self.who.post("/account/authorize", request=secret, do=do, **form)

    def patient_of(self, who: Somebody) -> str | None:
        held = self.running.backstage.run(Authorizations(self.running.backstage.hub.services).of_account(who.account.id))
        return held[0].authorization.launch.patient


def found(page: str) -> list[str]:
    """Ids that can be chosen on a page."""
    return [part.partition('"')[0] for part in page.split('name="patient" value="')[1:]]


def asked_in(event: dict[str, Any]) -> str:
    """The question that a record of a search holds."""
    (query,) = [one["query"] for one in event["entity"] if "query" in one]
    return b64decode(query).decode()


def other_page(page: str, relation: str) -> str:
    """What leads to the page beside."""
    before = page.partition(EN[f"pick-{relation}"].en)[0]
    assert EN[f"pick-{relation}"].en in page
    return before.rpartition('name="page" value="')[2].partition('"')[0]


@pytest.fixture(scope="module")
def ward(running: Running, ehr: Caller, stranger: Caller) -> Iterator[Ward]:
    place = AppServer()
    hospital = ehr.account.organization
    one = patient("Zéphirin", birthDate="1961-04-05", identifier=[{"system": SYSTEM, "value": "261049900000"}])
    one["name"] = [{"family": "Zéphirin", "given": ["Odile"]}]
    hidden = running.caller(
        replace(
            stranger.account,
            client=replace(stranger.account.client, client_id="elsewhere-client", recorder=True, consent_default="opt-out"),
        )
    )
    made = new_app(
        "courbe", SCOPE + " launch launch/encounter user/*.cruds patient/*.cruds", organization=hospital, consent_default="opt-out"
    )
    app = App(redirect_uris=(REDIRECT, place.redirect_uri), launch_url=place.launch_url, homepage="https://app.example/")
    who = somebody(
        running.backstage, running.process.url, "practitioner", "Practitioner/p1", organization=hospital, name="Dr Andrée Soignante"
    )
    made_ward = Ward(
        running=running,
        app=running.backstage.register(Account(client=replace(made.client, name="Courbe", app=app), key=b"")),
        who=who,
        one=ehr.create(one)["id"],
        many=tuple(ehr.create(patient("Nombreuse", birthDate=f"19{50 + number}-01-01"))["id"] for number in range(MANY)),
        hidden=hidden.create(patient("Zéphirin", birthDate="1961-04-05"))["id"],
        place=place,
    )
    with place:
        yield made_ward


def test_a_practitioner_is_asked_for_a_patient_before_anything_else(ward: Ward) -> None:
    """launch/patient: when launching outside the EHR, ask for a patient to be selected at launch time."""
    _, secret = ward.asks()
    page = ward.who.get(f"/account/authorize?request={secret}").text
    assert EN["pick"].en in page
    assert 'value="allow"' not in page
    assert found(page) == []


@pytest.mark.parametrize(
    "question",
    [
        {"name": "Zéphirin"},
        {"name": "zephi"},
        {"name": "Odile"},
        {"birthdate": "1961-04-05"},
        {"identifier": "261049900000"},
        {"name": "Zéphirin", "birthdate": "1961-04-05"},
    ],
)
def test_a_patient_is_found_by_name_birth_date_or_identifier(ward: Ward, question: dict[str, str]) -> None:
    """And nobody of the same name whom the practitioner may not see: hidden equals absent (law 3)."""
    _, secret = ward.asks()
    page = ward.says(secret, "search", **question)
    assert page.status_code == 200
    assert found(page.text) == [ward.one]
    assert "Odile Zéphirin" in page.text
    assert "1961-04-05" in page.text


def test_the_search_is_recorded_as_the_practitioners_and_finds_its_patient(ward: Ward) -> None:
    """Law 2: a search like any other, whoever's page it is on."""
    _, secret = ward.asks()
    answer = ward.says(secret, "search", name="Zéphirin")
    records = ward.who.records(answer)
    searches = [one for one in records if one.event["subtype"][-1]["code"] == "search-type"]
    assert {one.patient for one in searches} == {None, ward.running.backstage.patient_token(ward.one)}
    assert all("Practitioner/p1" in str(one.event["agent"]) and ward.app.id in str(one.event["agent"]) for one in searches)
    assert secret not in str([one.event for one in records])
    (of_patient,) = [one for one in searches if one.patient is not None]
    assert "name=Z%C3%A9phirin" in asked_in(of_patient.event)
    place = ward.running.process.command("audit", "query", "--organization", ward.app.organization, "--limit", "1000", "--json")
    assert answer.headers["x-request-id"] in {one["request"] for one in place.json()}


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ({}, "pick-nothing"),
        ({"name": "   "}, "pick-nothing"),
        ({"birthdate": "yesterday"}, "pick-date"),
        ({"birthdate": "1961-99-99"}, "pick-unreadable"),
        ({"page": "made-up"}, "pick-unreadable"),
        ({"name": "Personne"}, "pick-none"),
        ({"name": "a,b|c$d\\"}, "pick-none"),
    ],
)
def test_what_cannot_be_searched_or_is_not_found_is_said(ward: Ward, question: dict[str, str], word: str) -> None:
    """WCAG 2.2, 3.3.1; https://hl7.org/fhir/R4/search.html#escaping"""
    _, secret = ward.asks()
    page = ward.says(secret, "search", **question)
    assert page.status_code == 200
    assert EN[word].en in page.text
    assert found(page.text) == []


def test_many_come_page_by_page(ward: Ward) -> None:
    """Full pages, to and fro; the names stand in no address."""
    _, secret = ward.asks()
    first = ward.says(secret, "search", name="Nombreuse").text
    second = ward.says(secret, "search", page=other_page(first, "next")).text
    assert {*found(first), *found(second)} == set(ward.many)
    assert len(found(first)) == 10
    assert EN["pick-next"].en not in second
    assert found(ward.says(secret, "search", page=other_page(second, "previous")).text) == found(first)
    assert "Nombreuse" not in "".join(part.partition('"')[0] for part in first.split('href="')[1:])


def test_who_was_chosen_is_shown_with_the_name_and_is_in_context(ward: Ward) -> None:
    """launch/patient: the patient goes out with the token."""
    asking, secret = ward.asks()
    assert ward.says(secret, "choose", patient=ward.one).status_code == 303
    page = ward.who.get(f"/account/authorize?request={secret}").text
    assert "Odile Zéphirin" in page
    assert EN["other-patient"].en in page
    answer = ward.says(secret, "allow", **{"read.0": "on", "read.1": "on"})
    assert set(asking.answer(answer.headers["location"])) == {"code"}
    assert ward.patient_of(ward.who) == ward.one


def test_another_patient_can_be_chosen(ward: Ward) -> None:
    _, secret = ward.asks()
    ward.says(secret, "choose", patient=ward.one)
    ward.says(secret, "patients")
    assert 'value="allow"' not in ward.who.get(f"/account/authorize?request={secret}").text
    ward.says(secret, "choose", patient=ward.many[0])
    assert "Nombreuse" in ward.who.get(f"/account/authorize?request={secret}").text


@pytest.mark.parametrize("kind", ["hidden", "absent", "nothing"])
def test_nobody_chooses_whom_they_do_not_see(ward: Ward, kind: str) -> None:
    """Law 3: an id of another organisation is as one that there is not."""
    _, secret = ward.asks()
    id = {"hidden": ward.hidden, "absent": ABSENT, "nothing": ""}[kind]
    page = ward.says(secret, "choose", patient=id)
    assert page.status_code == 200
    assert EN["pick-hidden"].en in page.text
    answer = ward.says(secret, "allow", **{"read.0": "on"})
    assert "location" not in answer.headers


def test_opt_out_is_for_the_people_of_the_apps_own_organisation_here_too(ward: Ward, stranger: Caller) -> None:
    """Law 1: whom the app could not show afterwards the page does not name."""
    running, place = ward.running, stranger.account.organization
    another = somebody(running.backstage, running.process.url, "practitioner", "Practitioner/p2", organization=place)
    _, secret = ward.asks(another)
    page = another.post("/account/authorize", request=secret, do="search", name="Zéphirin")
    assert page.status_code == 200
    assert found(page.text) == []


def test_who_refuses_the_makers_of_an_app_is_not_found_for_it(ward: Ward, ehr: Caller) -> None:
    """docs/consent.md: a deny that names the organisation of the app holds, whoever uses it."""
    running, place = ward.running, ehr.create(organization())["id"]
    made = new_app("vendue", SCOPE, organization=f"Organization/{place}")
    theirs = replace(ward, app=running.backstage.register(made))
    id = ehr.create(patient("Refusante"))["id"]
    ehr.create(consent(id, provision={"actor": [actor(ehr.account.organization)]}))
    question = {"do": "search", "name": "Refusante"}
    assert found(ward.who.post("/account/authorize", request=theirs.asks()[1], **question).text) == [id]
    ehr.create(consent(id, "deny", provision={"actor": [actor(f"Organization/{place}")]}))
    assert found(ward.who.post("/account/authorize", request=theirs.asks()[1], **question).text) == []


def test_saying_yes_without_having_chosen_gives_nothing(ward: Ward) -> None:
    _, secret = ward.asks()
    answer = ward.says(secret, "allow", patient=ward.one, **{"read.0": "on"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_a_practitioner_may_say_no_instead_of_choosing(ward: Ward) -> None:
    asking, secret = ward.asks()
    assert asking.answer(ward.says(secret, "deny").headers["location"])["error"] == "access_denied"


def test_an_app_that_needs_no_patient_asks_for_none(ward: Ward) -> None:
    """user/ scopes reach whomever the practitioner may see."""
    asking, secret = ward.asks(scope="openid user/Observation.rs")
    page = ward.who.get(f"/account/authorize?request={secret}").text
    assert "about every patient whose data you may see" in page
    assert set(asking.answer(ward.says(secret, "allow", **{"read.0": "on"}).headers["location"])) == {"code"}
    assert ward.patient_of(ward.who) is None


def encounter(person: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"},
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": f"{day}T09:00:00+01:00", "end": f"{day}T09:20:00+01:00"},
    }


def test_an_app_that_asks_for_a_visit_is_given_the_one_that_was_chosen(ward: Ward, ehr: Caller) -> None:
    """launch/encounter, standalone; without one the app is not told that there is one."""
    visit, strange = (ehr.create(encounter(person, "2026-04-01"))["id"] for person in (ward.many[3], ward.many[4]))
    scope = "openid launch/patient launch/encounter patient/Observation.rs"
    for chosen, expected in ((visit, visit), ("*", None), (strange, None), (ABSENT, None)):
        _, secret = ward.asks(scope=scope)
        ward.says(secret, "choose", patient=ward.many[3])
        page = ward.who.get(f"/account/authorize?request={secret}").text
        assert f'<option value="{visit}">' in page
        assert strange not in page
        ward.says(secret, "allow", encounter=chosen, **{"read.0": "on"})
        held = ward.running.backstage.run(Authorizations(ward.running.backstage.hub.services).of_account(ward.who.account.id))
        latest = held[0].authorization
        assert (latest.launch.patient, latest.launch.encounter) == (ward.many[3], expected)
        assert ("launch/encounter" in latest.scope) is (expected is not None)


def launched(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    assert "/launch?" in answer.headers["location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_a_practitioner_starts_an_app_with_a_patient(ward: Ward) -> None:
    """14: EHR launch sends iss and launch; the app's request that names it needs no picker, and one consent page."""
    page = ward.who.get("/account/launch").text
    assert f'href="/account/launch?app={ward.app.id}&amp;lang=en"' in page
    assert found(ward.who.post("/account/launch", app=ward.app.id, do="search", name="Odile").text) == [ward.one]
    answer = ward.who.post("/account/launch", app=ward.app.id, do="choose", patient=ward.one)
    said = launched(answer)
    assert said["iss"] == f"{ward.running.process.url}/fhir"
    kinds = {(one.kind, one.patient is None) for one in ward.who.records(answer)}
    assert {("launch-begin", True), ("launch-begin", False)} <= kinds
    assert said["launch"] not in str([one.event for one in ward.who.records(answer)])
    asking, secret = ward.asks(scope="launch openid patient/Observation.rs", launch=said["launch"])
    shown = ward.who.get(f"/account/authorize?request={secret}").text
    assert "Odile Zéphirin" in shown
    assert EN["other-patient"].en not in shown
    assert set(asking.answer(ward.says(secret, "allow", **{"read.0": "on"}).headers["location"])) == {"code"}
    assert ward.patient_of(ward.who) == ward.one


def test_a_launch_is_good_for_one_app_one_person_and_once(ward: Ward) -> None:
    """The launch id is bound: nobody else answers what was begun by somebody."""
    id = launched(ward.who.post("/account/launch", app=ward.app.id, do="choose", patient=ward.one))["launch"]
    services = ward.running.backstage.hub.services
    assert ward.running.backstage.run(launch_of(services, id, "another-app")) is None
    asking = Asking(process=ward.running.process, app=ward.app, scope="launch patient/Observation.rs", more=(("launch", id),))
    secret = asking.waiting()
    other = somebody(
        ward.running.backstage, ward.running.process.url, "practitioner", "Practitioner/p2", organization=ward.app.organization
    )
    assert other.get(f"/account/authorize?request={secret}").status_code == 403
    assert ward.who.get(f"/account/authorize?request={secret}").status_code == 200
    assert ward.says(secret, "allow", **{"read.0": "on"}).status_code == 303
    assert ward.running.backstage.run(launch_of(services, id, ward.app.id)) is None


def test_the_visit_that_was_chosen_is_in_context(ward: Ward, ehr: Caller) -> None:
    """launch/encounter: for a patient who has visits; one of somebody else's is as one that there is not."""
    visits = [ehr.create(encounter(ward.many[1], day))["id"] for day in ("2026-03-01", "2026-03-02")]
    strange = ehr.create(encounter(ward.many[2], "2026-03-03"))["id"]
    start = {"app": ward.app.id, "do": "choose", "patient": ward.many[1]}
    for more in ({}, {"encounter": strange}, {"encounter": ABSENT}):
        page = ward.who.post("/account/launch", **start, **more)
        assert page.status_code == 200
        shown = [part.partition('"')[0] for part in page.text.split('name="encounter" value="')[1:]]
        assert shown == [*reversed(visits), "*"]
    services = ward.running.backstage.hub.services
    for chosen, expected in ((visits[0], visits[0]), ("*", None)):
        id = launched(ward.who.post("/account/launch", **start, encounter=chosen))["launch"]
        found = ward.running.backstage.run(launch_of(services, id, ward.app.id))
        assert found is not None
        assert (found.launch.patient, found.launch.encounter) == (ward.many[1], expected)


@pytest.mark.parametrize("kind", ["hidden", "absent"])
def test_no_app_is_started_with_whom_one_does_not_see(ward: Ward, kind: str) -> None:
    id = {"hidden": ward.hidden, "absent": ABSENT}[kind]
    page = ward.who.post("/account/launch", app=ward.app.id, do="choose", patient=id)
    assert (page.status_code, "location" in page.headers) == (200, False)
    assert EN["pick-hidden"].en in page.text


def test_what_is_not_there_to_be_started_is_not_started(ward: Ward, running: Running) -> None:
    """Apps without a launch_url, clients that are no apps, names that nobody has."""
    plain = running.backstage.register(new_app("sans-lancement", SCOPE))
    for client in (plain.id, ward.running.backstage.hub.base_url, "", "ehr-client"):
        assert ward.who.get("/account/launch", params={"app": client}).status_code == 404
        assert ward.who.post("/account/launch", app=client, do="choose", patient=ward.one).status_code == 404
    assert plain.id not in ward.who.get("/account/launch").text
    assert ward.who.post("/account/launch", app=ward.app.id, do="dance").status_code == 400


def test_who_sees_no_patient_starts_nothing(ward: Ward) -> None:
    for role in ("compliance", "administrator", "vendor"):
        who: Any = somebody(ward.running.backstage, ward.running.process.url, role)  # type: ignore[arg-type]
        assert who.get("/account/launch").status_code == 403
        assert who.post("/account/launch", app=ward.app.id, do="choose", patient=ward.one).status_code == 403


def test_a_patient_starts_an_app_with_the_own_record_and_no_other(ward: Ward) -> None:
    """Launch from a portal: whatever the form says."""
    own = somebody(ward.running.backstage, ward.running.process.url, "patient", f"Patient/{ward.one}")
    assert EN["launch-own"].en in own.get(f"/account/launch?app={ward.app.id}").text
    id = launched(own.post("/account/launch", app=ward.app.id, do="choose", patient=ward.many[0]))["launch"]
    found = ward.running.backstage.run(launch_of(ward.running.backstage.hub.services, id, ward.app.id))
    assert found is not None
    assert (found.launch.patient, found.account) == (ward.one, own.account.id)


def test_a_form_from_elsewhere_starts_nothing(ward: Ward) -> None:
    """ASVS 5.0 3.5.1"""
    answer = ward.who.post("/account/launch", csrf="x", app=ward.app.id, do="choose", patient=ward.one)
    assert (answer.status_code, "location" in answer.headers) == (403, False)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_patient_is_chosen_by_keyboard_alone(
    browser: Browser, ward: Ward, size: dict[str, int], language: Language, tmp_path: Path
) -> None:
    """WCAG 2.2, from the app's request to the app, by way of the picker and the consent page; and from here to the app that is started."""
    asking = Asking(
        process=ward.running.process, app=ward.app, scope=SCOPE, more=(("ui_locales", language),), redirect_uri=ward.place.redirect_uri
    )
    t = said(language, naming(WORDS, "Courbe"))
    with ward.who.browsing(browser, viewport=size, locale=language, elsewhere=(ward.place.url,)) as page:
        page.goto(ward.who.base + asking.path)
        page.get_by_label(t["pick-name"]).fill("Nombreuse")
        sent(page)
        expect(page.get_by_role("button", name=t["pick-choose"])).to_have_count(10)
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"picker-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("button", name=t["pick-next"]))
        sent(page, page.get_by_role("button", name=t["pick-choose"]).first)
        page.get_by_role("heading", name=t["ask"]).wait_for()
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"consent-practitioner-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("button", name=t["allow"], exact=True))
        page.get_by_role("heading", name="The app").wait_for()
        assert set(asking.answer(ward.place.last)) == {"code"}
        page.goto(f"{ward.who.base}/account/launch?lang={language}")
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"launch-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("link", name="Courbe"))
        page.get_by_label(t["pick-identifier"]).fill("261049900000")
        sent(page)
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"launch-app-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("button", name=t["pick-choose"]))
        page.get_by_role("heading", name="The app").wait_for()
    assert ward.place.last.startswith(f"{ward.place.launch_url}?iss=")
