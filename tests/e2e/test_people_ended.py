"""What happens to an account ends what it let apps do; the patient in context finds it in the own report, whoever did it. GDPR Art. 15."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from hub.console.words import said
from hub.desk.user_words import USER_WORDS
from hub.operator import user_name
from security.oauth.authorization import Authorization
from tests.support.caller import Caller, asked_alone
from tests.support.console import console
from tests.support.fixtures import Running
from tests.support.persons import app_of, authorization, begin, token_of
from tests.support.resources import patient
from tests.support.signing_in import Someone, add_person, csrf, now_us, session_of, visitor

pytestmark = pytest.mark.database
ISSUER = "https://provider.example"
SCOPE = "patient/Patient.rs offline_access"
EN = said("en", USER_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetIn:
    """A practitioner who let two apps in, the first for two patients, the second for one of them."""

    running: Running
    who: Someone
    patients: tuple[str, str]
    apps: tuple[str, str]
    held: tuple[Authorization, ...]

    def goes_on(self) -> set[bool]:
        hub, url = self.running.backstage.hub, f"{self.running.process.url}/fhir/Patient"
        answers = [asked_alone("GET", url, headers={"Authorization": f"Bearer {token_of(hub, one)}"}) for one in self.held]
        return {answer.status_code != 401 for answer in answers}

    def report(self, patient: str) -> list[dict[str, Any]]:
        """What the patient's report says of apps whose permission ended."""
        done = self.running.process.invoke(
            "audit", "query", "--patient", f"Patient/{patient}", "--reason", "asked by the patient", "--json"
        )
        return [one for one in done.json() if one["what"] == "authorization-end"]


@pytest.fixture
def let_in(running: Running, ehr: Caller) -> LetIn:
    backstage = running.backstage
    who = add_person(backstage, "practitioner", organization=ehr.account.organization)
    one, other = (ehr.create(patient())["id"] for _ in range(2))
    first, second = (app_of(backstage, SCOPE) for _ in range(2))
    person, given = who.account.person, ((first, one), (first, other), (second, one))
    held = tuple(authorization(app, person, SCOPE, patient=seen, purpose="TREAT", now=now_us()) for app, seen in given)
    for each in held:
        backstage.run(begin(backstage.hub, each))
    return LetIn(running=running, who=who, patients=(one, other), apps=(first.id, second.id), held=held)


def by_command(act: str) -> Callable[[LetIn, Browser], None]:
    def run(let_in: LetIn, _: Browser) -> None:
        more = ("--issuer", ISSUER) if act == "unlink" else ()
        done = let_in.running.process.invoke("user", act, let_in.who.login, *more, "--reason", "left")
        assert done.code == 0, done.err

    return run


def on_the_page(act: str) -> Callable[[LetIn, Browser], None]:
    def run(let_in: LetIn, browser: Browser) -> None:
        with console(browser, let_in.running) as page:
            page.goto(f"{let_in.running.process.url}/console/users/{let_in.who.id}/{act}")
            page.get_by_role("button", name=EN[f"do-{act}"]).click()
            page.wait_for_load_state()

    return run


ACTS = {
    **{f"hub user {act}": by_command(act) for act in ("reset", "disable", "unlink")},
    **{f"console, {act}": on_the_page(act) for act in ("reset", "disable")},
}


@pytest.mark.parametrize("act", ACTS)
def test_what_an_operator_ends_stands_in_the_report_of_each_patient_in_context(let_in: LetIn, browser: Browser, act: str) -> None:
    """Which app, about whom, and who did it; for a patient whom only one of the apps saw, that one alone."""
    if "unlink" in act:
        link = ("user", "link", let_in.who.login, "--issuer", ISSUER, "--subject", let_in.who.id)
        assert let_in.running.process.invoke(*link).code == 0
    assert let_in.goes_on() == {True}
    ACTS[act](let_in, browser)
    assert let_in.goes_on() == {False}
    one, other = (let_in.report(id) for id in let_in.patients)
    assert {(row["client"], row["who"], row["outcome"]) for row in one} == {(app, user_name(), "done") for app in let_in.apps}
    assert [(row["client"], row["who"]) for row in other] == [(let_in.apps[0], user_name())]
    assert {basis.rpartition("/")[2] for row in (*one, *other) for basis in row["basis"]} == {"operator"}
    assert len({row["request"] for row in (*one, *other)}) == 1, "one act, found by one request id"


def test_the_record_of_the_act_is_found_beside(let_in: LetIn, browser: Browser) -> None:
    """Law 2: the change of the account, and what ended with it, are one transaction."""
    records = let_in.running.backstage.recorded_by(lambda: by_command("disable")(let_in, browser))
    assert {one.kind for one in records} == {"account-change", "authorization-end"}
    assert len([one for one in records if one.kind == "authorization-end" and one.patient is not None]) == 3


def test_where_nothing_was_allowed_nothing_ended(running: Running) -> None:
    """No record of what did not happen."""
    who = add_person(running.backstage, "practitioner")
    records = running.backstage.recorded_by(lambda: running.process.invoke("user", "disable", who.login))
    assert {one.kind for one in records} == {"account-change"}


def test_what_the_person_withdraws_names_the_app_too(let_in: LetIn) -> None:
    """The same words for the same thing, whoever did it."""
    signed = session_of(let_in.running.backstage, let_in.who)
    with visitor(let_in.running.process.url, signed) as client:
        answer = client.post(f"/account/apps/{let_in.held[2].id}/withdraw", data=csrf(signed))
    assert answer.status_code == 303
    assert [(row["client"], row["who"]) for row in let_in.report(let_in.patients[0])] == [(let_in.apps[1], let_in.who.id)]
