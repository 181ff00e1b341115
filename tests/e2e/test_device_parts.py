"""The parts of a unit: VMDs and channels as Devices, a DeviceMetric for what measures, each reading by its own metric. docs/adr/0021

https://hl7.org/fhir/R4/devicemetric.html; IHE DEC PCD-01, OBX-4 and OBX-7.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.ingest.parts import parts_of
from hub.units.registered import unit_token
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.payloads import identifier_system
from tests.support.resources import consent, patient

Json = dict[str, Any]
FIXTURES = Path(__file__).resolve().parents[1] / "adapters" / "fixtures"
MDC = "urn:iso:std:iso:11073:10101"
PART = "http://hds-hub.invalid/fhir/NamingSystem/device-part"
LIMITS = "http://hds-hub.invalid/fhir/StructureDefinition/alarm-limits"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


def paired(backstage: Backstage, person: str, eui: str, **period: int) -> str:
    dashed = "-".join(eui[at : at + 2] for at in range(0, 16, 2))
    backstage.pair(identifier_system("pcd01"), dashed, f"Patient/{person}", **({"from_us": 0} | period))
    return dashed


def message(eui: str, *rows: str, at: str = "20260301101500+0100") -> bytes:
    """A monitor with an ECG module that has a channel for the rate."""
    head = [
        "MSH|^~\\&|GW|ICU|HUB|HDS|20260301101502+0100||ORU^R01^ORU_R01|M-1|P|2.6|||AL|NE||UNICODE UTF-8",
        f"OBR|1||M-1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{at}",
        f"OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||{eui}^^{eui}^EUI-64",
        "OBX|2||69798^MDC_DEV_ECG_VMD^MDC|1.2.0.0|||||||X",
        "OBX|3||70739^MDC_DEV_CARD_RATE_CHAN^MDC|1.2.1.0|||||||X",
    ]
    return "\r".join([*head, *rows]).encode()


def kept_parts(backstage: Backstage, unit: str) -> tuple[str, ...]:
    """What lies in the store, shown or not."""
    services = backstage.hub.services

    async def read() -> tuple[str, ...]:
        row = await services.store.claim(unit_token(services, identifier_system("pcd01"), unit))
        return await parts_of(services, row or "")

    return backstage.run(read())


def rate(value: int, limits: str = "50-120", status: str = "") -> str:
    return f"OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|{value}|264864^MDC_DIM_BEAT_PER_MIN^MDC|{limits}|{status}|||F"


def stored(ehr: Caller, payload: bytes) -> Json:
    (fate,) = ehr.fates("pcd01", payload)
    assert fate["fate"] == "stored", fate
    found: Json = ehr.get(fate["resource"]).json()
    return found


def test_a_reading_names_the_metric_and_the_metric_leads_to_the_unit(ehr: Caller, backstage: Backstage, person: str) -> None:
    """MDS, VMD, channel by Device.parent; DeviceMetric.source is the unit, parent the channel."""
    paired(backstage, person, "00FB0000000000A1")
    reading = stored(ehr, message("00FB0000000000A1", rate(72)))
    metric = ehr.get(reading["device"]["reference"]).json()
    assert (metric["resourceType"], metric["type"]["coding"][0]["code"], metric["category"]) == ("DeviceMetric", "147842", "measurement")
    assert (metric["unit"]["coding"][0]["code"], metric["operationalStatus"]) == ("/min", "on")
    channel = ehr.get(metric["parent"]["reference"]).json()
    module = ehr.get(channel["parent"]["reference"]).json()
    assert [one["type"]["coding"][0]["display"] for one in (channel, module)] == ["MDC_DEV_CARD_RATE_CHAN", "MDC_DEV_ECG_VMD"]
    assert module["parent"]["reference"] == metric["source"]["reference"]
    assert ehr.get(metric["source"]["reference"]).json()["identifier"][0]["value"] == "00-FB-00-00-00-00-00-A1"


def test_alarm_limits_belong_to_the_metric_and_not_to_the_reading(ehr: Caller, backstage: Backstage, person: str) -> None:
    """OBX-7 is what is set on the device; a reference range would be a judgement on the person."""
    paired(backstage, person, "00FB0000000000A2")
    reading = stored(ehr, message("00FB0000000000A2", rate(72)))
    assert "referenceRange" not in reading
    (limits,) = ehr.get(reading["device"]["reference"]).json()["extension"]
    assert limits["url"] == LIMITS
    said = {one["url"]: one for one in limits["extension"]}
    assert said["of"]["valueCoding"]["code"] == "147842"
    assert [said["range"]["valueRange"][end]["value"] for end in ("low", "high")] == [50, 120]


def test_what_changes_of_a_metric_is_a_new_version_and_what_is_said_again_is_none(ehr: Caller, backstage: Backstage, person: str) -> None:
    paired(backstage, person, "00FB0000000000A3")
    first = stored(ehr, message("00FB0000000000A3", rate(72)))["device"]["reference"]
    assert stored(ehr, message("00FB0000000000A3", rate(74), at="20260301101600+0100"))["device"]["reference"] == first
    assert ehr.get(first).json()["meta"]["versionId"] == "1"
    stored(ehr, message("00FB0000000000A3", rate(75, limits="40-150.0"), at="20260301101700+0100"))
    changed = ehr.get(first)
    assert changed.json()["meta"]["versionId"] == "2"
    assert '"value":150.0' in changed.text


def test_the_state_and_the_calibration_of_a_metric_are_said(ehr: Caller, backstage: Backstage, person: str) -> None:
    """OBX-8: OFF, CAL. https://hl7.org/fhir/R4/devicemetric-definitions.html#DeviceMetric.calibration"""
    paired(backstage, person, "00FB0000000000A4")
    reading = stored(ehr, message("00FB0000000000A4", rate(72, status="CAL")))
    assert ehr.get(reading["device"]["reference"]).json()["calibration"] == [{"state": "not-calibrated"}]
    stored(ehr, message("00FB0000000000A4", rate(72, status="OFF"), at="20260301101600+0100"))
    now = ehr.get(reading["device"]["reference"]).json()
    assert (now["operationalStatus"], "calibration" in now) == ("off", False)


def test_a_gateway_that_speaks_fhir_says_the_same(ehr: Caller, backstage: Backstage, person: str) -> None:
    """HL7 PoCD: Observation.device is the DeviceMetric, which says whether it is calibrated."""
    payload = json.loads((FIXTURES / "pocd" / "monitor.json").read_bytes())
    unit = next(entry["resource"] for entry in payload["entry"] if entry["resource"]["id"] == "mds")["identifier"][0]
    unit["value"] = "00-FB-00-00-00-00-00-B1"
    backstage.pair(identifier_system("pocd"), unit["value"], f"Patient/{person}", from_us=0)
    rate = ehr.fates("pocd", json.dumps(payload).encode())[0]
    metric = ehr.get(ehr.get(rate["resource"]).json()["device"]["reference"]).json()
    assert (metric["resourceType"], metric["calibration"]) == ("DeviceMetric", [{"state": "calibrated"}])
    channel = ehr.get(metric["parent"]["reference"]).json()
    assert ehr.get(channel["parent"]["reference"]).json()["type"]["coding"][0]["code"] == "69798"


def test_metrics_are_found_by_what_r4_searches_them_by(ehr: Caller, backstage: Backstage, person: str) -> None:
    """https://hl7.org/fhir/R4/devicemetric.html#search: category, identifier, parent, source, type; and readings by their unit."""
    unit = paired(backstage, person, "00FB0000000000A5")
    reading = stored(ehr, message("00FB0000000000A5", rate(72)))
    metric = ehr.get(reading["device"]["reference"]).json()
    source, parent = metric["source"]["reference"], metric["parent"]["reference"]
    for query in (
        f"source={source}",
        f"parent={parent}",
        f"source={source}&type={MDC}|147842",
        f"source={source}&category=measurement",
        f"identifier={PART}|{unit}/1.2.1.1",
    ):
        assert ehr.found(f"DeviceMetric?{query}") == [metric["id"]], query
    assert ehr.found(f"DeviceMetric?source={source}&category=setting") == []
    assert ehr.found(f"Observation?patient={person}&device:DeviceMetric.source={source}") == [reading["id"]]


def test_parts_are_shown_to_whoever_may_see_the_unit_and_to_nobody_else(ehr: Caller, backstage: Backstage, person: str) -> None:
    """Law 3: with the patient's consent they are gone as if they had never been."""
    paired(backstage, person, "00FB0000000000A6")
    metric = stored(ehr, message("00FB0000000000A6", rate(72)))["device"]["reference"]
    channel = ehr.get(metric).json()["parent"]["reference"]
    ehr.create(consent(person, "deny"))
    assert [ehr.get(one).status_code for one in (metric, channel)] == [404, 404]


def test_who_is_paired_later_is_asked_too(ehr: Caller, backstage: Backstage, person: str) -> None:
    """The parts are paired with their unit."""
    paired(backstage, person, "00FB0000000000A7", to_us=1_800_000_000_000_000)
    metric = stored(ehr, message("00FB0000000000A7", rate(72)))["device"]["reference"]
    other = str(ehr.create(patient())["id"])
    paired(backstage, other, "00FB0000000000A7", from_us=1_800_000_000_000_000)
    assert ehr.get(metric).status_code == 200
    ehr.create(consent(other, "deny"))
    assert ehr.get(metric).status_code == 404


def test_of_a_patient_who_permits_nothing_no_part_is_kept(ehr: Caller, backstage: Backstage, person: str) -> None:
    unit = paired(backstage, person, "00FB0000000000A8")
    ehr.create(consent(person, "deny"))
    (fate,) = ehr.fates("pcd01", message("00FB0000000000A8", rate(72)))
    assert fate["code"] == "device-not-paired"
    assert kept_parts(backstage, unit) == ()
    other = paired(backstage, str(ehr.create(patient())["id"]), "00FB0000000000A9")
    stored(ehr, message("00FB0000000000A9", rate(72)))
    assert len(kept_parts(backstage, other)) == 3
