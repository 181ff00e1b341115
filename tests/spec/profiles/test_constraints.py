"""The invariants of R4's base definitions. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from fhir_profiles import r4
from fhir_profiles.constraints import CORRECTED, LEFT_OUT
from fhir_profiles.definitions import Definition, definition
from fhir_profiles.fhirpath import FhirPathError, FhirPathEvaluationError, compile_
from fhir_profiles.invariants import Invariant
from fhir_profiles.r4 import RESOURCE_TYPES, advise, check
from fhir_profiles.structure import Walk
from hub import numbers
from tests.support.generated import rough, seeded
from tests.support.invariants import invariants_in

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
ACTIVE = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
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
            {"resourceType": "Condition", "subject": WHO, "abatementString": "x", "clinicalStatus": {"coding": [ACTIVE]}},
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


@pytest.mark.parametrize("type", sorted(RESOURCE_TYPES))
def test_no_invariant_gives_up_on_what_has_the_structure_of_its_type(type: str) -> None:
    """conformance-rules.html#constraints: kept or broken; one that raised would be a fault of the table or of the engine."""
    for seed in range(6):
        content = orjson.loads(numbers.dumps(rough(type, seeded(type, seed), fullness=0.2 + 0.15 * seed)))
        for key, expression, value, of in invariants_in(content):
            if key not in LEFT_OUT:
                try:
                    compile_(expression).holds(value, type=of, root=value)
                except FhirPathError as error:
                    pytest.fail(f"{key} of {type} {seed}: {error}")


def test_an_invariant_that_cannot_be_decided_is_not_kept() -> None:
    """STYLE 7: silence means no."""

    def undecided(_: Any) -> bool:
        raise FhirPathEvaluationError("more than one item")

    shape = replace(r4._shape("Basic"), invariants=(Invariant("x-1", undecided, "never said"),))
    walk = Walk(lambda _: shape, lambda: r4._shape("Element"))
    walk.resource({"resourceType": "Basic", "code": CODE}, (), 0)
    assert [(one.code, one.expression, one.text) for one in walk.problems] == [
        ("invariant", "Basic", "x-1: this cannot be decided (more than one item)")
    ]


def test_a_range_with_a_bound_that_has_no_value_is_right() -> None:
    """rng-2 compares values; a quantity without one is not comparable: https://hl7.org/fhir/R4/datatypes.html#Range"""
    risk = {"resourceType": "RiskAssessment", "status": "final", "subject": WHO}
    bounds = {"low": {"value": 1, "unit": "a"}, "high": {"unit": "a"}}
    assert broken(risk | {"prediction": [{"whenRange": bounds}]}) == []


TOLD = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
LISTED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}]}
GONE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]}
CONDITION = {"resourceType": "Condition", "subject": WHO, "text": TOLD}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Basic", "code": CODE}, [("dom-6", "Basic")]),
        ({"resourceType": "Basic", "code": CODE, "text": TOLD}, []),
        (
            {
                "resourceType": "Basic",
                "code": CODE,
                "text": TOLD,
                "subject": {"reference": "#p"},
                "contained": [{"resourceType": "Patient", "id": "p"}],
            },
            [],
        ),
        (
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Basic", "code": CODE}}]},
            [("dom-6", "Bundle.entry[0].resource")],
        ),
        (CONDITION | {"category": [LISTED]}, [("con-3", "Condition")]),
        (CONDITION | {"category": [LISTED], "verificationStatus": GONE}, []),
        (CONDITION | {"category": [CODE]}, []),
        ({"resourceType": "ValueSet", "status": "draft", "text": TOLD, "name": "Two words"}, [("vsd-0", "ValueSet")]),
        ({"resourceType": "ValueSet", "status": "draft", "text": TOLD, "name": "TwoWords"}, []),
        ({"resourceType": "ValueSet", "status": "draft", "text": TOLD}, []),
        ({"resourceType": "NutritionOrder", "status": "draft", "intent": "order", "patient": WHO, "dateTime": "2026"}, "nor-1"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_r4_recommends_is_advice(resource: Json, expected: Any) -> None:
    """Constraints of severity warning: best practice (dom-6), rules for names, con-3 as its sentence has it."""
    assert check(resource) == ()
    found = [(problem.text.partition(":")[0], problem.expression) for problem in advise(resource)]
    assert found == expected or expected in [key for key, _ in found]
