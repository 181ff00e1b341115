"""GET /confirm, POST /confirm/{id}/assign, POST /confirm/{id}/reject: the confirm queue for an application in which people work.

It is for clients registered with --confirmer. One sees an item only if it may see every patient of whom it may be: one of
them hidden, and there is no such item (law 3); then the operator has `hub device confirm`.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.confirm import ToConfirm, assign, disown, find, to_confirm
from hub.ingest.confirming import GONE
from hub.ingest.sender import Senders
from hub.recording import Recording
from hub.repository import Repository

BODY_MAX_BYTES = 4_096
NO_CONFIRMER = "Readings are confirmed by clients registered with --confirmer; the operator has `hub device confirm`."
BODY = 'Say whose it is: {"patient": "Patient/ID"}.'


async def confirm_list(request: Request, repository: Repository) -> Response:
    """What waits and of whom it may be, oldest first; nothing of values."""
    async with repository.recording("confirm-list") as recording:
        _require(request, repository)
        seen = _Seen(repository, recording)
        found = [one.to_json() for one in await to_confirm(repository.services) if await seen.all_of(one)]
    return _json(found)


async def confirm_assign(request: Request, repository: Repository) -> Response:
    """Answered as an item of an ingest is: its fate, and the resource that it became."""
    async with repository.recording("confirm-assign") as recording:
        _require(request, repository)
        patient = _patient(await read_body(request, BODY_MAX_BYTES))
        one = await _visible(request, repository, recording)
        senders = Senders(services=repository.services, find_client=request.app.state.token_dependencies.find_client)
        answer = await assign(repository.services, one, patient, recording, senders.repository)
    return _json(answer.to_json())


async def confirm_reject(request: Request, repository: Repository) -> Response:
    """It is of none of them."""
    async with repository.recording("confirm-reject") as recording:
        _require(request, repository)
        await disown(await _visible(request, repository, recording), recording)
    return Response(status_code=204, headers=PRIVATE)


def _require(request: Request, repository: Repository) -> None:
    if request.query_params:
        raise FhirError("invalid", "There are no parameters here.")
    if not repository.caller.confirmer:
        raise FhirError("forbidden", NO_CONFIRMER)
    repository.rights.require("Patient", "r")


def _patient(body: bytes) -> str:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise FhirError("structure", BODY) from None
    patient = said.get("patient") if isinstance(said, dict) and said.keys() == {"patient"} else None
    if not isinstance(patient, str) or not patient.startswith("Patient/"):
        raise FhirError("invalid", BODY)
    return patient


async def _visible(request: Request, repository: Repository, recording: Recording) -> ToConfirm:
    one = await find(repository.services, request.path_params["id"])
    if not await _Seen(repository, recording).all_of(one):
        raise FhirError("not-found", GONE)
    return one


class _Seen:
    """Which patients this caller may see, each looked up once."""

    def __init__(self, repository: Repository, recording: Recording) -> None:
        self._repository, self._recording = repository, recording
        self._known: dict[str, bool] = {}

    async def all_of(self, one: ToConfirm) -> bool:
        return all([await self._one(patient) for patient in one.patients])

    async def _one(self, reference: str) -> bool:
        if reference not in self._known:
            try:
                await self._repository.read_within("Patient", reference.removeprefix("Patient/"), self._recording)
            except FhirError as error:
                if error.code not in {"not-found", "deleted"}:
                    raise
                self._known[reference] = False
            else:
                self._known[reference] = True
        return self._known[reference]


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json", headers=PRIVATE)
