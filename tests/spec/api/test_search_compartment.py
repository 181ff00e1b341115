"""Searches in compartments, and parts of what is found. https://hl7.org/fhir/R4/http.html#vsearch"""

from typing import Any

import pytest

from tests.support.caller import Caller, ids
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, WEIGHT, observation, patient

Json = dict[str, Any]


@pytest.fixture(scope="module")
def hers(ehr: Caller) -> Json:
    made = ehr.create(patient("Compartiment"))
    device = ehr.create({"resourceType": "Device", "status": "active"})
    readings = [
        ehr.create(observation(made["id"], HEART_RATE, 61, device={"reference": f"Device/{device['id']}"})),
        ehr.create(observation(made["id"], WEIGHT, 61)),
    ]
    other = ehr.create(observation(ehr.create(patient())["id"], performer=[{"reference": f"Patient/{made['id']}"}]))
    return {"patient": made["id"], "device": device["id"], "readings": [one["id"] for one in readings], "naming": other["id"]}


def found(caller: Caller, path: str) -> set[str]:
    return set(ids(caller.search(path)))


def test_a_patients_compartment_by_type(ehr: Caller, hers: Json) -> None:
    """FHIR.md 4b.9: compartment URLs; by every parameter that leads into it."""
    assert found(ehr, f"Patient/{hers['patient']}/Observation") == {*hers["readings"], hers["naming"]}
    assert found(ehr, f"Patient/{hers['patient']}/Observation?code={WEIGHT}") == {hers["readings"][1]}


def test_a_patients_compartment_whole(ehr: Caller, hers: Json) -> None:
    assert {*hers["readings"], hers["naming"]} <= found(ehr, f"Patient/{hers['patient']}/*")


def test_a_devices_compartment(ehr: Caller, hers: Json) -> None:
    assert found(ehr, f"Device/{hers['device']}/Observation") == {hers["readings"][0]}


def test_pages_and_the_self_link_stay_in_the_compartment(ehr: Caller, hers: Json) -> None:
    pages = ehr.pages(f"Patient/{hers['patient']}/Observation?_count=2")
    assert {id for page in pages for id in ids(page)} == {*hers["readings"], hers["naming"]}
    assert pages[0]["link"][0]["url"] == f"{ehr.base}/Patient/{hers['patient']}/Observation?_count=2"


def test_a_hidden_compartment_is_as_empty_as_an_absent_one(stranger: Caller, hers: Json) -> None:
    """Law 3."""
    for id in (hers["patient"], ABSENT):
        assert found(stranger, f"Patient/{id}/Observation") == found(stranger, f"Patient/{id}/*") == set()


@pytest.mark.parametrize("path", ["Organization/x/Observation", "Patient/x/Organization", "Patient/x/Nothing", "Patient/a_b/Observation"])
def test_what_is_no_compartment_is_not_found(ehr: Caller, path: str) -> None:
    refused(ehr.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("_summary=true", {"status", "code"}, {"performer"}),
        ("_summary=data", {"status", "valueQuantity"}, {"text"}),
        ("_summary=text", {"status"}, {"valueQuantity"}),
        ("_elements=status", {"status"}, {"valueQuantity"}),
    ],
)
def test_parts_of_what_is_found_are_marked_as_parts(ehr: Caller, hers: Json, query: str, there: set[str], gone: set[str]) -> None:
    """search.html#summary, #elements: SUBSETTED, and mandatory elements always."""
    bundle = ehr.search(f"Observation?_id={hers['readings'][0]}&patient={hers['patient']}&{query}")
    (resource,) = [entry["resource"] for entry in bundle["entry"]]
    assert there <= resource.keys()
    assert not gone & resource.keys()
    assert "SUBSETTED" in {one["code"] for one in resource["meta"]["tag"]}
