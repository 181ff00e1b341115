"""/account/authorize: a person is asked what an app may do, and says yes, no, or yes to a part of it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code, RFC 6749 section 4.1.1, GDPR Art. 7. The page may be
opened by whoever signed in; from then on the request is theirs (`hub.account.consent_note`). What is granted is held against the
request and the role once more by `hub.oauth.deciding`, whatever the form says.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.account.asking import WORDS, decision, gives_nothing, to_app
from hub.account.consent_note import Consenting, chosen, opened, own, released
from hub.account.consent_words import naming
from hub.account.picking import Picker, blank, picker
from hub.account.scope_lines import granted
from hub.account.showing import moment
from hub.account.viewing import NO_ENCOUNTER, Encounter, Patient, encounters_of, own_record, patient_of
from hub.console.pages import form_target
from hub.errors import FhirError
from hub.oauth import deciding
from hub.oauth.deciding import Asked
from hub.page_guard import SEE_OTHER
from hub.people.sessions import ended
from hub.people.visit import COOKIE, SIGN_IN, Visit
from hub.recording import Recording
from hub.store.protocol import Unit
from security.oauth.code import OFFLINE_US

AUTHORIZE = "/account/authorize"

Step = Callable[[Visit, str], Awaitable[Response]]


async def authorize(request: Request, visit: Visit) -> Response:
    """GET /account/authorize?request=SECRET"""
    return await _shown(visit, request.query_params.get("request", ""))


async def authorize_form(_: Request, visit: Visit) -> Response:
    """POST /account/authorize: `do` says which button it was."""
    return await visit.step(STEPS)(visit, visit.form.get("request", ""))


async def _shown(visit: Visit, secret: str, *, fault: str | None = None, ticked: Collection[str] | None = None) -> Response:
    """What the person has to do next: sign in anew, choose a patient, or decide."""
    recording = visit.recording("authorize-shown")
    async with recording:
        asked = await _asked(visit, secret, recording)
        if asked.needs_sign_in(visit.signed, visit.services.clock()):
            return _sign_in(visit, secret)
        found = await opened(visit, secret, recording)
    person = visit.signed.account.person
    scope = asked.grantable(person)
    if gives_nothing(scope, asked.request.asked):
        return _page(visit, asked, "account_refused.html", status=403)
    patient, hidden = await _patient(visit, asked, found)
    if asked.needs_patient(person) and patient is None:
        return _picker_page(visit, asked, blank(), "pick-hidden" if found.patient is not None else None)
    return _page(
        visit,
        asked,
        "account_authorize.html",
        place=urlsplit(asked.request.redirect_uri).hostname or asked.request.redirect_uri,
        hidden=hidden,
        may_pick=asked.needs_patient(person),
        visits=await _visits(visit, asked, patient.id if patient is not None else own_record(visit)),
        no_visit=NO_ENCOUNTER,
        **decision(
            visit,
            asked.client,
            scope,
            asked.request.asked,
            patient=patient,
            until=_until(visit, scope.context),
            fault=fault,
            ticked=ticked,
        ),
    )


async def _asked(visit: Visit, secret: str, recording: Recording) -> Asked:
    """The request, if it may be this person's. Raises FhirError."""
    asked = await deciding.asked(visit.hub, secret)
    recording.says(client_id=asked.client.client_id, client_name=asked.client.name)
    if asked.launch is not None and asked.launch.account != visit.signed.account.id:
        raise FhirError("forbidden", deciding.NOT_YOURS)
    return asked


async def _patient(visit: Visit, asked: Asked, found: Consenting) -> tuple[Patient | None, bool]:
    """Who is in context, and whether that is somebody this person does not see. A patient's own record needs no name."""
    if own_record(visit) is not None:
        return None, False
    brought = asked.launch.launch.patient if asked.launch is not None else None
    id = brought or (found.patient if asked.needs_patient(visit.signed.account.person) else None)
    if id is None:
        return None, False
    patient = await patient_of(visit, asked.client, id)
    return patient, patient is None


async def _visits(visit: Visit, asked: Asked, patient: str | None) -> tuple[Encounter, ...]:
    """Of which one may be chosen: where the app asks for one, and the hub does not begin the launch itself."""
    wanted = asked.launch is None and deciding.ENCOUNTER in asked.grantable(visit.signed.account.person).context
    return await encounters_of(visit, asked.client, patient) if wanted and patient is not None else ()


def _until(visit: Visit, context: Collection[str]) -> tuple[str, str]:
    """Key of the words, and the moment in them."""
    if "offline_access" in context:
        return "until-away", moment(visit.services.clock() + OFFLINE_US, visit.language)
    if "online_access" in context:
        return "until-present", moment(visit.signed.expires_us, visit.language)
    return "until-brief", ""


async def _allow(visit: Visit, secret: str) -> Response:
    async with visit.recording("authorize-granted") as recording:
        asked = await _asked(visit, secret, recording)
        found = await own(visit, secret)
    scope = asked.grantable(visit.signed.account.person)
    given = granted(scope, visit.form.keys())
    if scope.resources.items and not given.resources.items:
        return await _shown(visit, secret, fault="none-ticked", ticked=visit.form.keys())
    patient = found.patient if asked.needs_patient(visit.signed.account.person) else None
    if patient is not None and await patient_of(visit, asked.client, patient) is None:
        return await _shown(visit, secret)
    visits = await _visits(visit, asked, patient or own_record(visit))
    encounter = next((one.id for one in visits if one.id == visit.form.get("encounter")), None)
    return to_app(await deciding.granted(visit, secret, scope=given, patient=patient, encounter=encounter))


async def _deny(visit: Visit, secret: str) -> Response:
    await own(visit, secret)
    return to_app(await deciding.denied(visit, secret))


async def _back(visit: Visit, secret: str) -> Response:
    """From the page that says that the role may give nothing of it."""
    await own(visit, secret)
    return to_app(await deciding.denied(visit, secret, "invalid_scope"))


async def _search(visit: Visit, secret: str) -> Response:
    async with visit.recording("authorize-shown") as recording:
        asked = await _asked(visit, secret, recording)
        await own(visit, secret)
    return _picker_page(visit, asked, await picker(visit, asked.client))


async def _choose(visit: Visit, secret: str) -> Response:
    """Only somebody whom this person sees; and looked at once more before anything is granted."""
    async with visit.recording("authorize-shown") as recording:
        asked = await _asked(visit, secret, recording)
        found = await own(visit, secret)
        patient = await patient_of(visit, asked.client, visit.form.get("patient", ""))
        if patient is None:
            return _picker_page(visit, asked, blank(), "pick-hidden")
        await chosen(visit, found, patient.id, recording)
    return _again(visit, secret)


async def _choose_anew(visit: Visit, secret: str) -> Response:
    async with visit.recording("authorize-shown") as recording:
        await _asked(visit, secret, recording)
        await chosen(visit, await own(visit, secret), None, recording)
    return _again(visit, secret)


async def _somebody_else(visit: Visit, secret: str) -> Response:
    """The session ends, and with it that the request is this person's; the sign-in leads back to it."""
    found = await own(visit, secret)
    recording = visit.recording("sign-out")
    await recording.commit(Unit(notes=(await ended(visit.services, visit.signed), await released(visit, found))), writes=())
    response = _sign_in(visit, secret)
    response.headers["Set-Cookie"] = COOKIE.header("", visit.hub.base_url)
    return response


STEPS: Mapping[str, Step] = {
    "allow": _allow,
    "deny": _deny,
    "back": _back,
    "search": _search,
    "choose": _choose,
    "patients": _choose_anew,
    "other": _somebody_else,
}


def _page(visit: Visit, asked: Asked, template: str, *, status: int = 200, **values: Any) -> Response:
    keep = f"request={quote(asked.secret)}&"
    return visit.page(
        template,
        naming(WORDS, asked.client.name),
        status=status,
        forms_to=form_target(asked.request.redirect_uri),
        keep=keep,
        hidden_fields={"request": asked.secret},
        action=AUTHORIZE,
        **values,
    )


def _picker_page(visit: Visit, asked: Asked, found: Picker, fault: str | None = None) -> Response:
    return _page(visit, asked, "account_patients.html", picker=found, fault=fault or found.fault)


def _again(visit: Visit, secret: str) -> Response:
    return visit.done(f"{AUTHORIZE}?request={quote(secret)}")


def _sign_in(visit: Visit, secret: str) -> Response:
    next = quote(f"{AUTHORIZE}?request={quote(secret)}", safe="")
    return RedirectResponse(f"{SIGN_IN}?next={next}&lang={visit.language}", SEE_OTHER)
