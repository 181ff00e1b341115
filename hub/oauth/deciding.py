"""What the person says to an authorization request, and what the app is told of it. For the consent page (`/account/authorize`).

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html. The page shows `Asked`
and ends with `granted` or `denied`; either gives the URL to lead the browser to, once it is durable with its record. A request is answered
once.
"""

from dataclasses import dataclass, replace
from typing import Final

from hub.authorizations import Authorizations
from hub.errors import FhirError
from hub.notebook import Notebook
from hub.oauth.code_grant import new_code
from hub.oauth.launching import Launched, launch_of, launch_used
from hub.oauth.waiting import Waiting, answered, waiting
from hub.people.sessions import SESSIONS, SignedIn, signed_in
from hub.people.visit import Visit
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.store.protocol import NoteWrite, Unit
from hub.wiring import Hub
from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S
from security.oauth.authorization import Authorization, Launch
from security.oauth.authorization_request import Answering, AuthorizationRequest, AuthorizeErrorCode, Refused
from security.oauth.clients import Client
from security.oauth.code import CODE_US, OFFLINE_US, Code
from security.oauth.person import Person
from security.oauth.redirect_uri import is_registered
from security.oauth.roles import ROLE_ROWS, allowed
from security.oauth.scope_request import ScopeRequest

OVER: Final = "This request is over, or it was answered already. Go back to the app and begin there again."
NOT_YOURS: Final = "This launch was begun by somebody else who is signed in; begin it again from your own account."
STALE: Final = "The app asks that you sign in once more; go back to the app and begin there again."
NO_PATIENT: Final = "Choose whose data the app is to see."
NOT_THEIRS: Final = "An app sees your own record only."
TOO_MUCH: Final = "More was chosen than the app asked for, or than you may give."
ENCOUNTER: Final = "launch/encounter"
BRIEF_US: Final = CODE_US + ACCESS_TOKEN_LIFETIME_S * 1_000_000
"""What goes on neither online nor offline: for the code, and the one token that it gives."""
DESCRIPTIONS: Final[dict[AuthorizeErrorCode, str]] = {
    "access_denied": "the person said no",
    "login_required": "the person did not sign in once more",
    "invalid_scope": "this person may give nothing of what was asked for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that waits for its person.

    launch   of an EHR launch, what was chosen there; None: standalone
    begun_us  when the app asked
    """

    secret: str
    request: AuthorizationRequest
    client: Client
    launch: Launched | None
    begun_us: int

    def grantable(self, person: Person) -> ScopeRequest:
        """What of it this person may give: what was asked for, within the role; no visit where the EHR launch brought none along."""
        within = allowed(person.role, self.request.asked)
        without = {ENCOUNTER} if self.launch is not None and self.launch.launch.encounter is None else set()
        return ScopeRequest(within.resources, within.context - without)

    def needs_patient(self, person: Person) -> bool:
        """Does the person have to choose a patient? A patient's record is the own; an EHR launch brings the patient along."""
        brought = self.launch is not None and self.launch.launch.patient is not None
        return person.role != "patient" and not brought and wants_patient(self.grantable(person))

    def needs_sign_in(self, signed: SignedIn, now_us: int) -> bool:
        """Does the app ask for a sign-in that is younger than this one? (prompt, max_age: OpenID Connect Core section 3.1.2.1)"""
        if "login" in self.request.prompt and signed.auth_us < self.begun_us:
            return True
        return self.request.max_age_s is not None and now_us - signed.auth_us > max(
            self.request.max_age_s * 1_000_000, now_us - self.begun_us
        )

    def answering(self, hub: Hub) -> Answering:
        return Answering(redirect_uri=self.request.redirect_uri, state=self.request.state, issuer=hub.base_url)


def wants_patient(scope: ScopeRequest) -> bool:
    return "launch/patient" in scope.context or any(one.level == "patient" for one in scope.resources.items)


async def asked(hub: Hub, secret: str) -> Asked:
    """What waits under this secret. Raises FhirError not-found; transient."""
    return (await _found(hub, secret))[0]


async def granted(visit: Visit, secret: str, *, scope: ScopeRequest, patient: str | None = None, encounter: str | None = None) -> str:
    """The person said yes: the URL with the code. Raises FhirError with a text for the person.

    scope      what was chosen, all of `grantable` or a part of it
    patient    id of the patient that was chosen, where `needs_patient`
    encounter  id of the patient's visit that was chosen, standalone; without one the app is not told that there is one
    """

    async def once() -> str:
        found, note = await _found(visit.hub, secret)
        _check(found, visit, scope)
        launch = _launch(found, visit.signed.account.person, scope, patient)
        if found.launch is None and ENCOUNTER in scope.context and launch.patient is not None:
            launch = replace(launch, encounter=encounter)
        given = scope if launch.encounter is not None else ScopeRequest(scope.resources, scope.context - {ENCOUNTER})
        return await _begun(visit, found, note, _authorization(visit, found, given, launch))

    return await redoing(once, lambda: (f"account {visit.signed.account.id}",), visit.services.turns)


async def denied(visit: Visit, secret: str, error: AuthorizeErrorCode = "access_denied") -> str:
    """The person said no, or has nothing to say yes to: the URL with the error. Raises FhirError."""
    found, note = await _found(visit.hub, secret)
    recording = _recording(visit, "authorize-denied", found.client)
    await recording.commit(Unit(notes=(await answered(visit.services, note),)), writes=())
    return found.answering(visit.hub).refused(Refused(error, DESCRIPTIONS.get(error, "the request was not granted")))


async def _found(hub: Hub, secret: str) -> tuple[Asked, Waiting]:
    """While the request waited the client may have been revoked, its redirect_uri taken away, and the launch may have run out."""
    note = await waiting(hub.services, secret)
    client = await hub.oauth.find_client(note.request.client_id) if note is not None else None
    if note is None or client is None or client.revoked_us is not None or client.pending:
        raise FhirError("not-found", OVER)
    if not is_registered(client, note.request.redirect_uri):
        raise FhirError("not-found", OVER)
    launch = None
    if note.request.launch is not None:
        launch = await launch_of(hub.services, note.request.launch, client.client_id)
        if launch is None:
            raise FhirError("not-found", OVER)
    return Asked(secret=secret, request=note.request, client=client, launch=launch, begun_us=note.begun_us), note


def _check(found: Asked, visit: Visit, scope: ScopeRequest) -> None:
    if found.launch is not None and found.launch.account != visit.signed.account.id:
        raise FhirError("forbidden", NOT_YOURS)
    if found.needs_sign_in(visit.signed, visit.services.clock()):
        raise FhirError("forbidden", STALE)
    if scope.within(found.grantable(visit.signed.account.person)) != scope or not (scope.resources.items or scope.context):
        raise FhirError("forbidden", TOO_MUCH)


def _launch(found: Asked, person: Person, scope: ScopeRequest, patient: str | None) -> Launch:
    """What is in context. Raises FhirError where it is not whose it has to be."""
    brought = found.launch.launch if found.launch is not None else Launch()
    if not wants_patient(scope):
        return brought if found.launch is not None and "launch" in scope.context else Launch()
    if person.role == "patient":
        own = (person.fhir_user or "").removeprefix("Patient/")
        if not own or {brought.patient or own, patient or own} != {own}:
            raise FhirError("forbidden", NOT_THEIRS)
        return replace(brought, patient=own, need_patient_banner=brought.need_patient_banner or True)
    if brought.patient is not None:
        return brought
    if patient is None:
        raise FhirError("required", NO_PATIENT)
    return replace(brought, patient=patient, need_patient_banner=True)


def _authorization(visit: Visit, found: Asked, scope: ScopeRequest, launch: Launch) -> Authorization:
    signed, now_us = visit.signed, visit.services.clock()
    offline, online = "offline_access" in scope.context, "online_access" in scope.context
    otherwise_us = signed.expires_us if online else now_us + BRIEF_US
    return Authorization(
        id=visit.services.new_id(),
        client_id=found.client.client_id,
        person=signed.account.person,
        scope=scope.text(),
        purpose=ROLE_ROWS[signed.account.person.role].purpose,
        offline=offline,
        created_us=now_us,
        expires_us=now_us + OFFLINE_US if offline else otherwise_us,
        auth_us=signed.auth_us,
        acr=signed.acr,
        amr=signed.amr,
        nonce=found.request.nonce,
        session=None if offline else Notebook(visit.services, SESSIONS).key(signed.cookie).hex(),
        launch=launch,
    )


async def _begun(visit: Visit, found: Asked, note: Waiting, authorization: Authorization) -> str:
    """One transaction: the request is answered, the launch used up, the authorization begun, its code given. Raises Conflict."""
    request, services = found.request, visit.services
    code, code_note = await new_code(
        services,
        Code(
            authorization=authorization.id,
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            jkt=request.jkt,
        ),
    )
    notes: list[NoteWrite] = [await answered(services, note), code_note, *await Authorizations(services).begun(authorization)]
    # After the list was read: whoever ends the session and what apps may do writes it, so one of the two meets a Conflict.
    if await signed_in(services, visit.signed.cookie) is None:
        raise FhirError("not-found", OVER)
    if found.launch is not None:
        notes.append(await launch_used(services, found.launch))
    recording = _recording(visit, "authorize-granted", found.client)
    recording.says(purpose=authorization.purpose)
    if authorization.launch.patient is not None:
        recording.aim_patient(services.blind.patient(authorization.launch.patient))
    await recording.commit(Unit(notes=notes), writes=())
    return found.answering(visit.hub).granted(code)


def _recording(visit: Visit, kind: str, client: Client) -> Recording:
    recording = visit.recording(kind)
    recording.says(client_id=client.client_id, client_name=client.name)
    return recording
