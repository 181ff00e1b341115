"""What a closed loop reports goes through the hub whole: doses, rates with their periods, modes, glucose with its trend.

DESIGN 7; DEVICES 1.9. The payload is in Tidepool's data model, as Diabeloop's and other loops' feeds are.
"""

import json
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.payloads import identifier_system
from tests.support.resources import patient

Json = dict[str, Any]
MODE = "http://hds-hub.invalid/fhir/CodeSystem/insulin-delivery-mode"
TREND = "http://hds-hub.invalid/fhir/StructureDefinition/glucose-trend"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def pump(backstage: Backstage, person: str) -> str:
    identifier = f"pump-{person}"
    backstage.pair(identifier_system("tidepool"), identifier, f"Patient/{person}", from_us=0)
    return identifier


def sent(ehr: Caller, *data: Json) -> list[Json]:
    return ehr.fates("tidepool", json.dumps(data).encode())


def basal(pump: str, rate: float = 0.85, minutes: int = 5) -> Json:
    return {
        "type": "basal",
        "deliveryType": "automated",
        "deviceId": pump,
        "time": "2026-03-01T06:00:00.000Z",
        "timezoneOffset": 60,
        "rate": rate,
        "duration": minutes * 60_000,
    }


def test_a_rate_of_the_loop_is_given_for_its_period_and_its_mode_is_said(ehr: Caller, person: str, pump: str) -> None:
    """mad-1: a rate; effectivePeriod for what lasts. The mode is an Observation with a code of ours."""
    rate, mode = sent(ehr, basal(pump))
    assert (rate["fate"], mode["fate"]) == ("stored", "stored")
    given = ehr.get(rate["resource"]).json()
    assert given["dosage"]["rateQuantity"]["value"] == 0.85
    assert given["effectivePeriod"] == {"start": "2026-03-01T07:00:00+01:00", "end": "2026-03-01T07:05:00+01:00"}
    assert given["extension"][0]["valueCoding"]["code"] == "automated-delivery"
    (found,) = resources(ehr.search(f"Observation?patient={person}&value-concept={MODE}|automated"))
    assert found["id"] == mode["resource"].removeprefix("Observation/")


def test_a_period_is_found_by_a_moment_in_it(ehr: Caller, person: str, pump: str) -> None:
    """https://hl7.org/fhir/R4/search.html#date: a period overlaps what is asked for."""
    sent(ehr, basal(pump, minutes=60))
    about = f"MedicationAdministration?patient={person}&_summary=count&effective-time="
    assert ehr.search(f"{about}ge2026-03-01T06:30:00Z")["total"] == 1
    assert ehr.search(f"{about}ge2026-03-01T07:30:00Z")["total"] == 0


def test_a_rate_that_was_cut_short_is_corrected(ehr: Caller, pump: str) -> None:
    """A pump uploads a basal that still runs, and again when it has ended: the same rate, another end, one resource.

    That it is the later word is said by the source (modifiedTime), not by the order of arrival.
    """
    first, _ = sent(ehr, basal(pump, minutes=60))
    again, _ = sent(ehr, basal(pump, minutes=60))
    cut, _ = sent(ehr, basal(pump, minutes=20) | {"modifiedTime": "2026-03-01T06:20:05Z"})
    assert (first["fate"], again["fate"], cut["fate"]) == ("stored", "duplicate", "corrected")
    assert cut["resource"] == first["resource"]
    assert ehr.get(cut["resource"]).json()["effectivePeriod"]["end"] == "2026-03-01T07:20:00+01:00"


def test_a_dose_comes_once_however_often_it_is_embedded(ehr: Caller, person: str, pump: str) -> None:
    dose = {"type": "bolus", "subType": "normal", "deviceId": pump, "time": "2026-03-01T06:29:30.000Z", "normal": 3.5}
    calculation = {"type": "wizard", "deviceId": pump, "time": "2026-03-01T06:29:00.000Z", "carbInput": 45, "bolus": dose}
    assert [one["fate"] for one in sent(ehr, calculation, dose)] == ["stored", "stored", "duplicate"]
    assert ehr.search(f"MedicationAdministration?patient={person}&_summary=count")["total"] == 1
    (food,) = resources(ehr.search(f"Observation?patient={person}&code=http://loinc.org|9059-7"))
    assert food["valueQuantity"]["code"] == "g"


def test_a_trend_stands_beside_its_value(ehr: Caller, pump: str) -> None:
    cbg = {"type": "cbg", "deviceId": pump, "time": "2026-03-01T06:00:00Z", "value": 104, "units": "mg/dL", "trend": "slowFall"}
    (stored,) = sent(ehr, cbg)
    (extension,) = ehr.get(stored["resource"]).json()["extension"]
    assert extension["url"] == TREND
    assert extension["valueCodeableConcept"]["coding"][0]["code"] == "falling"


def test_what_is_no_measurement_is_refused_and_what_is_unknown_waits(ehr: Caller, pump: str) -> None:
    at = {"deviceId": pump, "time": "2026-03-01T06:00:00Z"}
    settings, confidential, glucose = sent(
        ehr,
        {"type": "pumpSettings", **at},
        {"type": "deviceEvent", "subType": "confidential", **at},
        {"type": "cbg", "value": 104, "units": "mg/dL", **at},
    )
    assert (settings["fate"], settings["code"]) == ("refused", "not-a-measurement")
    assert (confidential["fate"], confidential["code"]) == ("quarantined", "unknown-measure")
    assert glucose["fate"] == "stored"


def test_both_doses_of_a_dual_bolus_wait_and_both_are_stored_once_the_pump_is_paired(
    ehr: Caller, person: str, backstage: Backstage
) -> None:
    """One datum, two doses of one measure: what was acknowledged as waiting is there, each by itself (DESIGN 7)."""
    pump = f"dual-{person}"
    bolus: Json = {"type": "bolus", "subType": "dual/square", "deviceId": pump, "time": "2026-03-01T06:30:00.000Z"}
    amounts: Json = {"normal": 2.5, "extended": 1.0, "expectedExtended": 1.5, "duration": 3_600_000, "expectedDuration": 5_400_000}
    waiting = sent(ehr, bolus | amounts)
    assert [one["fate"] for one in waiting] == ["quarantined", "quarantined"]
    backstage.pair(identifier_system("tidepool"), pump, f"Patient/{person}", from_us=0)
    done = ehr.request("POST", "/quarantine/replay?adapter=tidepool").json()
    doses = {f"MedicationAdministration/{one}" for one in ehr.found(f"MedicationAdministration?patient={person}")}
    assert len(doses) == 2
    assert doses <= {one["resource"] for one in done if one["fate"] == "stored"}
