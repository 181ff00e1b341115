"""/account/device: a person types the code that a device shows. https://www.rfc-editor.org/rfc/rfc8628#section-3.3, #section-5.4"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from hub.account.asking import WORDS
from hub.account.consent_words import naming
from hub.authorizations import Authorizations
from hub.console.words import Language, said
from security.oauth.clients import GRANT_DEVICE, GRANT_REFRESH
from tests.support.axe import accessibility_faults
from tests.support.backstage import Account
from tests.support.browser import DESK, PHONE
from tests.support.caller import Caller, http_client
from tests.support.fixtures import Running
from tests.support.persons import new_app
from tests.support.resources import patient
from tests.support.signed import Somebody, sent, somebody, sound

pytestmark = pytest.mark.database

SCOPE = "offline_access patient/Observation.cs"
EN = naming(WORDS, "Passerelle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A device without a browser, and somebody whose it is."""

    running: Running
    http: httpx.Client
    app: Account
    own: str
    who: Somebody

    def code(self) -> tuple[str, str]:
        """(device code, user code)"""
        answer = self.http.post("/oauth/device_authorization", data={"client_id": self.app.id, "scope": SCOPE})
        assert answer.status_code == 200, answer.text
        return answer.json()["device_code"], answer.json()["user_code"]

    def polled(self, device_code: str) -> httpx.Response:
        form = {"grant_type": GRANT_DEVICE, "device_code": device_code, "client_id": self.app.id}
        return self.http.post("/oauth/token", data=form)

    def says(self, who: Somebody, code: str, do: str, **form: str) -> httpx.Response:
        return who.post("/account/device", user_code=code, do=do, **form)


@pytest.fixture(scope="module")
def gateway(running: Running, ehr: Caller) -> Iterator[Gateway]:
    own = ehr.create(patient("Passeur"))["id"]
    made = new_app("passerelle", SCOPE, organization=ehr.account.organization, consent_default="opt-out")
    client = replace(made.client, name="Passerelle", grants=(GRANT_DEVICE, GRANT_REFRESH))
    app = running.backstage.register(Account(client=client, key=b""))
    who = somebody(running.backstage, running.process.url, "patient", f"Patient/{own}")
    with http_client(running.process.url) as http:
        yield Gateway(running=running, http=http, app=app, own=own, who=who)


def test_a_code_that_came_with_the_address_is_filled_in_and_nothing_is_done(gateway: Gateway) -> None:
    """Section 5.4: whoever was sent a link still has to compare and to decide."""
    _, code = gateway.code()
    page = gateway.who.get(f"/account/device?user_code={code}").text
    assert f'value="{code}"' in page
    assert EN["code-warning"].en in page
    assert "Passerelle" not in page


def test_yes_gives_the_device_its_token_for_what_was_ticked(gateway: Gateway) -> None:
    """Section 3.3 to 3.5: the same words as on the consent screen, and a part can be refused."""
    device_code, code = gateway.code()
    page = gateway.says(gateway.who, code.lower(), "look").text
    assert all(words in page for words in ("Passerelle", "About you", "Read", "Add", "go on when you are not here", code))
    answer = gateway.says(gateway.who, code, "allow", **{"add.0": "on", "delete.0": "on"})
    assert EN["code-allowed"].en in answer.text
    assert "authorize-granted" in {one.kind for one in gateway.who.records(answer)}
    held = gateway.running.backstage.run(Authorizations(gateway.running.backstage.hub.services).of_account(gateway.who.account.id))
    assert (held[0].authorization.scope, held[0].authorization.launch.patient) == ("patient/Observation.c", gateway.own)
    assert gateway.polled(device_code).json()["scope"] == "patient/Observation.c"
    assert gateway.says(gateway.who, code, "allow", **{"add.0": "on"}).status_code == 404, "it is answered once"


def test_no_gives_it_nothing(gateway: Gateway) -> None:
    """Section 3.5: access_denied"""
    device_code, code = gateway.code()
    assert EN["code-denied"].en in gateway.says(gateway.who, code, "deny").text
    assert gateway.polled(device_code).json()["error"] == "access_denied"


def test_where_nothing_is_ticked_the_page_asks_again(gateway: Gateway) -> None:
    _, code = gateway.code()
    answer = gateway.says(gateway.who, code, "allow")
    assert answer.status_code == 400
    assert EN["none-ticked"].en in answer.text


def test_a_code_that_nobody_was_given_is_not_known_and_guessing_is_counted(gateway: Gateway) -> None:
    """Section 5.1: brute force of the user code."""
    guesser = somebody(gateway.running.backstage, gateway.running.process.url, "patient", f"Patient/{gateway.own}")
    answers = [gateway.says(guesser, code, "look") for code in ("", *["BBBB-BBBB"] * 12)]
    assert EN["code-wrong"].en in answers[0].text
    assert (answers[0].status_code, answers[-1].status_code) == (404, 429)


def test_a_practitioner_chooses_the_patient_first(gateway: Gateway) -> None:
    _, code = gateway.code()
    who = somebody(
        gateway.running.backstage, gateway.running.process.url, "practitioner", "Practitioner/p9", organization=gateway.app.organization
    )
    assert EN["pick"].en in gateway.says(who, code, "look").text
    assert f'value="{gateway.own}"' in gateway.says(who, code, "search", name="Passeur").text
    assert "Passeur" in gateway.says(who, code, "choose", patient=gateway.own).text
    assert EN["pick"].en in gateway.says(who, code, "allow", **{"read.0": "on"}).text
    assert EN["code-allowed"].en in gateway.says(who, code, "allow", patient=gateway.own, **{"read.0": "on"}).text


def test_a_form_from_elsewhere_does_nothing(gateway: Gateway) -> None:
    """ASVS 5.0 3.5.1"""
    device_code, code = gateway.code()
    assert gateway.who.post("/account/device", csrf="x", user_code=code, do="allow", **{"read.0": "on"}).status_code == 403
    assert gateway.polled(device_code).json()["error"] == "authorization_pending"


def test_no_record_has_the_code(gateway: Gateway) -> None:
    """Law 4"""
    _, code = gateway.code()
    for answer in (gateway.who.get(f"/account/device?user_code={code}"), gateway.says(gateway.who, code, "look")):
        records = gateway.who.records(answer)
        assert {one.kind for one in records} == {"device-code-shown"}
        assert code not in str([one.event for one in records])


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_device_is_let_in_by_keyboard_alone(
    browser: Browser, gateway: Gateway, size: dict[str, int], language: Language, tmp_path: Path
) -> None:
    """WCAG 2.2: keyboard, contrast, reflow"""
    _, code = gateway.code()
    t = said(language, naming(WORDS, "Passerelle"))
    with gateway.who.browsing(browser, viewport=size, locale=language) as page:
        page.goto(f"{gateway.who.base}/account/device?lang={language}")
        sound(page)
        assert accessibility_faults(page) == []
        page.get_by_label(t["code"]).fill(code)
        sent(page)
        sound(page)
        assert accessibility_faults(page) == []
        page.screenshot(path=tmp_path / f"device-{language}-{size['width']}.png", full_page=True)
        sent(page, page.get_by_role("button", name=t["allow"], exact=True))
        assert page.get_by_role("status").inner_text() == t["code-allowed"]
        sound(page)
