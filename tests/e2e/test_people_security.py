"""What people change about how they prove themselves: with the present password alone, and whoever sat in another session is out."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from hub.account.words import SECURITY_WORDS
from hub.console.words import said
from hub.people.sessions import SignedIn, id_of
from security.oauth.authorization import Authorization
from security.people.account import Account
from security.people.lockout import FREE_ACCOUNT
from security.people.totp import code_of, step_of
from tests.e2e.test_people import account_of, attempt, is_in
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.persons import app_of, authorization, begin, token_of
from tests.support.resources import patient
from tests.support.signing_in import COOKIE, PASSWORD, Someone, add_person, forget_addresses, now_us, sent, session_of, visitor

EN = said("en", SECURITY_WORDS)
SECURITY = "/account/security?lang=en"
NEW = "eleven oyster catchers at low tide"

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def forgiven(running: Running) -> Iterator[None]:
    """Wrong proofs are many here; the address that all tests come from is not to wait for it."""
    yield
    forget_addresses(running.backstage)


@pytest.fixture
def somebody(running: Running, ehr: Caller) -> Someone:
    return add_person(running.backstage, "patient", fhir_user=f"Patient/{ehr.create(patient())['id']}")


@pytest.fixture
def elsewhere(running: Running, somebody: Someone) -> SignedIn:
    """Another session of the same account."""
    return session_of(running.backstage, somebody)


@pytest.fixture
def client(running: Running, somebody: Someone) -> Iterator[httpx.Client]:
    with visitor(running.process.url, session_of(running.backstage, somebody)) as one:
        yield one


def is_over(running: Running, signed: SignedIn) -> bool:
    with visitor(running.process.url, signed) as other:
        return other.get("/account/security").status_code == 303


def test_a_password_is_changed_with_the_present_one(running: Running, client: httpx.Client, somebody: Someone, elsewhere: SignedIn) -> None:
    """OWASP ASVS 5.0 6.2.3, 7.4.3: the session goes on under a new cookie, every other is over, and the old password opens nothing."""
    before = client.cookies[COOKIE]
    answer = sent(client, SECURITY, {"act": "password", "present": PASSWORD, "password": NEW, "again": NEW})
    assert (answer.status_code, "done=password-done" in answer.headers["location"]) == (303, True)
    assert client.cookies[COOKIE] != before
    assert client.get(SECURITY).status_code == 200
    assert is_over(running, elsewhere)
    with visitor(running.process.url) as other:
        assert not is_in(attempt(other, somebody.login, PASSWORD))
        assert is_in(attempt(other, somebody.login, NEW))


@dataclass(frozen=True, slots=True, kw_only=True)
class LetIn:
    """An app that somebody let in for a day, also when they are not there."""

    running: Running
    authorization: Authorization
    token: str

    def goes_on(self) -> bool:
        answer = asked_alone("GET", f"{self.running.process.url}/fhir/Patient", headers={"Authorization": f"Bearer {self.token}"})
        return answer.status_code != 401


def let_in(running: Running, someone: Someone) -> LetIn:
    backstage, person = running.backstage, someone.account.person
    app = app_of(backstage, "patient/Patient.rs offline_access")
    own = (person.fhir_user or "").partition("/")[2]
    made = authorization(app, person, "patient/Patient.rs offline_access", patient=own, purpose="PATRQT", now=now_us())
    backstage.run(begin(backstage.hub, made))
    return LetIn(running=running, authorization=made, token=token_of(backstage.hub, made))


def test_with_the_password_ends_what_apps_may_do_unless_the_tick_is_taken_away(
    running: Running, client: httpx.Client, somebody: Someone
) -> None:
    """OWASP ASVS 5.0 10.7.3: who knew the old password may have let an app in; it is on record for the patient in context too."""
    app, page = let_in(running, somebody), client.get(SECURITY).text
    assert 'name="apps" value="end" checked' in page
    for fields in ({"present": NEW, "apps": "end"}, {"present": PASSWORD}):
        sent(client, SECURITY, {"act": "password", "password": NEW, "again": NEW, **fields})
        assert app.goes_on()
    answer = sent(client, SECURITY, {"act": "password", "present": NEW, "password": PASSWORD, "again": PASSWORD, "apps": "end"})
    assert "done=password-apps-done" in answer.headers["location"]
    assert not app.goes_on()
    records = running.backstage.records(answer.headers["x-request-id"])
    assert {one.kind for one in records} == {"account-password", "authorization-end"}
    patient_token = running.backstage.patient_token(app.authorization.launch.patient or "")
    assert {one.kind for one in records if one.patient == patient_token} == {"authorization-end"}
    assert client.get(SECURITY).status_code == 200


def test_a_reset_ends_what_apps_may_do_without_asking(running: Running, somebody: Someone) -> None:
    """`hub user reset` is for a password or a phone that may be in other hands."""
    app = let_in(running, somebody)
    assert app.goes_on()
    assert running.process.invoke("user", "reset", somebody.login).code == 0
    assert not app.goes_on()


@pytest.mark.parametrize("act", ["password", "enrol", "codes"])
def test_without_the_present_password_nothing_is_changed(
    running: Running, client: httpx.Client, somebody: Someone, elsewhere: SignedIn, act: str
) -> None:
    """OWASP ASVS 5.0 7.5.1: a session that somebody left open is not enough; wrong ones count as at the sign-in."""
    before: Account = account_of(running, somebody)
    answer = sent(client, SECURITY, {"act": act, "present": NEW, "password": NEW, "again": NEW})
    assert (answer.status_code, EN["present-wrong"] in answer.text) == (403, True)
    after = account_of(running, somebody)
    assert (after.password, after.totp, after.failures) == (before.password, None, 1)
    assert not is_over(running, elsewhere)
    for _ in range(FREE_ACCOUNT):
        sent(client, SECURITY, {"act": act, "present": NEW, "password": NEW, "again": NEW})
    assert account_of(running, somebody).failures == FREE_ACCOUNT


def test_a_patient_may_set_up_a_second_factor_and_is_asked_for_it_from_then_on(
    running: Running, client: httpx.Client, somebody: Someone, elsewhere: SignedIn
) -> None:
    """NIST SP 800-63B-4 section 4.1.2: bound with a proof of what was there before; nothing holds before its first code was right."""
    page = sent(client, SECURITY, {"act": "enrol", "present": PASSWORD}).text
    secret = page.partition("<pre><code>")[2].partition("<")[0].replace(" ", "")
    wrong = sent(client, SECURITY, {"act": "confirm", "code": code_of(secret, 1)})
    assert (wrong.status_code, secret[:4] in wrong.text, account_of(running, somebody).totp) == (403, True, None)
    done = sent(client, SECURITY, {"act": "confirm", "code": code_of(secret, step_of(now_us()))})
    assert (done.status_code, done.text.count("<li><code>")) == (200, 10)
    assert is_over(running, elsewhere)
    assert EN["second-on"] in client.get(SECURITY).text
    with visitor(running.process.url) as other:
        assert attempt(other, somebody.login).headers["location"].startswith("/account/second-factor")


def test_new_recovery_codes_end_those_before(running: Running) -> None:
    """NIST SP 800-63B-4 section 3.1.2.2."""
    doctor = add_person(running.backstage, "practitioner")
    with visitor(running.process.url, session_of(running.backstage, doctor)) as client:
        first = sent(client, SECURITY, {"act": "codes", "present": PASSWORD})
        kept = account_of(running, doctor).recovery
        assert (first.text.count("<li><code>"), len(kept)) == (10, 10)
        sent(client, SECURITY, {"act": "codes", "present": PASSWORD})
        assert not set(kept) & set(account_of(running, doctor).recovery)


@pytest.mark.parametrize("act", ["end", "end-others"])
def test_people_end_their_other_sessions(running: Running, client: httpx.Client, elsewhere: SignedIn, act: str) -> None:
    """OWASP ASVS 5.0 7.5.2."""
    page = client.get(SECURITY).text
    id = page.partition('name="session" value="')[2].partition('"')[0]
    sent(client, SECURITY, {"act": act, **({"session": id} if act == "end" else {})})
    assert is_over(running, elsewhere)
    assert client.get(SECURITY).status_code == 200


def test_nobody_ends_a_session_of_somebody_else(running: Running, client: httpx.Client) -> None:
    """OWASP ASVS 5.0 8.2.2: what the form names is looked for among one's own."""
    signed = session_of(running.backstage, add_person(running.backstage, "vendor"))
    with visitor(running.process.url, signed) as other:
        sent(client, SECURITY, {"act": "end", "session": id_of(running.backstage.hub.services, signed)})
        assert other.get(SECURITY).status_code == 200
