"""Devices that wait for a person, as sealed notes: looked up by the code that the person types, allowed or denied once.

https://www.rfc-editor.org/rfc/rfc8628#section-3.3. For the page /account/device: `look`, then `allow` or `deny`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from hub.authorizations import Authorizations
from hub.errors import FhirError
from hub.limits import Limit
from hub.notebook import Notebook, Page
from hub.oauth.deciding import BRIEF_US, NO_PATIENT, NOT_THEIRS, TOO_MUCH, wants_patient
from hub.people.sessions import signed_in
from hub.people.visit import Visit
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite, Unit
from security.browser_session import SECRET, new_secret
from security.oauth.authorization import Authorization, Launch
from security.oauth.clients import GRANT_DEVICE, Client
from security.oauth.code import OFFLINE_US
from security.oauth.device_flow import EXPIRES_US, KEPT_US, DeviceRequest, Polls, new_user_code, typed
from security.oauth.person import Person
from security.oauth.roles import ROLE_ROWS, allowed
from security.oauth.scope_request import ScopeRequest

DEVICES: Final = "oauth-device"
GUESSES: Final = Limit(what="user codes", most=10, window_us=600_000_000)
"""Of one account; a code that is found does not count."""
UNKNOWN: Final = "No device waits with this code. Look at it again: it is good for ten minutes, and once."


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A device that waits: which app it runs, what it asks for. `user_code`: as it was found, for the form that decides."""

    user_code: str
    request: DeviceRequest
    client: Client
    page: Page

    @property
    def asked(self) -> ScopeRequest:
        return ScopeRequest.parse(self.request.scope)

    def grantable(self, person: Person) -> ScopeRequest:
        """What of it this person may give."""
        within = allowed(person.role, self.asked)
        return ScopeRequest(within.resources, within.context - {"launch/encounter"})

    def needs_patient(self, person: Person) -> bool:
        """Does the person have to choose a patient? A patient's record is the own."""
        return person.role != "patient" and wants_patient(self.grantable(person))


class DeviceNotes:
    """One request under a random id; the device's code and the person's code are names that lead to it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._notes = Notebook(services, DEVICES)

    async def begun(self, client: Client, scope: ScopeRequest) -> tuple[str, str, tuple[NoteWrite, ...]]:
        """(device code, user code, what has to be committed). A user code that is taken makes it a Conflict."""
        id, device_code, user_code = self._services.new_id(), new_secret(), new_user_code()
        expires_us = self._notes.now_us + EXPIRES_US
        request = DeviceRequest(client_id=client.client_id, scope=scope.text(), expires_us=expires_us)
        named = {f"device {device_code}": expires_us + KEPT_US, f"user {user_code}": expires_us}
        writes = [await self._write(f"id {id}", request.to_document(), expires_us + KEPT_US)]
        writes += [await self._write(name, {"id": id}, until_us) for name, until_us in named.items()]
        return device_code, user_code, tuple(writes)

    async def by_device(self, device_code: str) -> Page | None:
        return await self._led(f"device {device_code}") if SECRET.fullmatch(device_code) else None

    async def by_user(self, user_code: str) -> Page | None:
        return await self._led(f"user {user_code}")

    async def changed(self, page: Page, request: DeviceRequest) -> NoteWrite:
        """In place of what was read; whoever comes second meets a Conflict."""
        return await self._notes.write(page, request.to_document(), request.expires_us + KEPT_US)

    async def polled(self, device_code: str) -> tuple[bool, NoteWrite]:
        """Whether the device asks too soon, and what to remember of its asking."""
        page = await self._notes.read(f"polls {device_code}")
        polls, soon = Polls(**page.content).asked(self._notes.now_us)
        remembered = {"asked_us": polls.asked_us, "interval_s": polls.interval_s}
        return soon, await self._notes.write(page, remembered, self._notes.now_us + EXPIRES_US)

    async def _led(self, name: str) -> Page | None:
        found = await self._notes.read(name)
        if not found.content:
            return None
        page = await self._notes.read(f"id {found.content['id']}")
        return page if page.content else None

    async def _write(self, name: str, content: dict[str, Any], expires_us: int) -> NoteWrite:
        page = await self._notes.read(name)
        # A user code whose note has run out and still lies there is free again; one that is good is not.
        return await self._notes.write(page if not page.content else replace(page, note=None), content, expires_us)


async def look(visit: Visit, text: str) -> Waiting:
    """What waits under a code that somebody typed. Raises FhirError not-found, throttled; a wrong code counts as a guess."""
    await GUESSES.check(visit.services, visit.signed.account.id)
    user_code = typed(text)
    found = None if user_code is None else await _found(visit, user_code)
    if found is not None:
        return found

    async def once() -> None:
        guessed = await GUESSES.taken(visit.services, visit.signed.account.id)
        await visit.services.store.commit(Unit(notes=(guessed,)))

    await redoing(once, lambda: (f"account {visit.signed.account.id}",), visit.services.turns)
    raise FhirError("not-found", UNKNOWN)


async def allow(visit: Visit, user_code: str, *, scope: ScopeRequest, patient: str | None = None) -> None:
    """The person said yes; the device learns it when it asks next. Raises FhirError with a text for the person.

    scope    what was chosen, all of `grantable` or a part of it
    patient  id of the patient that was chosen, where `needs_patient`
    """

    async def once() -> None:
        found, signed = await look(visit, user_code), visit.signed
        if scope.within(found.grantable(signed.account.person)) != scope or not (scope.resources.items or scope.context):
            raise FhirError("forbidden", TOO_MUCH)
        launch = _launch(signed.account.person, scope, patient)
        authorization = _authorization(visit, found.client, scope, launch)
        said = replace(found.request, state="allowed", authorization=authorization.id)
        notes = (await DeviceNotes(visit.services).changed(found.page, said), *await Authorizations(visit.services).begun(authorization))
        # After the list was read: whoever ends the session and what apps may do writes it, so one of the two meets a Conflict.
        if await signed_in(visit.services, signed.cookie) is None:
            raise FhirError("not-found", UNKNOWN)
        recording = _recording(visit, "authorize-granted", found.client)
        recording.says(purpose=authorization.purpose)
        if launch.patient is not None:
            recording.aim_patient(visit.services.blind.patient(launch.patient))
        await recording.commit(Unit(notes=notes), writes=())

    await redoing(once, lambda: (f"account {visit.signed.account.id}",), visit.services.turns)


async def deny(visit: Visit, user_code: str) -> None:
    """The person said no. Raises FhirError."""

    async def once() -> None:
        found = await look(visit, user_code)
        note = await DeviceNotes(visit.services).changed(found.page, replace(found.request, state="denied"))
        await _recording(visit, "authorize-denied", found.client).commit(Unit(notes=(note,)), writes=())

    await redoing(once, lambda: (f"account {visit.signed.account.id}",), visit.services.turns)


async def _found(visit: Visit, user_code: str) -> Waiting | None:
    """The code is nothing any more once somebody has decided, once it has run out, and once its client is revoked."""
    page = await DeviceNotes(visit.services).by_user(user_code)
    if page is None:
        return None
    request = DeviceRequest.from_document(page.content)
    client = await visit.services.find_client(request.client_id)
    if request.state != "waiting" or request.expires_us <= visit.services.clock():
        return None
    if client is None or client.pending or client.revoked_us is not None or GRANT_DEVICE not in client.grants:
        return None
    return Waiting(user_code=user_code, request=request, client=client, page=page)


def _launch(person: Person, scope: ScopeRequest, patient: str | None) -> Launch:
    if not wants_patient(scope):
        return Launch()
    if person.role == "patient":
        own = (person.fhir_user or "").removeprefix("Patient/")
        if not own or patient not in (None, own):
            raise FhirError("forbidden", NOT_THEIRS)
        return Launch(patient=own)
    if patient is None:
        raise FhirError("required", NO_PATIENT)
    return Launch(patient=patient)


def _authorization(visit: Visit, client: Client, scope: ScopeRequest, launch: Launch) -> Authorization:
    """A device has no session of the person's to go on with: it goes on offline, or for one access token."""
    signed, now_us, offline = visit.signed, visit.services.clock(), "offline_access" in scope.context
    return Authorization(
        id=visit.services.new_id(),
        client_id=client.client_id,
        person=signed.account.person,
        scope=scope.text(),
        purpose=ROLE_ROWS[signed.account.person.role].purpose,
        offline=offline,
        created_us=now_us,
        expires_us=now_us + (OFFLINE_US if offline else EXPIRES_US + BRIEF_US),
        auth_us=signed.auth_us,
        acr=signed.acr,
        amr=signed.amr,
        launch=launch,
    )


def _recording(visit: Visit, kind: str, client: Client) -> Recording:
    recording = visit.recording(kind)
    recording.says(client_id=client.client_id, client_name=client.name)
    return recording
