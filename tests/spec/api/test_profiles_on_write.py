"""Profiles on every write: those that a resource claims and this hub knows, and those that R4 asks of vital signs.

https://hl7.org/fhir/R4/http.html#create: 422 for a resource that breaks a profile.
"""

from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import Json, observation, patient

WEIGHT = "http://hl7.org/fhir/StructureDefinition/bodyweight"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


def pounds_without_code(person: str, **more: Any) -> Json:
    return observation(person, "29463-7", **more) | {"valueQuantity": {"value": 160, "unit": "lb"}}


def test_a_vital_sign_that_breaks_its_profile_is_refused_and_leaves_nothing(ehr: Caller, person: str) -> None:
    """https://hl7.org/fhir/R4/observation-vitalsigns.html"""
    answer = ehr.post("Observation", pounds_without_code(person))
    refused(answer, 422, "required", expression="Observation.value.system")
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 0


def test_the_same_under_another_category_claims_nothing_and_is_stored(ehr: Caller, person: str) -> None:
    assert ehr.post("Observation", pounds_without_code(person, category="exam")).status_code == 201


def test_a_claim_is_held_against_the_profile_whatever_the_category(ehr: Caller, person: str) -> None:
    claimed = pounds_without_code(person, category="exam") | {"meta": {"profile": [WEIGHT]}}
    assert ehr.post("Observation", claimed).status_code == 422


def test_an_unknown_profile_may_be_claimed(ehr: Caller, person: str) -> None:
    unknown = observation(person, meta={"profile": ["http://example.org/fhir/StructureDefinition/unknown"]})
    assert ehr.create(unknown)["meta"]["profile"] == ["http://example.org/fhir/StructureDefinition/unknown"]


def test_an_update_is_checked_as_a_create_is(ehr: Caller, person: str) -> None:
    made = ehr.create(observation(person))
    answer = ehr.put(f"Observation/{made['id']}", {**made, "valueQuantity": {"value": 1, "unit": "x"}})
    assert answer.status_code == 422
    assert ehr.get(f"Observation/{made['id']}").json() == made
