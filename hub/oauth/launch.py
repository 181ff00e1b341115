"""POST /oauth/launch: an EHR opens an app for one of its practitioners, with a patient in context.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch leaves to each server how it comes to know what a launch
stands for; here the EHR says it beforehand, by its own proof (docs/adr/0032). Nothing is given by that: the app asks, and the practitioner,
who alone may answer, says yes on the consent page. Who may be chosen is decided as on /account/launch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from hub.oauth.answers import Asking, answered, oauth_json
from hub.oauth.launching import LAUNCH_US, Startable, new_launch, startable
from hub.oauth.seeing import is_visit_seen, patient_seen, repository_through
from hub.people.accounts import Accounts
from hub.recording import Recording
from security.oauth.authorization import Launch
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import BY_KEY, GRANT_CLIENT_CREDENTIALS, Client
from security.oauth.errors import OAuthError
from security.oauth.launch_context import banner, fhir_context, intent, resource_id
from security.oauth.person import Person
from security.oauth.redirect_uri import answer_at

T = TypeVar("T")

OPEN: Final = "launch-open"
CREATED: Final = 201
NOT_AN_EHR: Final = "this client is not registered to open launches; whoever runs the hub registers it (--launcher)"
NO_APP: Final = "app is none that is registered here, or that can be started"
NO_PRACTITIONER: Final = "login or rpps, one of the two, names no practitioner of the organisation that this client acts for"
NO_PATIENT: Final = "patient or encounter is none that this practitioner sees through this app"
"""One answer for what is hidden and what there is not (law 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Who opens what for whom."""

    ehr: Client
    app: Startable
    person: Person
    launch: Launch


async def launch(request: Request) -> Response:
    return await answered(request, OPEN, _opened)


async def _opened(asking: Asking) -> Response:
    ehr = _launcher(await asking.client())
    asking.recording.says(organization=ehr.organization)
    described = _described(asking)
    app, person = await _app(asking), await _practitioner(asking, ehr)
    asking.recording.says(person=person.fhir_user, account=person.account, role=person.role)
    await _check_seen(asking, app.client, person, described)
    return await _begun(asking, _Wanted(ehr=ehr, app=app, person=person, launch=described))


def _launcher(proved: ProvedClient) -> Client:
    """Raises OAuthError."""
    client = proved.client
    if not client.launcher or proved.method not in BY_KEY or GRANT_CLIENT_CREDENTIALS not in client.grants:
        raise OAuthError("unauthorized_client", NOT_AN_EHR)
    return client


def _described(asking: Asking) -> Launch:
    """What the form says of the launch; whether there is such a patient is not asked yet. Raises OAuthError."""
    form = asking.form
    return _parsed(
        lambda: Launch(
            patient=resource_id(asking.needed("patient"), "Patient"),
            encounter=None if "encounter" not in form else resource_id(form["encounter"], "Encounter"),
            fhir_context=fhir_context(form.get("fhirContext")),
            need_patient_banner=banner(form.get("need_patient_banner")),
            intent=intent(form.get("intent")),
        )
    )


def _parsed(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ValueError as error:
        raise OAuthError("invalid_request", str(error)) from None


async def _app(asking: Asking) -> Startable:
    client = await asking.hub.oauth.find_client(asking.needed("app"))
    found = None if client is None else startable(client, asking.now_us)
    if found is None:
        raise OAuthError("invalid_request", NO_APP)
    return found


async def _practitioner(asking: Asking, ehr: Client) -> Person:
    """Somebody of the EHR's own organisation; of the others it is told nothing, not even that they are there. Raises OAuthError."""
    login, rpps = asking.form.get("login"), asking.form.get("rpps")
    if (login is None) == (rpps is None):
        raise OAuthError("invalid_request", NO_PRACTITIONER)
    accounts = Accounts(asking.services)
    filed = await (accounts.by_login(login) if login is not None else accounts.by_rpps(rpps or ""))
    account = None if filed is None or filed.account.disabled_us is not None else filed.account
    if account is None or account.person.role != "practitioner" or account.person.organization != ehr.organization:
        raise OAuthError("invalid_request", NO_PRACTITIONER)
    return account.person


async def _check_seen(asking: Asking, app: Client, person: Person, launch: Launch) -> None:
    """Would the page of this practitioner let this patient, and this visit of the patient, be chosen for this app? Raises OAuthError."""
    repository = repository_through(asking.services, person, app, replace(asking.facts, query=""))
    patient = launch.patient or ""
    seen = await patient_seen(repository, patient) is not None
    if not seen or not (launch.encounter is None or await is_visit_seen(repository, patient, launch.encounter)):
        raise OAuthError("invalid_request", NO_PATIENT)


async def _begun(asking: Asking, wanted: _Wanted) -> Response:
    """Recorded twice, in one transaction: what the EHR did in somebody's name, and what began for that person and the app."""
    services, app = asking.services, wanted.app
    begin = Recording("launch-begin", None, replace(asking.facts, user=wanted.person.account), services)
    begin.says(client_id=app.client.client_id, client_name=app.client.name)
    for recording in (asking.recording, begin):
        recording.aim_patient(services.blind.patient(wanted.launch.patient or ""))
    id = await new_launch(
        services,
        client_id=app.client.client_id,
        account=wanted.person.account,
        launch=wanted.launch,
        recording=asking.recording,
        beside=(begin,),
    )
    url = answer_at(app.url, {"iss": services.base_url, "launch": id})
    return oauth_json({"launch": id, "launch_url": url, "expires_in": LAUNCH_US // 1_000_000}, CREATED)
