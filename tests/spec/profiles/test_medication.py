"""Measurement -> MedicationAdministration. https://hl7.org/fhir/R4/medicationadministration.html"""

import json
from typing import Any

import pytest
from fhir.resources.R4B.medicationadministration import MedicationAdministration

from fhir_profiles import r4
from fhir_profiles.building import resource_type
from fhir_profiles.measurement import AbsentValue, Amount, Coding, Measurement
from fhir_profiles.medication import medication_administration
from fhir_profiles.observation import observation
from tests.spec.profiles.measurements import UPDATED, WHEN, built, measurement, one_of_each

EACH = [pytest.param(made, id=name) for name, made in one_of_each("MedicationAdministration")]


def parsed(made: Measurement) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(built(made), parse_float=str, parse_int=str)
    return resource


@pytest.mark.parametrize("made", EACH)
def test_each_dose_is_valid_r4(made: Measurement) -> None:
    """By our own check and by fhir.resources."""
    resource = json.loads(built(made))
    assert r4.check(resource) == ()
    MedicationAdministration.model_validate(resource)
    assert resource["resourceType"] == resource_type(made) == "MedicationAdministration"


def test_a_dose_has_its_digits_its_device_and_its_moment() -> None:
    resource = parsed(measurement("insulin-bolus", value=Amount(value="4.50", unit="[iU]")))
    assert resource["dosage"]["dose"] == {"value": "4.50", "unit": "IU", "system": "http://unitsofmeasure.org", "code": "[iU]"}
    assert resource["device"] == [{"reference": "Device/d1"}]
    assert resource["effectiveDateTime"] == WHEN
    assert resource["medicationCodeableConcept"]["coding"][0]["code"] == "A10A"


def test_a_rate_holds_for_its_period() -> None:
    """mad-1: a dose or a rate."""
    resource = parsed(measurement("insulin-basal", value=Amount(value="0.850", unit="[iU]/h"), until="2015-05-31T00:06:23-07:00"))
    assert resource["dosage"]["rateQuantity"]["value"] == "0.850"
    assert "dose" not in resource["dosage"]
    assert resource["effectivePeriod"] == {"start": WHEN, "end": "2015-05-31T00:06:23-07:00"}


def test_what_a_person_typed_in_names_the_person_and_no_device() -> None:
    resource = parsed(measurement("insulin-bolus", device=None, manual=True))
    assert resource["performer"] == [{"actor": {"reference": "Patient/p1"}}]
    assert "device" not in resource


def test_a_flag_is_an_extension() -> None:
    assert parsed(measurement("insulin-bolus", quality=("scan",)))["extension"][0]["valueCoding"]["code"] == "scan"


@pytest.mark.parametrize(
    "made",
    [
        measurement("body-weight"),
        Measurement(measure="no-such", patient="Patient/p1", device=None, effective=WHEN),
        measurement("insulin-bolus", value=None),
        measurement("insulin-bolus", value=AbsentValue(reason="error")),
        measurement("insulin-bolus", value=Amount(value="5", unit="mL")),
        measurement("insulin-bolus", value=Amount(value="much", unit="[iU]")),
        measurement("insulin-bolus", patient="Patient/"),
        measurement("insulin-bolus", device="d1"),
        measurement("insulin-bolus", effective="2015-05-30"),
        measurement("insulin-bolus", context={"body-site": Coding(system="http://snomed.info/sct", code="818983003")}),
    ],
)
def test_what_is_no_dose_is_not_built(made: Measurement) -> None:
    with pytest.raises(ValueError, match=r"measure|value|unit|form"):
        medication_administration(made, id="m1", version=1, last_updated=UPDATED)


def test_a_dose_is_no_observation() -> None:
    with pytest.raises(ValueError, match="Observation"):
        observation(measurement("insulin-bolus"), id="o1", version=1, last_updated=UPDATED)
