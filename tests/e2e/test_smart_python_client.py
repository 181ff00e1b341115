"""fhirclient, SMART's own Python client, unchanged: launches through a real browser, and what comes after.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html. The app is a program
of its own with a page to come back to; the browser is Chromium.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from fhirclient import client
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from playwright.sync_api import Browser, Page

from tests.support.apps import Registered, register_app
from tests.support.appserver import AppServer, serving_app
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.launching import Care, allow, deny, ehr_launch, given_care, signed_in
from tests.support.resources import observation

SCOPE = "openid fhirUser offline_access patient/*.rs"
FAMILY = "Serpent"
KINDS = {"public": "none", "symmetric": "client_secret_basic"}
"""This client has no way to sign a code's redemption with a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The app at somebody's: its registration, and its page to come back to."""

    registered: Registered
    path: str
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    running: Running
    server: AppServer
    care: Care
    browser: Browser

    @property
    def base(self) -> str:
        return f"{self.running.process.url}/fhir"

    def installed(self, kind: str = "public") -> Installed:
        path = f"/{secrets.token_hex(4)}"
        redirect_uri = self.server.place(f"{path}/callback", "<title>back</title>")
        registered = register_app(
            self.running.backstage,
            f"launch launch/patient {SCOPE}",
            (redirect_uri,),
            authentication=KINDS[kind],  # type: ignore[arg-type]
            organization=self.care.organization,
            launch_url=self.server.place(f"{path}/launch", "<title>launched</title>"),
        )
        return Installed(registered=registered, path=path, redirect_uri=redirect_uri)

    def smart(self, app: Installed, context: str = "launch/patient", **more: Any) -> Any:
        """As the documentation of the client has it."""
        settings = {
            "app_id": app.registered.id,
            "app_secret": app.registered.secret,
            "api_base": self.base,
            "redirect_uri": app.redirect_uri,
            "scope": f"{context} {SCOPE}",
            **more,
        }
        return client.FHIRClient(settings=settings)

    @contextmanager
    def page(self, role: str = "patient") -> Iterator[Page]:
        context = self.browser.new_context(locale="en-GB")
        signed_in(context, self.running, self.care.patient if role == "patient" else self.care.practitioner)
        yield context.new_page()
        context.close()

    def came_back(self, app: Installed, page: Page) -> str:
        """The address at which the browser came back to the app."""
        page.wait_for_url(lambda url: urlsplit(url).path == f"{app.path}/callback")
        return page.url


@pytest.fixture(scope="module")
def world(running: Running, ehr: Caller, browser: Browser) -> Iterator[World]:
    with serving_app() as server:
        yield World(running=running, server=server, care=given_care(running, ehr, FAMILY), browser=browser)


def launched(world: World, app: Installed, smart: Any, page: Page, decide: Callable[[Page], None] = allow) -> str:
    smart.prepare()
    page.goto(smart.authorize_url)
    decide(page)
    return world.came_back(app, page)


@pytest.fixture
def smart(world: World) -> Any:
    """A client that went through the launch."""
    app = world.installed()
    made = world.smart(app)
    with world.page() as page:
        made.handle_callback(launched(world, app, made, page))
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_standalone_launch_ends_with_the_patients_data(world: World, ehr: Caller, kind: str) -> None:
    """SMART 2.2 app-launch, standalone: it finds the endpoints, sends PKCE, redeems, and reads."""
    made, app = ehr.create(observation(world.care.patient_id)), world.installed(kind)
    smart = world.smart(app)
    with world.page() as page:
        smart.handle_callback(launched(world, app, smart, page))
    assert smart.ready
    assert smart.patient_id == world.care.patient_id
    assert smart.patient.name[0].family == FAMILY
    assert made["id"] in {one.id for one in Observation.where({"patient": smart.patient_id}).perform_resources_iter(smart.server)}


def test_a_launch_from_the_hub_has_its_context(world: World) -> None:
    """SMART 2.2 app-launch, EHR launch: what the app is called with is what it sends on."""
    app = world.installed()
    with world.page("practitioner") as page:
        ehr_launch(page, world.running.process.url, app.registered.client, world.care.patient_id, FAMILY)
        called = httpx.URL(page.url).params
        assert called["iss"] == world.base
        smart = world.smart(app, "launch", launch_token=called["launch"])
        smart.handle_callback(launched(world, app, smart, page))
    assert smart.patient_id == world.care.patient_id


def test_a_denial_is_an_error_of_the_client(world: World) -> None:
    """RFC 6749 section 4.1.2.1."""
    app = world.installed()
    smart = world.smart(app)
    with world.page() as page:
        url = launched(world, app, smart, page, deny)
    assert httpx.URL(url).params["error"] == "access_denied"
    with pytest.raises(Exception, match="said no"):
        smart.handle_callback(url)
    assert not smart.ready


def test_a_wrong_aud_ends_before_anybody_is_asked(world: World) -> None:
    """SMART 2.2, aud: a genuine token for a counterfeit server."""
    app = world.installed()
    smart = world.smart(app)
    smart.prepare()
    url = httpx.URL(smart.authorize_url).copy_set_param("aud", "https://elsewhere.example/fhir")
    with world.page() as page:
        page.goto(str(url))
        page.wait_for_load_state()
        assert page.locator("button[value=allow]").count() == 0
        assert "code=" not in page.url


def test_a_code_is_good_once(world: World) -> None:
    """RFC 6749 section 4.1.2: the second time is an error, and ends what the first time gave."""
    app = world.installed()
    smart = world.smart(app)
    with world.page() as page:
        url = launched(world, app, smart, page)
    code = httpx.URL(url).params["code"]
    exchange = smart.server.auth._code_exchange_params(code)
    smart.handle_callback(url)
    assert Patient.read(smart.patient_id, smart.server).id == smart.patient_id
    with pytest.raises(requests.HTTPError) as again:
        smart.server.post_as_form(smart.server.auth._token_uri, exchange)
    assert again.value.response.json()["error"] == "invalid_grant"
    with pytest.raises(Exception) as over:
        Patient.read(smart.patient_id, smart.server)
    assert over.value.response.status_code == 401


def test_it_refreshes(world: World, smart: Any) -> None:
    """SMART 2.2 app-launch, refresh: another access token, the same patient."""
    before, token = smart.server.auth.access_token, smart.server.auth.refresh_token
    assert smart.reauthorize()
    assert smart.server.auth.access_token != before
    assert smart.server.auth.refresh_token != token
    assert Patient.read(smart.patient_id, smart.server).id == world.care.patient_id


def test_what_was_revoked_is_over(world: World, smart: Any) -> None:
    """RFC 7009: neither data nor refresh afterwards."""
    discovered = world.running.http.get("/fhir/.well-known/smart-configuration").json()
    form = {"token": smart.server.auth.refresh_token, "client_id": smart.app_id}
    assert world.running.http.post(discovered["revocation_endpoint"], data=form).status_code == 200
    with pytest.raises(Exception) as over:
        Patient.read(smart.patient_id, smart.server)
    assert over.value.response.status_code == 401
    with pytest.raises(requests.HTTPError):
        smart.reauthorize()
