"""POST /oauth/launch: an EHR opens an app for one of its practitioners. SMART App Launch 2.2, EHR launch; docs/adr/0032."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from hub.errors import FhirError
from hub.people.accounts import Accounts
from hub.people.roster import Roster
from hub.recording import Recording, RequestFacts
from hub.store.protocol import Note, Unit
from security.oauth.clients import GRANT_CLIENT_CREDENTIALS
from security.oauth.person import Role
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.resources import ABSENT, actor, consent, patient
from tests.support.signed import Somebody, somebody
from tests.support.smart import SmartApp, error_in, smart_app

SCOPE = "launch launch/encounter openid patient/Observation.rs patient/Patient.rs"
LAUNCH_URL = "https://app.example/launch?lang=fr"
CONTEXT = [
    {"reference": "ServiceRequest/order-1"},
    {"canonical": "https://forms.example/q|1", "type": "Questionnaire", "role": "https://x.example/r"},
]
RPPS = "10000000008"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """An EHR with a practitioner, an app that waits to be started, and patients.

    seen, visit      a patient of the clinic, and a visit of hers
    other, others_visit  another one; denied   one who refuses the clinic; hidden   one of another organisation
    """

    running: Running
    ehr: SmartApp
    app: SmartApp
    who: Somebody
    seen: str
    visit: str
    other: str
    others_visit: str
    denied: str
    hidden: str

    def form(self, **changed: str | None) -> Mapping[str, str | None]:
        return {"login": self.who.account.login, "app": self.app.id, "patient": self.seen, **changed}

    def open(self, by: SmartApp | None = None, **changed: str | None) -> httpx.Response:
        return (by or self.ehr).posted("/oauth/launch", self.form(**changed))

    def opened(self, **changed: str | None) -> str:
        """The id of a launch."""
        answer = self.open(**changed)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["launch"])


def encounter(person: str) -> Json:
    coded = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return {"resourceType": "Encounter", "status": "finished", "class": coded, "subject": {"reference": f"Patient/{person}"}}


@pytest.fixture(scope="module")
def clinic(running: Running, ehr: Caller, stranger: Caller) -> Clinic:
    here = ehr.account.organization
    abroad = replace(stranger.account.client, client_id="abroad-client", recorder=True, consent_default="opt-out")
    seen, other, denied = (str(ehr.create(patient(name))["id"]) for name in ("Vue", "Autre", "Refusante"))
    ehr.create(consent(denied, "deny", provision={"actor": [actor(here)]}))
    http, backstage = running.http, running.backstage
    made = {"organization": here, "authentication": "private_key_jwt", "grants": (GRANT_CLIENT_CREDENTIALS,), "redirect_uris": ()}
    return Clinic(
        running=running,
        ehr=smart_app(http, backstage, "system/Patient.rs", launcher=True, **made),  # type: ignore[arg-type]
        app=smart_app(http, backstage, SCOPE, organization=here, consent_default="opt-out", launch_url=LAUNCH_URL),
        who=somebody(backstage, running.process.url, "practitioner", "Practitioner/p1", organization=here),
        seen=seen,
        visit=ehr.create(encounter(seen))["id"],
        other=other,
        others_visit=ehr.create(encounter(other))["id"],
        denied=denied,
        hidden=running.caller(replace(stranger.account, client=abroad)).create(patient("Ailleurs"))["id"],
    )


def test_the_launch_is_answered_with_where_the_browser_goes(clinic: Clinic) -> None:
    """Item 14: the EHR leads the browser to the app's launch URL with iss and launch; no cache keeps it."""
    answer = clinic.open()
    said = answer.json()
    assert (answer.status_code, set(said), said["expires_in"]) == (201, {"launch", "launch_url", "expires_in"}, 300)
    assert answer.headers["cache-control"] == "no-store"
    url = urlsplit(said["launch_url"])
    assert said["launch_url"].startswith(f"{LAUNCH_URL}&")
    assert parse_qs(url.query) == {"lang": ["fr"], "iss": [f"{clinic.running.process.url}/fhir"], "launch": [said["launch"]]}


def test_the_app_is_told_what_the_ehr_said(clinic: Clinic) -> None:
    """SMART, launch context: patient, encounter, fhirContext, need_patient_banner and intent arrive with the token; nobody picks."""
    more = {
        "encounter": clinic.visit,
        "fhirContext": orjson.dumps(CONTEXT).decode(),
        "need_patient_banner": "false",
        "intent": "order-sets",
    }
    tokens = clinic.app.tokens(clinic.who.signed, launch=clinic.opened(patient=f"Patient/{clinic.seen}", **more))
    assert (tokens["patient"], tokens["encounter"], tokens["fhirContext"]) == (clinic.seen, clinic.visit, CONTEXT)
    assert (tokens["need_patient_banner"], tokens["intent"]) == (False, "order-sets")


def test_what_the_ehr_leaves_out_is_not_told(clinic: Clinic) -> None:
    """A banner is asked for unless the EHR says that it shows one."""
    tokens = clinic.app.tokens(clinic.who.signed, launch=clinic.opened())
    assert tokens["need_patient_banner"] is True
    assert not {"encounter", "fhirContext", "intent"} & tokens.keys()


def test_a_practitioner_is_found_by_rpps(clinic: Clinic) -> None:
    """The national number of who works in health; as an EHR knows its users."""
    accounts, who = Accounts(clinic.running.backstage.hub.services), clinic.who.account
    known = replace(
        who, login=f"second-{who.login}", person=replace(who.person, account=clinic.running.backstage.hub.services.new_id()), rpps=RPPS
    )

    async def added() -> None:
        await clinic.running.backstage.hub.services.store.commit(Unit(notes=await accounts.added(known)))

    clinic.running.backstage.run(added())
    assert clinic.open(login=None, rpps=RPPS).status_code == 201
    assert clinic.open(rpps=RPPS).status_code == 400, "by one of the two"


def test_a_launch_is_good_once(clinic: Clinic) -> None:
    """SMART: who replays it gets no code."""
    id = clinic.opened()
    clinic.app.tokens(clinic.who.signed, launch=id)
    assert error_in(clinic.app.authorize(launch=id))["error"] == "invalid_request"


def test_a_launch_is_good_for_the_practitioner_it_was_opened_for(clinic: Clinic) -> None:
    """RFC 9700 section 4.7: another person's browser cannot be led into it; neither can a colleague's."""
    base, backstage = clinic.running.process.url, clinic.running.backstage
    colleague = somebody(backstage, base, "practitioner", "Practitioner/p2", organization=clinic.ehr.account.organization)
    secret = clinic.app.waiting(launch=clinic.opened())
    assert colleague.get(f"/account/authorize?request={secret}").status_code == 403
    with pytest.raises(FhirError, match="somebody else"):
        clinic.app.allowed(colleague.signed, secret)
    assert clinic.who.get(f"/account/authorize?request={secret}").status_code == 200


def test_a_launch_is_good_for_its_app(clinic: Clinic) -> None:
    """What was opened for one app gives another one nothing."""
    another = smart_app(clinic.running.http, clinic.running.backstage, SCOPE, launch_url=LAUNCH_URL)
    assert error_in(another.authorize(launch=clinic.opened()))["error"] == "invalid_request"


@pytest.mark.parametrize("whose", ["seen", "other", "denied", "hidden", "absent"])
def test_who_can_be_chosen_is_who_can_be_chosen_on_the_page(clinic: Clinic, whose: str) -> None:
    """Laws 1 and 3: the same consents and the same policy as on /account/launch, and no other answer for hidden than for absent."""
    id = ABSENT if whose == "absent" else getattr(clinic, whose)
    visit = {"seen": clinic.visit, "other": clinic.others_visit}.get(whose, "*")
    page = clinic.who.post("/account/launch", app=clinic.app.id, do="choose", patient=id, encounter=visit)
    answer, absent = clinic.open(patient=id), clinic.open(patient=ABSENT)
    expected = whose in ("seen", "other")
    assert (answer.status_code == 201, page.status_code == 303) == (expected, expected), answer.text
    if answer.status_code != 201:
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content)


@pytest.mark.parametrize("visit", ["others", "absent"])
def test_a_visit_is_the_patients(clinic: Clinic, visit: str) -> None:
    """launch/encounter: one of somebody else's is as one that there is not, and as a patient that there is not."""
    answer = clinic.open(encounter=clinic.others_visit if visit == "others" else ABSENT)
    assert (answer.status_code, answer.content) == (400, clinic.open(patient=ABSENT).content)


def test_consent_may_have_ended_before_the_app_asks(clinic: Clinic, ehr: Caller) -> None:
    """GDPR Art. 7(3): a launch is no permission; each request of the app is decided anew."""
    id = ehr.create(patient("Changeante"))["id"]
    launch, before = clinic.opened(patient=id), clinic.app.tokens(clinic.who.signed, launch=clinic.opened(patient=id))
    assert clinic.app.get(f"/fhir/Patient/{id}", before["access_token"]).status_code == 200
    ehr.create(consent(id, "deny", provision={"actor": [actor(clinic.ehr.account.organization)]}))
    tokens = clinic.app.tokens(clinic.who.signed, launch=launch)
    assert clinic.app.get(f"/fhir/Patient/{id}", tokens["access_token"]).status_code == 404
    assert clinic.open(patient=id).status_code == 400


def elsewhere(clinic: Clinic, role: Role, fhir_user: str | None, organization: str) -> str:
    return somebody(clinic.running.backstage, clinic.running.process.url, role, fhir_user, organization=organization).account.login


def test_nobody_else_is_told_from_nobody(clinic: Clinic, stranger: Caller) -> None:
    """Accounts of other organisations, of other roles, and those that ended are to an EHR as those that there are not."""
    here = clinic.ehr.account.organization
    ended = somebody(clinic.running.backstage, clinic.running.process.url, "practitioner", organization=here).account.login
    services = clinic.running.backstage.hub.services

    def record(kind: str, _: str) -> Recording:
        return Recording(kind, None, RequestFacts(request_id=services.new_id(), interaction=kind, user="tests"), services)

    clinic.running.backstage.run(Roster(services, record).disable(ended))
    logins = (
        elsewhere(clinic, "practitioner", "Practitioner/p9", stranger.account.organization),
        elsewhere(clinic, "administrator", None, here),
        elsewhere(clinic, "patient", f"Patient/{clinic.seen}", ""),
        ended,
    )
    nobody = clinic.open(login="nobody@people.example")
    assert nobody.json()["error"] == "invalid_request"
    assert [clinic.open(login=login).content for login in logins] == [nobody.content] * 4


def test_who_has_an_account_is_looked_for_no_longer_than_who_has_none(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many questions to the database for both: accounts of others, which an EHR is told nothing of, do not show by the time either."""
    backstage, asked = clinic.running.backstage, list[bytes]()
    notes = backstage.hub.services.store.notes
    get = notes.get

    async def counted(key: bytes) -> Note | None:
        asked.append(key)
        return await get(key)

    monkeypatch.setattr(notes, "get", counted)
    accounts = Accounts(backstage.hub.services)
    made = []
    for login in (clinic.who.account.login, "nobody@people.example"):
        asked.clear()
        found = backstage.run(accounts.by_login(login))
        made.append((found is not None, len(asked)))
    assert made == [(True, 2), (False, 2)]


@pytest.mark.parametrize("kind", ["no launcher", "app of people", "secret", "public"])
def test_only_an_ehr_that_is_registered_for_it_opens_launches(clinic: Clinic, kind: str) -> None:
    """The registration says who; a client of another kind is told so, once it has proved who it is."""
    http, backstage, here = clinic.running.http, clinic.running.backstage, clinic.ehr.account.organization
    made: Json = {
        "no launcher": {"authentication": "private_key_jwt", "grants": (GRANT_CLIENT_CREDENTIALS,)},
        "app of people": {"authentication": "private_key_jwt"},
        "secret": {"authentication": "client_secret_basic", "grants": (GRANT_CLIENT_CREDENTIALS,)},
        "public": {},
    }[kind]
    client = smart_app(http, backstage, "openid", registered="system/Patient.rs", organization=here, **made)
    answer = clinic.open(client)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("form", [{}, {"client_assertion": "a.b.c", "client_assertion_type": "x"}], ids=["nothing", "nonsense"])
def test_who_proves_nothing_opens_nothing(clinic: Clinic, form: dict[str, str]) -> None:
    """RFC 6749 section 5.2: invalid_client; and nobody learns who has an account here."""
    sent = {name: value for name, value in clinic.form().items() if value is not None}
    answer = clinic.running.http.post("/oauth/launch", data={**sent, **form})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_bearer_token_opens_nothing(clinic: Clinic) -> None:
    """An access token of the EHR lies in more places than its key; the launch takes the key."""
    token = clinic.ehr.posted("/oauth/token", {"grant_type": "client_credentials", "scope": "system/Patient.rs"}).json()["access_token"]
    sent = {name: value for name, value in clinic.form().items() if value is not None}
    answer = clinic.running.http.post("/oauth/launch", data=sent, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"patient": None},
        {"patient": "../Patient"},
        {"app": None},
        {"app": "nobody"},
        {"login": None},
        {"encounter": "a b"},
        {"fhirContext": "{}"},
        {"fhirContext": '[{"identifier":' + '{"x":' * 300 + "1" + "}" * 300 + "}]"},
        {"need_patient_banner": "perhaps"},
        {"intent": "two\nlines"},
    ],
    ids=lambda changed: str(changed)[:60],
)
def test_what_is_malformed_is_an_invalid_request(clinic: Clinic, changed: dict[str, str | None]) -> None:
    """RFC 6749 section 5.2; the text repeats nothing of what came."""
    answer = clinic.open(**changed)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_app_that_nobody_starts_is_not_opened(clinic: Clinic) -> None:
    """SMART: an app is registered with its launch URL, and browsers are led nowhere else."""
    without = smart_app(clinic.running.http, clinic.running.backstage, SCOPE)
    assert clinic.open(app=without.id).content == clinic.open(app="nobody").content


def test_it_is_recorded_who_opened_what_for_whom(clinic: Clinic) -> None:
    """Law 2: the EHR in the practitioner's name, the app that began, and both under the patient; the launch id stands in no record."""
    answer = clinic.open()
    records = clinic.running.backstage.records(answer.headers["x-request-id"])
    token = clinic.running.backstage.patient_token(clinic.seen)
    found = {(one.kind, one.patient): one.event for one in records}
    assert {("launch-open", None), ("launch-open", token), ("launch-begin", None), ("launch-begin", token), ("read", token)} <= found.keys()
    opened, begun = str(found["launch-open", token]["agent"]), str(found["launch-begin", token]["agent"])
    assert all(one in opened for one in (clinic.ehr.id, clinic.who.account.id, "Practitioner/p1", clinic.ehr.account.organization))
    assert all(one in begun for one in (clinic.app.id, clinic.who.account.id))
    assert answer.json()["launch"] not in str([one.event for one in records])


def test_an_attempt_at_a_hidden_patient_is_recorded_under_that_patient(clinic: Clinic) -> None:
    """Law 2: refused attempts are recorded under the patient they aimed at."""
    records = clinic.running.backstage.records(clinic.open(patient=clinic.denied).headers["x-request-id"])
    aimed = [one for one in records if one.patient == clinic.running.backstage.patient_token(clinic.denied)]
    assert [(one.kind, one.outcome) for one in aimed] == [("read", "4")]
    assert [(one.outcome, clinic.ehr.id in str(one.event["agent"])) for one in records if one.kind == "launch-open"] == [("4", True)]
