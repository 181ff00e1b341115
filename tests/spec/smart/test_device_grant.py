"""The device grant over HTTP: a gateway without a browser, and the person who lets it act. RFC 8628."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import httpx
import pytest

from hub.errors import FhirError
from hub.instants import now_us
from hub.limits import LIMITS
from hub.notebook import Notebook
from hub.oauth.device_grant import PER_SENDER
from hub.oauth.devices import DeviceNotes, Waiting, allow, deny, look
from hub.operator import Operator
from hub.people.sessions import SignedIn, ended
from hub.people.visit import Visit
from hub.store.protocol import Unit
from security.oauth.clients import GRANT_DEVICE, GRANT_REFRESH, App, Client
from security.oauth.device_flow import DeviceRequest, new_user_code
from security.oauth.scope_request import ScopeRequest
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import patient
from tests.support.smart import signed_in_as, visit_of

pytestmark = pytest.mark.database
SCOPE = "patient/*.rs offline_access"
NUMBERS = count()
Json = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(running: Running) -> Client:
    return register(running)


def register(running: Running, grants: tuple[str, ...] = (GRANT_DEVICE, GRANT_REFRESH)) -> Client:
    client = Client(
        client_id=f"gateway-{next(NUMBERS)}",
        name="Gateway of the tests",
        scopes=ScopeRequest.parse(SCOPE if GRANT_REFRESH in grants else "patient/*.rs").text(),
        organization="",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks=None,
        jwks_uri=None,
        created_us=now_us(),
        authentication="none",
        grants=grants,
        app=App(),
    )
    return running.backstage.run(Operator(running.backstage.hub, "tests").add_client(client, None))


@pytest.fixture(scope="module")
def own(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def ana(running: Running, own: str) -> SignedIn:
    return signed_in_as(running.backstage, "patient", f"Patient/{own}")


@pytest.fixture(autouse=True)
def counted(running: Running) -> Iterator[None]:
    yield
    running.backstage.admin["hub"]["notes"].delete_many({"kd": "oauth-limit"})


def begin(http: httpx.Client, client: Client, **changes: str) -> httpx.Response:
    return http.post("/oauth/device_authorization", data={"client_id": client.client_id, "scope": SCOPE, **changes})


def ask(http: httpx.Client, client: Client, code: str) -> httpx.Response:
    return http.post("/oauth/token", data={"grant_type": GRANT_DEVICE, "client_id": client.client_id, "device_code": code})


def rested(running: Running) -> None:
    """As if every device had waited as long as it has to."""
    notes, services = running.backstage.admin["hub"]["notes"], running.backstage.hub.services
    polls = {services.blind.token("note-oauth-device", f"polls {code}") for code in POLLED}
    notes.delete_many({"_id": {"$in": list(polls)}})


POLLED: set[str] = set()


def begun(http: httpx.Client, client: Client) -> Json:
    answer = begin(http, client)
    assert answer.status_code == 200, answer.text
    POLLED.add(answer.json()["device_code"])
    return answer.json()


def visit(running: Running, signed: SignedIn) -> Visit:
    return visit_of(running.backstage.hub, signed)


def found(running: Running, signed: SignedIn, text: str) -> Waiting:
    return running.backstage.run(look(visit(running, signed), text))


def yes(running: Running, signed: SignedIn, made: Json, scope: str = SCOPE) -> None:
    waits = found(running, signed, made["user_code"])
    running.backstage.run(allow(visit(running, signed), waits.user_code, scope=ScopeRequest.parse(scope)))


def run_out(running: Running, device_code: str) -> None:
    """As if ten minutes had gone by."""
    notes = DeviceNotes(running.backstage.hub.services)

    async def act() -> None:
        page = await notes.by_device(device_code)
        assert page is not None
        over = replace(DeviceRequest.from_document(page.content), expires_us=now_us() - 1)
        await running.backstage.hub.services.store.commit(Unit(notes=(await notes.changed(page, over),)))

    running.backstage.run(act())


def test_a_device_is_given_two_codes_and_where_to_go(http: httpx.Client, gateway: Client, running: Running) -> None:
    """Section 3.2; nothing of either lies in the database."""
    answer = begin(http, gateway)
    made = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (made["expires_in"], made["interval"]) == (600, 5)
    assert made["verification_uri"] == f"{running.process.url}/account/device"
    assert made["verification_uri_complete"].endswith(made["user_code"])
    assert len(made["device_code"]) == 43
    (record,) = running.backstage.records(answer.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("authorize", "0")
    stored = str(list(running.backstage.admin["hub"]["notes"].find({"kd": "oauth-device"})))
    assert made["device_code"] not in stored
    assert made["user_code"].replace("-", "") not in stored


def test_it_asks_until_the_person_has_decided_and_then_has_tokens_once(
    http: httpx.Client, gateway: Client, running: Running, ana: SignedIn, own: str
) -> None:
    """Sections 3.4 and 3.5: authorization_pending, slow_down, tokens; a second use ends what the first began."""
    made = begun(http, gateway)
    code = made["device_code"]
    assert ask(http, gateway, code).json()["error"] == "authorization_pending"
    assert ask(http, gateway, code).json()["error"] == "slow_down"
    yes(running, ana, made)
    rested(running)
    answer = ask(http, gateway, code)
    tokens = answer.json()
    assert answer.status_code == 200, answer.text
    assert (tokens["patient"], tokens["scope"]) == (own, ScopeRequest.parse(SCOPE).text())
    read = http.get(f"/fhir/Patient/{own}", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert read.status_code == 200
    assert tokens["refresh_token"]
    rested(running)
    assert ask(http, gateway, code).json()["error"] == "invalid_grant"
    assert http.get(f"/fhir/Patient/{own}", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 401


def test_of_many_at_once_at_most_one_has_tokens(http: httpx.Client, gateway: Client, running: Running, ana: SignedIn) -> None:
    """The version of the note decides, on whatever process."""
    made = begun(http, gateway)
    yes(running, ana, made)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(http, gateway, made["device_code"]), range(8)))
    assert sum(one.status_code == 200 for one in answers) <= 1
    assert all(one.status_code in (200, 400) for one in answers)


def test_who_is_refused_is_told_so(http: httpx.Client, gateway: Client, running: Running, ana: SignedIn) -> None:
    """Section 3.5: access_denied; the code that the person typed is nothing any more."""
    made = begun(http, gateway)
    running.backstage.run(deny(visit(running, ana), found(running, ana, made["user_code"].lower()).user_code))
    assert ask(http, gateway, made["device_code"]).json()["error"] == "access_denied"
    with pytest.raises(FhirError):
        found(running, ana, made["user_code"])


def test_a_code_that_has_run_out_is_told_apart_from_one_that_never_was(
    http: httpx.Client, gateway: Client, running: Running, ana: SignedIn
) -> None:
    """Section 3.5: expired_token; the person's code has gone with it."""
    made = begun(http, gateway)
    hub = running.backstage.hub
    later = replace(hub, services=replace(hub.services, clock=lambda: now_us() + 601_000_000))
    with pytest.raises(FhirError):
        running.backstage.run(look(visit_of(later, ana), made["user_code"]))
    run_out(running, made["device_code"])
    assert ask(http, gateway, made["device_code"]).json()["error"] == "expired_token"
    assert ask(http, gateway, "x" * 43).json()["error"] == "invalid_grant"
    assert ask(http, gateway, "nonsense").json()["error"] == "invalid_grant"


def test_another_client_gets_nothing_for_the_code(http: httpx.Client, gateway: Client, running: Running, ana: SignedIn) -> None:
    """Section 3.4: the code belongs to the client it was given to, and it is good for it afterwards."""
    made, other = begun(http, gateway), register(running)
    yes(running, ana, made)
    assert ask(http, other, made["device_code"]).json()["error"] == "invalid_grant"
    assert ask(http, gateway, made["device_code"]).status_code == 200


def test_only_who_is_registered_for_it_may_begin(http: httpx.Client, gateway: Client, running: Running) -> None:
    """Section 3.1; scopes as far as a person can give them."""
    app = register(running, grants=(GRANT_REFRESH, GRANT_DEVICE))
    assert begin(http, app, scope="system/*.rs").json()["error"] == "invalid_scope"
    assert begin(http, app, scope="patient/*.rs online_access").json()["error"] == "invalid_scope"
    assert begin(http, app, scope="nonsense").json()["error"] == "invalid_scope"
    assert begin(http, app, scope="").json()["error"] == "invalid_request"
    assert begin(http, app, client_id="nobody").json()["error"] == "invalid_client"
    backend = {"client_id": app.client_id, "scope": SCOPE}
    assert http.post(f"/oauth/device_authorization?client_id={app.client_id}", data=backend).json()["error"] == "invalid_request"


def test_nobody_gives_more_than_was_asked_for_or_than_the_own_role_has(
    http: httpx.Client, gateway: Client, running: Running, ana: SignedIn
) -> None:
    """As on the consent screen; a part of it may be given."""
    made = begun(http, gateway)
    waits = found(running, ana, made["user_code"])
    for wider in ("patient/*.cruds", "user/*.rs", "openid"):
        with pytest.raises(FhirError):
            running.backstage.run(allow(visit(running, ana), waits.user_code, scope=ScopeRequest.parse(wider)))
    officer = signed_in_as(running.backstage, "compliance")
    with pytest.raises(FhirError):
        running.backstage.run(allow(visit(running, officer), waits.user_code, scope=ScopeRequest.parse("patient/*.rs")))
    practitioner = signed_in_as(running.backstage, "practitioner", "Practitioner/p")
    assert waits.needs_patient(practitioner.account.person)
    with pytest.raises(FhirError, match="Choose"):
        running.backstage.run(allow(visit(running, practitioner), waits.user_code, scope=ScopeRequest.parse("patient/*.rs")))
    yes(running, ana, made, "patient/Observation.rs")
    answer = ask(http, gateway, made["device_code"]).json()
    assert answer["scope"] == "patient/Observation.rs"
    assert "refresh_token" not in answer


def test_guesses_at_codes_are_counted_for_each_account(http: httpx.Client, gateway: Client, running: Running, ana: SignedIn) -> None:
    """Section 5.1; what is found does not count but is not told any more either, and another person is not kept out."""
    made = begun(http, gateway)
    for _ in range(10):
        with pytest.raises(FhirError) as refused:
            found(running, ana, new_user_code())
        assert refused.value.code == "not-found"
    for text in ("nonsense", made["user_code"]):
        with pytest.raises(FhirError) as refused:
            found(running, ana, text)
        assert refused.value.code == "throttled"
    other = signed_in_as(running.backstage, "patient", "Patient/other")
    assert found(running, other, made["user_code"]).client.client_id == gateway.client_id


def test_who_asks_for_too_many_codes_is_told_to_wait_and_others_of_the_app_are_not(
    http: httpx.Client, gateway: Client, running: Running
) -> None:
    """Section 5.2, RFC 6585 section 4: a public app's id is known to everybody, so it is the sender who is counted."""
    services, spent = running.backstage.hub.services, PER_SENDER

    async def fill(who: str) -> None:
        notes = Notebook(services, LIMITS)
        page = await notes.read(f"{spent.what} {gateway.client_id} {who}")
        await services.store.commit(Unit(notes=(await notes.write(page, {"n": spent.most}, now_us() + spent.window_us),)))

    running.backstage.run(fill("192.0.2.1"))
    assert begin(http, gateway).status_code == 200
    running.backstage.run(fill("127.0.0.1"))
    answer = begin(http, gateway)
    assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
    assert int(answer.headers["retry-after"]) > 0
    (record,) = running.backstage.records(answer.headers["x-request-id"])
    assert record.outcome == "4"


def test_who_is_signed_in_no_more_lets_no_device_act(http: httpx.Client, gateway: Client, running: Running, ana: SignedIn) -> None:
    """OWASP ASVS 5.0 7.4: of a yes that was on its way when the session ended with what apps may do."""
    made, services = begun(http, gateway), running.backstage.hub.services
    running.backstage.run(services.store.commit(Unit(notes=(running.backstage.run(ended(services, ana)),))))
    with pytest.raises(FhirError):
        yes(running, ana, made)
    assert ask(http, gateway, made["device_code"]).json()["error"] == "authorization_pending"
