"""Required bindings of R4's own elements. https://hl7.org/fhir/R4/terminologies.html#required"""

from typing import Any

import pytest

from fhir_profiles import r4

Json = dict[str, Any]

TERMS = "http://terminology.hl7.org/CodeSystem/"
CLINICAL = f"{TERMS}condition-clinical"
WHO = {"reference": "Patient/1"}


def condition(status: Json) -> Json:
    return {"resourceType": "Condition", "subject": WHO, "clinicalStatus": status}


def concept(*pairs: tuple[str | None, str]) -> Json:
    return {"coding": [{"code": code} | ({"system": system} if system else {}) for system, code in pairs]}


@pytest.mark.parametrize(
    "status",
    [concept((CLINICAL, "active")), concept((CLINICAL, "resolved"), ("urn:x", "y")), concept(("urn:x", "y"), (CLINICAL, "active"))],
)
def test_a_concept_of_the_value_set_may_have_other_codings_beside_it(status: Json) -> None:
    """terminologies.html#required: one of the codings is from the value set."""
    assert r4.check(condition(status)) == ()


@pytest.mark.parametrize(
    "status",
    [
        concept((CLINICAL, "asleep")),
        concept(("urn:x", "active")),
        concept((None, "active")),
        {"text": "active"},
        {"coding": [{"system": CLINICAL, "display": "active"}]},
        {"extension": [{"url": "http://example.org/why", "valueString": "x"}]},
    ],
)
def test_a_concept_without_a_coding_of_the_value_set_is_refused_with_what_there_is(status: Json) -> None:
    """terminologies.html#required: to be conformant, the concept SHALL be from the value set; a text alone is not."""
    (found,) = r4.check(condition(status))
    assert (found.code, found.expression) == ("code-invalid", "Condition.clinicalStatus")
    assert found.text == (
        f"clinicalStatus needs a coding with one of active, inactive, recurrence, relapse, remission, resolved, of {CLINICAL}"
    )


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (
            {
                "resourceType": "AllergyIntolerance",
                "patient": WHO,
                "verificationStatus": concept((f"{TERMS}condition-ver-status", "confirmed")),
            },
            "AllergyIntolerance.verificationStatus",
        ),
        ({"resourceType": "AdverseEvent", "actuality": "actual", "subject": WHO, "severity": {"text": "mild"}}, "AdverseEvent.severity"),
        ({"resourceType": "SupplyDelivery", "type": {"text": "device"}}, "SupplyDelivery.type"),
    ],
)
def test_the_bindings_of_other_types_hold_too(resource: Json, expression: str) -> None:
    assert [(one.code, one.expression) for one in r4.check(resource)] == [("code-invalid", expression)]


@pytest.mark.parametrize(("type", "taken"), [("text/plain", True), ("application/fhir+json; fhirVersion=4.0", True), ("pdf", False)])
def test_a_media_type_has_the_form_of_one(type: str, taken: bool) -> None:
    """http://hl7.org/fhir/R4/valueset-mimetypes.html: all of BCP 13, which nobody lists."""
    assert (r4.check({"resourceType": "Binary", "contentType": type}) == ()) is taken


def test_the_formats_of_a_capability_statement_may_be_short() -> None:
    """https://hl7.org/fhir/R4/http.html#mime-type; capabilitystatement-example.json of R4 says xml and json."""
    statement = {"kind": "requirements", "status": "draft", "date": "2026", "fhirVersion": "4.0.1", "rest": [{"mode": "server"}]}
    assert r4.check({"resourceType": "CapabilityStatement", **statement, "description": "x", "format": ["xml", "json"]}) == ()


@pytest.mark.parametrize(("currency", "taken"), [("EUR", True), ("eur", False), ("€", False)])
def test_a_currency_has_the_form_of_one(currency: str, taken: bool) -> None:
    """http://hl7.org/fhir/R4/valueset-currencies.html: ISO 4217."""
    invoice = {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": 1, "currency": currency}}
    assert [one.expression for one in r4.check(invoice)] == ([] if taken else ["Invoice.totalNet.currency"])


@pytest.mark.parametrize(("code", "taken"), [("mg/dL", True), ("mgs", False)])
def test_a_unit_as_a_concept_is_one_of_ucum(code: str, taken: bool) -> None:
    """https://hl7.org/fhir/R4/riskevidencesynthesis-definitions.html#RiskEvidenceSynthesis.riskEstimate.unitOfMeasure"""
    links = {name: {"reference": "EvidenceVariable/1"} for name in ("population", "outcome")}
    estimate = {"unitOfMeasure": concept(("http://unitsofmeasure.org", code))}
    found = r4.check({"resourceType": "RiskEvidenceSynthesis", "status": "draft", **links, "riskEstimate": estimate})
    assert [one.code for one in found] == ([] if taken else ["code-invalid"])
