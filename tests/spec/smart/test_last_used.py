"""On which day an app got a token last: written once a day, and to the day alone. GDPR Art. 5(1)(c); OWASP ASVS 5.0 10.7.3."""

import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from hub.authorizations import Authorizations, Held
from hub.instants import fhir_instant, now_us
from hub.notebook import Notebook
from hub.oauth.client_used import USED, first_today
from hub.people.sessions import SignedIn
from hub.store.protocol import Unit
from security.oauth.authorization import DAY_US
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import patient
from tests.support.smart import SmartApp, signed_in_as, smart_app

SCOPE = "launch/patient offline_access patient/*.rs"
ENOUGH_US = 30_000_000


@pytest.fixture(autouse=True)
def one_day() -> None:
    """All of a test lies in one day: whichever would begin in the last seconds of one begins in the next."""
    left_us = DAY_US - now_us() % DAY_US
    if left_us < ENOUGH_US:
        time.sleep(left_us / 1_000_000)  # until it is tomorrow


@pytest.fixture(scope="module")
def app(http: httpx.Client, backstage: Backstage) -> SmartApp:
    return smart_app(http, backstage, SCOPE)


@pytest.fixture
def ana(backstage: Backstage, ehr: Caller) -> SignedIn:
    """A patient, signed in for this test."""
    return signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")


def held(backstage: Backstage, ana: SignedIn) -> Held:
    (found,) = backstage.run(Authorizations(backstage.hub.services).of_account(ana.account.id))
    return found


def version(backstage: Backstage, ana: SignedIn) -> int:
    note = held(backstage, ana).page.note
    assert note is not None
    return note.version


def set_back(backstage: Backstage, ana: SignedIn) -> None:
    """As if it had been used yesterday last."""
    services, found = backstage.hub.services, held(backstage, ana)

    async def written() -> None:
        note = await Authorizations(services).changed(found, replace(found.authorization, used_us=today() - DAY_US))
        await services.store.commit(Unit(notes=(note,)))

    backstage.run(written())


def today() -> int:
    return now_us() // DAY_US * DAY_US


def test_the_first_token_of_a_day_says_so_and_the_others_write_nothing(app: SmartApp, ana: SignedIn, backstage: Backstage) -> None:
    """To the day: nobody's hours are kept."""
    code = app.code(ana)
    assert held(backstage, ana).authorization.used_us is None, "it has got nothing yet"
    tokens = app.redeem(code).json()
    assert held(backstage, ana).authorization.used_us == today()
    before = version(backstage, ana)
    tokens = app.refreshed(tokens["refresh_token"])
    app.get("/fhir/Patient", tokens["access_token"])
    assert version(backstage, ana) == before
    set_back(backstage, ana)
    app.refreshed(tokens["refresh_token"])
    assert (held(backstage, ana).authorization.used_us, version(backstage, ana)) == (today(), before + 2)


def test_of_a_client_by_itself_it_is_known_too(running: Running, another: Callable[..., Caller]) -> None:
    """One note for each, under a pseudonym; another process finds it written and leaves it."""
    caller, backstage = another(), running.backstage
    assert shown(running, caller) is None
    services, kept = backstage.hub.services, Notebook(backstage.hub.services, USED)
    for _ in range(2):
        assert caller.ask_token().status_code == 200
    page = backstage.run(kept.read(caller.account.id))
    assert (page.content, page.note.version if page.note else None) == ({"day_us": today()}, 1)
    assert backstage.run(first_today(services, caller.account.id)) == ()
    assert shown(running, caller) == fhir_instant(today())[:10]


def shown(running: Running, caller: Caller) -> str | None:
    day: str | None = running.process.invoke("client", "show", caller.account.id).json()["last_used"]
    return day
