"""Whoever's data is in an answer has a record of it, whatever the interaction. DESIGN law 2; FHIR.md 0.6, 4b.12."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.payloads import identifier_system, weight
from tests.support.resources import ABSENT, consent, device, observation, patient

Json = dict[str, Any]
SYSTEM = "urn:audit-whole"
SHOWN = {"Prefer": "return=representation"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
READS = """
    Patient/{p} Observation/{o} Observation/{o}/_history/1 Observation/{o}/_history Patient/{p}/_history
    Observation?patient={p} Observation?patient={p}&_include=Observation:patient Patient?_id={p}&_revinclude=Observation:patient
    Observation?patient={p}&_summary=true Observation?patient={p}&_elements=status Patient?identifier=urn:audit-whole|{p}
    Observation?patient.identifier=urn:audit-whole|{p} Patient?_has:Observation:patient:identifier=urn:audit-whole|{p} Patient?_list={l}
    /fhir?_type=Patient,Observation&_id={p},{o} Patient/{p}/Observation Patient/{p}/* Patient/{p}/$everything
    Patient/{p}/$measures?shape=hddt Patient/{p}/$measures?shape=ans&source=urn:oid:1.2.3
    Device?_id={d} Device/{d} Device/{d}/Observation Observation/$lastn?patient={p} Observation/{o}/$meta Patient/{p}/$meta
    Observation/$stats?subject=Patient/{p}&system=http://loinc.org&code=8867-4&statistic=average Observation/{o}/$validate
""".split()  # noqa: SIM905 (one to a line would be a page)


@pytest.fixture(scope="module")
def given(ehr: Caller) -> dict[str, str]:
    """A patient (p) with a reading (o), a device (d) that names the patient, and a list (l)."""
    made = ehr.create(patient())
    person, key = made["id"], [{"system": SYSTEM, "value": made["id"]}]
    ehr.update(made, identifier=key)
    unit = ehr.create(device(patient={"reference": f"Patient/{person}"}))["id"]
    reading = ehr.create(observation(person, identifier=key, device={"reference": f"Device/{unit}"}))["id"]
    held = [{"item": {"reference": f"Patient/{person}"}}]
    about = {"subject": {"reference": f"Patient/{person}"}, "status": "current", "mode": "working", "entry": held}
    listed = ehr.create({"resourceType": "List", **about})["id"]
    return {"p": person, "o": reading, "d": unit, "l": listed}


def owners(backstage: Backstage, answer: httpx.Response) -> set[bytes | None]:
    """Of whom there are records of this request that say it was done."""
    return {one.patient for one in backstage.records(answer.headers["x-request-id"]) if one.outcome == "0"}


@pytest.mark.parametrize("path", READS)
def test_what_is_shown_is_recorded_under_its_patient(ehr: Caller, backstage: Backstage, given: dict[str, str], path: str) -> None:
    answer = ehr.get(path.format(**given))
    assert answer.status_code == 200, answer.text
    assert backstage.patient_token(given["p"]) in owners(backstage, answer)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("path", ["Patient/{p}", "Observation/{o}/_history/1", "Observation?patient={p}"])
def test_what_is_shown_inside_a_bundle_is_recorded_too(
    ehr: Caller, backstage: Backstage, given: dict[str, str], kind: str, path: str
) -> None:
    answer = ehr.post("/fhir", bundle(entry("GET", path.format(**given)), type=kind))
    assert answer.json()["entry"][0]["response"]["status"].startswith("200")
    assert backstage.patient_token(given["p"]) in owners(backstage, answer)


def writes(ehr: Caller, given: dict[str, str]) -> Iterator[httpx.Response]:
    """Answers that show something which is there already."""
    person, reading, criteria = given["p"], given["o"], f"identifier={SYSTEM}|{given['p']}"
    key = [{"system": SYSTEM, "value": person}]
    current = ehr.get(f"Observation/{reading}").json()
    yield ehr.post("Patient", patient(identifier=key), headers={**SHOWN, "If-None-Exist": criteria})
    yield ehr.put(f"Observation/{reading}", current, headers=SHOWN)
    yield ehr.put(f"Observation?{criteria}", current, headers=SHOWN)
    yield ehr.request("PATCH", f"Observation/{reading}", content="[]", headers={**SHOWN, **JSON_PATCH})
    yield ehr.request("PATCH", f"Observation?{criteria}", content="[]", headers={**SHOWN, **JSON_PATCH})
    for one in (
        entry("POST", "Patient", patient(identifier=key), ifNoneExist=criteria),
        entry("PUT", f"Observation/{reading}", current),
        entry("POST", "Observation", observation(None, subject={"reference": f"Patient?{criteria}"})),
    ):
        yield ehr.post("/fhir", bundle(one), headers=SHOWN)


def test_what_a_write_finds_is_recorded_under_its_patient(ehr: Caller, backstage: Backstage, given: dict[str, str]) -> None:
    for number, answer in enumerate(writes(ehr, given)):
        assert answer.status_code in (200, 201), (number, answer.text)
        assert given["p"] in answer.text
        assert backstage.patient_token(given["p"]) in owners(backstage, answer), number


def test_what_a_refusal_aimed_at_is_recorded_under_its_patient(
    ehr: Caller, stranger: Caller, backstage: Backstage, given: dict[str, str]
) -> None:
    """409, 412, 404, 422: nothing is shown, and who tried what with whom is in the log all the same."""
    stale = {"If-Match": 'W/"9"'}
    body = {**observation(given["p"]), "id": given["o"]}
    answers = [
        (ehr.request("DELETE", f"Patient/{given['p']}"), 409),
        (ehr.put(f"Observation/{given['o']}", body, headers=stale), 412),
        (ehr.post("/fhir", bundle(entry("PUT", f"Observation/{given['o']}", body, ifMatch='W/"9"'))), 412),
        (stranger.get(f"Observation/{given['o']}"), 404),
        (stranger.post("Observation", observation(given["p"])), 422),
        (stranger.post("/fhir", bundle(entry("DELETE", f"Observation/{given['o']}"))), 404),
    ]
    for number, (answer, status) in enumerate(answers):
        assert answer.status_code == status, (number, answer.text)
        found = {one.patient for one in backstage.records(answer.headers["x-request-id"]) if one.outcome == "4"}
        assert backstage.patient_token(given["p"]) in found, number


def test_a_reading_is_recorded_under_whom_it_is_about_taken_or_not(ehr: Caller, stranger: Caller, backstage: Backstage) -> None:
    """Law 2: stored, corrected, and left waiting because the patient does not permit it."""
    person = ehr.create(patient())["id"]
    unit, token = f"audit-{person}", backstage.patient_token(person)
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    for sender, grams, fate in ((ehr, 70_000, "stored"), (ehr, 71_000, "corrected"), (stranger, 72_000, "quarantined")):
        answer = sender.ingest("withings", weight(grams), device=unit)
        assert [one["fate"] for one in answer.json()] == [fate]
        assert token in owners(backstage, answer), fate


@pytest.mark.parametrize("path", ["Patient/_search", "/fhir/_search"])
def test_the_question_is_in_the_record_wherever_it_stood(ehr: Caller, backstage: Backstage, path: str) -> None:
    """Law 2: asked by a form as by the URL; values where the key of a patient seals them. https://profiles.ihe.net/ITI/BALP (query)"""
    answer = ehr.request(
        "POST", f"{path}?_count=5", data={"_id": "Zqasked", "_type": "Patient"} if path.startswith("/") else {"_id": "Zqasked"}
    )
    assert answer.status_code == 200, answer.text
    told = [
        one["query"] for record in backstage.records(answer.headers["x-request-id"]) for one in record.event["entity"] if "query" in one
    ]
    assert any("_count=5" in line and "_id=Zqasked" in line for line in map(base64_text, told))


def base64_text(line: str) -> str:
    return base64.b64decode(line).decode()


ASKED_IN_VAIN = """
    Patient?_id={p} Patient?_id={p},{a} Patient?_id={a},{p}&_summary=count Patient?identifier=urn:audit-whole|{p}
    Observation?patient={p},{a} Observation?performer=Patient/{p} Device?patient={p} Patient?link=Patient/{p} Observation?_id={o}
    Observation?identifier=urn:audit-whole|{p} Observation?patient._id={p}
    Observation?patient.identifier=urn:audit-whole|{p} Device?_id={d} /fhir?_type=Patient,Observation&_id={p}
""".split()  # noqa: SIM905 (one to a line would be a page)


@pytest.mark.parametrize("path", ASKED_IN_VAIN)
def test_who_was_asked_for_in_vain_finds_it_in_the_own_report(
    stranger: Caller, auditor: Caller, backstage: Backstage, given: dict[str, str], path: str
) -> None:
    """DESIGN 6, SECURITY 3.5: an attempt stands under the patient it aimed at. Law 3: who is absent leaves as many records."""
    absent = dict.fromkeys(given, ABSENT)
    numbers = []
    for on in (given, absent):
        answer = stranger.get(path.format(**on, a="1" * 22))
        assert answer.json().get("entry") is None
        records = backstage.records(answer.headers["x-request-id"])
        numbers.append(len(records))
        if on is given:
            mine = [one for one in records if one.patient == backstage.patient_token(given["p"])]
            assert len(mine) == 1
            assert auditor.found(f"AuditEvent?patient={given['p']}&_id={mine[0].event['id']}") == [mine[0].event["id"]]
    assert numbers[0] == numbers[1]


def test_what_only_somebody_hidden_bears_is_an_attempt_at_them(
    ehr: Caller, stranger: Caller, backstage: Backstage, given: dict[str, str]
) -> None:
    """http.html#ccreate, law 3: what is made instead is recorded; that somebody hidden was asked for is found under them."""
    own = ehr.create(patient())["id"]
    ehr.create(consent(own))
    made = observation(own)
    for value in (given["p"], ABSENT):
        answer = stranger.post("Observation", made, headers={"If-None-Exist": f"identifier={SYSTEM}|{value}"})
        assert answer.status_code == 201
        records = [one.patient for one in backstage.records(answer.headers["x-request-id"])]
        assert len(records) == 3
        assert (backstage.patient_token(given["p"]) in records) is (value == given["p"])
