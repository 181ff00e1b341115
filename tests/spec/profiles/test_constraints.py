"""The invariants of R4's base definitions. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from typing import Any

import pytest

from fhir_profiles.constraints import LEFT_OUT
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
            compile_(one.expression)


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
