"""Practitioners by consent, or bound to the patient in context; officers, administrators and vendors, who see no patient's data.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html; SECURITY 1.3 (50 to 53), 2.7 (reading 4); docs/scopes.md.
"""

from dataclasses import dataclass

import httpx
import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.persons import PersonCaller, acting, app_of, as_practitioner, person
from tests.support.resources import ABSENT, actor, consent, device, observation, organization, patient, practitioner, purpose
from tests.support.resources import action as consented

SCOPE = "patient/*.cruds user/*.cruds fhirUser openid"


@dataclass(frozen=True, slots=True)
class Ward:
    """Ids. `for_person`, `for_place`, `for_nobody`: patients who let the practitioner, the hospital, or no one, see."""

    hospital: str
    practitioner: str
    for_person: str
    for_place: str
    for_nobody: str


@pytest.fixture(scope="module")
def ward(ehr: Caller) -> Ward:
    hospital, who = ehr.create(organization())["id"], ehr.create(practitioner())["id"]
    ids = [ehr.create(patient("Soigne"))["id"] for _ in range(3)]
    for id in ids:
        ehr.create(observation(id))
    ehr.create(consent(ids[0], provision={"actor": [actor(f"Practitioner/{who}")], "action": [consented("access"), consented("collect")]}))
    ehr.create(consent(ids[1], provision={"actor": [actor(f"Organization/{hospital}")]}))
    return Ward(hospital, who, *ids)


@pytest.fixture(scope="module")
def doctor(ward: Ward, backstage: Backstage, http: httpx.Client) -> PersonCaller:
    return as_practitioner(backstage, http, app_of(backstage, SCOPE), ward.practitioner, f"Organization/{ward.hospital}", SCOPE)


@pytest.fixture(scope="module")
def at_bedside(ward: Ward, backstage: Backstage, http: httpx.Client) -> PersonCaller:
    """The patient in context lets the person see; others let the person or the hospital, too."""
    app, place = app_of(backstage, SCOPE), f"Organization/{ward.hospital}"
    return as_practitioner(backstage, http, app, ward.practitioner, place, "patient/*.cruds", patient=ward.for_person)


def patients(caller: Caller) -> set[str]:
    return {one["id"] for one in resources(caller.search("Patient?family=Soigne&_count=50"))}


def test_a_practitioner_sees_who_lets_the_person_or_the_organisation(doctor: PersonCaller, ward: Ward) -> None:
    """Reading 4: both are named as actors; the app's maker is not."""
    caller = doctor.with_scope("user/*.rs")
    assert patients(caller) == {ward.for_person, ward.for_place}
    assert {one["subject"]["reference"] for one in resources(caller.search("Observation?patient.family=Soigne"))} == {
        f"Patient/{ward.for_person}",
        f"Patient/{ward.for_place}",
    }
    refused(caller.get(f"Patient/{ward.for_nobody}"), 404, "not-found")


def test_a_permit_to_the_maker_of_an_app_is_none_to_the_people_who_use_it(
    ehr: Caller, ward: Ward, backstage: Backstage, http: httpx.Client
) -> None:
    """The person acts for the own organisation."""
    maker = f"Organization/{ehr.create(organization())['id']}"
    id = ehr.create(patient())["id"]
    ehr.create(consent(id, provision={"actor": [actor(maker)]}))
    place = f"Organization/{ward.hospital}"
    caller = as_practitioner(backstage, http, app_of(backstage, SCOPE, organization=maker), ward.practitioner, place, "user/*.rs")
    refused(caller.get(f"Patient/{id}"), 404, "not-found")
    ehr.create(consent(id, provision={"actor": [actor(place)]}))
    assert caller.get(f"Patient/{id}").status_code == 200
    ehr.create(consent(id, "deny", provision={"actor": [actor(maker)]}))
    refused(caller.get(f"Patient/{id}"), 404, "not-found")


def test_opt_out_is_for_an_organisations_own_app_in_the_hands_of_its_own_people(
    ehr: Caller, ward: Ward, backstage: Backstage, http: httpx.Client
) -> None:
    """CSP L.1110-4: the care team by opt-out; who borrows its app is not of it."""
    id = ehr.create(patient())["id"]
    app = app_of(backstage, SCOPE, organization=ehr.account.organization, consent_default="opt-out")
    of_team = as_practitioner(backstage, http, app, ward.practitioner, ehr.account.organization, "user/*.rs")
    of_others = as_practitioner(backstage, http, app, ward.practitioner, f"Organization/{ward.hospital}", "user/*.rs")
    assert of_team.get(f"Patient/{id}").status_code == 200
    refused(of_others.get(f"Patient/{id}"), 404, "not-found")
    borrowed = app_of(backstage, SCOPE, organization=f"Organization/{ward.hospital}", consent_default="opt-out")
    elsewhere = as_practitioner(backstage, http, borrowed, ward.practitioner, ehr.account.organization, "user/*.rs")
    refused(elsewhere.get(f"Patient/{id}"), 404, "not-found")


def test_the_purpose_that_counts_is_the_tokens(ehr: Caller, ward: Ward, backstage: Backstage, http: httpx.Client) -> None:
    """A Consent for research lets nobody who treats."""
    id = ehr.create(patient())["id"]
    ehr.create(consent(id, provision={"actor": [actor(f"Practitioner/{ward.practitioner}")], "purpose": [purpose("HRESCH")]}))
    who, app = person("practitioner", f"Practitioner/{ward.practitioner}", f"Organization/{ward.hospital}"), app_of(backstage, SCOPE)
    treating, researching = (acting(backstage, http, app, who, "user/*.rs", purpose=code) for code in ("TREAT", "HRESCH"))
    assert [one.get(f"Patient/{id}").status_code for one in (treating, researching)] == [404, 200]


def test_at_the_bedside_only_the_patient_in_context_is_there(at_bedside: PersonCaller, ward: Ward) -> None:
    """patient/ is bound to the compartment, whoever else would let this person see."""
    assert patients(at_bedside) == {ward.for_person}
    assert {one["subject"]["reference"] for one in resources(at_bedside.search("Observation"))} == {f"Patient/{ward.for_person}"}
    assert at_bedside.search("Patient?_summary=count")["total"] == 1
    for path in (f"Patient/{ward.for_place}", f"Patient/{ward.for_place}/$everything", f"Patient/{ward.for_place}/_history"):
        refused(at_bedside.get(path), 404, "not-found")
    refused(at_bedside.get(f"Organization/{ward.hospital}"), 404, "not-found")
    assert at_bedside.found("Organization") == []


def test_at_the_bedside_writes_are_about_the_patient_in_context(at_bedside: PersonCaller, ward: Ward) -> None:
    """The same refusal for who lets this person write, for who does not, and for nobody."""
    assert at_bedside.post("Observation", observation(ward.for_person, value=61)).status_code == 201
    answers = [at_bedside.post("Observation", observation(id)) for id in (ward.for_place, ward.for_nobody, ABSENT)]
    assert [one.status_code for one in answers] == [403, 403, 403]
    assert len({one.text for one in answers}) == 1
    named = [at_bedside.post("Device", device(patient={"reference": f"Patient/{id}"})) for id in (ward.for_place, ABSENT)]
    assert [one.status_code for one in named] == [403, 403]


def test_context_of_a_patient_who_does_not_permit_opens_nothing(ward: Ward, backstage: Backstage, http: httpx.Client) -> None:
    """Launch context is no consent (law 1)."""
    app, place = app_of(backstage, SCOPE), f"Organization/{ward.hospital}"
    caller = as_practitioner(backstage, http, app, ward.practitioner, place, "patient/*.cruds", patient=ward.for_nobody)
    refused(caller.get(f"Patient/{ward.for_nobody}"), 404, "not-found")
    assert caller.found("Observation") == []


def test_patient_and_user_scopes_of_one_token_add_up(doctor: PersonCaller, ward: Ward, backstage: Backstage, http: httpx.Client) -> None:
    """SMART 2.2: each scope speaks for itself."""
    scope = "patient/Observation.rs user/Patient.rs"
    place = f"Organization/{ward.hospital}"
    caller = as_practitioner(backstage, http, app_of(backstage, SCOPE), ward.practitioner, place, scope, patient=ward.for_person)
    assert patients(caller) == {ward.for_person, ward.for_place}
    assert {one["subject"]["reference"] for one in resources(caller.search("Observation"))} == {f"Patient/{ward.for_person}"}


def test_a_practitioner_reads_the_own_resource_by_fhir_user(doctor: PersonCaller, ehr: Caller, ward: Ward) -> None:
    """SECURITY 1.3 (37); administrative rows are not reached by patient/ scopes otherwise."""
    alone = doctor.with_scope("openid fhirUser patient/*.rs")
    assert alone.get(f"Practitioner/{ward.practitioner}").status_code == 200
    another = ehr.create(practitioner())["id"]
    refused(alone.get(f"Practitioner/{another}"), 404, "not-found")


def test_practitioners_write_what_they_may_collect_and_are_no_recorders(doctor: PersonCaller, ward: Ward) -> None:
    """ADR 9: what the app's client may do by itself is not its people's to do."""
    caller = doctor.with_scope("user/*.cruds")
    assert caller.post("Observation", observation(ward.for_person, value=62)).status_code == 201
    refused(caller.post("Observation", observation(ward.for_nobody)), 422, "business-rule")
    refused(caller.post("Patient", patient()), 403, "forbidden")
    refused(caller.post("Consent", consent(ward.for_person)), 403, "forbidden")


def test_the_record_names_person_organisation_and_app(doctor: PersonCaller, ward: Ward, backstage: Backstage) -> None:
    """BALP 3:5.7.3: user and client are agents; the organisation in whose name stands beside."""
    answer = doctor.with_scope("user/*.rs").get(f"Patient/{ward.for_person}")
    (_, of_patient) = backstage.records(answer.headers["x-request-id"])
    app, hub, user, place = of_patient.event["agent"]
    assert (app["altId"], "network" in hub) == (doctor.account.id, True)
    assert (user["who"], user["altId"]) == ({"reference": f"Practitioner/{ward.practitioner}"}, doctor.held.person.account)
    assert user["role"][0]["coding"][0]["code"] == "practitioner"
    assert (place["who"], place["requestor"]) == ({"reference": f"Organization/{ward.hospital}"}, False)


def test_who_read_my_data_is_answered_with_the_person(running: Running, doctor: PersonCaller, ward: Ward, backstage: Backstage) -> None:
    """The command finds what a person did, by reference and by account."""
    doctor.with_scope("user/*.rs").get(f"Patient/{ward.for_person}")
    for asked in (["--person", f"Practitioner/{ward.practitioner}"], ["--user", doctor.held.person.account]):
        done = running.process.command("audit", "query", "--patient", f"Patient/{ward.for_person}", *asked, "--json")
        assert done.code == 0, done.err
        found = done.json()
        assert found
        assert {one["who"] for one in found} == {f"Practitioner/{ward.practitioner}"}
        assert {(one["role"], one["organization"]) for one in found} == {("practitioner", f"Organization/{ward.hospital}")}


@pytest.mark.parametrize("role", ["compliance", "administrator", "vendor"])
def test_who_acts_for_nobodys_care_sees_nothing_that_concerns_a_patient(
    role: str, ehr: Caller, ward: Ward, backstage: Backstage, http: httpx.Client
) -> None:
    """docs/scopes.md: whatever the token says, and even where a Consent lets everybody see."""
    id = ehr.create(patient())["id"]
    ehr.create(consent(id))
    worn = ehr.create(device(patient={"reference": f"Patient/{id}"}))["id"]
    free = ehr.create(device())["id"]
    who = person(role, None, f"Organization/{ward.hospital}")  # type: ignore[arg-type]
    caller = acting(backstage, http, app_of(backstage, "user/*.cruds patient/*.rs"), who, "user/*.cruds patient/*.rs", patient=id)
    for hidden in (f"Patient/{id}", f"Device/{worn}"):
        refused(caller.get(hidden), 404, "not-found")
    assert caller.found("Patient") == []
    assert caller.get(f"Device/{free}").status_code == 200
    assert worn not in {one["id"] for one in resources(caller.search("Device?_count=1000"))}
    refused(caller.post("Observation", observation(id)), 422, "business-rule")


def test_the_log_is_read_by_compliance_officers_with_the_scope_that_names_it(ward: Ward, backstage: Backstage, http: httpx.Client) -> None:
    """Law 1: by policy, by name, and by nobody else."""
    app = app_of(backstage, "user/AuditEvent.rs user/*.rs")
    for role, scope, status in (
        ("compliance", "user/AuditEvent.rs", 200),
        ("compliance", "user/*.rs", 403),
        ("practitioner", "user/AuditEvent.rs", 403),
        ("administrator", "user/AuditEvent.rs", 403),
        ("vendor", "user/AuditEvent.rs", 403),
    ):
        who = person(role, None, f"Organization/{ward.hospital}")  # type: ignore[arg-type]
        caller = acting(backstage, http, app, who, scope, purpose="HCOMPL")
        answer = caller.get("AuditEvent?_count=1")
        assert answer.status_code == status, (role, scope)
    events = acting(backstage, http, app, person("compliance"), "user/AuditEvent.rs", purpose="HCOMPL")
    found = events.search(f"AuditEvent?patient=Patient/{ward.for_person}&_count=1")
    assert events.get(f"AuditEvent/{resources(found)[0]['id']}").status_code == 200
