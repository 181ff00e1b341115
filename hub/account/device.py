"""/account/device: somebody types the code that a device shows, sees who asks for what, and allows it or not.

https://www.rfc-editor.org/rfc/rfc8628#section-3.3, #section-5.4 (remote phishing): a code that came with the address is only filled in, and
the person is asked whether the own device shows it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.account.asking import WORDS, decision, gives_nothing
from hub.account.consent_words import naming
from hub.account.picking import Picker, blank, picker
from hub.account.scope_lines import granted
from hub.account.showing import moment
from hub.account.viewing import patient_of
from hub.errors import FhirError
from hub.oauth import devices
from hub.oauth.devices import Waiting
from hub.people.visit import Visit
from security.oauth.code import OFFLINE_US
from security.oauth.device_flow import shown

DEVICE = "/account/device"
CODE_MAX_CHARS = 32

Step = Callable[[Visit, Waiting], Awaitable[Response]]


async def device(request: Request, visit: Visit) -> Response:
    """GET /account/device: the form for a code. `user_code`: filled in, and nothing else done with it."""
    async with visit.recording("device-code-shown"):
        return _entry(visit, code=request.query_params.get("user_code", "")[:CODE_MAX_CHARS])


async def device_form(_: Request, visit: Visit) -> Response:
    """POST /account/device: `do` says which button it was; each step looks the code up anew."""
    step, code = visit.step(STEPS), visit.form.get("user_code", "")[:CODE_MAX_CHARS]
    try:
        async with visit.recording("device-code-shown") as recording:
            found = await devices.look(visit, code)
            recording.says(client_id=found.client.client_id, client_name=found.client.name)
    except FhirError as error:
        if error.code != "not-found":
            raise
        return _entry(visit, code=code, fault="code-wrong", status=404)
    return await step(visit, found)


async def _ask(visit: Visit, found: Waiting, fault: str | None = None, ticked: Collection[str] | None = None) -> Response:
    """What is asked for; for whoever has to choose a patient first, that."""
    person = visit.signed.account.person
    scope = found.grantable(person)
    if gives_nothing(scope, found.asked):
        return _page(visit, found, "account_device_refused.html", {}, status=403)
    patient = (
        await patient_of(visit, found.client, visit.form["patient"]) if found.needs_patient(person) and "patient" in visit.form else None
    )
    if found.needs_patient(person) and patient is None:
        return _picker_page(visit, found, blank(), "pick-hidden" if "patient" in visit.form else None)
    away = "offline_access" in scope.context
    until = ("until-away", moment(visit.services.clock() + OFFLINE_US, visit.language)) if away else ("until-brief", "")
    return _page(
        visit,
        found,
        "account_device_ask.html",
        {} if patient is None else {"patient": patient.id},
        place=None,
        hidden=False,
        visits=(),
        **decision(visit, found.client, scope, found.asked, patient=patient, until=until, fault=fault, ticked=ticked),
    )


async def _allow(visit: Visit, found: Waiting) -> Response:
    person = visit.signed.account.person
    scope = found.grantable(person)
    given = granted(scope, visit.form.keys())
    if scope.resources.items and not given.resources.items:
        return await _ask(visit, found, "none-ticked", visit.form.keys())
    patient = await patient_of(visit, found.client, visit.form.get("patient", "")) if found.needs_patient(person) else None
    if found.needs_patient(person) and patient is None:
        return await _ask(visit, found)
    await devices.allow(visit, found.user_code, scope=given, patient=None if patient is None else patient.id)
    return _entry(visit, done="code-allowed")


async def _deny(visit: Visit, found: Waiting) -> Response:
    await devices.deny(visit, found.user_code)
    return _entry(visit, done="code-denied")


async def _search(visit: Visit, found: Waiting) -> Response:
    return _picker_page(visit, found, await picker(visit, found.client))


STEPS: Mapping[str, Step] = {"look": _ask, "choose": _ask, "search": _search, "allow": _allow, "deny": _deny}


def _entry(visit: Visit, *, code: str = "", fault: str | None = None, done: str | None = None, status: int = 200) -> Response:
    return visit.page("account_device.html", WORDS, status=status, code=code, fault=fault, done=done)


def _picker_page(visit: Visit, found: Waiting, picked: Picker, fault: str | None = None) -> Response:
    return _page(visit, found, "account_device_patient.html", {}, picker=picked, fault=fault or picked.fault)


def _page(visit: Visit, found: Waiting, template: str, carried: Mapping[str, str], **values: Any) -> Response:
    code = shown(found.user_code)
    return visit.page(
        template, naming(WORDS, found.client.name), action=DEVICE, code=code, hidden_fields={"user_code": code, **carried}, **values
    )
