"""Chains over canonical URLs. https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/references.html#canonical"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused

Json = dict[str, Any]
URL = "urn:example:chained-questions"


@dataclass(frozen=True, slots=True)
class Forms:
    """A Questionnaire in three versions, and answers to them."""

    person: str
    versions: dict[str, str]
    answers: dict[str, str]

    def names(self, found: list[str]) -> set[str]:
        named = {id: name for name, id in (self.answers | self.versions).items()}
        return {named[id] for id in found}


@pytest.fixture(scope="module")
def forms(ehr: Caller) -> Forms:
    versions = {one: ehr.create(questionnaire(one))["id"] for one in ("1.10", "1.9", "1.2")}
    person = ehr.create({"resourceType": "Patient", "name": [{"family": "Zenchainee"}]})["id"]
    named = {"any": URL, "old": f"{URL}|1.2", "gone": f"{URL}|7", "other": "urn:example:elsewhere"}
    return Forms(person, versions, {name: ehr.create(answers(person, one))["id"] for name, one in named.items()})


def questionnaire(version: str) -> Json:
    return {"resourceType": "Questionnaire", "url": URL, "version": version, "status": "active", "title": f"Questions {version}"}


def answers(person: str, canonical: str) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": canonical,
        "subject": {"reference": f"Patient/{person}"},
    }


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (f"questionnaire.url={URL}", {"any", "old"}),
        (f"questionnaire:Questionnaire.url={URL}", {"any", "old"}),
        ("questionnaire.title:exact=Questions 1.10", {"any"}),
        ("questionnaire.title:exact=Questions 1.2", {"old"}),
        ("questionnaire.title:exact=Questions 1.9", set()),
        (f"questionnaire.url={URL}&questionnaire.version=1.2", {"old"}),
        ("questionnaire.url=urn:example:elsewhere", set()),
    ],
)
def test_a_chain_goes_over_a_canonical_url(ehr: Caller, forms: Forms, chain: str, expected: set[str]) -> None:
    """references.html#canonical: the version that is named, else the latest; 1.10 is later than 1.9."""
    assert forms.names(ehr.found(f"QuestionnaireResponse?patient={forms.person}&{chain}")) == expected


def test_a_reverse_chain_asks_what_is_referred_to_by_canonical_url(ehr: Caller, forms: Forms) -> None:
    """search.html#has: a reference without a version refers to the latest, and to no other."""
    asked = f"Questionnaire?url={URL}&_has:QuestionnaireResponse:questionnaire"
    assert forms.names(ehr.found(f"{asked}:patient={forms.person}")) == {"1.10", "1.2"}
    assert forms.names(ehr.found(f"{asked}:_id={forms.answers['old']}")) == {"1.2"}
    assert ehr.found(f"{asked}:status=stopped") == []


def test_a_chain_goes_on_from_what_a_canonical_url_leads_to(ehr: Caller, forms: Forms) -> None:
    """search.html#chaining: over several references, of either kind."""
    chain = f"_has:QuestionnaireResponse:subject:questionnaire.title:exact=Questions 1.10&_id={forms.person}"
    assert ehr.found(f"Patient?{chain}") == [forms.person]
    assert ehr.found(f"Patient?{chain.replace('1.10', '1.9')}") == []


def test_a_profile_is_found_by_what_it_is_based_on(ehr: Caller) -> None:
    """Shipped resources like any others."""
    assert "ans-heart-rate" in ehr.found("StructureDefinition?base.url=http://hl7.org/fhir/StructureDefinition/heartrate&_count=100")


def test_what_may_not_be_seen_refers_to_nothing(stranger: Caller, forms: Forms) -> None:
    """Law 3: answers to a Questionnaire that a caller may not see do not tell which Questionnaire has any."""
    assert stranger.found(f"Questionnaire?url={URL}&_has:QuestionnaireResponse:questionnaire:patient={forms.person}") == []


def test_a_scope_for_what_the_url_leads_to_is_needed(forms: Forms, another: Callable[..., Caller]) -> None:
    """As for any hop: narrower in silence would look whole."""
    caller = another("system/QuestionnaireResponse.rs")
    answer = caller.narrowed("system/QuestionnaireResponse.rs").get(f"QuestionnaireResponse?questionnaire.url={URL}")
    refused(answer, 403, "forbidden")
