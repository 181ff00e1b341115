"""GET /console/confirm and its two forms: readings of which a person has to say whose they are. No value is on it, and no name."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import in_language
from hub.desk import Desk
from hub.desk.confirm_words import CONFIRM_WORDS
from hub.errors import FhirError
from hub.ingest.confirm import ToConfirm, assign, disown, find, to_confirm
from hub.ingest.sender import Senders
from hub.ingest.wearing import UNKNOWN_USER, user_index
from hub.instants import fhir_instant
from hub.repository import Repository

PATH: Final = "/console/confirm"
ROWS_MAX: Final = 200


async def confirm_page(request: Request, desk: Desk) -> Response:
    """Oldest first. `?done=` and `?not=` say what became of the form before."""
    async with desk.recording("confirm-list") as recording:
        found = await to_confirm(desk.services)
        for binding in {binding.patient: binding for one in found[:ROWS_MAX] for binding in one.among}.values():
            recording.aim_patient(binding.patient)
    told = request.query_params.get("done", "")
    return desk.page(
        "confirm.html",
        CONFIRM_WORDS,
        rows=[_row(one, desk) for one in found[:ROWS_MAX]],
        left_out=max(0, len(found) - ROWS_MAX),
        told=f"confirm-done-{told}" if told in ("assigned", "rejected", "kept", "gone") else None,
    )


async def confirm_page_assign(request: Request, desk: Desk) -> Response:
    """The form names the patient; what cannot be stored for this patient goes on waiting, and the page does not say why."""
    patient = desk.form.get("patient", "")
    try:
        async with desk.recording("confirm-assign") as recording:
            one = await find(desk.services, request.path_params["id"])
            await assign(desk.services, one, patient, recording, _senders(request, desk))
    except FhirError as error:
        return desk.done(f"{PATH}?done={_outcome(error)}")
    return desk.done(f"{PATH}?done=assigned")


async def confirm_page_reject(request: Request, desk: Desk) -> Response:
    try:
        async with desk.recording("confirm-reject") as recording:
            await disown(desk.services, request.path_params["id"], recording)
    except FhirError as error:
        return desk.done(f"{PATH}?done={_outcome(error)}")
    return desk.done(f"{PATH}?done=rejected")


def _senders(request: Request, desk: Desk) -> Any:
    find_client = request.app.state.token_dependencies.find_client

    async def sender_of(client_id: str) -> Repository:
        return await Senders(services=desk.services, find_client=find_client, user=desk.signed.user).repository(client_id)

    return sender_of


def _outcome(error: FhirError) -> str:
    """What a person can do something about. Raises the error otherwise."""
    outcomes = {"not-found": "gone", "business-rule": "kept"}
    if error.code not in outcomes:
        raise error
    return outcomes[error.code]


def _row(one: ToConfirm, desk: Desk) -> dict[str, Any]:
    user = user_index(one.reading)
    return {
        "id": one.item.id,
        "measure": one.reading.measure.replace("-", " "),
        "time": None if one.reading.time is None else one.reading.time.text,
        "time_zone": one.waiting.time_zone,
        "unit": one.reading.device or one.waiting.device,
        "adapter": one.item.adapter,
        "user": in_language(desk.language, CONFIRM_WORDS["confirm-guest"]) if user == UNKNOWN_USER else user,
        "received": fhir_instant(one.item.received_us),
        "candidates": [
            {
                "patient": patient,
                "indexes": [str(each.use.user_index) for each in one.among if each.patient_reference == patient and not each.use.shared],
            }
            for patient in one.patients
        ],
    }
