"""What a token opens. https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.launches import Launches
from tests.spec.smart.blackbox.party import Party

OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
TYPES = ("Patient", "Observation", "Condition", "Encounter", "DiagnosticReport", "AllergyIntolerance", "MedicationRequest", "Procedure")
GRANTED = frozenset({"Patient", "Condition"})
GRANULAR = (
    ("Observation", OBSERVATION_CATEGORY, "vital-signs", "laboratory"),
    ("Observation", OBSERVATION_CATEGORY, "laboratory", "vital-signs"),
    ("Condition", CONDITION_CATEGORY, "problem-list-item", "encounter-diagnosis"),
    ("Condition", CONDITION_CATEGORY, "encounter-diagnosis", "problem-list-item"),
)
Json = dict[str, Any]


def entries(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", ()) if entry["search"]["mode"] == "match"]


def categories(resource: Json) -> set[str]:
    return {coding["code"] for category in resource["category"] for coding in category["coding"]}


@pytest.mark.parametrize("type", TYPES)
def test_no_token_no_data(public: Party, type: str) -> None:
    """50. RFC 6750 section 3: 401 and WWW-Authenticate, without an error code where no authentication was tried."""
    answer = public.http.get(f"{public.fhir}/{type}")
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.lower().startswith("bearer")
    assert "error=" not in challenge


@pytest.mark.parametrize("token", ["wrong", "a.b.c", "Bearer", "é".encode().decode("latin-1")])
def test_a_wrong_token_is_refused(public: Party, token: str) -> None:
    """50. RFC 6750 section 3.1: 401 invalid_token."""
    answer = public.http.get(f"{public.fhir}/Patient", headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.fixture(scope="module")
def limited(public: Party, launches: Launches) -> Json:
    return launches.tokens(public, "launch/patient " + " ".join(f"patient/{type}.rs" for type in sorted(GRANTED)))


@pytest.mark.parametrize("type", TYPES)
def test_what_was_granted_works_and_nothing_else(public: Party, limited: Json, type: str) -> None:
    """51. SMART 2.2 app-launch, access FHIR API: the resource server SHALL validate that the scope covers the requested resource."""
    query = f"Patient?_id={limited['patient']}" if type == "Patient" else f"{type}?patient={limited['patient']}"
    answer = public.read(limited["access_token"], query)
    assert answer.status_code == (200 if type in GRANTED else 403)
    if type in GRANTED:
        assert entries(answer)


def test_reading_is_not_writing(public: Party, limited: Json) -> None:
    """Beyond: SMART 2.2 scopes v2: each letter by itself; .rs neither creates, nor changes, nor deletes."""
    headers = {"Authorization": f"Bearer {limited['access_token']}", "Content-Type": "application/fhir+json"}
    url = f"{public.fhir}/Patient/{limited['patient']}"
    body = public.read(limited["access_token"], f"Patient/{limited['patient']}").json()
    assert public.http.put(url, json=body, headers=headers).status_code == 403
    assert public.http.delete(url, headers=headers).status_code == 403
    assert public.http.post(f"{public.fhir}/Patient", json={"resourceType": "Patient"}, headers=headers).status_code == 403


@pytest.mark.parametrize(("type", "system", "asked", "other"), GRANULAR, ids=lambda one: one if "/" not in one else "")
def test_a_category_is_the_whole_of_what_is_seen(public: Party, launches: Launches, type: str, system: str, asked: str, other: str) -> None:
    """52. SMART 2.2, finer-grained resource constraints using search parameters: only what matches, in search and in read."""
    whole = launches.tokens(public, f"launch/patient patient/{type}.rs")
    everything = entries(public.read(whole["access_token"], f"{type}?patient={whole['patient']}"))
    hidden = next(one for one in everything if categories(one) == {other})
    part = launches.tokens(public, f"launch/patient patient/{type}.rs?category={system}|{asked}")
    found = entries(public.read(part["access_token"], f"{type}?patient={part['patient']}"))
    assert {frozenset(categories(one)) for one in found} == {frozenset({asked})}
    assert len(found) == sum(asked in categories(one) for one in everything)
    assert public.read(part["access_token"], f"{type}/{hidden['id']}").status_code in (403, 404)
    assert entries(public.read(part["access_token"], f"{type}?patient={part['patient']}&category={other}")) == []


def test_a_backends_category_is_the_whole_of_what_it_sees(party: Callable[[str], Party], launches: Launches) -> None:
    """52. SMART 2.2 backend-services: the same of system scopes; asked for more, the server grants what is registered."""
    limited = party("limited")
    answer = limited.by_itself("system/Observation.rs")
    assert answer.status_code == 200, answer.text
    assert "category=" in answer.json()["scope"]
    who = launches.target.people["patient"].patient
    found = entries(limited.read(answer.json()["access_token"], f"Observation?patient={who}"))
    assert {frozenset(categories(one)) for one in found} == {frozenset({"vital-signs"})}


def test_patient_scopes_reach_one_patient(public: Party, launches: Launches, limited: Json) -> None:
    """Beyond: SMART 2.2, patient-specific scopes: access to specific data about a single patient, the one in context."""
    found = entries(public.read(limited["access_token"], "Patient"))
    assert [one["id"] for one in found] == [limited["patient"]]
    subjects = {one["subject"]["reference"] for one in entries(public.read(limited["access_token"], "Condition"))}
    assert subjects == {f"Patient/{limited['patient']}"}


def test_a_practitioners_app_with_patient_scopes_sees_the_patient_that_was_picked(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2, launch/patient: the EHR establishes the context; patient scopes follow it, not the practitioner."""
    body = launches.tokens(public, "launch/patient patient/Patient.rs patient/Observation.rs", who="practitioner")
    assert body["patient"] == launches.target.people["practitioner"].patient
    found = entries(public.read(body["access_token"], "Patient"))
    assert [one["id"] for one in found] == [body["patient"]]


def test_each_entry_of_a_batch_is_decided_for_itself(public: Party, limited: Json) -> None:
    """Beyond: SMART 2.2 scopes v2: batch and transaction requests should be validated based on the actual requests within them."""
    urls = (f"Patient/{limited['patient']}", f"Observation?patient={limited['patient']}")
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": url}} for url in urls]}
    headers = {"Authorization": f"Bearer {limited['access_token']}", "Content-Type": "application/fhir+json"}
    answer = public.http.post(public.fhir, json=bundle, headers=headers)
    assert answer.status_code == 200, answer.text
    assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["200", "403"]


def test_a_link_between_patients_opens_nothing(public: Party, limited: Json) -> None:
    """Beyond: SMART 2.2, patient-specific scopes: the documentation SHALL describe what Patient.link does: here nothing (docs/smart.md)."""
    answer = public.read(limited["access_token"], "Patient?_include=Patient:link")
    assert answer.status_code in (200, 403)
    if answer.status_code == 200:
        ids = [entry["resource"]["id"] for entry in answer.json()["entry"] if entry["resource"]["resourceType"] == "Patient"]
        assert ids == [limited["patient"]]


def test_a_token_in_the_url_is_refused(public: Party, limited: Json) -> None:
    """Beyond: RFC 9700 section 4.3.2: access tokens MUST NOT be passed in a URI query parameter; ASVS 5.0 14.2.1."""
    url = f"{public.fhir}/Patient/{limited['patient']}"
    assert public.http.get(url, params={"access_token": limited["access_token"]}).status_code in (400, 401)
    both = public.read(limited["access_token"], f"Patient/{limited['patient']}", params={"access_token": limited["access_token"]})
    assert both.status_code == 400


def test_a_page_of_a_registered_origin_reads_data_and_no_other_does(public: Party, limited: Json) -> None:
    """Beyond: SMART 2.2 app-launch, CORS: from a client's registered origin(s), access to the FHIR resources."""
    url = f"{public.fhir}/Patient/{limited['patient']}"
    for origin, expected in ((public.registration.origin, public.registration.origin), ("https://elsewhere.example", None)):
        headers = {"Authorization": f"Bearer {limited['access_token']}", "Origin": origin}
        assert public.http.get(url, headers=headers).headers.get("access-control-allow-origin") == expected
