"""The report of an implant's interrogation: a DiagnosticReport to find it by, a DocumentReference, and a Binary that is the PDF.

docs/adr/0024-reports.md; https://hl7.org/fhir/R4/diagnosticreport.html; https://hl7.org/fhir/R4/documentreference.html; laws 1 to 5.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from adapters.idco.simulate import one_page
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.idco import NAMED, TIME, implant, interrogation
from tests.support.payloads import identifier_system
from tests.support.rederiving import Bench, later, stored
from tests.support.resources import ABSENT, LOINC, OBSERVATION_CATEGORY, consent, patient

Json = dict[str, Any]
SYSTEM = identifier_system("idco")
WRITES = "system/Observation.c system/DiagnosticReport.c system/DocumentReference.c system/Binary.c"
SENSITIVE = b"Lovelace"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def unit(backstage: Backstage, person: str) -> str:
    backstage.pair(SYSTEM, implant(person), f"Patient/{person}", from_us=0)
    return person


def sent(caller: Caller, unit: str, content: bytes = NAMED) -> Json:
    (fate,) = caller.fates("idco", interrogation(unit, content).encode())
    return fate


def document_of(caller: Caller, person: str) -> Json:
    """As an EHR looks for it."""
    (id,) = caller.found(f"DocumentReference?patient={person}&type={LOINC}|18750-0")
    made: Json = caller.get(f"DocumentReference/{id}").json()
    return made


def url_of(caller: Caller, person: str) -> str:
    return str(document_of(caller, person)["content"][0]["attachment"]["url"])


def pdf(caller: Caller, url: str) -> bytes:
    answer = caller.get(url, headers={"Accept": "application/pdf"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def test_an_ehr_finds_the_report_and_reads_the_pdf_as_it_was_sent(ehr: Caller, person: str, unit: str) -> None:
    """Both ways in which EHRs look: DiagnosticReport.presentedForm and DocumentReference.content are one attachment."""
    fate = sent(ehr, unit)
    assert fate["fate"] == "stored", fate
    report, document = ehr.get(fate["resource"]).json(), document_of(ehr, person)
    assert report["resourceType"] == "DiagnosticReport"
    assert (report["status"], report["effectiveDateTime"]) == ("final", TIME)
    assert report["subject"] == document["subject"] == {"reference": f"Patient/{person}"}
    assert report["presentedForm"] == [document["content"][0]["attachment"]]
    (attachment,) = report["presentedForm"]
    kept = pdf(ehr, attachment["url"])
    assert kept == NAMED
    assert (attachment["contentType"], attachment["size"]) == ("application/pdf", len(kept))
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(kept, usedforsecurity=False).digest()
    assert document["context"]["period"] == {"start": TIME}
    assert document["context"]["related"][0]["reference"].startswith("Device/")


@pytest.mark.parametrize("query", ["code=18750-0", f"category={LOINC}|LP29708-2", "date=2026-03-01"])
def test_the_report_is_found_by_what_ehrs_ask_for(ehr: Caller, person: str, unit: str, query: str) -> None:
    fate = sent(ehr, unit)
    assert ehr.found(f"DiagnosticReport?patient={person}&{query}") == [fate["resource"].partition("/")[2]]


@pytest.mark.parametrize("type", ["DiagnosticReport", "DocumentReference", "Binary"])
def test_each_of_the_three_is_what_r4_allows(ehr: Caller, person: str, unit: str, type: str) -> None:
    fate = sent(ehr, unit)
    where = {"DiagnosticReport": fate["resource"], "Binary": url_of(ehr, person)}.get(type)
    made = document_of(ehr, person) if where is None else ehr.get(where, headers={"Accept": "application/fhir+json"}).json()
    assert made["resourceType"] == type
    found = ehr.post(f"{type}/$validate", made).json()["issue"]
    assert {one["severity"] for one in found} <= {"information", "warning"}, found


def test_the_report_of_a_demonstration_says_that_it_is_test_data(ehr: Caller, person: str, unit: str) -> None:
    """OBX-8 TEST: where an EHR looks, in the report and in the document, and as a flag of the device."""
    (fate,) = ehr.fates("idco", interrogation(unit).replace("||||||F", "|||TEST|||F").encode())
    report = ehr.get(fate["resource"]).json()
    for made in (report, document_of(ehr, person)):
        assert [label["code"] for label in made["meta"]["security"]] == ["HTEST"]
    assert [extension["valueCoding"]["code"] for extension in report["extension"]] == ["test-data"]


def test_the_same_report_again_is_a_duplicate_and_another_of_the_same_session_a_new_version(ehr: Caller, person: str, unit: str) -> None:
    """DESIGN 7: same key and value, same key and other value. The older version still has its own bytes."""
    signed = one_page("Interrogation of Ada Lovelace, signed")
    first = sent(ehr, unit)
    assert sent(ehr, unit) == {**first, "fate": "duplicate"}
    assert sent(ehr, unit, signed)["fate"] == "corrected"
    url = url_of(ehr, person)
    assert {pdf(ehr, f"{url}/_history/{version}") for version in (1, 2)} == {NAMED, signed}


def test_who_may_not_see_the_patient_sees_none_of_the_three(ehr: Caller, stranger: Caller, person: str, unit: str) -> None:
    """Law 3: hidden is absent, for the bytes as for the rest."""
    fate = sent(ehr, unit)
    for where in (fate["resource"], f"DocumentReference/{document_of(ehr, person)['id']}", url_of(ehr, person)):
        answer, nowhere = (stranger.get(one, headers={"Accept": "*/*"}) for one in (where, f"{where.partition('/')[0]}/{ABSENT}"))
        assert (answer.status_code, answer.json()) == (nowhere.status_code, nowhere.json())
        assert answer.status_code == 404
    assert stranger.found(f"DocumentReference?patient={person}") == stranger.found(f"DiagnosticReport?patient={person}") == []


@pytest.mark.parametrize(
    "denied",
    [
        {"class": [{"system": OBSERVATION_CATEGORY, "code": "procedure"}]},
        {"class": [{"system": LOINC, "code": "LP29708-2"}]},
        {"code": [{"coding": [{"system": LOINC, "code": "18750-0"}]}]},
    ],
    ids=["category", "service", "code"],
)
def test_a_patient_can_deny_the_reports_of_an_implant(ehr: Caller, stranger: Caller, person: str, unit: str, denied: Json) -> None:
    """Law 1: by the category that the implant's values have, by the service, by the code; the bytes go with them."""
    fate = sent(ehr, unit)
    where = (fate["resource"], f"DocumentReference/{document_of(ehr, person)['id']}", url_of(ehr, person))
    ehr.create(consent(person))
    assert [stranger.get(one, headers={"Accept": "*/*"}).status_code for one in where] == [200, 200, 200]
    ehr.create(consent(person, "deny", provision=denied))
    assert [stranger.get(one, headers={"Accept": "*/*"}).status_code for one in where] == [404, 404, 404]


def test_reading_the_pdf_is_recorded_under_the_patient(ehr: Caller, backstage: Backstage, person: str, unit: str) -> None:
    """Law 2."""
    sent(ehr, unit)
    url = url_of(ehr, person)
    records = backstage.recorded_by(lambda: pdf(ehr, url))
    assert backstage.patient_token(person) in {record.patient for record in records}


def test_nothing_of_the_report_is_stored_in_clear_or_kept_beside_it(ehr: Caller, backstage: Backstage, person: str, unit: str) -> None:
    """Law 4; with each of the three lies what it takes to read the message again, and none of the PDF."""
    fate = sent(ehr, unit)
    services, type, id = backstage.hub.services, *fate["resource"].split("/")
    token = backstage.patient_token(person)
    for row in backstage.admin["hub"]["contents"].find({"p": token}):
        assert SENSITIVE not in row["c"]
        assert b"%PDF" not in row["c"]
    (current,) = backstage.run(services.store.currents([f"{type}/{id}"])).values()
    key = backstage.run(services.vault.key(token))
    raw = services.vault.open_sealed(key, type, id, current.version, token, current.raw, purpose="raw")
    assert b"18750-0" in raw
    assert not any(word in raw for word in (b"%PDF", b"JVBERi", SENSITIVE, b"IPP-4711"))


def test_a_sender_without_the_scope_is_told_which_is_missing(ehr: Caller, another: Callable[..., Caller], unit: str) -> None:
    """Nothing is half there, and the values of the same message are stored."""
    sender = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    voltage = "OBX|2|NM|721344^MDC_IDC_MSMT_BATTERY_VOLTAGE^MDC|1|3.02|V|||||F"
    report, value = sender.fates("idco", interrogation(unit, NAMED, voltage).encode())
    assert (report["fate"], report["code"], value["fate"]) == ("quarantined", "scope-missing", "stored")
    assert "DiagnosticReport" in report["hint"]


def test_the_scopes_of_what_a_report_becomes_are_enough_to_send_it(ehr: Caller, another: Callable[..., Caller], unit: str) -> None:
    sender = another(WRITES, organization=ehr.account.organization, consent_default="opt-out")
    assert sent(sender, unit)["fate"] == "stored"


def test_a_report_of_an_unknown_implant_waits_and_is_let_in_when_it_is_known(
    running: Running, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """What waits shows nothing of the PDF to whoever looks; afterwards it is the patient's, byte by byte."""
    before = waiting(ehr)
    fate = sent(ehr, person)
    assert (fate["fate"], fate["code"]) == ("quarantined", "device-not-paired")
    (id,) = waiting(ehr) - before
    looked = running.process.invoke("quarantine", "show", id, "--reason", "tests").out
    assert "cied-report" in looked
    assert not any(word in looked for word in ("Lovelace", "%PDF", "JVBERi"))
    backstage.pair(SYSTEM, implant(person), f"Patient/{person}", from_us=0)
    (replayed,) = ehr.request("POST", f"/quarantine/{id}/replay").json()
    assert replayed["fate"] == "stored", replayed
    assert pdf(ehr, url_of(ehr, person)) == NAMED


def waiting(caller: Caller) -> set[str]:
    return {one["id"] for one in caller.get("/quarantine?_count=1000").json()}


@pytest.mark.parametrize("mistake", [later, None], ids=["moved", "unchanged"])
def test_a_report_is_derived_anew_with_its_document_and_its_bytes(
    backstage: Backstage, ehr: Caller, person: str, unit: str, mistake: Any
) -> None:
    """ADR 17: from what was kept of the message and the PDF, which lie apart."""
    bench = Bench(backstage, ehr.account, "idco", mistake or (lambda reading: reading))
    (reference,) = stored(bench.ingest(interrogation(unit).encode()))
    plan = bench.plan(person)
    assert bench.apply(plan).done == (1 if mistake else 0)
    now = ehr.get(reference).json()
    if mistake:
        assert now["status"] == "entered-in-error"
        old = ehr.get(reference.replace("DiagnosticReport", "DocumentReference")).json()
        assert old["status"] == "entered-in-error"
        reference = next(one["valueReference"]["reference"] for one in now["extension"] if one["url"].endswith("/replaced-by"))
    report = ehr.get(reference).json()
    assert (report["status"], report["effectiveDateTime"]) == ("final", TIME)
    document = ehr.get(reference.replace("DiagnosticReport", "DocumentReference")).json()
    assert document["context"]["related"][0]["reference"].startswith("Device/")
    assert pdf(ehr, report["presentedForm"][0]["url"]) == NAMED
    assert dict(bench.plan(person).kinds) == {"unchanged": 1}
