"""People sign in over HTTP: password, second factor, invitation; what is wrong is told to nobody, counted and on record."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hub.account.words import ENTRY_WORDS, FAULTS
from hub.console.words import said
from hub.people.accounts import Accounts
from hub.people.open_pages import place_of
from security.people.account import Account
from security.people.lockout import FREE_ACCOUNT
from security.people.totp import code_of, step_of
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import patient
from tests.support.signing_in import COOKIE, PASSWORD, Someone, add_person, csrf, forget_addresses, now_us, sent, session_of, visitor

EN = said("en", ENTRY_WORDS)
SIGN_IN, SECOND, INVITATION = "/account/sign-in", "/account/second-factor", "/account/invitation"
STEP = "hub-person-step"
WRONG = "nine grey herons over the dunes"
NEXT = "/account/device"

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def forgiven(running: Running) -> Iterator[None]:
    """Wrong proofs are many here; the address that all tests come from is not to wait for it."""
    yield
    forget_addresses(running.backstage)


@pytest.fixture(scope="module")
def somebody(running: Running, ehr: Caller) -> Someone:
    """A patient with a password alone."""
    return add_person(running.backstage, "patient", fhir_user=f"Patient/{ehr.create(patient())['id']}")


@pytest.fixture
def doctor(running: Running) -> Someone:
    return add_person(running.backstage, "practitioner")


@pytest.fixture
def client(running: Running) -> Any:
    with visitor(running.process.url) as one:
        yield one


def attempt(client: httpx.Client, login: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return sent(client, f"{SIGN_IN}?lang=en", {"login": login, "password": password, **more})


def is_in(answer: httpx.Response) -> bool:
    return any(one.startswith(f"{COOKIE}=") for one in answer.headers.get_list("set-cookie"))


def account_of(running: Running, someone: Someone) -> Account:
    filed = running.backstage.run(Accounts(running.backstage.hub.services).find(someone.id))
    assert filed is not None
    return filed.account


def kind_of(running: Running, answer: httpx.Response) -> tuple[str, str]:
    (record,) = running.backstage.records(answer.headers["x-request-id"])
    return record.kind, record.outcome


def test_a_patient_signs_in_with_a_password(running: Running, client: httpx.Client, somebody: Someone) -> None:
    """NIST SP 800-63B-4 section 5.1: the session is new, cannot be read by a page, and it is on record who began it."""
    answer = attempt(client, f" {somebody.login.upper()}", next=f"{NEXT}?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{NEXT}?x=1&lang=en")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    (record,) = running.backstage.records(answer.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("sign-in", "0")
    assert somebody.id in str(record.event["agent"])


def test_a_new_sign_in_has_a_session_of_its_own_and_ends_the_one_before(client: httpx.Client, somebody: Someone) -> None:
    """OWASP ASVS 5.0 7.2.4: a new session at each authentication, and the old one is over."""
    attempt(client, somebody.login)
    before = client.cookies[COOKIE]
    attempt(client, somebody.login)
    assert client.cookies[COOKIE] != before
    answer = client.post("/account/sign-out", headers={"Cookie": f"{COOKIE}={before}"})
    assert urlsplit(answer.headers["location"]).path == SIGN_IN


@pytest.mark.parametrize("why", ["password", "login", "waiting", "ended"])
def test_whatever_was_wrong_the_answer_is_the_same(running: Running, client: httpx.Client, why: str) -> None:
    """OWASP ASVS 5.0 6.3.8: whether there is such an account cannot be told, nor whether it waits, nor whether the password was right."""
    changed = {"waiting": {"locked_until_us": now_us() + 60_000_000}, "ended": {"disabled_us": now_us()}}.get(why, {})
    someone = add_person(running.backstage, "vendor", **changed)
    answer = attempt(client, "nobody@people.example" if why == "login" else someone.login, WRONG if why == "password" else PASSWORD)
    assert answer.status_code == 403
    assert EN["not-right"] in answer.text
    assert not is_in(answer)
    assert kind_of(running, answer) == ("sign-in-refused", "4")


def test_after_some_wrong_passwords_the_right_one_has_to_wait_too(running: Running, client: httpx.Client, doctor: Someone) -> None:
    """NIST SP 800-63B-4 section 3.2.2; whoever tries meanwhile does not make it longer."""
    for _ in range(FREE_ACCOUNT):
        attempt(client, doctor.login, WRONG)
    answer = attempt(client, doctor.login)
    assert (answer.status_code, STEP in str(answer.headers.get_list("set-cookie"))) == (403, True)
    assert EN["not-right"] in answer.text
    account = account_of(running, doctor)
    assert account.failures == FREE_ACCOUNT
    assert account.locked_until_us > now_us()


def test_of_many_tries_at_once_no_more_are_looked_at_than_one_after_the_other(running: Running, doctor: Someone) -> None:
    """Each writes the account in place of what it read: they meet one another, and the count is exact."""

    def one(_: int) -> int:
        with visitor(running.process.url) as client:
            return attempt(client, doctor.login, WRONG).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(8))) == {403}
    assert account_of(running, doctor).failures == FREE_ACCOUNT


def test_who_sees_data_of_others_has_no_session_before_the_second_factor(running: Running, client: httpx.Client, doctor: Someone) -> None:
    """OWASP ASVS 5.0 6.3.3: the password opens the form for the code, and nothing else."""
    first = attempt(client, doctor.login, next=NEXT)
    assert (first.status_code, urlsplit(first.headers["location"]).path, is_in(first)) == (303, SECOND, False)
    assert kind_of(running, first) == ("sign-in-begun", "0")
    answer = sent(client, f"{SECOND}?lang=en", {"code": doctor.code()})
    assert (answer.status_code, answer.headers["location"], is_in(answer)) == (303, f"{NEXT}?lang=en", True)
    assert kind_of(running, answer) == ("sign-in", "0")


def test_a_code_of_the_app_is_good_once(running: Running, client: httpx.Client, doctor: Someone) -> None:
    """RFC 6238 section 5.2."""
    code = doctor.code()
    for expected in (True, False):
        attempt(client, doctor.login)
        assert is_in(sent(client, SECOND, {"code": code})) is expected


def test_a_wrong_code_counts_as_a_wrong_password_does(running: Running, client: httpx.Client, doctor: Someone) -> None:
    """Otherwise whoever has the password could try all codes; the right password does not set the count back, and waits with them."""
    for _ in range(FREE_ACCOUNT):
        attempt(client, doctor.login)
        wrong = sent(client, f"{SECOND}?lang=en", {"code": code_of("A" * 32, 1)})
        assert (wrong.status_code, EN["code-not-right"] in wrong.text) == (403, True)
    answer = sent(client, SECOND, {"code": doctor.code()})
    assert (answer.status_code, is_in(answer)) == (403, False)
    assert attempt(client, doctor.login).status_code == 403
    account = account_of(running, doctor)
    assert (account.failures, account.code_failures) == (0, FREE_ACCOUNT)


def test_wrong_passwords_of_somebody_else_do_not_stop_who_has_shown_the_right_one(
    running: Running, client: httpx.Client, doctor: Someone
) -> None:
    """The wait is the password's: between it and the code nobody can push a person out by typing wrong ones."""
    attempt(client, doctor.login)
    with visitor(running.process.url) as other:
        for _ in range(FREE_ACCOUNT):
            attempt(other, doctor.login, WRONG)
    assert is_in(sent(client, SECOND, {"code": doctor.code()}))


def test_who_needs_a_second_factor_and_has_none_sets_it_up_first(running: Running, client: httpx.Client) -> None:
    """Then the recovery codes are shown, once, and each opens the account once."""
    someone = add_person(running.backstage, "compliance", second_factor=False)
    attempt(client, someone.login, next=NEXT)
    page = client.get(SECOND).text
    secret = page.partition("<pre><code>")[2].partition("<")[0].replace(" ", "")
    assert "data:image/svg+xml" in page
    assert not is_in(sent(client, SECOND, {"code": code_of(secret, step_of(now_us()) - 9)}))
    done = sent(client, f"{SECOND}?lang=en", {"code": code_of(secret, step_of(now_us()))})
    assert (done.status_code, is_in(done)) == (200, True)
    assert kind_of(running, done) == ("second-factor", "0")
    code = done.text.partition("<li><code>")[2].partition("<")[0]
    for expected in (True, False):
        attempt(client, someone.login)
        assert is_in(sent(client, SECOND, {"code": code.upper()})) is expected
    assert len(account_of(running, someone).recovery) == 9


def test_a_form_that_this_browser_was_not_given_signs_nobody_in(running: Running, somebody: Someone) -> None:
    """RFC 6749 section 10.12, login CSRF: nobody is signed in to an account of somebody else by a page from elsewhere."""
    with visitor(running.process.url) as mine, visitor(running.process.url) as theirs:
        mine.get(SIGN_IN)
        token = theirs.get(SIGN_IN).text.partition('name="csrf" value="')[2].partition('"')[0]
        for fields in ({}, {"csrf": token}):
            answer = mine.post(SIGN_IN, data={"login": somebody.login, "password": PASSWORD, **fields})
            assert (answer.status_code, is_in(answer)) == (403, False)
            assert kind_of(running, answer) == ("sign-in-refused", "4")


@pytest.mark.parametrize(
    "place",
    ["https://elsewhere.example/", "//elsewhere.example", "/account//elsewhere", "/account\r\nX: y", "/account/../fhir", "/fhir", ""],
)
def test_after_the_sign_in_nobody_is_led_elsewhere(place: str) -> None:
    """OWASP ASVS 5.0 3.7.2: no open redirect."""
    assert place_of(place) == "/account"


def test_signing_out_ends_the_session(running: Running, doctor: Someone) -> None:
    """OWASP ASVS 5.0 7.4.1: a cookie that somebody has copied is worth nothing afterwards."""
    signed = session_of(running.backstage, doctor)
    with visitor(running.process.url, signed) as client:
        answer = client.post("/account/sign-out?lang=en", data=csrf(signed))
        assert (answer.status_code, answer.headers["location"]) == (303, f"{SIGN_IN}?out=1&lang=en")
        assert kind_of(running, answer) == ("sign-out", "0")
    with visitor(running.process.url, signed) as client:
        assert "next=" in client.post("/account/sign-out", data=csrf(signed)).headers["location"]


class TestInvitation:
    """What `hub user` prints leads to a password, once."""

    def invited(self, running: Running, *more: str) -> tuple[str, str]:
        """Login and link."""
        login = f"invited-{now_us()}@people.example"
        made = running.process.invoke("user", "add", "Camille Essai", "--login", login, "--base-url", running.process.url, *more)
        assert made.code == 0, made.err
        return login, made.json()["invitation"].removeprefix(running.process.url)

    def test_a_patient_chooses_a_password_and_is_in(self, running: Running, client: httpx.Client, ehr: Caller) -> None:
        """The link is good once; to look at it uses nothing up."""
        reference = f"Patient/{ehr.create(patient())['id']}"
        login, link = self.invited(running, "--role", "patient", "--patient", reference)
        code = link.partition("code=")[2]
        for fields, expected in (
            ({"password": "too short", "again": "too short"}, FAULTS["short"].en),
            ({"password": WRONG, "again": PASSWORD}, EN["not-same"]),
        ):
            assert expected in sent(client, f"{link}&lang=en", {"code": code, **fields}).text
        answer = sent(client, link, {"code": code, "password": WRONG, "again": WRONG})
        assert (answer.status_code, is_in(answer)) == (303, True)
        assert kind_of(running, answer) == ("account-password", "0")
        assert client.get(link).status_code == 403
        assert is_in(attempt(client, login, WRONG))

    def test_a_practitioner_goes_on_to_the_second_factor(self, running: Running, client: httpx.Client, ehr: Caller) -> None:
        """There is no session before; whoever is no resource yet has become one."""
        login, link = self.invited(running, "--role", "practitioner", "--rpps", "10003456786")
        answer = sent(client, link, {"code": link.partition("code=")[2], "password": WRONG, "again": WRONG})
        assert (urlsplit(answer.headers["location"]).path, is_in(answer)) == (SECOND, False)
        shown = running.process.invoke("user", "show", login).json()
        assert shown["second_factor"] is False
        assert ehr.get(shown["fhirUser"]).json()["identifier"][0]["value"] == "10003456786"

    def test_a_newer_link_ends_the_one_before(self, running: Running, client: httpx.Client) -> None:
        """Whoever found the first one has nothing."""
        login, link = self.invited(running, "--role", "administrator")
        again = running.process.invoke("user", "invite", login, "--base-url", running.process.url)
        assert client.get(link).status_code == 403
        assert client.get(again.json()["invitation"]).status_code == 200


def test_an_account_that_is_disabled_is_out_with_the_next_request(running: Running, doctor: Someone) -> None:
    """OWASP ASVS 5.0 7.4.2; enabled again, the old session stays over."""
    signed = session_of(running.backstage, doctor)
    with visitor(running.process.url, signed) as client:
        assert running.process.invoke("user", "disable", doctor.login, "--reason", "left").json()["disabled"] is True
        assert "next=" in client.post("/account/sign-out", data=csrf(signed)).headers["location"]
        assert running.process.invoke("user", "enable", doctor.login).json()["disabled"] is False
        assert "next=" in client.post("/account/sign-out", data=csrf(signed)).headers["location"]


def test_after_a_reset_nothing_of_before_opens_the_account(running: Running, client: httpx.Client, doctor: Someone) -> None:
    """Password, app and sessions may be in other hands."""
    signed = session_of(running.backstage, doctor)
    link = running.process.invoke("user", "reset", doctor.login, "--base-url", running.process.url).json()["invitation"]
    assert attempt(client, doctor.login).status_code == 403
    with visitor(running.process.url, signed) as before:
        assert "next=" in before.post("/account/sign-out", data=csrf(signed)).headers["location"]
    answer = sent(client, link, {"code": link.partition("code=")[2], "password": WRONG, "again": WRONG})
    assert urlsplit(answer.headers["location"]).path == SECOND
