"""GET /confirm, POST /confirm/{id}/assign, POST /confirm/{id}/reject: the confirm queue for an application in which people work.

It is for clients registered with --confirmer. One sees an item only if it may see every patient of whom it may be, and if it
might read the Observation that it would become of each of them: measure and time say something of a person as the Observation
does. One of them hidden, and there is no such item (law 3); then the operator has `hub device confirm`.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.building import build, resource_type
from fhir_profiles.derivation import adapter_uri
from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.confirm import ToConfirm, assign, disown, find, to_confirm
from hub.ingest.confirming import GONE
from hub.ingest.devices import bind
from hub.ingest.sender import Senders
from hub.ingest.wearing import Binding
from hub.recording import Recording
from hub.repository import Repository
from hub.repository.visibility import PatientRules
from hub.store.protocol import Decided

PROBED_AT = "2000-01-01T00:00:00Z"
BODY_MAX_BYTES = 4_096
NO_CONFIRMER = "Readings are confirmed by clients registered with --confirmer; the operator has `hub device confirm`."
BODY = 'Say whose it is: {"patient": "Patient/ID"}.'


async def confirm_list(request: Request, repository: Repository) -> Response:
    """What waits and of whom it may be, oldest first; nothing of values."""
    async with repository.recording("confirm-list") as recording:
        _require(request, repository)
        seen = _Seen(repository, recording)
        found = await to_confirm(repository.services, shown=seen.all_of)
    device = repository.rights.covers("Device", "r")
    return _json([one.to_json(device=device) for one in found])


async def confirm_assign(request: Request, repository: Repository) -> Response:
    """Answered as an item of an ingest is: its fate, and the resource that it became."""
    async with repository.recording("confirm-assign") as recording:
        _require(request, repository)
        patient = _patient(await read_body(request, BODY_MAX_BYTES))
        await repository.standing.look()
        one = await _Seen(repository, recording).one(request.path_params["id"])

        async def is_visible_still() -> None:
            await _Seen(repository, recording).one(one.item.id)

        repository.standing.besides = is_visible_still
        senders = Senders(services=repository.services, find_client=request.app.state.token_dependencies.find_client)
        answer = await assign(repository.services, one, patient, recording, senders.repository, by=repository.standing)
    return _json(answer.to_json())


async def confirm_reject(request: Request, repository: Repository) -> Response:
    """It is of none of them."""
    async with repository.recording("confirm-reject") as recording:
        _require(request, repository)
        standing, id = repository.standing, request.path_params["id"]

        async def visible() -> tuple[ToConfirm, Decided]:
            seen = _Seen(repository, recording)
            return await seen.one(id), standing.decided(seen.versions)

        await disown(repository.services, id, recording, visible, by=standing)
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


class _Seen:
    """What this caller may see; each patient and their rules are looked up once."""

    def __init__(self, repository: Repository, recording: Recording) -> None:
        self._repository, self._recording = repository, recording
        self._known: dict[str, bool] = {}
        self._rules: dict[bytes, PatientRules | None] = {}

    @property
    def versions(self) -> dict[bytes, int]:
        """Of the rules that it was decided by."""
        return {patient: 0 if one is None else one.version for patient, one in self._rules.items()}

    async def one(self, id: str) -> ToConfirm:
        """What waits under this id. Raises FhirError not-found, also where it may not be seen."""
        found = await find(self._repository.services, id)
        if not await self.all_of(found):
            raise FhirError("not-found", GONE)
        return found

    async def all_of(self, one: ToConfirm) -> bool:
        if not self._repository.rights.covers(resource_type(one.measured), "r"):
            return False
        observations = all([await self._as_observation(one, binding) for binding in one.among])  # their rules are the oldest that count
        return all([await self._one(patient) for patient in one.patients]) and observations

    async def _as_observation(self, one: ToConfirm, binding: Binding) -> bool:
        """Might it be read if it were stored as this patient's? Asked as of the resource itself, so that rules of any kind count."""
        rights = self._repository.rights
        if binding.patient not in self._rules:
            self._rules[binding.patient] = await rights.visibility.rules(binding.patient)
        rules = self._rules[binding.patient]
        if rules is None or rules.deleted:
            return False
        source = adapter_uri(one.waiting.adapter, one.waiting.mapping_version)
        made = bind(one.measured, binding, source, manual=one.reading.manual)
        content = orjson.loads(build(made, id="probe", version=1, last_updated=PROBED_AT))
        scoped = rights.scopes_match(resource_type(made), "r", content)
        return scoped and rights.visibility.decide(rules, content, "access", self._repository.services.clock()).permit

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
