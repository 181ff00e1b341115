"""Somebody in a real browser, at the hub's own pages: signs in, says yes or no to an app, starts one for a patient."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

from security.oauth.clients import Client
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import patient, practitioner
from tests.support.signing_in import COOKIE, Someone, add_person, session_of

CONSENT = "**/account/authorize**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """A patient and who treats, with their accounts, in one organisation."""

    patient: Someone
    practitioner: Someone
    patient_id: str
    organization: str


def given_care(running: Running, ehr: Caller, family: str) -> Care:
    organization = ehr.account.organization
    patient_id, treating = ehr.create(patient(family))["id"], ehr.create(practitioner())["id"]
    return Care(
        patient=add_person(running.backstage, "patient", fhir_user=f"Patient/{patient_id}"),
        practitioner=add_person(running.backstage, "practitioner", fhir_user=f"Practitioner/{treating}", organization=organization),
        patient_id=patient_id,
        organization=organization,
    )


def signed_in(context: BrowserContext, running: Running, someone: Someone) -> None:
    """The browser holds a session of this person, as if it had come by the pages."""
    cookie = session_of(running.backstage, someone).cookie
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": running.process.url, "httpOnly": True, "sameSite": "Lax"}])


def sign_in(page: Page, someone: Someone) -> None:
    """By the pages: login and password, and what the authenticator shows."""
    page.wait_for_url("**/account/sign-in**")
    page.locator("input[name=login]").fill(someone.login)
    page.locator("input[name=password]").fill(someone.password)
    page.locator("form[action*=sign-in] button[type=submit]").click()
    if someone.totp is not None:
        page.wait_for_url("**/account/second-factor**")
        page.locator("input[name=code]").first.fill(someone.code())
        page.locator("form[action*=second-factor] button[type=submit]").first.click()


def pick(page: Page, patient_id: str, family: str) -> None:
    """Looks for a patient by name, and chooses one."""
    page.locator("input[name=name]").fill(family)
    page.locator("button[value=search]").click()
    page.locator(f"button[name=patient][value='{patient_id}']").click()


def allow(page: Page) -> None:
    """Yes to everything that the app asks for."""
    page.wait_for_url(CONSENT)
    page.locator("button[value=allow]").click()


def deny(page: Page) -> None:
    page.wait_for_url(CONSENT)
    page.locator("button[value=deny]").click()


def ehr_launch(page: Page, base: str, client: Client, patient_id: str, family: str) -> None:
    """A practitioner starts an app for a patient; the app's launch page is where it ends."""
    page.goto(f"{base}/account/launch?lang=en")
    page.locator(f"a[href*='{client.client_id}']").click()
    pick(page, patient_id, family)
    page.wait_for_url(lambda url: urlsplit(url).netloc != urlsplit(base).netloc)
