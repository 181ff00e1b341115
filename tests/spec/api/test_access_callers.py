"""Every route of the table as every kind of caller, in and out of scope: what is expected, and what is got.

SECURITY 2.4, 2.6; ASVS 5.0 8.2.1; docs/scopes.md. What is asked of a route is its row in `test_access_matrix.py`: a route without one is a
failure there, and what each kind of caller has to expect of it follows from how that row says it ends for who may, and for who may not see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from adapters.discovery import adapters
from hub.ingest.units import Unit, credential
from hub.instants import now_us
from hub.operator import Operator
from hub.routes import ROUTES, RouteRow
from hub.sessions import new_code
from security.oauth.access_token import issue
from security.oauth.person import Role
from tests.spec.api.test_access_matrix import BY_NOBODY, HIDDEN, OPEN, REQUESTS, RIGHT, Target, name_of
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.persons import HOUR_US, PersonCaller, acting, app_of, as_patient, as_practitioner, person, token_of
from tests.support.resources import ABSENT, action, actor, consent, observation, patient
from tests.support.signing_in import COOKIE, add_person, session_of

Status = int | None
"""None: no such question is asked of this route."""
Headers = Mapping[str, str]
GUARDED = [row for row in ROUTES if row.guard == "fhir"]
OF_CLIENTS = ("ingest", *(name for name in REQUESTS if "/quarantine" in name or "/confirm" in name))
STORED_TERMINOLOGY = ("ValueSet/{id}", "CodeSystem/{id}")
WRITES_ELSEWHERE = ("create", "conditional-update")
EVERY = "user/*.cruds patient/*.cruds"
ELSEWHERE = "Practitioner.crud"
"""A scope that is in order and covers none of the routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """`sick` is seen by `ehr` and by the practitioner; `well` is somebody else, who lets nobody see."""

    running: Running
    ehr: Caller
    sick: Target
    well: Target
    practitioner: str
    organization: str

    @property
    def backstage(self) -> Backstage:
        return self.running.backstage

    def reading(self, of: Target) -> Target:
        """Another of the same patient, to be deleted."""
        return Target(of.patient, self.ehr.create(observation(of.patient))["id"])

    def person(self, role: Role, scope: str) -> PersonCaller:
        who = person(role, None, self.organization)
        return acting(self.backstage, self.running.http, app_of(self.backstage, scope), who, scope)


@pytest.fixture(scope="module")
def cast(running: Running, ehr: Caller, backstage: Backstage) -> Cast:
    made = []
    for _ in range(2):
        id = ehr.create(patient("De La Matrice"))["id"]
        backstage.pair(adapters()["withings"].manifest.identifier_system, id, f"Patient/{id}", from_us=0)
        made.append(Target(id, ehr.create(observation(id))["id"]))
    practitioner = ehr.create({"resourceType": "Practitioner", "name": [{"family": "Matrice"}]})["id"]
    hospital = ehr.create({"resourceType": "Organization", "name": "Hôpital de la matrice"})["id"]
    said = {"actor": [actor(f"Practitioner/{practitioner}")], "action": [action("access"), action("collect")]}
    ehr.create(consent(made[0].patient, provision=said))
    organization = f"Organization/{hospital}"
    return Cast(running=running, ehr=ehr, sick=made[0], well=made[1], practitioner=practitioner, organization=organization)


# Who asks


def bearer(caller: Caller) -> Headers:
    return {"Authorization": f"Bearer {caller.token}"}


def backend(cast: Cast, scope: str) -> Headers:
    return bearer(cast.ehr.narrowed(scope))


def expired(cast: Cast) -> Headers:
    new = as_patient(cast.backstage, cast.running.http, app_of(cast.backstage, EVERY), cast.sick.patient, EVERY).held
    return {"Authorization": f"Bearer {token_of(cast.backstage.hub, new, now=now_us() - HOUR_US)}"}


def a_patient(cast: Cast, scope: str) -> Headers:
    return bearer(as_patient(cast.backstage, cast.running.http, app_of(cast.backstage, EVERY), cast.sick.patient, scope))


def a_practitioner(cast: Cast, scope: str, patient: str | None = None) -> Headers:
    http, app = cast.running.http, app_of(cast.backstage, EVERY)
    return bearer(as_practitioner(cast.backstage, http, app, cast.practitioner, cast.organization, scope, patient=patient))


def vendor(cast: Cast) -> Headers:
    made = new_client(f"vendor-{now_us()}", "system/Observation.c", organization=cast.ehr.account.organization, consent_default="opt-out")
    return bearer(Caller(cast.running.http, cast.backstage.register(made), "system/Observation.c"))


def unit(cast: Cast) -> Headers:
    """A credential of a single unit; whose it is does not matter here."""
    made = new_client(f"unit-{now_us()}", "system/Observation.c")
    of = Unit(owner=cast.ehr.account.client, adapter="withings", identifier=made.id, signs=False)
    client = cast.backstage.run(credential(cast.backstage.hub.services, of, made.client.jwks or {}))
    account = cast.backstage.register(Account(client=replace(client, scopes=made.client.scopes), key=made.key))
    return {"Authorization": f"Bearer {signed(cast, account)}"}


def signed(cast: Cast, account: Account) -> str:
    hub = cast.backstage.hub
    return issue(
        key=hub.signing_keys.current,
        issuer=hub.base_url,
        audience=hub.services.base_url,
        client_id=account.id,
        scope=account.client.scopes,
        purpose="TREAT",
        jti="of-a-unit",
        now_us=now_us(),
    )


def of_person(cast: Cast) -> Headers:
    return {"Cookie": f"{COOKIE}={session_of(cast.backstage, add_person(cast.backstage, 'administrator')).cookie}"}


def of_console(cast: Cast) -> Headers:
    """As `hub console open` begins it."""
    services = cast.backstage.hub.services

    async def made() -> str:
        async with Operator(cast.backstage.hub, "to look").recording("console-link") as recording:
            return await new_code(services, "tests", "to look", recording)

    answer = asked_alone("POST", f"{cast.running.process.url}/console/sign-in", data={"code": cast.backstage.run(made())})
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    return {"Cookie": f"{name}={value}"}


# What each has to expect


def as_row_says(name: str) -> Status:
    return RIGHT[name].status


def as_if_hidden(name: str) -> Status:
    """Of what has no target, as for who may."""
    return (HIDDEN.get(name) or RIGHT[name]).status


def always(status: int) -> Callable[[str], Status]:
    return lambda _: status


def of_people(expected: Callable[[str], Status], **but: int) -> Callable[[str], Status]:
    """Sending in and what waits is for clients by themselves."""
    return lambda name: 403 if name in OF_CLIENTS else but.get(name.replace("-", "_"), expected(name))


def within_a_record(expected: Callable[[str], Status], **but: int) -> Callable[[str], Status]:
    """What is nobody's is not reached by a scope that is bound to a patient: value sets and code systems that are stored, too."""
    return of_people(lambda name: 404 if name.startswith(STORED_TERMINOLOGY) else expected(name), **but)


def of_vendor(name: str) -> Status:
    """May create Observations: sends in, and looks after what waits of what it sent."""
    asks = {"create": 201, "ingest": 200, "{type}/$validate POST": 200, "{id}/$validate POST": 200, "{type}/$validate GET": 400}
    return asks.get(name, RIGHT[name].status if name in OF_CLIENTS and name not in BY_NOBODY else 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of caller: what it shows, what it asks about, and how each route ends for it."""

    shows: Callable[[Cast], Headers]
    expects: Callable[[str], Status]
    about: Callable[[Cast], Target] = lambda cast: cast.sick


def out_of_scope(level: str) -> str:
    return f"{level}/{ELSEWHERE}"


KINDS: dict[str, Kind] = {
    "nobody": Kind(shows=lambda _: {}, expects=always(401)),
    "a garbage token": Kind(shows=lambda _: {"Authorization": "Bearer e30.e30.e30"}, expects=always(401)),
    "an expired token": Kind(shows=expired, expects=always(401)),
    "a session of a person": Kind(shows=of_person, expects=always(401)),
    "a session of the console": Kind(shows=of_console, expects=always(401)),
    "a backend": Kind(shows=lambda cast: bearer(cast.ehr), expects=as_row_says),
    "a backend out of scope": Kind(shows=lambda cast: backend(cast, out_of_scope("system")), expects=always(403)),
    "a patient": Kind(shows=lambda cast: a_patient(cast, "patient/*.cruds"), expects=within_a_record(as_row_says)),
    "a patient by user scope": Kind(shows=lambda cast: a_patient(cast, "user/*.cruds"), expects=within_a_record(as_row_says)),
    "a patient out of scope": Kind(shows=lambda cast: a_patient(cast, f"{out_of_scope('patient')} fhirUser"), expects=always(403)),
    "a patient with a scope of clients": Kind(shows=lambda cast: a_patient(cast, "system/*.cruds"), expects=always(403)),
    "a patient at somebody else's": Kind(
        shows=lambda cast: a_patient(cast, "patient/*.cruds"),
        expects=within_a_record(as_if_hidden, **{name.replace("-", "_"): 403 for name in WRITES_ELSEWHERE}),
        about=lambda cast: cast.well,
    ),
    "a practitioner": Kind(shows=lambda cast: a_practitioner(cast, "user/*.cruds"), expects=of_people(as_row_says)),
    "a practitioner out of scope": Kind(shows=lambda cast: a_practitioner(cast, out_of_scope("user")), expects=always(403)),
    "a practitioner without consent": Kind(
        shows=lambda cast: a_practitioner(cast, "user/*.cruds"), expects=of_people(as_if_hidden), about=lambda cast: cast.well
    ),
    "at the bedside": Kind(
        shows=lambda cast: a_practitioner(cast, "patient/*.cruds", cast.sick.patient), expects=within_a_record(as_row_says)
    ),
    "at another bedside": Kind(
        shows=lambda cast: a_practitioner(cast, "patient/*.cruds", cast.well.patient),
        expects=within_a_record(as_if_hidden, **{name.replace("-", "_"): 403 for name in WRITES_ELSEWHERE}),
    ),
    "an officer": Kind(shows=lambda cast: bearer(cast.person("compliance", "user/*.cruds")), expects=of_people(as_if_hidden)),
    "an officer with the log alone": Kind(shows=lambda cast: bearer(cast.person("compliance", "user/AuditEvent.rs")), expects=always(403)),
    "an administrator": Kind(shows=lambda cast: bearer(cast.person("administrator", "user/*.cruds")), expects=of_people(as_if_hidden)),
    "an administrator out of scope": Kind(
        shows=lambda cast: bearer(cast.person("administrator", out_of_scope("user"))), expects=always(403)
    ),
    "somebody of a vendor": Kind(shows=lambda cast: bearer(cast.person("vendor", "user/*.cruds")), expects=of_people(as_if_hidden)),
    "a vendor": Kind(shows=vendor, expects=of_vendor),
    "a unit": Kind(shows=unit, expects=lambda name: 200 if name == "ingest" else 403),
}
DELETING = ("delete", "conditional-delete")
MAY_EXIST = {"conditional-update": {200, 201}}
"""What the one before has created is there."""


def asked(cast: Cast, row: RouteRow, kind: Kind, shown: Headers) -> int:
    name, on = name_of(row), kind.about(cast)
    if name in DELETING and kind.expects(name) == 204:
        on = cast.reading(on)
    request = REQUESTS[name]
    body = request.body(on)
    sent = {"json": body} if isinstance(body, dict) else {"content": body}
    headers = {"Content-Type": request.content_type, **shown}
    answer = cast.running.http.request(row.method, request.path(on), headers=headers, **sent)  # type: ignore[arg-type]
    status, expected = answer.status_code, kind.expects(name)
    return expected if expected in MAY_EXIST.get(name, ()) and status in MAY_EXIST[name] else status  # type: ignore[return-value]


@pytest.mark.parametrize("who", KINDS)
def test_every_route_answers_each_kind_of_caller_as_expected(who: str, cast: Cast) -> None:
    """No cell is left out: a new route is in REQUESTS and RIGHT, a new kind of caller in KINDS."""
    kind = KINDS[who]
    shown = kind.shows(cast)
    got = {name_of(row): asked(cast, row, kind, shown) for row in GUARDED}
    expected = {name: kind.expects(name) for name in REQUESTS}
    assert {name: (expected[name], got[name]) for name in expected if expected[name] != got[name]} == {}
    assert got.keys() == expected.keys()


LOG = ["AuditEvent?_count=1", "AuditEvent/_search POST", "?_type=AuditEvent&_count=1"]
OFFICER = "an officer with the log alone"


@pytest.mark.parametrize("who", KINDS)
def test_the_log_is_there_for_officers_and_for_no_other_kind_of_caller(who: str, cast: Cast) -> None:
    """Law 1: by policy. (Clients that are registered for the log read it too; none of these is asked with that scope.)"""
    shown = KINDS[who].shows(cast) if who != "a backend" else backend(cast, "system/*.cruds")
    nobody = KINDS[who].expects("read") == 401
    for one in LOG:
        path, _, method = one.partition(" ")
        form = {"data": {"_count": "1"}} if method else {}
        answer = cast.running.http.request(method or "GET", f"/fhir/{path}".replace("/?", "?"), headers=shown, **form)  # type: ignore[arg-type]
        assert answer.status_code == (401 if nobody else 200 if who == OFFICER else 403), one


@pytest.mark.parametrize("who", KINDS)
def test_open_routes_answer_each_kind_of_caller_as_they_answer_nobody(who: str, cast: Cast) -> None:
    """A token changes nothing where none is asked for, but where it is what the request is about."""
    shown = KINDS[who].shows(cast)
    got = {}
    for row in ROUTES:
        if row.guard == "open" and row.interaction not in OF_SESSIONS:
            body = {"data": {"x": "y"}} if row.method == "POST" else {}
            path = row.path.format(type="Observation", adapter="withings", id=ABSENT, provider="x")
            answer = cast.running.http.request(row.method, path, headers={**shown}, **body)  # type: ignore[arg-type]
            got[row.interaction] = answer.status_code
    expected = {name: OPEN[name].status for name in got}
    but = BY_TOKEN if shown.get("Authorization") else {}
    assert {name: (status, got[name]) for name, status in expected.items() if got[name] not in (status, but.get(name))} == {}


BY_TOKEN = {"introspect": 400}
"""Who has a token has proved who asks, and is told that the form is none."""
OF_SESSIONS = ("sign-in-page", "second-factor-page", "sign-in", "second-factor")
"""Who is signed in already is led on, so these answer a session in another way; tests/spec/people shows how."""
GUARDS = {"desk": "a session of the console", "person": "a session of a person"}
LED_AWAY = {"desk": "/console/sign-in", "person": "/account/sign-in"}


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("who", KINDS)
def test_pages_open_for_their_own_sessions_and_lead_everybody_else_to_the_sign_in(who: str, guard: str, cast: Cast) -> None:
    """A token is no session, and a session of the one kind none of the other. A form without its token does nothing (CSRF)."""
    for row in ROUTES:
        if row.guard != guard:
            continue
        shown = KINDS[who].shows(cast)
        body = {"data": {"x": "y"}} if row.method == "POST" else {}
        path = row.path.format(id=ABSENT, provider="x", act="revoke")
        answer = cast.running.http.request(row.method, path, headers=shown, **body)  # type: ignore[arg-type]
        if who == GUARDS[guard]:
            assert not answer.headers.get("location", "").startswith(LED_AWAY[guard]), row.interaction
            assert answer.status_code == 403 if row.method == "POST" else answer.status_code < 500, row.interaction
        else:
            assert answer.status_code == 303, row.interaction
            assert answer.headers["location"].startswith(LED_AWAY[guard]), row.interaction
