"""A part of a resource. https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements"""

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from fhir_profiles import r4
from fhir_profiles.definitions import definition
from fhir_profiles.shape import SUBSETTED, shaped
from tests.spec.profiles.resources import CONSENT, OBSERVATION, PATIENT
from tests.support.generated import resources

REQUIRED = {"resourceType", "id", "meta"}


def names(content: dict[str, Any]) -> set[str]:
    return {name.removeprefix("_") for name in content}


def test_text_is_the_narrative_and_what_must_be_there() -> None:
    """#summary: the text element, the id, the meta element, and only top-level mandatory elements."""
    assert names(shaped(PATIENT, summary="text")) == REQUIRED | {"text"}
    assert names(shaped({"id": "o", **OBSERVATION}, summary="text")) - {"text"} == REQUIRED | {"status", "code"}


def test_data_is_everything_but_the_narrative() -> None:
    assert names(shaped(PATIENT, summary="data")) == names(PATIENT) - {"text"} | {"meta"}


def test_true_is_what_the_definition_marks_on_every_level() -> None:
    """#summary: elements that are marked as summary in the base definition."""
    summary = shaped(PATIENT, summary="true")
    assert {"name", "gender", "birthDate", "managingOrganization", "link"} <= names(summary)
    assert not {"text", "contained", "extension", "photo", "contact", "communication", "maritalStatus"} & names(summary)
    component = {"code": {"text": "x"}, "valueInteger": 1, "interpretation": [{"text": "high"}]}
    short = shaped(OBSERVATION | {"component": [component]}, summary="true")
    assert short["component"] == [{"code": {"text": "x"}, "valueInteger": 1}]


def test_none_and_false_leave_everything() -> None:
    """#summary: false returns all parts of the resource."""
    assert shaped(PATIENT) == PATIENT


@pytest.mark.parametrize(
    ("elements", "kept"),
    [
        (["gender"], {"gender"}),
        (["name", "birthDate"], {"name", "birthDate"}),
        (["multipleBirth"], {"multipleBirthInteger"}),
        (["multipleBirthInteger"], {"multipleBirthInteger"}),
        (["deceasedDateTime"], set()),
    ],
)
def test_elements_are_those_that_are_listed(elements: list[str], kept: set[str]) -> None:
    """#elements: only these, with id and meta; extensions of a primitive go with it."""
    assert names(shaped(PATIENT, elements=elements)) == REQUIRED | kept
    if "birthDate" in elements:
        assert "_birthDate" in shaped(PATIENT, elements=elements)


def test_mandatory_elements_come_along() -> None:
    """#elements: servers should always return mandatory elements whether they are requested or not."""
    assert {"status", "scope", "category"} <= names(shaped(CONSENT, elements=["dateTime"]))


def test_what_modifies_everything_else_comes_along() -> None:
    """extensibility.html#modifierExtension: it may not be passed over."""
    modifier = {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}], "implicitRules": "http://example.org/r"}
    for part in (shaped(PATIENT | modifier, summary="true"), shaped(PATIENT | modifier, elements=["gender"])):
        assert {name: part[name] for name in modifier} == modifier


@pytest.mark.parametrize("part", [{"summary": "true"}, {"summary": "text"}, {"summary": "data"}, {"elements": ["gender"]}], ids=str)
def test_a_part_says_that_it_is_one(part: dict[str, Any]) -> None:
    """#elements: resources are marked with the tag SUBSETTED, once, beside the tags they have."""
    own = {"system": "http://example.org/tags", "code": "a"}
    tagged = PATIENT | {"meta": {"versionId": "1", "tag": [own]}}
    once = shaped(tagged, **part)
    assert once["meta"] == {"versionId": "1", "tag": [own, SUBSETTED]}
    assert shaped(once, **part) == once
    assert tagged["meta"]["tag"] == [own]
    assert list(shaped({"resourceType": "Patient", "id": "a", "gender": "male"}, **part))[:3] == ["resourceType", "id", "meta"]


@settings(max_examples=100, deadline=None)
@given(content=resources(fullness=0.5))
def test_a_part_of_any_resource_is_a_resource(content: dict[str, Any]) -> None:
    """Structure, types and what is required hold for the part too; constraints may look at what was left out."""
    before = copy.deepcopy(content)
    first = next((element.name for element in definition(content["resourceType"]).elements if element.name in content), "id")
    parts = [
        shaped(content, summary="true"),
        shaped(content, summary="text"),
        shaped(content, summary="data"),
        shaped(content, elements=[first]),
    ]
    for part in parts:
        assert [problem for problem in r4.check(part) if problem.code != "invariant"] == []
        assert SUBSETTED in part["meta"]["tag"]
    assert content == before
