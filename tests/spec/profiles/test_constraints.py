"""The invariants of R4's base definitions. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from typing import Any

import pytest

from fhir_profiles.constraints import CORRECTED, LEFT_OUT
from fhir_profiles.definitions import Definition, definition
from fhir_profiles.fhirpath import compile_
from fhir_profiles.r4 import RESOURCE_TYPES, check

Json = dict[str, Any]


def structures() -> list[Definition]:
    """Every structure that a resource may hold."""
    seen: dict[str, Definition] = {}
    ahead = sorted(RESOURCE_TYPES)
    while ahead:
        name = ahead.pop()
        if name in seen or name == "Resource":
            continue
        seen[name] = definition(name)
        for element in seen[name].elements:
            inner = [type.profile or type.code for type in element.types if not type.is_primitive]
            ahead += [element.structure] if element.structure else inner
    return list(seen.values())


def test_every_invariant_of_r4_can_be_compiled_or_is_left_out_with_a_reason() -> None:
    defined = {one.key: one for structure in structures() for one in structure.invariants if one.severity == "error"}
    assert len(defined) > 180
    for key, one in defined.items():
        if key not in LEFT_OUT:
            compile_(CORRECTED.get(key, one.expression))


CODE = {"text": "x"}
ASKED = {"linkId": "1", "type": "string"}
ACTIVE = {"coding": [{"code": "active"}]}
DETAIL = {"detailString": "x"}
WHO = {"display": "somebody"}


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ({"resourceType": "Organization", "active": True}, "org-1"),
        ({"resourceType": "Organization", "name": "x", "telecom": [{"system": "phone", "value": "1", "use": "home"}]}, "org-3"),
        ({"resourceType": "Patient", "contact": [{"gender": "female"}]}, "pat-1"),
        ({"resourceType": "Group", "type": "person", "actual": False, "member": [{"entity": WHO}]}, "grp-1"),
        ({"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "1", "type": "group"}]}, "que-1"),
        (
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [{"linkId": "1", "type": "string"}, {"linkId": "1", "type": "string"}],
            },
            "que-2",
        ),
        ({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "Basic", "code": CODE}}], "total": 1}, ""),
        ({"resourceType": "Bundle", "type": "collection", "total": 1}, "bdl-1"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Basic", "code": CODE}}]}, "bdl-3"),
        (
            {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "subject": WHO, "activity": [{"progress": [{"text": "x"}]}]},
            "",
        ),
        (
            {"resourceType": "Condition", "subject": WHO, "abatementString": "x", "clinicalStatus": {"coding": [{"code": "active"}]}},
            "con-4",
        ),
        (
            {"resourceType": "Goal", "lifecycleStatus": "active", "description": CODE, "subject": WHO, "target": [{"detailString": "x"}]},
            "gol-1",
        ),
        ({"resourceType": "Observation", "status": "final", "code": CODE, "valueString": "x", "dataAbsentReason": CODE}, "obs-6"),
        ({"resourceType": "List", "status": "current", "mode": "working", "entry": [{"deleted": True, "item": WHO}]}, "lst-2"),
        ({"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{}]}}, ""),
        ({"resourceType": "Timing"}, ""),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_an_invariant_that_is_broken_is_named(resource: Json, key: str) -> None:
    """Each under its own key; where none is given, the resource is right or broken in another way."""
    found = [problem.text.partition(":")[0] for problem in check(resource) if problem.code == "invariant"]
    assert found == ([key] if key else [])


SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
UCUM = "http://unitsofmeasure.org"


def broken(resource: Json) -> list[tuple[str, str]]:
    return [(problem.text.partition(":")[0], problem.expression) for problem in check(resource) if problem.code == "invariant"]


@pytest.mark.parametrize(("code", "key"), [("patient-privacy", "ppc-2"), ("research", "ppc-3"), ("adr", "ppc-4"), ("treatment", "ppc-5")])
def test_a_consent_of_these_scopes_has_a_patient(code: str, key: str) -> None:
    """ppc-2 to ppc-5, published with the system 'something': https://hl7.org/fhir/R4/consent.html#consent.scope"""
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": code}]},
        "category": [CODE],
        "policyRule": CODE,
    }
    assert broken(consent) == [(key, "Consent")]
    assert broken(consent | {"patient": WHO}) == []
    assert broken(consent | {"scope": {"coding": [{"system": "http://example.org/scopes", "code": code}]}}) == []


def test_whether_there_is_an_answer_is_a_boolean() -> None:
    """que-7, published with a type that no element has: https://hl7.org/fhir/R4/questionnaire.html#que-7"""

    def asked_if(condition: Json) -> Json:
        return {"resourceType": "Questionnaire", "status": "draft", "item": [ASKED | {"enableWhen": [{"question": "2"} | condition]}]}

    assert broken(asked_if({"operator": "exists", "answerBoolean": True})) == []
    assert broken(asked_if({"operator": "=", "answerString": "x"})) == []
    assert broken(asked_if({"operator": "exists", "answerString": "true"})) == [("que-7", "Questionnaire.item[0].enableWhen[0]")]


def test_a_probability_between_two_bounds_is_in_percent() -> None:
    """ras-1 stands at the element, which JSON knows as probabilityRange: https://hl7.org/fhir/R4/riskassessment.html#ras-1"""

    def risk(unit: str) -> Json:
        high = {"value": 20, "system": UCUM, "code": unit}
        return {"resourceType": "RiskAssessment", "status": "final", "subject": WHO, "prediction": [{"probabilityRange": {"high": high}}]}

    assert broken(risk("%")) == []
    assert broken(risk("m")) == [("ras-1", "RiskAssessment.prediction[0]")]


@pytest.mark.parametrize("name", ["valueQuantity", "valueAge", "valueDuration"])
def test_a_unit_of_ucum_is_one(name: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#Quantity: the code is one of the system that is named. UCUM is case-sensitive."""

    def measured(code: str, system: str = UCUM) -> Json:
        return {"resourceType": "Basic", "code": CODE, "extension": [{"url": "urn:x", name: {"value": 1, "system": system, "code": code}}]}

    keys = [
        [key for key, _ in broken(measured(*unit))] for unit in [("mo",), ("MM[HG]",), ("beats",), ("beats", "http://example.org/units")]
    ]
    assert [("ucum" in found) for found in keys] == [False, True, True, False]


def test_the_bounds_of_a_range_have_units_too() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity"""
    low = {"value": 1, "system": UCUM, "code": "mmHg"}
    found = broken({"resourceType": "Observation", "status": "final", "code": CODE, "referenceRange": [{"low": low}]})
    assert found == [("ucum", "Observation.referenceRange[0].low")]


@pytest.mark.parametrize(
    "parts", [{"name": [{"id": "a"}]}, {"_birthDate": {"id": "a"}}, {"_active": {"id": "a"}, "name": [{"family": "x"}]}]
)
def test_an_id_alone_is_no_content(parts: Json) -> None:
    """ele-1, said by the walk: https://hl7.org/fhir/R4/element.html#ele-1"""
    assert [problem.code for problem in check({"resourceType": "Patient", **parts})] == ["structure"]
    assert check({"resourceType": "Patient", "name": [{"id": "a", "family": "x"}], "birthDate": "1980", "_birthDate": {"id": "a"}}) == ()
