"""FHIR patch over HTTP. https://hl7.org/fhir/R4/http.html#patch, https://hl7.org/fhir/R4/fhirpatch.html"""

import json
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, observation, patient

Json = dict[str, Any]
JSON_PATCH = "application/json-patch+json"


@pytest.fixture
def reading(ehr: Caller) -> Json:
    return ehr.create(observation(ehr.create(patient())["id"], HEART_RATE, 71, identifier=[{"system": "urn:patch", "value": "1"}]))


def patch(caller: Caller, path: str, operations: Any, content_type: str = JSON_PATCH, **headers: str) -> Any:
    sent = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return caller.request("PATCH", path, content=json.dumps(operations).encode(), headers=sent)


def replaced(value: str) -> Json:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Observation.status"},
        {"name": "value", "valueCode": value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


AMEND = [{"op": "replace", "path": "/status", "value": "amended"}]


def test_json_patch_makes_the_next_version(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.6: JSON Patch (RFC 6902)."""
    answer = patch(ehr, f"Observation/{reading['id']}", [{"op": "test", "path": "/status", "value": "final"}, *AMEND])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.headers["etag"]) == ("amended", 'W/"2"')
    assert ehr.get(f"Observation/{reading['id']}").json() == answer.json()


def test_fhirpath_patch_makes_the_next_version(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.6: FHIRPath Patch, in JSON and in XML."""
    answer = patch(ehr, f"Observation/{reading['id']}", replaced("amended"), "application/fhir+json")
    assert (answer.status_code, answer.json()["status"]) == (200, "amended"), answer.text
    xml = (
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
        '<part><name value="type"/><valueCode value="replace"/></part>'
        '<part><name value="path"/><valueString value="Observation.status"/></part>'
        '<part><name value="value"/><valueCode value="corrected"/></part></parameter></Parameters>'
    )
    again = ehr.request("PATCH", f"Observation/{reading['id']}", content=xml, headers={"Content-Type": "application/fhir+xml"})
    assert (again.status_code, again.json()["status"]) == (200, "corrected"), again.text


def test_decimals_that_the_patch_leaves_alone_keep_their_digits(ehr: Caller) -> None:
    body = json.dumps(observation(ehr.create(patient())["id"])).replace('"value": 71', '"value": 71.00').encode()
    made = ehr.post("Observation", body).json()
    answer = patch(ehr, f"Observation/{made['id']}", AMEND)
    assert b'"value":71.00' in answer.content


@pytest.mark.parametrize(
    ("operations", "status", "code"),
    [
        ([{"op": "test", "path": "/status", "value": "amended"}], 422, "business-rule"),
        ([{"op": "remove", "path": "/nothing"}], 422, "business-rule"),
        ([{"op": "remove", "path": "/status"}], 400, "required"),
        ([{"op": "replace", "path": "/status", "value": "nonsense"}], 422, "code-invalid"),
        ([{"op": "replace", "path": "/id", "value": "x"}], 400, "invalid"),
        ([{"op": "replace", "path": "/subject/reference", "value": "Patient/x"}], 422, "business-rule"),
        ({"op": "test"}, 400, "invalid"),
        ([{"op": "dance", "path": "/status"}], 400, "invalid"),
    ],
)
def test_what_cannot_be_carried_out_changes_nothing(ehr: Caller, reading: Json, operations: Any, status: int, code: str) -> None:
    """FHIR.md 4b.6: test failure, patch to an invalid resource."""
    refused(patch(ehr, f"Observation/{reading['id']}", operations), status, code)
    assert ehr.get(f"Observation/{reading['id']}").json() == reading


def test_a_patch_falls_on_the_version_that_is_named(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.6: If-Match."""
    refused(patch(ehr, f"Observation/{reading['id']}", AMEND, If_Match='W/"7"'), 412, "conflict")
    assert patch(ehr, f"Observation/{reading['id']}", AMEND, If_Match='W/"1"').status_code == 200


def test_what_changes_nothing_makes_no_version(ehr: Caller, reading: Json) -> None:
    answer = patch(ehr, f"Observation/{reading['id']}", [{"op": "replace", "path": "/status", "value": "final"}])
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')


def test_hidden_is_absent(ehr: Caller, stranger: Caller, reading: Json) -> None:
    """Law 3."""
    hidden, absent = (patch(stranger, f"Observation/{id}", AMEND) for id in (reading["id"], ABSENT))
    refused(hidden, 404, "not-found")
    assert hidden.content == absent.content


def test_a_deleted_resource_is_gone(ehr: Caller, reading: Json) -> None:
    ehr.request("DELETE", f"Observation/{reading['id']}")
    refused(patch(ehr, f"Observation/{reading['id']}", AMEND), 410, "deleted")


def test_a_body_that_is_no_patch_is_refused(ehr: Caller, reading: Json) -> None:
    refused(patch(ehr, f"Observation/{reading['id']}", AMEND, "text/plain"), 415, "not-supported")
    refused(patch(ehr, f"Observation/{reading['id']}", reading, "application/fhir+json"), 400, "structure")


def test_conditional_patch_with_none_one_and_many(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.5."""
    mine = f"Observation?patient={reading['subject']['reference']}"
    assert patch(ehr, f"{mine}&identifier=urn:patch|1", AMEND).status_code == 200
    refused(patch(ehr, f"{mine}&identifier=urn:patch|2", AMEND), 404, "not-found")
    ehr.create({name: value for name, value in reading.items() if name not in ("id", "meta")})
    refused(patch(ehr, f"{mine}&identifier=urn:patch|1", AMEND), 412, "multiple-matches")


def test_conditional_delete_with_none_one_and_many(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.5."""
    mine = f"Observation?patient={reading['subject']['reference']}"
    again = ehr.create({name: value for name, value in reading.items() if name not in ("id", "meta")})
    refused(ehr.request("DELETE", f"{mine}&identifier=urn:patch|1"), 412, "multiple-matches")
    assert ehr.request("DELETE", f"{mine}&_id={again['id']}").status_code == 204
    assert ehr.request("DELETE", f"{mine}&identifier=urn:patch|1").status_code == 204
    refused(ehr.get(f"Observation/{reading['id']}"), 410, "deleted")
    refused(ehr.request("DELETE", f"{mine}&identifier=urn:patch|1"), 404, "not-found")
    refused(ehr.request("DELETE", "Observation"), 400, "invalid")


def test_provenance_goes_along_with_a_write(ehr: Caller, reading: Json) -> None:
    """FHIR.md 4b.12: X-Provenance, in the same unit as what it is about; whoever sees the one sees the other."""
    told = {"resourceType": "Provenance", "recorded": "2026-11-22T12:00:00Z", "agent": [{"who": {"display": "somebody"}}]}
    answer = patch(ehr, f"Observation/{reading['id']}", AMEND, X_Provenance=json.dumps(told))
    assert answer.status_code == 200, answer.text
    bundle = ehr.search(f"Observation?_id={reading['id']}&patient={reading['subject']['reference']}&_revinclude=Provenance:target")
    (found,) = [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "include"]
    assert found["target"] == [{"reference": f"Observation/{reading['id']}/_history/2"}]


@pytest.mark.parametrize("header", ["{", '{"resourceType": "Patient"}', '{"resourceType": "Provenance"}'])
def test_a_provenance_that_is_none_stops_the_write(ehr: Caller, reading: Json, header: str) -> None:
    answer = patch(ehr, f"Observation/{reading['id']}", AMEND, X_Provenance=header)
    assert answer.status_code in (400, 422)
    assert ehr.get(f"Observation/{reading['id']}").json() == reading
