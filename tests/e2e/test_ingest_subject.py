"""A payload that says whose its values are never decides it, and is never put into another person's record. docs/adr/0019

DEVICES 6.1: an adapter may never set the patient. The pairing does; a payload that contradicts it waits.
"""

import json
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.payloads import identifier_system
from tests.support.resources import consent, patient

Json = dict[str, Any]
INS = "urn:oid:1.2.250.1.213.1.4.8"
UCUM, MDC = "http://unitsofmeasure.org", "urn:iso:std:iso:11073:10101"
CONTRADICTS = "subject-contradicts-pairing"


def person(ehr: Caller, number: str | None) -> str:
    known = {} if number is None else {"identifier": [{"system": INS, "value": number}, {"system": "urn:oid:2.999.1", "value": "ipp"}]}
    return str(ehr.create(patient(**known))["id"])


def ans(unit: str, number: str, system: str = INS) -> bytes:
    """One weight of the guide "Mesures de santé"."""
    base = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/"
    device = {
        "resourceType": "Device",
        "id": "d",
        "meta": {"profile": ["http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice"]},
        "identifier": [{"system": "urn:oid:1.2.250.1.999", "value": unit}],
    }
    weight = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{base}mesures-fr-observation-body-weight"]},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"identifier": {"system": system, "value": number}},
        "device": {"reference": "Device/d"},
        "effectiveDateTime": "2026-03-01T07:00:00+01:00",
        "valueQuantity": {"value": 71.5, "system": UCUM, "code": "kg"},
    }
    entries = [
        {"resource": device, "request": {"method": "POST", "url": "Device", "ifNoneExist": f"identifier=urn:oid:1.2.250.1.999|{unit}"}},
        {"fullUrl": "urn:uuid:1", "resource": weight, "request": {"method": "POST", "url": "Observation"}},
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def scale(backstage: Backstage, person: str, number: int, **period: int) -> str:
    unit = f"SC-{number}-{person[:8].replace('_', 'x').replace('-', 'y')}"
    backstage.pair(identifier_system("ans"), f"urn:oid:1.2.250.1.999|{unit}", f"Patient/{person}", **({"from_us": 0} | period))
    return unit


@pytest.mark.parametrize(
    ("known", "said", "system"),
    [("1", "1", INS), (None, "1", INS), ("1", "2", "urn:oid:2.999.7")],
    ids=["the same", "nothing known", "another system"],
)
def test_what_confirms_the_pairing_or_says_nothing_about_it_is_stored(
    ehr: Caller, backstage: Backstage, known: str | None, said: str, system: str
) -> None:
    one = person(ehr, known)
    (fate,) = ehr.fates("ans", ans(scale(backstage, one, 1), said, system))
    assert fate["fate"] == "stored"
    stored = ehr.get(fate["resource"])
    assert stored.json()["subject"]["reference"] == f"Patient/{one}"
    assert '"value":71.5' in stored.text


def test_another_person_s_identifier_keeps_the_reading_waiting(ehr: Caller, backstage: Backstage) -> None:
    """The unit changed hands, or was paired wrongly: which of the two is true, the hub cannot know."""
    one = person(ehr, "1")
    (fate,) = ehr.fates("ans", ans(scale(backstage, one, 2), "2"))
    assert (fate["fate"], fate["code"], fate["pointer"]) == ("quarantined", CONTRADICTS, "/entry/1/resource")
    assert ehr.found(f"Observation?patient={one}") == []


def test_what_waits_still_contradicts_when_it_is_replayed(ehr: Caller, backstage: Backstage) -> None:
    """And is stored once the pairing, or what is known of the patient, was corrected."""
    one = ehr.create(patient(identifier=[{"system": INS, "value": "1"}]))
    ehr.fates("ans", ans(scale(backstage, one["id"], 3), "2"))
    (id,) = [waiting["id"] for waiting in ehr.get(f"/quarantine?code={CONTRADICTS}&_count=1000").json()[-1:]]
    (again,) = ehr.post(f"/quarantine/{id}/replay", b"").json()
    assert (again["fate"], again["code"]) == ("quarantined", CONTRADICTS)
    ehr.update(one, identifier=[{"system": INS, "value": "2"}])
    (mended,) = ehr.post(f"/quarantine/{id}/replay", b"").json()
    assert mended["fate"] == "stored"


def test_a_patient_who_does_not_permit_it_is_as_if_not_paired(ehr: Caller, backstage: Backstage) -> None:
    """Law 3: nobody learns by trying identifiers who wears a unit, unless that person's values may be collected anyway."""
    one = person(ehr, "1")
    ehr.create(consent(one, "deny"))
    fates = [ehr.fates("ans", ans(scale(backstage, one, 4), number))[0] for number in ("1", "2")]
    assert {(fate["fate"], fate["code"]) for fate in fates} == {("quarantined", "device-not-paired")}


def test_a_patient_in_the_bundle_is_compared_and_not_created(ehr: Caller, backstage: Backstage) -> None:
    """HL7 PHD: the upload may bring the Patient; the hub takes its identifiers as what they are, a statement."""
    one, unit = person(ehr, "1"), "00-1C-05-0A-00-00-00-01"
    backstage.pair(identifier_system("phd"), unit, f"Patient/{one}", from_us=0)
    subject = {"resourceType": "Patient", "id": "p", "identifier": [{"system": INS, "value": "2"}], "name": [{"family": "Lovelace"}]}
    device = {"resourceType": "Device", "id": "d", "identifier": [{"system": identifier_system("phd"), "value": unit}]}
    rate = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": "149530", "display": "MDC_PULS_OXIM_PULS_RATE"}]},
        "subject": {"reference": "Patient/p"},
        "device": {"reference": "Device/d"},
        "effectiveDateTime": "2026-03-01T07:00:00+01:00",
        "valueQuantity": {"value": 64, "system": UCUM, "code": "/min"},
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": part} for part in (subject, device, rate)]}
    (fate,) = ehr.fates("phd", json.dumps(bundle).encode())
    assert (fate["fate"], fate["code"]) == ("quarantined", CONTRADICTS)
    assert ehr.found("Patient?family=Lovelace") == []
