"""Patients at their own record, through an app: everything of it without a Consent, and nothing of anybody else's.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html; SECURITY 1.3 (50 to 53), 2.4; GDPR Art. 15; docs/scopes.md.
"""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.spec.api.persons_scene import Record, Scene, scene, searches
from tests.support.backstage import Backstage
from tests.support.caller import Caller, link
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.persons import PersonCaller, acting, app_of, as_patient, person
from tests.support.resources import ABSENT, HEART_RATE, actor, consent, device, observation, patient, practitioner, replacing
from tests.support.signing_in import add_person

ID = r'"(id|issued|lastUpdated|effectiveDateTime|start|end)":"[^"]*"'
EVERYTHING = "patient/*.cruds user/*.cruds fhirUser openid"
OWN = ["patient/*.cruds", "user/*.cruds"]
Scoped = Callable[[str], PersonCaller]


@pytest.fixture(scope="module")
def on(ehr: Caller, backstage: Backstage) -> Scene:
    return scene(ehr, backstage)


@pytest.fixture(scope="module")
def own(on: Scene, backstage: Backstage, http: httpx.Client) -> PersonCaller:
    return as_patient(backstage, http, app_of(backstage, EVERYTHING), on.mine.patient, EVERYTHING)


@pytest.fixture(scope="module")
def writer(ehr: Caller, backstage: Backstage, http: httpx.Client) -> PersonCaller:
    """Another patient, whose record the tests write into."""
    id = ehr.create(patient("Qui Ecrit", identifier=[{"system": "urn:persons", "value": "1"}]))["id"]
    return as_patient(backstage, http, app_of(backstage, EVERYTHING), id, EVERYTHING)


def names(bundle: dict) -> set[str]:
    found = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ()) if "resource" in one}
    return {one for one in found if not one.startswith("OperationOutcome")}


@pytest.mark.parametrize("scope", OWN)
def test_the_whole_of_the_own_record_is_read_without_a_consent(own: PersonCaller, on: Scene, scope: str) -> None:
    """GDPR Art. 15: what is about oneself, the device that is worn and what it reports among it."""
    for name in on.mine.names():
        assert own.with_scope(scope).get(name).status_code == 200, name


@pytest.mark.parametrize("scope", OWN)
def test_of_others_nothing_is_read(own: PersonCaller, on: Scene, scope: str) -> None:
    """Law 3: in every form in which one resource is asked for, as if it did not exist."""
    caller = own.with_scope(scope)
    for name in (*on.theirs.names(), *on.shared, f"Organization/{on.organization}", f"Practitioner/{on.practitioner}"):
        type, _, id = name.partition("/")
        for path in (name, f"{name}/_history/1", f"{name}/_history", f"{name}/$meta"):
            absent = caller.get(path.replace(id, ABSENT))
            answer = caller.get(path)
            assert (answer.status_code, answer.json()["issue"]) == (absent.status_code, absent.json()["issue"]), path
        assert caller.get(name, headers={"If-None-Match": 'W/"1"'}).status_code == 404
        assert caller.request("HEAD", name).status_code == 404
        assert caller.request("DELETE", name).status_code in (403, 404), name
        assert type


@pytest.mark.parametrize("scope", OWN)
def test_whatever_is_searched_for_only_the_own_record_is_found(own: PersonCaller, on: Scene, scope: str) -> None:
    """SECURITY 2.4, paths 3 to 24: nothing of others is a match, comes along, decides, or counts."""
    caller, mine, found = own.with_scope(scope), set(on.mine.names()), set[str]()
    for query in {*searches(on.mine), *searches(on.theirs)}:
        answer = caller.get(query + ("&" if "?" in query else "?") + "_count=100" if "$lastn" not in query else query)
        assert answer.status_code == 200, (query, answer.text)
        there = names(answer.json())
        assert there <= mine, query
        assert answer.json().get("total", len(there)) <= len(there), query
        found |= there
    assert found == mine


@pytest.mark.parametrize(
    "query", ["Patient", "Observation?patient.identifier=urn:persons|1", "Observation?code=8867-4", "Device", "Condition"]
)
def test_totals_count_the_own_record_alone(own: PersonCaller, on: Scene, query: str) -> None:
    """SECURITY 2.4 (7, 8): exact for what this person may see."""
    caller = own.with_scope("patient/*.rs")
    asked = query + ("&" if "?" in query else "?")
    listed = len(caller.found(asked + "_count=50"))
    assert listed > 0
    assert caller.search(asked + "_summary=count")["total"] == caller.search(asked + "_total=accurate&_count=1")["total"] == listed


def test_everything_of_another_patient_is_not_there(own: PersonCaller, on: Scene) -> None:
    """SECURITY 2.4 (23, 24)."""
    for operation in ("$everything", "$measures?shape=phd"):
        assert own.get(f"Patient/{on.mine.patient}/{operation}").status_code == 200
        refused(own.get(f"Patient/{on.theirs.patient}/{operation}"), 404, "not-found")
    stats = f"Observation/$stats?subject=Patient/{on.theirs.patient}&code=8867-4&statistic=count"
    counted = own.get(stats), own.get(stats.replace(on.theirs.patient, ABSENT))
    parts = [re.sub(ID, "", answer.text.replace(on.theirs.patient, ABSENT)) for answer in counted]
    assert parts[0] == parts[1]


def test_what_is_written_into_the_own_record_is_the_patients_own_act(writer: PersonCaller, on: Scene, backstage: Backstage) -> None:
    """No Consent collects for the patient: the authorization did, and the record says so."""
    answer = writer.post("Observation", observation(writer.id, value=99.5))
    assert answer.status_code == 201, answer.text
    policies = {
        policy
        for one in backstage.records(answer.headers["x-request-id"])
        for agent in one.event["agent"]
        for policy in agent.get("policy", ())
    }
    assert any(policy.endswith("/policy/patient-act") for policy in policies)
    made = answer.json()
    assert writer.put(f"Observation/{made['id']}", {**made, "status": "amended"}).status_code == 200
    assert (
        writer.post(
            f"Observation/{made['id']}/$meta-add",
            {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:p", "code": "x"}]}}]},
        ).status_code
        == 200
    )
    assert writer.request("DELETE", f"Observation/{made['id']}").status_code == 204
    worn = writer.create(device(patient={"reference": f"Patient/{writer.id}"}))
    assert writer.get(f"Device/{worn['id']}").status_code == 200


@pytest.mark.parametrize("element", ["subject", "performer"])
def test_what_would_lie_outside_the_own_record_is_refused_alike_whoever_is_named(writer: PersonCaller, on: Scene, element: str) -> None:
    """SMART 2.2: 403 by the scope, before anybody is looked for; else the answer would tell who exists."""
    answers = []
    for id in (on.theirs.patient, ABSENT):
        named = {"subject": {"reference": f"Patient/{id}"}} if element == "subject" else {"performer": [{"reference": f"Patient/{id}"}]}
        answers.append(writer.post("Observation", {**observation(writer.id), **named}))
    assert [one.status_code for one in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


def test_what_is_about_another_too_is_shown_and_not_changed(ehr: Caller, backstage: Backstage, http: httpx.Client) -> None:
    """docs/scopes.md: writes are about the own record and nobody else's, though the other lets everybody see and collect."""
    id, other = (ehr.create(patient())["id"] for _ in range(2))
    ehr.create(consent(other))
    caller = as_patient(backstage, http, app_of(backstage, EVERYTHING), id, EVERYTHING)
    members = [{"entity": {"reference": f"Patient/{one}"}} for one in (id, other)]
    group = ehr.create({"resourceType": "Group", "type": "person", "actual": True, "member": members})
    reading = ehr.create(observation(id, performer=[members[1]["entity"]]))
    alone = {name: value for name, value in reading.items() if name != "performer"}
    for both, mine in ((group, {**group, "member": members[:1]}), (reading, alone)):
        path = f"{both['resourceType']}/{both['id']}"
        assert caller.get(path).status_code == 200
        refused(caller.put(path, mine), 403, "forbidden")
        refused(caller.request("DELETE", path), 403, "forbidden")
        entry = {"request": {"method": "DELETE", "url": path}}
        refused(caller.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}), 403, "forbidden")
        assert ehr.get(path).json() == both


def test_what_concerns_nobody_is_not_a_patients_to_write(writer: PersonCaller, on: Scene) -> None:
    """patient/*.cruds reaches the compartment and nothing else."""
    for made in (practitioner(), device(), observation(None, category="survey", subject={"reference": "Location/l1"})):
        refused(writer.post(made["resourceType"], made), 403, "forbidden")
    of_theirs = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Observation/{on.theirs.pulse}"}],
        "recorded": "2026-03-01T10:00:00Z",
        "agent": [{"who": {"display": "me"}}],
    }
    absent = {**of_theirs, "target": [{"reference": f"Observation/{ABSENT}"}]}
    answers = [writer.post("Provenance", one) for one in (of_theirs, absent)]
    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()


def test_who_one_is_and_what_one_consents_to_is_a_recorders_to_write(writer: PersonCaller, on: Scene) -> None:
    """ADR 9: an app of the patient may not give itself leave."""
    mine = writer.get(f"Patient/{writer.id}").json()
    refused(writer.put(f"Patient/{writer.id}", {**mine, "gender": "other"}), 403, "forbidden")
    refused(
        writer.post(
            f"Patient/{writer.id}/$meta-add",
            {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:p", "code": "x"}]}}]},
        ),
        403,
        "forbidden",
    )
    refused(
        writer.request(
            "PATCH",
            f"Patient/{writer.id}",
            json=replacing("Patient.gender", "other"),
            headers={"Content-Type": "application/fhir+json"},
        ),
        403,
        "forbidden",
    )
    refused(writer.post("Consent", consent(writer.id)), 403, "forbidden")
    refused(writer.post("Patient", patient()), 403, "forbidden")


def test_entries_of_bundles_are_decided_one_by_one(writer: PersonCaller, on: Scene) -> None:
    """SECURITY 2.4 (35, 36)."""
    gets = [f"Patient/{writer.id}", f"Observation/{on.theirs.pulse}", f"Observation?patient={on.theirs.patient}"]
    entries = [{"request": {"method": "GET", "url": url}} for url in gets]
    entries.append({"request": {"method": "POST", "url": "Observation"}, "resource": observation(on.theirs.patient)})
    body = writer.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries}).json()
    assert [one["response"]["status"][:3] for one in body["entry"]] == ["200", "404", "200", "403"]
    assert names(body["entry"][2]["resource"]) == set()
    refused(writer.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries[1:2]}), 404, "not-found")
    linked = observation(None, subject={"reference": "Patient?identifier=urn:persons|1"})
    made = writer.post(
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "POST", "url": "Observation"}, "resource": linked}],
        },
    )
    assert made.status_code == 200, "of two who bear the identifier one is there for this caller"


def test_criteria_match_in_the_own_record_alone(writer: PersonCaller, on: Scene, ehr: Caller) -> None:
    """SECURITY 2.4 (37 to 40): conditional create, update, patch and delete."""
    id = [{"system": "urn:persons:theirs", "value": on.theirs.patient}]
    theirs = ehr.create(observation(on.theirs.patient, identifier=id))["id"]
    criteria = f"identifier=urn:persons:theirs|{on.theirs.patient}"
    created = writer.post("Observation", observation(writer.id, identifier=id), headers={"If-None-Exist": criteria})
    assert created.status_code == 201
    updated = writer.put(f"Observation?{criteria}", observation(writer.id, identifier=id, status="amended"))
    assert (updated.status_code, updated.json()["id"]) == (200, created.json()["id"])
    assert writer.request("DELETE", f"Observation?{criteria}").status_code == 204
    refused(writer.request("DELETE", f"Observation?{criteria}"), 404, "not-found")
    assert ehr.get(f"Observation/{theirs}").status_code == 200


def test_of_what_may_be_changed_and_not_read_criteria_ask_nothing(own: PersonCaller, on: Scene) -> None:
    """SMART 2.2, law 3: a conditional reference is asked of what a patch leaves, which tells whoever reads it alone."""
    caller = own.with_scope("patient/Observation.cu patient/Observation.rs?category=laboratory")
    patch = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W10="}
    answers = []
    for code in (HEART_RATE, "1234-5"):
        made = observation(on.mine.patient, "2710-2", hasMember=[{"reference": f"Observation?code={code}"}])
        entries = [
            {"request": {"method": "PATCH", "url": f"Observation/{on.mine.pulse}"}, "resource": patch},
            {"request": {"method": "POST", "url": "Observation"}, "resource": made},
        ]
        answers.append(caller.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    assert [one.status_code for one in answers] == [412, 412]
    assert answers[0].json() == answers[1].json()


def test_a_granular_scope_holds_within_the_own_record(own: PersonCaller, on: Scene) -> None:
    """SECURITY 1.3 (52): category on Observation and on Condition return the matching part only."""
    caller = own.with_scope("patient/Observation.rs?category=laboratory patient/Condition.rs?category=problem-list-item")
    assert caller.found("Observation") == [on.mine.glucose]
    assert caller.found("Condition") == [on.mine.problem]
    for hidden in (f"Observation/{on.mine.pulse}", f"Condition/{on.mine.diagnosis}", f"Observation/{on.theirs.glucose}"):
        refused(caller.get(hidden), 404, "not-found")
    assert caller.search("Observation?_summary=count")["total"] == 1
    refused(caller.get(f"Patient/{on.mine.patient}"), 403, "forbidden")


def test_a_consent_that_names_the_app_refuses_it_and_no_other(on: Scene, ehr: Caller, backstage: Backstage, http: httpx.Client) -> None:
    """docs/consent.md: a deny without actor does not shut the patient out, one that names the app or its organisation shuts out the app."""
    id = ehr.create(patient())["id"]
    reading = ehr.create(observation(id))["id"]
    vendor = ehr.create({"resourceType": "Organization", "name": "App maker"})["id"]
    denied, of_maker, other = (
        as_patient(backstage, http, app_of(backstage, EVERYTHING, organization=organization), id, "patient/*.cruds")
        for organization in ("", f"Organization/{vendor}", "")
    )
    everybody = ehr.create(consent(id, "deny"))
    assert [one.get(f"Observation/{reading}").status_code for one in (denied, of_maker, other)] == [200, 200, 200]
    ehr.create(consent(id, "deny", provision={"actor": [actor(f"Device/{denied.account.id}")]}))
    ehr.create(consent(id, "deny", provision={"actor": [actor(f"Organization/{vendor}")]}))
    assert [one.get(f"Observation/{reading}").status_code for one in (denied, of_maker, other)] == [404, 404, 200]
    assert [len(one.found("Observation")) for one in (denied, of_maker, other)] == [0, 0, 1]
    assert denied.post("Observation", observation(id)).status_code == 422
    assert other.get(f"Consent/{everybody['id']}").status_code == 200


def test_who_read_is_the_person_and_the_app(own: PersonCaller, on: Scene, backstage: Backstage) -> None:
    """BALP: the user and the client are agents; basis is the policy of a patient's own access."""
    answer = own.get(f"Observation/{on.mine.pulse}")
    records = backstage.records(answer.headers["x-request-id"])
    (user,) = [agent for agent in records[-1].event["agent"] if agent["requestor"]]
    assert user["who"] == {"reference": f"Patient/{on.mine.patient}"}
    assert user["role"][0]["coding"][0]["code"] == "patient"
    assert [one.patient for one in records] == [None, backstage.patient_token(on.mine.patient)]
    apps = [agent["who"]["identifier"]["value"] for agent in records[-1].event["agent"] if agent.get("altId") == own.account.id]
    policies = [policy for agent in records[-1].event["agent"] for policy in agent.get("policy", ())]
    assert apps == [own.account.id]
    assert any(policy.endswith("/policy/patient-access") for policy in policies)


def test_a_page_link_is_for_the_person_it_was_given_to(own: PersonCaller, on: Scene, backstage: Backstage, http: httpx.Client) -> None:
    """SECURITY 2.4 (10)."""
    following = link(own.search("Observation?_count=1"), "next")
    assert following is not None
    assert own.get(following).status_code == 200
    other = as_patient(backstage, http, own.account, on.theirs.patient, EVERYTHING)
    refused(other.get(following), 404, "not-found")


def test_the_word_fhir_user_lets_the_own_resource_be_read_and_no_more(own: PersonCaller, on: Scene) -> None:
    """SMART 2.2, scopes for requesting identity data; SECURITY 1.3 (37)."""
    alone = own.with_scope("openid fhirUser")
    assert alone.get(f"Patient/{on.mine.patient}").status_code == 200
    refused(alone.get(f"Patient/{on.theirs.patient}"), 404, "not-found")
    refused(alone.get("Patient"), 403, "forbidden")
    refused(alone.get(f"Observation/{on.mine.pulse}"), 403, "forbidden")


@pytest.mark.parametrize("scope", ["system/*.cruds", "patient/AuditEvent.rs", "user/AuditEvent.rs"])
def test_some_scopes_are_no_patients_whatever_a_token_says(own: PersonCaller, on: Scene, scope: str) -> None:
    """docs/scopes.md: level system is for clients by themselves, the log for compliance officers."""
    refused(own.with_scope(scope).get("AuditEvent" if "Audit" in scope else f"Patient/{on.mine.patient}"), 403, "forbidden")


def test_without_a_patient_in_context_a_patient_scope_reaches_nothing(on: Scene, backstage: Backstage, http: httpx.Client) -> None:
    """SMART 2.2: patient/ speaks about the patient in context."""
    who = person("patient", f"Patient/{on.mine.patient}")
    caller = acting(backstage, http, app_of(backstage, "patient/*.rs"), who, "patient/*.rs")
    refused(caller.get(f"Patient/{on.mine.patient}"), 403, "forbidden")


@pytest.mark.parametrize(("method", "path"), [("POST", "/ingest/withings"), ("GET", "/quarantine"), ("GET", "/confirm")])
def test_sending_readings_in_is_for_clients_by_themselves(own: PersonCaller, method: str, path: str) -> None:
    """docs/scopes.md."""
    refused(own.request(method, path), 403, "forbidden")


def test_what_a_person_withdrew_ends_with_the_next_request(backstage: Backstage, http: httpx.Client, on: Scene) -> None:
    """RFC 7009; ASVS 5.0 8.3.2: changes take effect at once, and whose token it was is in the log."""
    caller = as_patient(backstage, http, app_of(backstage, "patient/*.rs"), on.mine.patient, "patient/*.rs")
    headers = {"Authorization": f"Bearer {caller.token}"}
    assert http.get(f"/fhir/Patient/{on.mine.patient}", headers=headers).status_code == 200
    caller.end()
    ended = http.get(f"/fhir/Patient/{on.mine.patient}", headers=headers)
    assert ended.status_code == 401
    assert "invalid_token" in ended.headers["WWW-Authenticate"]
    (record,) = backstage.records(ended.headers["x-request-id"])
    (asking,) = [agent for agent in record.event["agent"] if agent["requestor"]]
    assert (asking["who"], asking["altId"]) == ({"reference": f"Patient/{on.mine.patient}"}, caller.held.person.account)
    assert caller.account.id in {agent.get("altId") for agent in record.event["agent"]}


def test_an_account_that_is_disabled_takes_what_it_allowed_with_it(
    backstage: Backstage, http: httpx.Client, on: Scene, running: Running
) -> None:
    """ASVS 5.0 10.7.3, 8.3.2: with the next request, whichever process disabled it."""
    someone = add_person(backstage, "patient", fhir_user=f"Patient/{on.mine.patient}")
    app = app_of(backstage, "patient/*.rs")
    caller = acting(backstage, http, app, someone.account.person, "patient/*.rs", patient=on.mine.patient, purpose="PATRQT")
    headers = {"Authorization": f"Bearer {caller.token}"}
    assert http.get(f"/fhir/Patient/{on.mine.patient}", headers=headers).status_code == 200
    done = running.process.command("user", "disable", someone.login, "--reason", "left")
    assert done.code == 0, done.err
    assert http.get(f"/fhir/Patient/{on.mine.patient}", headers=headers).status_code == 401


def test_the_records_of_both_are_alike(on: Scene) -> None:
    """Or it would not be the compartment that tells them apart."""
    assert [name.partition("/")[0] for name in on.mine.names()] == [name.partition("/")[0] for name in on.theirs.names()]
    assert isinstance(on.mine, Record)


@pytest.fixture(scope="module")
def linked(ehr: Caller, backstage: Backstage, http: httpx.Client) -> tuple[PersonCaller, str, str]:
    """A patient whose Patient a recorder has linked to another one, which is hidden from everybody else; both ids."""
    other = ehr.create(patient("Autre Dossier"))["id"]
    made = ehr.create(patient("Deux Dossiers"))
    ehr.update(made, link=[{"other": {"reference": f"Patient/{other}"}, "type": "seealso"}])
    return as_patient(backstage, http, app_of(backstage, EVERYTHING), made["id"], EVERYTHING), made["id"], other


OWN_PATIENT = ["Patient/{id}", "Patient/{id}/_history/1", "Patient/{id}/_history/2", "Patient?_id={id}", "Patient?name=dossiers", "Patient"]


@pytest.mark.parametrize("scope", OWN)
@pytest.mark.parametrize("path", OWN_PATIENT)
def test_a_link_hides_nobody_from_themselves(linked: tuple[PersonCaller, str, str], scope: str, path: str) -> None:
    """GDPR Art. 15; Patient.link: records "concern the same actual person". What it leads to stays another record."""
    caller, id, other = linked[0].with_scope(scope), *linked[1:]
    answer = caller.get(path.format(id=id))
    assert answer.status_code == 200, answer.text
    if "?" in path or path == "Patient":
        assert names(answer.json()) == {f"Patient/{id}"}
        counted = caller.search(path.format(id=id) + ("&" if "?" in path else "?") + "_summary=count")
        assert counted["total"] == 1
    refused(caller.get(f"Patient/{other}"), 404, "not-found")


def test_the_own_histories_have_a_linked_patient_too(linked: tuple[PersonCaller, str, str]) -> None:
    """GDPR Art. 15, in each form in which versions are asked for."""
    caller, id, _ = linked
    for path in (f"Patient/{id}/_history", "Patient/_history", "_history?_count=50"):
        found = [one["resource"] for one in caller.search(path)["entry"]]
        versions = {(one["id"], one["meta"]["versionId"]) for one in found if one["resourceType"] == "Patient"}
        assert versions == {(id, "1"), (id, "2")}, path
    assert f"Patient/{id}" in names(caller.search(f"Patient/{id}/$everything"))


def test_a_link_still_asks_the_other_one_where_somebody_else_looks(
    ehr: Caller, stranger: Caller, linked: tuple[PersonCaller, str, str]
) -> None:
    """Law 1: who is named must permit; that there is a second record is that record's to show."""
    _, id, other = linked
    ehr.create(consent(id))
    refused(stranger.get(f"Patient/{id}"), 404, "not-found")
    ehr.create(consent(other))
    assert stranger.get(f"Patient/{id}").status_code == 200
