"""What a gateway uploads in the shape of HL7 PHD goes through the hub whole: readings, firmware, clock. http://hl7.org/fhir/uv/phd"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.payloads import identifier_system
from tests.support.resources import patient

Json = dict[str, Any]
MDC, UCUM = "urn:iso:std:iso:11073:10101", "http://unitsofmeasure.org"
UNIT = "00-1C-05-0B-00-00-00-01"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


@pytest.fixture(scope="module")
def person(ehr: Caller, backstage: Backstage) -> str:
    id = str(ehr.create(patient())["id"])
    backstage.pair(identifier_system("phd"), UNIT, f"Patient/{id}", from_us=0)
    return id


def upload(saturation: float, *, version: int = 1, firmware: str = "2.1", ahead_s: int = 0, at: str = "2026-03-01T07:40:02+01:00") -> bytes:
    device = {
        "resourceType": "Device",
        "id": "oxi",
        "identifier": [{"system": identifier_system("phd"), "value": UNIT}],
        "version": [{"type": {"coding": [{"system": MDC, "code": "531976"}]}, "value": firmware}],
    }
    clock = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": "67975", "display": "MDC_ATTR_TIME_ABS"}]},
        "subject": {"reference": "Device/oxi"},
        "effectiveDateTime": NOW.isoformat(),
        "valueDateTime": (NOW + timedelta(seconds=ahead_s)).isoformat(),
    }
    reading = {
        "resourceType": "Observation",
        "identifier": [
            {"system": "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation", "value": f"{UNIT}-lovelace-{saturation}"}
        ],
        "meta": {"versionId": str(version), "lastUpdated": f"2026-03-0{version}T08:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": "150456", "display": "MDC_PULS_OXIM_SAT_O2"}]},
        "subject": {"reference": "Patient/elsewhere"},
        "device": {"reference": "Device/oxi"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": saturation, "system": UCUM, "code": "%"},
    }
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in (device, clock, reading)]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def test_a_reading_is_stored_once_and_corrected_whatever_its_conditional_identifier_says(ehr: Caller, person: str) -> None:
    """The identifier is not interpreted: device, measure and the device's time are what a reading is; the source says which is later."""
    told = [ehr.fates("phd", upload(value, version=version)) for value, version in ((97.0, 1), (97.0, 1), (96.5, 2))]
    assert [[one["fate"] for one in fates] for fates in told] == [["refused", "stored"], ["refused", "duplicate"], ["refused", "corrected"]]
    assert told[0][0]["code"] == "device-clock"
    stored = ehr.get(told[2][1]["resource"])
    assert stored.json()["subject"]["reference"] == f"Patient/{person}"
    assert [one["code"] for one in stored.json()["code"]["coding"]] == ["2708-6", "59408-5", "150456"]
    assert '"value":96.5' in stored.text


def test_what_the_upload_says_of_the_device_reaches_the_device(ehr: Caller, person: str) -> None:
    """Firmware as a version, the clock as a coincident time stamp of the hub's own."""
    (_, fate) = ehr.fates("phd", upload(95, firmware="3.0", ahead_s=95, at="2026-03-01T08:00:00+01:00"))
    device = ehr.get(fate["resource"]).json()["device"]["reference"]
    assert ehr.get(device).json()["version"][0]["value"] == "3.0"
    told = resources(ehr.search(f"Observation?subject={device}&code=67975"))
    shown = [[datetime.fromisoformat(one[name]) for name in ("valueDateTime", "effectiveDateTime")] for one in told]
    assert timedelta(seconds=95) in [clock - true for clock, true in shown]
