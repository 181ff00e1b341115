"""$expand and $validate-code over HTTP, for what the hub ships. https://hl7.org/fhir/R4/terminology-service.html"""

from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused

Json = dict[str, Any]
GENDER, GENDERS = "http://hl7.org/fhir/administrative-gender", "http://hl7.org/fhir/ValueSet/administrative-gender"


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one.get("valueBoolean", one.get("valueString")) for one in answer.json()["parameter"]}


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["code"] for one in answer.json()["expansion"].get("contains", ())]


def test_a_value_set_is_expanded(ehr: Caller) -> None:
    """FHIR.md 4b.10."""
    assert codes(ehr.get(f"ValueSet/$expand?url={GENDERS}")) == ["male", "female", "other", "unknown"]
    assert codes(ehr.get(f"ValueSet/$expand?url={GENDERS}&filter=fem")) == ["female"]
    assert codes(ehr.get(f"ValueSet/$expand?url={GENDERS}&offset=1&count=2")) == ["female", "other"]


def test_a_value_set_that_is_sent_is_expanded(ehr: Caller) -> None:
    inline = {"resourceType": "ValueSet", "status": "active", "compose": {"include": [{"system": GENDER, "concept": [{"code": "female"}]}]}}
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": inline}]}
    assert codes(ehr.post("ValueSet/$expand", body)) == ["female"]


def test_a_code_is_held_against_a_value_set(ehr: Caller) -> None:
    """FHIR.md 4b.10."""
    assert told(ehr.get(f"ValueSet/$validate-code?url={GENDERS}&system={GENDER}&code=female"))["result"] is True
    wrong = told(ehr.get(f"ValueSet/$validate-code?url={GENDERS}&system={GENDER}&code=women"))
    assert (wrong["result"], bool(wrong["message"])) == (False, True)
    coding = {"name": "coding", "valueCoding": {"system": GENDER, "code": "male", "display": "Male"}}
    body = {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": GENDERS}, coding]}
    assert told(ehr.post("ValueSet/$validate-code", body))["result"] is True


def test_a_code_is_held_against_a_code_system(ehr: Caller) -> None:
    assert told(ehr.get(f"CodeSystem/$validate-code?url={GENDER}&code=female")) == {"result": True, "display": "Female"}
    assert told(ehr.get(f"CodeSystem/$validate-code?url={GENDER}&code=women"))["result"] is False


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"ValueSet/$expand?url={GENDERS}|4.0.1", 200),
        (f"ValueSet/$expand?url={GENDERS}&valueSetVersion=4.0.1", 200),
        (f"ValueSet/$expand?url={GENDERS}|9", 404),
        (f"ValueSet/$expand?url={GENDERS}&valueSetVersion=9", 404),
        (f"ValueSet/$validate-code?url={GENDERS}&valueSetVersion=9&code=female", 404),
        (f"ValueSet/$validate-code?url={GENDERS}&system={GENDER}&systemVersion=4.0.1&code=female", 200),
        (f"ValueSet/$validate-code?url={GENDERS}&system={GENDER}&systemVersion=9&code=female", 400),
        (f"CodeSystem/$validate-code?url={GENDER}&version=4.0.1&code=female", 200),
        (f"CodeSystem/$validate-code?url={GENDER}&version=9&code=female", 400),
        (f"CodeSystem/$validate-code?url={GENDER}&valueSet=x&code=female", 400),
    ],
)
def test_another_version_is_another_thing(ehr: Caller, path: str, status: int) -> None:
    """references.html#canonical: what is asked of one version is not answered from another, and no parameter is passed over."""
    answer = ehr.get(path)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["resourceType"] in ("ValueSet", "Parameters")
    else:
        refused(answer, status, "not-found" if status == 404 else "not-supported")


def test_a_concept_that_groups_others_is_a_code_only_where_that_is_asked(ehr: Caller) -> None:
    """codesystem-operation-validate-code.html: abstract."""
    system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    grouping = f"CodeSystem/$validate-code?url={system}&code=_ActHealthInformationManagementReason"
    assert told(ehr.get(grouping))["result"] is False
    assert told(ehr.get(f"{grouping}&abstract=true"))["result"] is True


def test_what_is_not_shipped_is_refused_with_the_reason(ehr: Caller) -> None:
    """Half an answer would pass for a whole one."""
    refused(ehr.get("ValueSet/$expand?url=urn:nowhere"), 404, "not-found")
    refused(ehr.get("CodeSystem/$validate-code?url=http://snomed.info/sct&code=1"), 400, "not-supported")
    refused(ehr.get("ValueSet/$expand"), 400, "invalid")
    refused(ehr.get(f"ValueSet/$expand?url={GENDERS}&colour=red"), 400, "not-supported")


def inline(**content: Any) -> Json:
    value_set = {"resourceType": "ValueSet", "status": "active", **content}
    return {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": value_set}]}


MALFORMED: dict[str, tuple[Json, str]] = {
    "a list as compose": (inline(compose=[]), "compose"),
    "include is no list": (inline(compose={"include": {"system": GENDER}}), "compose.include"),
    "include of texts": (inline(compose={"include": [GENDER]}), "compose.include[0]"),
    "a list as system": (inline(compose={"include": [{"system": [GENDER]}]}), "compose.include[0].system"),
    "a concept without code": (
        inline(compose={"include": [{"system": GENDER, "concept": [{"display": "Female"}]}]}),
        "compose.include[0].concept[0].code",
    ),
    "a filter without property": (
        inline(compose={"include": [{"system": GENDER, "filter": [{"op": "=", "value": "male"}]}]}),
        "compose.include[0].filter[0].property",
    ),
    "a text as valueSet": (inline(compose={"include": [{"valueSet": GENDERS}]}), "compose.include[0].valueSet"),
    "an expansion of no list": (inline(expansion={"timestamp": "2026-01-01", "contains": {}}), "expansion.contains"),
}


@pytest.mark.parametrize("operation", ["$expand", "$validate-code"])
@pytest.mark.parametrize("shape", MALFORMED)
def test_a_malformed_value_set_is_refused_where_it_is_wrong(ehr: Caller, shape: str, operation: str) -> None:
    """FHIR.md 4b.11: an OperationOutcome with an expression for every fault of the client."""
    body, place = MALFORMED[shape]
    asked = {**body, "parameter": [*body["parameter"], *([{"name": "code", "valueCode": "male"}] if operation != "$expand" else [])]}
    answer = ehr.post(f"ValueSet/{operation}", asked)
    issue = refused(answer, 400, answer.json()["issue"][0]["code"], expression=f"Parameters.parameter[0].resource.{place}")[0]
    assert issue["code"] in ("structure", "required", "value")


@pytest.mark.parametrize(
    "compose",
    [
        {"include": [{"system": GENDER, "concept": [{"_code": {"extension": [{"url": "urn:x", "valueBoolean": True}]}}]}]},
        {"include": [{"valueSet": [None], "_valueSet": [{"extension": [{"url": "urn:x", "valueBoolean": True}]}]}]},
    ],
    ids=["a code", "one of several"],
)
def test_a_value_set_with_an_extension_in_place_of_a_value_is_refused(ehr: Caller, compose: Json) -> None:
    """https://hl7.org/fhir/R4/json.html#primitive: R4 allows it, but there is no code to list."""
    refused(ehr.post("ValueSet/$expand", inline(compose=compose)), 400, "invalid", expression="Parameters.parameter.where(name='valueSet')")


@pytest.mark.parametrize(
    ("parameter", "place"),
    [
        ({"name": "coding", "valueCoding": {"system": GENDER, "code": "male", "display": 5}}, "value.display"),
        ({"name": "codeableConcept", "valueCodeableConcept": {"coding": "male"}}, "value.coding"),
    ],
    ids=["coding", "codeableConcept"],
)
def test_a_malformed_coding_is_refused_where_it_is_wrong(ehr: Caller, parameter: Json, place: str) -> None:
    """FHIR.md 4b.11."""
    body = {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": GENDERS}, parameter]}
    answer = ehr.post("ValueSet/$validate-code", body)
    refused(answer, 400, answer.json()["issue"][0]["code"], expression=f"Parameters.parameter[1].{place}")


@pytest.mark.parametrize("resource", [{"resourceType": "Patient"}, None], ids=["another type", "in the url"])
def test_what_is_no_value_set_is_not_taken_for_one(ehr: Caller, resource: Json | None) -> None:
    if resource is None:
        answer = ehr.get("ValueSet/$expand?valueSet=x")
    else:
        answer = ehr.post("ValueSet/$expand", {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": resource}]})
    refused(answer, 400, "invalid", expression="Parameters.parameter.where(name='valueSet')")
