"""Literal references, the types they may lead to, and contained resources. https://hl7.org/fhir/R4/references.html"""

from typing import Any

import pytest

from fhir_profiles.r4 import check

Json = dict[str, Any]

UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
DEFINED = "http://hl7.org/fhir/StructureDefinition/"
CLINIC = {"resourceType": "Organization", "id": "o1", "name": "Clinic"}


def found(resource: Json) -> list[tuple[str, str]]:
    return [(problem.code, problem.expression) for problem in check(resource)]


def observation(subject: Json, **more: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject, **more}


def patient(*contained: Json, **more: Any) -> Json:
    return {"resourceType": "Patient", "contained": list(contained), **more}


@pytest.mark.parametrize(
    "literal",
    [
        "Patient/1",
        "Patient/a-B.9/_history/3",
        "http://example.org/fhir/Patient/1",
        "https://example.org:8443/a%20b/Patient/1/_history/2",
        "http://example.org/any/place",
        "ftp://example.org/file",
        "http://example.org/fhir/Unknown/1",
        UUID,
        UUID.upper().replace("URN:UUID", "urn:uuid"),
        "urn:oid:1.2.250.1",
    ],
)
def test_a_literal_reference_has_one_of_these_forms(literal: str) -> None:
    """https://hl7.org/fhir/R4/references.html#literal"""
    assert check(observation({"reference": literal})) == ()


@pytest.mark.parametrize(
    "literal",
    [
        *("1", "Patient", "Patient/", "/Patient/1", "Patient/1/", "Patient/1/name", "Patient/1/_history", "Patient/1/_history/"),
        *("../Patient/1", "patient/1", "Patient/a b", "Patient/a_b", f"Patient/{'a' * 65}", "Patient/1#x", "Patient/1\n", "Nobody/1"),
        *("urn:uuid:1", "urn:uuid:c757873d", "urn:oid:1", "urn:iso:std:iso:11073", "mailto:a", "javascript:a()", "http://", "http://a b"),
        *("Patient?identifier=a", "Nobody?a=b", "Patient?", "?a=b"),
    ],
)
def test_what_has_none_of_the_forms_is_refused_with_its_place(literal: str) -> None:
    """https://hl7.org/fhir/R4/references.html#literal; criteria stand in transactions only (http.html#trules)."""
    assert found(observation({"reference": literal})) == [("value", "Observation.subject.reference")]


@pytest.mark.parametrize("type", ["transaction", "batch"])
def test_criteria_stand_where_they_will_be_resolved(type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#trules: conditional references, in a Bundle that is kept before it is carried out."""
    entry = {"resource": observation({"reference": "Patient?identifier=a"}), "request": {"method": "POST", "url": "Observation"}}
    place = "Bundle.entry[0].resource.subject.reference"
    assert found({"resourceType": "Bundle", "type": type, "entry": [entry]}) == []
    wrong = entry | {"resource": observation({"reference": "Practitioner?identifier=a"})}
    assert found({"resourceType": "Bundle", "type": type, "entry": [wrong]}) == [("structure", place)]
    kept = {"resource": entry["resource"]}
    assert found({"resourceType": "Bundle", "type": "collection", "entry": [kept]}) == [("value", place)]


@pytest.mark.parametrize(
    "literal",
    ["Organization/1", "Organization/1/_history/2", "https://example.org/fhir/Organization/1", "#o1"],
    ids=["at", "of", "url", "in"],
)
def test_a_reference_leads_to_a_type_that_its_element_allows(literal: str) -> None:
    """https://hl7.org/fhir/R4/references.html: "the allowed types are documented", ElementDefinition.type.targetProfile."""
    more = {"contained": [CLINIC]} if literal == "#o1" else {}
    assert found(observation({"reference": literal}, **more)) == [("structure", "Observation.subject.reference")]
    assert found(observation({"display": "x"}, performer=[{"reference": literal}], **more)) == []
    text = check(observation({"reference": literal}, **more))[0].text
    assert text == "this may refer to Device or Group or Location or Patient only"


def test_an_element_that_may_refer_to_anything_does() -> None:
    """https://hl7.org/fhir/R4/extensibility.html: the value of an extension is a Reference(Any)."""
    link = {"url": "http://example.org/x", "valueReference": {"reference": "Flag/1"}}
    assert found(observation({"display": "x"}, extension=[link])) == []
    assert found(observation({"display": "x"}, extension=[link | {"valueReference": {"reference": "Nothing/1"}}])) == [
        ("value", "Observation.extension[0].value.reference")
    ]


@pytest.mark.parametrize(
    ("reference", "problems"),
    [
        ({"reference": "Patient/1", "type": "Patient"}, []),
        ({"reference": "Patient/1", "type": f"{DEFINED}Patient"}, []),
        ({"reference": UUID, "type": "Patient"}, []),
        ({"identifier": {"value": "1"}, "type": "Group"}, []),
        ({"identifier": {"value": "1"}, "type": "http://example.org/models/Herd"}, []),
        ({"reference": "Patient/1", "type": "Group"}, [("structure", "Observation.subject.type")]),
        ({"reference": "http://example.org/Patient/1", "type": f"{DEFINED}Group"}, [("structure", "Observation.subject.type")]),
        ({"identifier": {"value": "1"}, "type": "Organization"}, [("structure", "Observation.subject.type")]),
        ({"reference": UUID, "type": "Organization"}, [("structure", "Observation.subject.type")]),
        ({"reference": UUID, "type": "Herd"}, [("value", "Observation.subject.type")]),
    ],
)
def test_the_type_of_a_reference_agrees_with_what_it_leads_to(reference: Json, problems: list[tuple[str, str]]) -> None:
    """https://hl7.org/fhir/R4/references-definitions.html#Reference.type"""
    assert found(observation(reference)) == problems


def test_a_link_to_a_contained_resource_needs_one() -> None:
    """ref-1: "SHALL have a contained resource if a local reference is provided"."""
    wrong = patient(CLINIC, managingOrganization={"reference": "#o1"}, generalPractitioner=[{"reference": "#o2"}])
    assert found(wrong) == [("invariant", "Patient.generalPractitioner[0].reference")]
    assert check(wrong)[0].text.startswith("ref-1: ")


@pytest.mark.parametrize(
    "resource",
    [
        patient(CLINIC, managingOrganization={"reference": "#o1"}),
        patient(CLINIC, CLINIC | {"id": "o2", "partOf": {"reference": "#o1"}}, managingOrganization={"reference": "#o2"}),
        patient({"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "#"}}),
        {
            "resourceType": "CarePlan",
            "contained": [{"resourceType": "PlanDefinition", "id": "p", "status": "draft"}],
            "status": "draft",
            "intent": "plan",
            "subject": {"display": "x"},
            "instantiatesCanonical": ["#p"],
        },
        patient(
            {"resourceType": "Binary", "id": "b", "contentType": "image/png", "data": "AA=="},
            text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><img src="#b" alt="x"/></div>'},
        ),
    ],
    ids=["linked", "linked by another", "refers to its container", "canonical", "image of a narrative"],
)
def test_a_contained_resource_is_linked_or_links_to_its_container(resource: Json) -> None:
    """dom-3 in all four ways, and by what a narrative shows: https://hl7.org/fhir/R4/narrative.html"""
    assert found(resource) == []


@pytest.mark.parametrize(
    ("resource", "key", "expression"),
    [
        (patient(CLINIC), "dom-3", "Patient.contained[0]"),
        (patient({"resourceType": "Organization", "name": "x"}), "dom-3", "Patient.contained[0]"),
        (patient(CLINIC, CLINIC | {"id": "o2"}, managingOrganization={"reference": "#o2"}), "dom-3", "Patient.contained[0]"),
        (patient(CLINIC | {"partOf": {"reference": "#o1"}, "contained": [CLINIC]}), "dom-2", "Patient.contained[0].contained"),
        *(
            (
                patient(CLINIC | {"meta": {name: value}}, managingOrganization={"reference": "#o1"}),
                key,
                f"Patient.contained[0].meta.{name}",
            )
            for name, value, key in [
                ("versionId", "1", "dom-4"),
                ("lastUpdated", "2026-11-22T09:30:00Z", "dom-4"),
                ("security", [{"code": "R"}], "dom-5"),
            ]
        ),
    ],
)
def test_what_a_contained_resource_may_not_be_is_named_with_its_place(resource: Json, key: str, expression: str) -> None:
    """dom-2 to dom-5: https://hl7.org/fhir/R4/references.html#contained"""
    problems = check(resource)
    assert [(problem.code, problem.text.partition(":")[0], problem.expression) for problem in problems] == [("invariant", key, expression)]


def test_two_contained_resources_have_two_ids() -> None:
    """https://hl7.org/fhir/R4/references.html#contained: a link leads to one of them."""
    twice = patient(CLINIC, CLINIC, managingOrganization={"reference": "#o1"})
    assert found(twice) == [("value", "Patient.contained[1].id")]


def test_each_entry_of_a_bundle_has_contained_resources_of_its_own() -> None:
    """A link inside leads to the resource it stands in, never to its neighbour's."""
    right = patient(CLINIC, managingOrganization={"reference": "#o1"})
    wrong = {"resourceType": "Patient", "managingOrganization": {"reference": "#o1"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": right}, {"resource": wrong}]}
    assert found(bundle) == [("invariant", "Bundle.entry[1].resource.managingOrganization.reference")]


@pytest.mark.parametrize("full_url", [UUID, "http://example.org/anything"])
def test_a_reference_to_an_entry_of_the_bundle_has_its_type(full_url: str) -> None:
    """https://hl7.org/fhir/R4/bundle.html#references: resolved by the full URL of an entry."""
    entries = [{"resource": observation({"reference": full_url})}, {"fullUrl": full_url, "resource": CLINIC}]
    place = "Bundle.entry[0].resource.subject.reference"
    assert found({"resourceType": "Bundle", "type": "collection", "entry": entries}) == [("structure", place)]
    entries[1]["resource"] = {"resourceType": "Patient", "id": "1"}
    assert found({"resourceType": "Bundle", "type": "collection", "entry": entries}) == []


@pytest.mark.parametrize("entry", [1, "x", {}, [1], [{"fullUrl": []}], [{"fullUrl": UUID, "resource": 1}]])
def test_whatever_stands_in_an_entry_gets_an_answer(entry: Any) -> None:
    """The full URLs are looked up before the structure has been found right."""
    assert check({"resourceType": "Bundle", "type": "collection", "entry": entry}) != ()


@pytest.mark.parametrize("contained", [1, "x", {}, [1], [[]], [{"id": []}], [{"id": {}, "resourceType": []}]])
def test_whatever_stands_in_contained_gets_an_answer(contained: Any) -> None:
    """The ids are looked up before the structure has been found right."""
    assert check(patient(managingOrganization={"reference": "#x"}) | {"contained": contained}) != ()


def test_many_contained_resources_are_one_walk() -> None:
    """A hostile payload costs no more than a long one: links are gathered once, not for each."""
    many = [CLINIC | {"id": f"o{number}", "partOf": {"reference": f"#o{number}"}} for number in range(5_000)]
    assert found(patient(*many)) == []
