"""fhirclient, the SMART JavaScript client, unchanged, in a real browser: launches from beginning to end, and what comes after.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.clients.smart_js import JsApp, js_app, serving_library
from tests.support.appserver import AppServer
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.launching import CONSENT, Care, allow, deny, ehr_launch, given_care, pick, sign_in, signed_in
from tests.support.resources import observation

FAMILY = "Navigateur"
END = "() => document.title === 'ready' || document.title === 'refused' || document.title.startsWith('failed')"
KINDS = {"public": "none", "symmetric": "client_secret_basic", "asymmetric": "private_key_jwt"}
SENT = """async ([url, form, authorization]) => { const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form),
  headers: authorization ? { authorization } : {} }); return [answer.status, await answer.text()]; }"""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A hub with a patient and who treats, and a place for apps."""

    running: Running
    server: AppServer
    care: Care
    browser: Browser

    @property
    def base(self) -> str:
        return f"{self.running.process.url}/fhir"

    def app(self, kind: str = "public", context: str = "launch/patient") -> JsApp:
        return js_app(self.server, self.running.backstage, self.care.organization, KINDS[kind], context)  # type: ignore[arg-type]

    @contextmanager
    def person(self, role: str = "patient") -> Iterator[BrowserContext]:
        """The browser of somebody who has signed in at the hub."""
        context = self.browser.new_context(locale="en-GB")
        signed_in(context, self.running, self.care.patient if role == "patient" else self.care.practitioner)
        yield context
        context.close()


@pytest.fixture(scope="module")
def world(running: Running, ehr: Caller, browser: Browser) -> Iterator[World]:
    with serving_library() as server:
        yield World(running=running, server=server, care=given_care(running, ehr, FAMILY), browser=browser)


def launched(page: Page, url: str, decide: Callable[[Page], None] = allow) -> str:
    """From the app's launch page over the person's decision to the app again; what it shows."""
    page.goto(url)
    decide(page)
    page.wait_for_function(END)
    return page.title()


def request(page: Page, path: str) -> Json:
    found: Json = page.evaluate("path => client.request(path)", path)
    return found


def failure(page: Page, script: str) -> str:
    """The message with which the library rejects."""
    return str(
        page.evaluate(
            f"() => (async () => {script})().then(() => 'no failure', (error) => String(error.status || '') + ' ' + error.message)"
        )
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_standalone_launch_ends_with_the_patients_data(world: World, ehr: Caller, kind: str) -> None:
    """SMART 2.2 app-launch, standalone: discovery, PKCE, code, token, patient in context, data; for each kind of client."""
    made = ehr.create(observation(world.care.patient_id))
    with world.person() as context:
        page = context.new_page()
        assert launched(page, world.app(kind).standalone(world.base)) == "ready", page.inner_text("body")
        assert page.evaluate("client.patient.id") == world.care.patient_id
        assert page.evaluate("client.getFhirUser()").endswith(f"Patient/{world.care.patient_id}")
        found = request(page, f"Observation?patient={world.care.patient_id}&_id={made['id']}")
    assert [entry["resource"]["id"] for entry in found["entry"]] == [made["id"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_launch_from_the_hub_ends_with_the_patient_that_was_chosen(world: World, kind: str) -> None:
    """SMART 2.2 app-launch, EHR launch: iss and launch to the app, and its context from the launch; for each kind of client."""
    app = world.app(kind, "launch")
    with world.person("practitioner") as context:
        page = context.new_page()
        ehr_launch(page, world.running.process.url, app.registered.client, world.care.patient_id, FAMILY)
        allow(page)
        page.wait_for_function(END)
        assert page.title() == "ready", page.inner_text("body")
        assert page.evaluate("client.patient.id") == world.care.patient_id
        assert page.evaluate("client.getFhirUser()").endswith(world.care.practitioner.account.person.fhir_user)
        assert any(path.startswith(f"/{app.folder}/launch.html?") and "launch=" in path and "iss=" in path for path in world.server.asked)


def test_a_practitioner_signs_in_chooses_a_patient_and_says_yes(world: World) -> None:
    """SMART 2.2, launch/patient: from the app over password, second factor, picker and consent back to the app, each by its page."""
    with world.browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(world.app().standalone(world.base))
        sign_in(page, world.care.practitioner)
        page.wait_for_url(CONSENT)
        pick(page, world.care.patient_id, FAMILY)
        allow(page)
        page.wait_for_function(END)
        assert page.title() == "ready", page.inner_text("body")
        assert page.evaluate("client.patient.id") == world.care.patient_id


def test_a_denial_reaches_the_app(world: World) -> None:
    """RFC 6749 section 4.1.2.1: the app is told access_denied, and has nothing."""
    with world.person() as context:
        page = context.new_page()
        assert launched(page, world.app().standalone(world.base), deny) == "refused"
        assert "access_denied" in page.inner_text("body")


def test_an_app_that_was_led_to_another_server_gets_no_code(world: World) -> None:
    """SMART 2.2, aud: somebody else's server names the hub's endpoints as its own, to be sent a token. The hub sees whom it is for."""
    app = world.app()
    genuine = world.running.http.get("/fhir/.well-known/smart-configuration").json()
    fake = f"/{app.folder}/fhir"
    world.server.place(f"{fake}/.well-known/smart-configuration", json.dumps(genuine), "application/json")
    before = len(world.server.asked)
    with world.person() as context:
        page = context.new_page()
        page.goto(f"{app.launch_url}?{urlencode({'iss': world.server.origin + fake})}")
        page.wait_for_load_state("networkidle")
        assert page.locator("button[value=allow]").count() == 0
    assert [path for path in world.server.asked[before:] if "code=" in path] == []


def test_a_code_that_is_used_again_ends_what_it_gave(world: World) -> None:
    """RFC 6749 section 4.1.2: whoever replays the code from the app's address gets nothing, and ends the app's tokens."""
    app = world.app()
    with world.person() as context:
        page = context.new_page()
        assert launched(page, app.standalone(world.base)) == "ready"
        code = next(path for path in reversed(world.server.asked) if "code=" in path).split("code=")[1].split("&")[0]
        state = page.evaluate("client.state")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": app.redirect_uri,
            "client_id": app.registered.id,
            "code_verifier": state["codeVerifier"],
        }
        status, text = page.evaluate(SENT, [state["tokenUri"], form, None])
        assert (status, json.loads(text)["error"]) == (400, "invalid_grant")
        assert failure(page, f"client.request({{ url: 'Patient/{world.care.patient_id}' }}, {{ useRefreshToken: false }})").startswith(
            "401"
        )


@pytest.mark.parametrize("kind", ["public", "symmetric"])
def test_the_library_refreshes_by_itself(world: World, kind: str) -> None:
    """SMART 2.2 app-launch, refresh: another access token, another refresh token, the same patient. (It cannot refresh with a key.)"""
    with world.person() as context:
        page = context.new_page()
        assert launched(page, world.app(kind).standalone(world.base)) == "ready"
        before = page.evaluate("client.state.tokenResponse")
        after = page.evaluate("client.refresh().then((state) => state.tokenResponse)")
        assert after["access_token"] != before["access_token"]
        assert after["refresh_token"] != before["refresh_token"]
        assert request(page, f"Patient/{world.care.patient_id}")["id"] == world.care.patient_id


def test_an_app_that_signs_out_has_nothing_left(world: World) -> None:
    """RFC 7009: the app revokes its refresh token from its page; neither data nor refresh afterwards."""
    app = world.app()
    with world.person() as context:
        page = context.new_page()
        assert launched(page, app.standalone(world.base)) == "ready"
        endpoint = world.running.http.get("/fhir/.well-known/smart-configuration").json()["revocation_endpoint"]
        form = {"token": page.evaluate("client.state.tokenResponse.refresh_token"), "client_id": app.registered.id}
        assert page.evaluate(SENT, [endpoint, form, None])[0] == 200
        assert failure(page, f"client.request({{ url: 'Patient/{world.care.patient_id}' }}, {{ useRefreshToken: false }})").startswith(
            "401"
        )
        assert "no failure" not in failure(page, "client.refresh()")


def test_what_a_person_withdraws_ends_with_the_apps_next_request(world: World) -> None:
    """SMART 2.2, management_endpoint; GDPR Art. 7(3): in one tab the app reads, in another the person takes it back."""
    with world.person() as context:
        page = context.new_page()
        assert launched(page, world.app().standalone(world.base)) == "ready"
        account = context.new_page()
        account.goto(f"{world.running.process.url}/account/apps?lang=en")
        account.get_by_role("link", name="Carnet de mesures").first.click()
        account.locator("form[action*=withdraw] button").click()
        account.wait_for_load_state()
        assert failure(page, f"client.request({{ url: 'Patient/{world.care.patient_id}' }}, {{ useRefreshToken: false }})").startswith(
            "401"
        )
        assert "no failure" not in failure(page, "client.refresh()")
