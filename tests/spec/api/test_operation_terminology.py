"""$expand and $validate-code over HTTP, for what the hub ships. https://hl7.org/fhir/R4/terminology-service.html"""

from typing import Any

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


def test_what_is_not_shipped_is_refused_with_the_reason(ehr: Caller) -> None:
    """Half an answer would pass for a whole one."""
    refused(ehr.get("ValueSet/$expand?url=urn:nowhere"), 404, "not-found")
    refused(ehr.get("CodeSystem/$validate-code?url=http://snomed.info/sct&code=1"), 400, "not-supported")
    refused(ehr.get("ValueSet/$expand"), 400, "invalid")
    refused(ehr.get(f"ValueSet/$expand?url={GENDERS}&colour=red"), 400, "not-supported")
