"""Insulin that a device or a person reports becomes a MedicationAdministration, on the same way as any reading.

DESIGN 7; https://hl7.org/fhir/R4/medicationadministration.html. The payload is a LibreView export (DEVICES 2.3, record type 4),
the first format with insulin in it; pumps have tests of their own beside their adapters.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.payloads import identifier_system, libreview
from tests.support.resources import action, consent, patient

Json = dict[str, Any]
HEADER = "Device,Serial Number,Device Timestamp,Record Type,Historic Glucose mg/dL,Rapid-Acting Insulin (units),Long-Acting Insulin (units)"
GLUCOSE, RAPID, LONG = 4, 5, 6
ATC = "http://www.whocc.no/atc"
TYPES = "http://hl7.org/fhir/resource-types"
PARIS = {"timeZone": "Europe/Paris"}


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def unit(backstage: Backstage, person: str) -> str:
    identifier = f"insulin-{person}"
    backstage.pair(identifier_system("libreview"), identifier, f"Patient/{person}", from_us=0)
    return identifier


def dose(unit: str, units: str, time: str = "25-07-2025 08:15", *, column: int = RAPID) -> bytes:
    return libreview(unit, (time, "4", units), header=HEADER, column=column)


def glucose(unit: str) -> bytes:
    return libreview(unit, ("25-07-2025 08:15", "0", "104"), header=HEADER, column=GLUCOSE)


@pytest.mark.parametrize(("column", "code"), [(RAPID, "A10AB"), (LONG, "A10AE")], ids=["rapid", "long"])
def test_a_dose_is_stored_as_what_was_given_and_when(ehr: Caller, person: str, unit: str, column: int, code: str) -> None:
    """mad-1 wants a dose; how the insulin acts is all that the source says of it. Whoever wrote it down gave it."""
    (stored,) = ehr.fates("libreview", dose(unit, "4.50", column=column), **PARIS)
    assert (stored["fate"], stored["pointer"]) == ("stored", "row 3")
    assert stored["resource"].startswith("MedicationAdministration/")
    answer = ehr.get(stored["resource"])
    made = answer.json()
    assert made["medicationCodeableConcept"]["coding"][0]["system"] == ATC
    assert made["medicationCodeableConcept"]["coding"][0]["code"] == code
    assert (made["status"], made["effectiveDateTime"]) == ("completed", "2025-07-25T08:15:00+02:00")
    assert '"value":4.50' in answer.text.replace(" ", "")
    assert made["dosage"]["dose"]["code"] == "[iU]"
    assert made["subject"] == made["performer"][0]["actor"] == {"reference": f"Patient/{person}"}
    found = ehr.post("MedicationAdministration/$validate", made).json()["issue"]
    assert {one["severity"] for one in found} <= {"information", "warning"}


def test_a_dose_sent_again_is_a_duplicate(ehr: Caller, person: str, unit: str) -> None:
    (first,) = ehr.fates("libreview", dose(unit, "4"), **PARIS)
    (again,) = ehr.fates("libreview", dose(unit, "4"), **PARIS)
    assert (again["fate"], again["resource"]) == ("duplicate", first["resource"])
    assert ehr.search(f"MedicationAdministration?patient={person}&_summary=count")["total"] == 1


def test_a_dose_with_another_number_is_a_new_version_and_the_old_one_stays(ehr: Caller, unit: str) -> None:
    """DESIGN 7: same key, other value; both are in the history."""
    ehr.fates("libreview", dose(unit, "4"), **PARIS)
    (corrected,) = ehr.fates("libreview", dose(unit, "6"), **PARIS)
    assert corrected["fate"] == "corrected"
    history = ehr.get(f"{corrected['resource']}/_history").json()
    assert {entry["resource"]["dosage"]["dose"]["value"] for entry in history["entry"]} == {4, 6}


def test_the_same_dose_of_another_insulin_is_another_dose(ehr: Caller, unit: str) -> None:
    made = [*ehr.fates("libreview", dose(unit, "4"), **PARIS), *ehr.fates("libreview", dose(unit, "4", column=LONG), **PARIS)]
    assert [one["fate"] for one in made] == ["stored", "stored"]


def test_a_sender_without_the_scope_is_told_which_and_its_glucose_goes_through(
    another: Callable[..., Caller], ehr: Caller, person: str, unit: str
) -> None:
    """The type that a reading becomes decides on the scope; a bad item never takes good ones with it."""
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    payload = glucose(unit) + b"\r\n" + dose(unit, "4").splitlines()[-1]
    stored, waits = vendor.fates("libreview", payload, **PARIS)
    assert (stored["fate"], waits["fate"], waits["code"]) == ("stored", "quarantined", "scope-missing")
    assert "system/MedicationAdministration.c" in waits["hint"]
    assert ehr.search(f"MedicationAdministration?patient={person}&_summary=count")["total"] == 0


def test_a_sender_of_nothing_but_insulin_needs_no_other_scope(another: Callable[..., Caller], ehr: Caller, unit: str) -> None:
    """A smart pen gives no Observations."""
    vendor = another("system/MedicationAdministration.c", organization=ehr.account.organization, consent_default="opt-out")
    (stored,) = vendor.fates("libreview", dose(unit, "4"), **PARIS)
    assert stored["fate"] == "stored"


def test_a_consent_to_one_type_lets_in_that_type_only(another: Callable[..., Caller], ehr: Caller, person: str, unit: str) -> None:
    """A patient may share the glucose and keep the insulin: Consent.provision.class names the type."""
    vendor = another("system/*.c")
    provision = {"action": [action("collect")], "class": [{"system": TYPES, "code": "Observation"}]}
    ehr.create(consent(person, provision=provision))
    assert vendor.fates("libreview", glucose(unit), **PARIS)[0]["fate"] == "stored"
    (waits,) = vendor.fates("libreview", dose(unit, "4"), **PARIS)
    assert (waits["fate"], waits["code"]) == ("quarantined", "device-not-paired")
    ehr.create(consent(person, provision={**provision, "class": [{"system": TYPES, "code": "MedicationAdministration"}]}))
    assert vendor.fates("libreview", dose(unit, "4"), **PARIS)[0]["fate"] == "stored"


def test_a_consent_that_denies_insulin_by_its_code_is_heard(another: Callable[..., Caller], ehr: Caller, person: str, unit: str) -> None:
    """Consent.provision.code is compared with every coding of the resource."""
    vendor = another("system/*.c")
    ehr.create(consent(person))
    ehr.create(consent(person, "deny", provision={"code": [{"coding": [{"system": ATC, "code": "A10AE"}]}]}))
    assert vendor.fates("libreview", dose(unit, "4"), **PARIS)[0]["fate"] == "stored"
    assert vendor.fates("libreview", dose(unit, "4", column=LONG), **PARIS)[0]["code"] == "device-not-paired"


def test_doses_are_found_by_patient_and_time(ehr: Caller, person: str, unit: str) -> None:
    """https://hl7.org/fhir/R4/medicationadministration.html#search: effective-time, code, device, performer."""
    for time in ("24-07-2025 08:15", "25-07-2025 08:15", "26-07-2025 08:15"):
        ehr.fates("libreview", dose(unit, "4", time), **PARIS)
    about = f"MedicationAdministration?patient={person}"
    found = resources(ehr.search(f"{about}&effective-time=ge2025-07-25&effective-time=lt2025-07-26"))
    assert [one["effectiveDateTime"] for one in found] == ["2025-07-25T08:15:00+02:00"]
    assert ehr.search(f"{about}&code={ATC}|A10AB&_summary=count")["total"] == 3
    assert ehr.search(f"{about}&code={ATC}|A10AE&_summary=count")["total"] == 0
    assert ehr.search(f"{about}&performer=Patient/{person}&_summary=count")["total"] == 3
    latest = resources(ehr.search(f"{about}&_sort=-effective-time&_count=1"))
    assert [one["effectiveDateTime"] for one in latest] == ["2025-07-26T08:15:00+02:00"]


def test_a_stranger_finds_no_dose(stranger: Caller, ehr: Caller, person: str, unit: str) -> None:
    """Law 3."""
    (stored,) = ehr.fates("libreview", dose(unit, "4"), **PARIS)
    assert stranger.search(f"MedicationAdministration?patient={person}&_summary=count")["total"] == 0
    assert stranger.get(stored["resource"]).status_code == 404


def test_a_dose_leaves_a_record_under_its_patient(ehr: Caller, backstage: Backstage, person: str, unit: str) -> None:
    """Law 2: the write and its record are one; the record names the resource that was made."""
    answer = ehr.ingest("libreview", dose(unit, "4"), **PARIS)
    (stored,) = answer.json()
    own, patients = backstage.records(answer.headers["x-request-id"])
    assert (own.patient, patients.patient) == (None, backstage.patient_token(person))
    assert patients.outcome == "0"
    assert any(str(entity.get("what", {}).get("reference", "")).startswith(stored["resource"]) for entity in patients.event["entity"])


def test_a_waiting_dose_is_stored_when_it_is_replayed(
    another: Callable[..., Caller], ehr: Caller, backstage: Backstage, person: str
) -> None:
    vendor = another("system/*.c", organization=ehr.account.organization, consent_default="opt-out")
    unit = f"late-insulin-{person}"
    assert vendor.fates("libreview", dose(unit, "4"), **PARIS)[0]["code"] == "device-not-paired"
    backstage.pair(identifier_system("libreview"), unit, f"Patient/{person}", from_us=0)
    (stored,) = vendor.request("POST", "/quarantine/all/replay").json()
    assert stored["fate"] == "stored"
    assert ehr.get(stored["resource"]).json()["resourceType"] == "MedicationAdministration"
