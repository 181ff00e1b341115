"""The log, from outside: who saw what, why, and whether they were allowed to.

DESIGN law 2; SECURITY 3.4; https://hl7.org/fhir/R4/auditevent.html; IHE BALP 1.1.4.
"""

import getpass
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fhir_profiles.r4 import check
from tests.support.backstage import Backstage, Recorded
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.resources import (
    ABSENT,
    consent,
    observation,
    organization,
    patient,
)

Json = dict[str, Any]


def named(record: Recorded) -> set[str]:
    """Type/id/_history/version of each resource that a record names as data."""
    entities = [one for one in record.event["entity"] if one.get("role", {}).get("code") == "4"]
    return {one["what"]["reference"] for one in entities if "reference" in one["what"]}


def returned(answer: httpx.Response) -> set[str]:
    """The same of what an answer shows."""
    body = answer.json()
    shown = resources(body) if body["resourceType"] == "Bundle" else [body]
    return {
        f"{one['resourceType']}/{one['id']}/_history/{one['meta']['versionId']}"
        for one in shown
        if one["resourceType"] != "OperationOutcome"
    }


@pytest.fixture(scope="module")
def people(ehr: Caller) -> list[Json]:
    """Three patients with three readings each; the third is everybody's device user."""
    made = [ehr.create(patient("Zqjournal")) for _ in range(3)]
    for one in made:
        for day in (1, 2, 3):
            ehr.create(observation(one["id"], at=f"2026-04-0{day}"))
    return made


def test_as_many_records_as_answers_and_each_names_what_was_shown(ehr: Caller, people: list[Json], backstage: Backstage) -> None:
    """FHIR.md 0.6: what was returned, not only what was asked; SECURITY 3.4 (1): resource ids and versions."""
    one = people[0]
    reading = ehr.found(f"Observation?patient={one['id']}")[0]
    queries = [f"Observation?patient={one['id']}&_sort={sort}&_count={count}" for sort in ("date", "-date", "code") for count in (1, 2, 50)]
    queries += [
        f"Observation/{reading}",
        f"Observation/{reading}/_history/1",
        f"Patient/{one['id']}",
        "Patient?name=Zqjournal",
        "Organization?_count=5",
    ]
    answers = [ehr.get(query) for query in queries]
    answers.append(ehr.post("Observation", observation(one["id"])))
    answers.append(ehr.put(f"Patient/{one['id']}", {**one, "gender": "unknown"}))
    answers.append(ehr.request("POST", "Observation/_search", data={"patient": one["id"]}))
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        records = backstage.records(answer.headers["x-request-id"])
        own = [record for record in records if record.patient is None]
        assert len(own) == 1
        assert named(own[0]) == returned(answer), answer.request.url
        assert {reference for record in records if record.patient for reference in named(record)} == {
            reference for reference in returned(answer) if not reference.startswith("Organization/")
        }


def test_each_patient_has_a_record_of_its_own_with_what_concerns_it(ehr: Caller, people: list[Json], backstage: Backstage) -> None:
    """BALP: one event per patient; what concerns others is not in it."""
    answer = ehr.get("Patient?name=Zqjournal")
    records = {record.patient: named(record) for record in backstage.records(answer.headers["x-request-id"])}
    for one in people:
        assert {name.split("/_history")[0] for name in records[backstage.patient_token(one["id"])]} == {f"Patient/{one['id']}"}


def test_the_record_is_a_valid_audit_event_of_who_why_and_whence(ehr: Caller, people: list[Json], backstage: Backstage) -> None:
    """EHDS annex II 3.2: who, on whose behalf, the person, when, the origin; a purpose and a basis on every record (GDPR 5)."""
    answer = ehr.get(f"Observation?patient={people[0]['id']}&_count=1")
    for record in backstage.records(answer.headers["x-request-id"]):
        event = record.event
        assert check(event) == ()
        assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
        client = next(agent for agent in event["agent"] if agent.get("altId") == ehr.account.id)
        assert client["who"]["display"] == "ehr"
        assert client["network"] == {"address": "127.0.0.1", "type": "2"}
        assert client["policy"]
        assert any(agent.get("who", {}).get("reference") == ehr.account.organization for agent in event["agent"])
        recorded = datetime.fromisoformat(event["recorded"])
        assert abs(recorded - datetime.now(UTC)) < timedelta(minutes=5)
    own, patients = backstage.records(answer.headers["x-request-id"])
    assert query_of(own.event) == "GET /fhir/Observation?patient=&_count="
    assert query_of(patients.event) == f"GET /fhir/Observation?patient={people[0]['id']}&_count=1"


def query_of(event: Json) -> str:
    """BALP: the request as sent, in full only where the patient's key seals it."""
    return next(b64decode(one["query"]).decode() for one in event["entity"] if "query" in one)


def basis(records: list[Recorded]) -> set[str]:
    return {
        policy.rsplit("/", 1)[1]
        for record in records
        for agent in record.event["agent"]
        for policy in agent.get("policy", ())
        if "jti" not in policy
    }


def consents(records: list[Recorded]) -> set[str]:
    """The versions of Consents that records name as having decided."""
    found = [one for record in records for one in record.event["entity"] if one.get("role", {}).get("code") == "13"]
    return {one["what"]["reference"] for one in found}


def test_the_basis_says_whether_a_consent_or_the_policy_decided(ehr: Caller, stranger: Caller, backstage: Backstage) -> None:
    """Issue: the audit record says which of the two decided; SECURITY 3.5: which accesses relied on consent version V."""
    made = ehr.create(patient())
    by_policy = backstage.records(ehr.get(f"Patient/{made['id']}").headers["x-request-id"])
    assert (basis(by_policy), consents(by_policy)) == ({"opt-out"}, set())
    agreed = ehr.create(consent(made["id"]))
    by_consent = backstage.records(stranger.get(f"Patient/{made['id']}").headers["x-request-id"])
    assert (basis(by_consent), consents(by_consent)) == ({"consent"}, {f"Consent/{agreed['id']}/_history/1"})
    ehr.update(agreed, dateTime="2026-02-02")
    anew = backstage.records(stranger.get(f"Patient/{made['id']}").headers["x-request-id"])
    assert consents(anew) == {f"Consent/{agreed['id']}/_history/2"}
    hidden = ehr.create(patient())
    refusal = backstage.records(stranger.get(f"Patient/{hidden['id']}").headers["x-request-id"])
    assert (basis(refusal), consents(refusal), {one.outcome for one in refusal}) == ({"refused"}, set(), {"4"})
    created = backstage.records(ehr.post("Patient", patient()).headers["x-request-id"])
    assert basis(created) == {"recorder"}
    plain = backstage.records(ehr.post("Organization", organization()).headers["x-request-id"])
    assert basis(plain) == {"scope"}


def events(auditor: Caller, query: str) -> list[Json]:
    return [one for page in auditor.pages(f"AuditEvent?{query}&_count=200") for one in resources(page)]


def requests_of(found: list[Json]) -> set[str]:
    """The request ids that AuditEvents name."""
    entities = [entity for one in found for entity in one["entity"] if entity.get("type", {}).get("code") == "XrequestId"]
    return {entity["what"]["identifier"]["value"] for entity in entities}


@pytest.fixture(scope="module")
def story(ehr: Caller, stranger: Caller) -> dict[str, Any]:
    """One patient and what was done about her: created, written, read, searched, and asked for in vain."""
    made = ehr.create(patient())
    first = ehr.post("Observation", observation(made["id"]))
    reading = first.json()
    answers = {
        "create": first,
        "read": ehr.get(f"Observation/{reading['id']}"),
        "update": ehr.put(f"Observation/{reading['id']}", {**reading, "status": "amended"}),
        "search": ehr.get(f"Observation?patient={made['id']}"),
        "refused read": stranger.get(f"Observation/{reading['id']}"),
        "refused read of the patient": stranger.get(f"Patient/{made['id']}"),
        "refused search": stranger.get(f"Observation?patient={made['id']}"),
        "refused create": stranger.post("Observation", observation(made["id"])),
    }
    return {"patient": made["id"], "reading": reading["id"], **{name: one.headers["x-request-id"] for name, one in answers.items()}}


@pytest.mark.parametrize(
    "what", ["create", "read", "update", "search", "refused read", "refused read of the patient", "refused search", "refused create"]
)
def test_all_that_was_done_about_a_patient_is_found_by_the_patient(auditor: Caller, story: dict[str, Any], what: str) -> None:
    """AuditEvent?patient=; attempts as well (Germany's ePA shows them too, SECURITY 3.1), also those that aimed at her by a
    reading which the caller never saw.
    """
    for query in (f"patient={story['patient']}", f"patient=Patient/{story['patient']}"):
        assert story[what] in requests_of(events(auditor, query))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=C", {"create", "refused create"}),
        ("action=U", {"update"}),
        ("action=R", {"read", "refused read", "refused read of the patient"}),
        ("action=E", {"search", "refused search"}),
        ("outcome=4", {"refused read", "refused read of the patient", "refused create"}),
        ("outcome=0&action=R", {"read"}),
        ("subtype=http://hl7.org/fhir/restful-interaction|read", {"read", "refused read", "refused read of the patient"}),
        ("subtype=update", {"update"}),
        ("type=rest&subtype=search-type", {"search", "refused search"}),
        ("altid={ehr}", {"create", "read", "update", "search"}),
        ("altid={stranger}", {"refused read", "refused read of the patient", "refused search", "refused create"}),
        ("agent={organization}", {"create", "read", "update", "search"}),
        ("entity=Observation/{reading}", {"create", "read", "update", "search", "refused read"}),
        (
            "date=ge2020&date=lt2120",
            {"create", "read", "update", "search", "refused read", "refused read of the patient", "refused search", "refused create"},
        ),
        ("date=lt2020", set()),
    ],
)
def test_the_log_is_searched_like_any_resource(
    auditor: Caller, ehr: Caller, stranger: Caller, story: dict[str, Any], query: str, expected: set[str]
) -> None:
    """https://hl7.org/fhir/R4/auditevent.html#search; the total agrees with what is shown."""
    words = {"ehr": ehr.account.id, "stranger": stranger.account.id, "organization": ehr.account.organization, "reading": story["reading"]}
    asked = f"patient={story['patient']}&{query.format(**words)}"
    page = auditor.search(f"AuditEvent?{asked}&_count=1000&_total=accurate")
    found = resources(page)
    known = {story[name]: name for name in story if name not in ("patient", "reading")}
    assert {known[id] for id in requests_of(found) if id in known} == expected
    assert page["total"] == len(found)


def test_one_record_is_read_and_has_one_version(auditor: Caller, story: dict[str, Any]) -> None:
    event = events(auditor, f"patient={story['patient']}&action=U")[0]
    answer = auditor.get(f"AuditEvent/{event['id']}")
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, event, 'W/"1"')
    assert auditor.get(f"AuditEvent/{event['id']}/_history/1").json() == event
    refused(auditor.get(f"AuditEvent/{event['id']}/_history/2"), 404, "not-found")
    refused(auditor.get(f"AuditEvent/{ABSENT}"), 404, "not-found")


def test_latest_first_and_page_by_page(auditor: Caller, ehr: Caller, story: dict[str, Any]) -> None:
    query = f"AuditEvent?patient={story['patient']}&altid={ehr.account.id}"
    recorded = [one["recorded"] for page in auditor.pages(f"{query}&_count=3") for one in resources(page)]
    assert recorded == sorted(recorded, reverse=True)
    assert len(recorded) == auditor.search(f"{query}&_summary=count")["total"] > 3
    assert [one["recorded"] for one in resources(auditor.search(f"{query}&_sort=date"))] == sorted(recorded)


def test_asking_the_log_is_itself_recorded(auditor: Caller, backstage: Backstage, story: dict[str, Any]) -> None:
    """SECURITY 3.4 (6): audit queries themselves are recorded the same way, under the patient they asked about."""
    for answer in (auditor.get(f"AuditEvent?patient={story['patient']}&_count=2"), auditor.get(f"AuditEvent/{ABSENT}")):
        records = backstage.records(answer.headers["x-request-id"])
        assert records
        assert all(one.event["agent"][0]["altId"] == auditor.account.id for one in records)
    searched = auditor.get(f"AuditEvent?patient={story['patient']}&_count=2")
    records = backstage.records(searched.headers["x-request-id"])
    assert backstage.patient_token(story["patient"]) in {one.patient for one in records}
    assert searched.headers["x-request-id"] in requests_of(events(auditor, f"patient={story['patient']}"))


def test_no_patient_decides_over_the_log(auditor: Caller, ehr: Caller) -> None:
    """Law 1: AuditEvent is governed by policy, never by patient consent: a deny hides nothing of it."""
    made = ehr.create(patient())
    ehr.create(consent(made["id"], "deny"))
    assert events(auditor, f"patient={made['id']}")


def test_tokens_and_logins_are_recorded_without_their_secrets(auditor: Caller, ehr: Caller, backstage: Backstage) -> None:
    """BALP ITI-71; RFC 6749: no assertion and no token in the log."""
    caller = ehr.narrowed("system/Patient.rs")
    assertion = caller.assertion()
    given = caller.ask_token(client_assertion=assertion)
    denied = caller.ask_token(client_assertion=assertion)
    (issued,), (refusal,) = (backstage.records(answer.headers["x-request-id"]) for answer in (given, denied))
    assert (issued.kind, issued.outcome, refusal.outcome) == ("ITI-71", "0", "4")
    assert refusal.event["outcomeDesc"] == "invalid_client"
    for record in (issued, refusal):
        text = json.dumps(record.event)
        assert assertion not in text
        assert given.json()["access_token"] not in text


def test_what_a_token_is_used_for_is_linked_to_its_issue(ehr: Caller, backstage: Backstage) -> None:
    """BALP OAUTHaccessTokenUse.Minimal: the jti in agent.policy."""
    caller = ehr.narrowed("system/Organization.rs")
    issued = backstage.records(caller.ask_token().headers["x-request-id"])[0]
    used = backstage.records(caller.get("Organization?_count=1").headers["x-request-id"])[0]
    for record in (issued, used):
        assert [
            policy
            for agent in record.event["agent"]
            for policy in agent.get("policy", ())
            if policy.startswith("urn:ietf:params:oauth:jti:")
        ]


def test_the_command_answers_the_officers_questions(running: Running, ehr: Caller, stranger: Caller, story: dict[str, Any]) -> None:
    """SECURITY 3.5: who saw patient X; what user Y saw; denied attempts."""
    about = ["--patient", f"Patient/{story['patient']}"]

    def asked(*more: str) -> list[Json]:
        done = running.process.invoke("audit", "query", *about, *more, "--limit", "1000", "--json", "--reason", "question of the tests")
        assert done.code == 0, done.err
        return list(done.json())

    everything = {one["request"] for one in asked()}
    known = {story[name] for name in story if name not in ("patient", "reading")}
    assert known <= everything
    denied = {one["request"] for one in asked("--client", stranger.account.id, "--outcome", "4", "--action", "R")}
    assert denied == {story["refused read"], story["refused read of the patient"]}
    assert story["read"] in {
        one["request"] for one in asked("--entity", f"Observation/{story['reading']}", "--organization", ehr.account.organization)
    }
    assert asked("--to", "2020-01-01") == []


def test_a_command_is_recorded_under_the_user_and_the_reason(running: Running, auditor: Caller, ehr: Caller) -> None:
    """DESIGN 4: what a person does with a command is audited under the operating-system user and the reason given."""
    made = ehr.create(patient())
    done = running.process.command("audit", "query", "--patient", f"Patient/{made['id']}", "--reason", "complaint 4711", "--json")
    assert done.code == 0
    found = [one for one in events(auditor, f"patient={made['id']}") if one["subtype"][-1]["code"] == "audit-query"]
    assert found[0]["purposeOfEvent"][0]["text"] == "complaint 4711"
    assert getpass.getuser() in {agent.get("altId") for agent in found[0]["agent"]}
    assert found[0]["id"] in {one["id"] for one in events(auditor, f"altid={getpass.getuser()}&patient={made['id']}")}


def test_export_gives_the_events_line_by_line(running: Running, story: dict[str, Any]) -> None:
    done = running.process.command("audit", "export", "--patient", f"Patient/{story['patient']}", "--reason", "tests")
    assert done.code == 0
    found = done.lines()
    assert {one["resourceType"] for one in found} == {"AuditEvent"}
    assert story["refused read"] in requests_of(found)


def test_an_untouched_log_verifies(running: Running, story: dict[str, Any]) -> None:
    done = running.process.command("audit", "verify", "--json")
    assert (done.code, done.json()["findings"]) == (0, [])
    assert done.json()["documents"] > 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["query", "--patient", "nonsense"], 1),
        (["query", "--from", "yesterday"], 2),
        (["query", "--limit", "0"], 2),
        (["query", "--nonsense"], 2),
        (["verify", "--nonsense"], 2),
    ],
)
def test_wrong_use_of_a_command_is_said_on_stderr(running: Running, arguments: list[str], code: int) -> None:
    """DESIGN 4: errors go to stderr with exit code 1, wrong use is 2."""
    done = running.process.invoke("audit", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err


PRIVILEGE = {"resource": {"db": "hub_audit", "collection": ""}, "actions": ["insert"]}


def test_no_data_and_no_write_without_a_record(ehr: Caller, stranger: Caller, backstage: Backstage, http: httpx.Client) -> None:
    """Law 2: if the log cannot take the record, the answer is 503, and nothing else; then all goes on as before."""
    made = ehr.create(patient())
    reading = ehr.create(observation(made["id"]))
    stranger.token  # noqa: B018 (had before the log fails)
    before = backstage.admin["hub"]["resources"].count_documents({})
    backstage.admin.admin.command("revokePrivilegesFromRole", "hub_application", privileges=[PRIVILEGE])
    try:
        answers = {
            "read": ehr.get(f"Observation/{reading['id']}"),
            "vread": ehr.get(f"Observation/{reading['id']}/_history/1"),
            "search": ehr.get(f"Observation?patient={made['id']}"),
            "count": ehr.get(f"Observation?patient={made['id']}&_summary=count"),
            "create": ehr.post("Observation", observation(made["id"])),
            "create of what names nobody": ehr.post("Organization", organization()),
            "update": ehr.put(f"Observation/{reading['id']}", {**reading, "status": "amended"}),
            "ingest": ehr.ingest("withings", b'{"measuregrps": []}', device="x"),
            "quarantine": ehr.get("/quarantine"),
            "hidden": stranger.get(f"Observation/{reading['id']}"),
            "absent": stranger.get(f"Observation/{ABSENT}"),
            "wrong scope": ehr.get("AuditEvent"),
            "malformed": ehr.post("Observation", b"{nonsense"),
            "no token": http.get(f"/fhir/Observation/{reading['id']}"),
            "no route": ehr.get("/fhir/no/such/route/at/all"),
            "no method": ehr.request("DELETE", f"Observation/{reading['id']}/_history/1"),
            "history": ehr.get(f"Observation/{reading['id']}/_history"),
            "delete": ehr.request("DELETE", f"Observation/{reading['id']}"),
        }
        token = ehr.ask_token()
    finally:
        backstage.admin.admin.command("grantPrivilegesToRole", "hub_application", privileges=[PRIVILEGE])
    for what, answer in answers.items():
        refused(answer, 503, "transient")
        assert answer.headers["retry-after"], what
        assert made["id"] not in answer.text
    assert len({answer.content for answer in answers.values()}) == 1
    assert (token.status_code, token.json().get("access_token")) == (503, None)
    assert backstage.admin["hub"]["resources"].count_documents({}) == before
    assert ehr.get(f"Observation/{reading['id']}").json() == reading


def test_a_failing_log_leaves_no_litter(ehr: Caller, backstage: Backstage) -> None:
    """Each failure begins a new chain; a chain that never got a record must not add up to a file for each request."""
    heads = backstage.hub.heads
    ehr.get("Organization?_count=1")
    before = len(list(heads.glob("*.head")))
    backstage.admin.admin.command("revokePrivilegesFromRole", "hub_application", privileges=[PRIVILEGE])
    try:
        for _ in range(30):
            assert ehr.get("Organization?_count=1").status_code == 503
    finally:
        backstage.admin.admin.command("grantPrivilegesToRole", "hub_application", privileges=[PRIVILEGE])
    assert ehr.get("Organization?_count=1").status_code == 200
    assert len(list(heads.glob("*.head"))) - before <= 3
