"""Modifiers that ask another question: https://hl7.org/fhir/R4/search.html#modifiers, #token, #uri; FHIR.md 4b.9."""

from typing import Any

import pytest

from hub.errors import FhirError
from tests.spec.search.given import found, search

GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
Json = dict[str, Any]


def sex(gender: str | None) -> Json:
    return {"resourceType": "Patient", "id": "p", **({} if gender is None else {"gender": gender})}


def encounter(code: str) -> Json:
    return {"resourceType": "Encounter", "id": "e", "class": {"system": ACT_CODE, "code": code}}


def coded(**concept: Any) -> Json:
    return {"resourceType": "Observation", "id": "o", "code": concept}


def at(url: str) -> Json:
    return {"resourceType": "ValueSet", "id": "v", "url": url}


def test_in_and_not_in_ask_for_the_members_of_a_value_set() -> None:
    """#token: a resource without a value matches :not-in, as it does :not (docs/search.md)."""
    assert found(sex("female"), ("gender:in", GENDERS))
    assert not found(sex("nonsense"), ("gender:in", GENDERS))
    assert not found(sex("female"), ("gender:not-in", GENDERS))
    assert found(sex("nonsense"), ("gender:not-in", GENDERS))
    assert found(sex(None), ("gender:not-in", GENDERS))
    assert not found(sex(None), ("gender:in", GENDERS))


@pytest.mark.parametrize("modifier", ["in", "not-in"])
def test_a_value_set_that_is_not_known_is_refused_and_not_found_empty(modifier: str) -> None:
    with pytest.raises(FhirError) as refused:
        search("Patient", (f"gender:{modifier}", "urn:nowhere"), lenient=True)
    assert (refused.value.code, refused.value.issues[0].expression) == ("not-supported", f"http.gender:{modifier}")


def test_below_takes_the_kinds_of_a_concept_and_above_what_it_is_a_kind_of() -> None:
    """#token: subsumption, the code itself included: an acute inpatient encounter is a kind of inpatient encounter."""
    assert found(encounter("ACUTE"), ("class:below", f"{ACT_CODE}|IMP"))
    assert found(encounter("IMP"), ("class:below", f"{ACT_CODE}|IMP"))
    assert not found(encounter("AMB"), ("class:below", f"{ACT_CODE}|IMP"))
    assert found(encounter("IMP"), ("class:above", f"{ACT_CODE}|ACUTE"))
    assert not found(encounter("ACUTE"), ("class:above", f"{ACT_CODE}|IMP"))


def test_text_looks_at_what_people_read() -> None:
    """#token: CodeableConcept.text, Coding.display, as strings are compared; never at the code."""
    assert found(coded(text="Fréquence cardiaque"), ("code:text", "frequence"))
    assert found(coded(coding=[{"display": "Heart rate"}]), ("code:text", "rate"))
    assert not found(coded(coding=[{"code": "rate"}]), ("code:text", "rate"))
    assert not found(coded(text="Fréquence cardiaque"), ("code:text", "uence"))


def test_of_type_asks_for_the_kind_of_an_identifier_and_its_value() -> None:
    """#token: system|code|value; all three in one and the same identifier."""
    kind = {"coding": [{"system": "urn:kinds", "code": "MR"}]}
    person = {"resourceType": "Patient", "id": "p", "identifier": [{"type": kind, "value": "7"}, {"value": "8"}]}
    assert found(person, ("identifier:of-type", "urn:kinds|MR|7"))
    assert not found(person, ("identifier:of-type", "urn:kinds|MR|8"))
    assert not found(person, ("identifier:of-type", "urn:kinds|SS|7"))
    for value in ("MR|7", "urn:kinds|MR|", "7"):
        with pytest.raises(FhirError):
            search("Patient", ("identifier:of-type", value))


@pytest.mark.parametrize(
    ("modifier", "asked", "hits", "misses"),
    [
        ("", "http://a.example/vs", ("http://a.example/vs",), ("http://a.example/vs/1", "http://A.example/vs", "http://a.example/vs/")),
        (":below", "http://a.example/vs", ("http://a.example/vs", "http://a.example/vs/1"), ("http://a.example/vs2", "http://a.example")),
        (
            ":above",
            "http://a.example/vs/1",
            ("http://a.example/vs", "http://a.example/vs/1"),
            ("http://a.example/v", "http://a.example/vs/2"),
        ),
        (":contains", "example/v", ("http://a.example/vs",), ("http://a.example/w",)),
        (":below", "urn:oid:1.2", ("urn:oid:1.2",), ("urn:oid:1.2.3",)),
    ],
)
def test_a_uri_is_compared_whole_or_by_its_segments(modifier: str, asked: str, hits: tuple[str, ...], misses: tuple[str, ...]) -> None:
    """#uri: exact, case and slashes included; :below and :above end at a segment; URNs have none."""
    assert [one for one in hits if not found(at(one), (f"url{modifier}", asked))] == []
    assert [one for one in misses if found(at(one), (f"url{modifier}", asked))] == []
