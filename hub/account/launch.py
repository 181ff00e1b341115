"""/account/launch: an app begins from here, with a patient in context.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch. A practitioner chooses an app and a patient; a patient
chooses an app, which opens with the own record. Nothing is given by that: the app asks, and the consent page follows.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.account.asking import WORDS, to_app
from hub.account.consent_words import naming
from hub.account.picking import Picker, blank, picker
from hub.account.viewing import NO_ENCOUNTER, Encounter, encounters_of, own_record, patient_of
from hub.console.pages import form_target
from hub.errors import FhirError
from hub.oauth.launching import Startable, new_launch, startable
from hub.people.visit import Visit
from security.oauth.authorization import Launch
from security.oauth.clients import Client
from security.oauth.redirect_uri import answer_at
from security.oauth.roles import ROLE_ROWS

LAUNCH = "/account/launch"
NOT_YOURS_TO_START = "Your role starts no apps with a patient."
NO_SUCH_APP = "This app is not registered, or cannot be started from here."


Step = Callable[[Visit, Startable], Awaitable[Response]]


async def launch(request: Request, visit: Visit) -> Response:
    """GET /account/launch: the apps there are; with `app`, the one to be started."""
    async with visit.recording("launch-list"):
        _require(visit)
        if "app" in request.query_params:
            return _app_page(visit, await _named(visit, request.query_params["app"]), blank())
        found = [one for client in await visit.hub.oauth.clients() if (one := startable(client, visit.services.clock())) is not None]
    return visit.page("account_launch.html", WORDS, apps=sorted(found, key=lambda one: one.client.name.casefold()))


async def launch_form(_: Request, visit: Visit) -> Response:
    """POST /account/launch: look for a patient, or start the app with the one that was chosen."""
    step = visit.step(STEPS)
    _require(visit)
    return await step(visit, await _named(visit, visit.form.get("app", "")))


async def _named(visit: Visit, client_id: str) -> Startable:
    """Raises FhirError not-found."""
    client = await visit.hub.oauth.find_client(client_id)
    found = startable(client, visit.services.clock()) if client is not None else None
    if found is None:
        raise FhirError("not-found", NO_SUCH_APP)
    return found


def _require(visit: Visit) -> None:
    if not ROLE_ROWS[visit.signed.account.person.role].launches:
        raise FhirError("forbidden", NOT_YOURS_TO_START)


async def _search(visit: Visit, app: Startable) -> Response:
    return _app_page(visit, app, await picker(visit, app.client))


async def _choose(visit: Visit, app: Startable) -> Response:
    """With a patient whom this person sees; for a patient that is the own record, whatever the form says."""
    own = own_record(visit)
    async with visit.recording("launch-begin") as recording:
        recording.says(client_id=app.client.client_id, client_name=app.client.name)
        patient = own or await _seen(visit, app.client)
        if patient is None:
            return _app_page(visit, app, blank(), "pick-hidden")
        visits = await encounters_of(visit, app.client, patient)
        encounter = visit.form.get("encounter")
        if visits and encounter not in {NO_ENCOUNTER, *(one.id for one in visits)}:
            return _visits_page(visit, app, patient, visits)
        recording.aim_patient(visit.services.blind.patient(patient))
        id = await new_launch(
            visit.services,
            client_id=app.client.client_id,
            account=visit.signed.account.id,
            launch=Launch(
                patient=patient,
                encounter=encounter if visits and encounter != NO_ENCOUNTER else None,
                need_patient_banner=own is None,
            ),
            recording=recording,
        )
    return to_app(answer_at(app.url, {"iss": visit.services.base_url, "launch": id}))


async def _seen(visit: Visit, client: Client) -> str | None:
    found = await patient_of(visit, client, visit.form.get("patient", ""))
    return None if found is None else found.id


STEPS: Mapping[str, Step] = {"search": _search, "choose": _choose}


def _visits_page(visit: Visit, app: Startable, patient: str, visits: tuple[Encounter, ...]) -> Response:
    """Which visit it is about, where there are some. https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html"""
    return _page(visit, app, "account_launch_visit.html", {"patient": patient, "do": "choose"}, visits=visits, no_visit=NO_ENCOUNTER)


def _app_page(visit: Visit, app: Startable, found: Picker, fault: str | None = None) -> Response:
    return _page(visit, app, "account_launch_app.html", {}, own=own_record(visit) is not None, picker=found, fault=fault or found.fault)


def _page(visit: Visit, app: Startable, template: str, hidden: Mapping[str, str], **values: Any) -> Response:
    return visit.page(
        template,
        naming(WORDS, app.client.name),
        forms_to=form_target(app.url),
        keep=f"{urlencode({'app': app.client.client_id})}&",
        action=LAUNCH,
        hidden_fields={"app": app.client.client_id, **hidden},
        **values,
    )
