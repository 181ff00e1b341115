"""What comes along by canonical URL. https://hl7.org/fhir/R4/search.html#include, https://hl7.org/fhir/R4/references.html#canonical"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.caller import Caller, ids, resources

Json = dict[str, Any]
ASKED = "urn:example:questions"


@dataclass(frozen=True, slots=True)
class Forms:
    """A Questionnaire in three versions, and answers to them."""

    versions: dict[str, str]
    answers: dict[str, str]


@pytest.fixture(scope="module")
def forms(ehr: Caller) -> Forms:
    versions = {one: ehr.create(questionnaire(one))["id"] for one in ("1.10", "1.9", "1.2")}
    person = ehr.create({"resourceType": "Patient", "name": [{"family": "Zreponse"}]})["id"]
    named = {"any": ASKED, "old": f"{ASKED}|1.2", "other": "urn:example:elsewhere"}
    return Forms(versions, {name: ehr.create(answers(person, one))["id"] for name, one in named.items()})


def questionnaire(version: str) -> Json:
    return {"resourceType": "Questionnaire", "url": ASKED, "version": version, "status": "active"}


def answers(person: str, canonical: str) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": canonical,
        "subject": {"reference": f"Patient/{person}"},
    }


def included(bundle: Json) -> list[Json]:
    return [one["resource"] for one in bundle.get("entry", ()) if one["search"]["mode"] == "include"]


def test_the_profile_that_a_profile_is_based_on_comes_along(ehr: Caller) -> None:
    """Shipped ones like any others."""
    bundle = ehr.search("StructureDefinition?_id=ans-heart-rate&_include=StructureDefinition:base")
    assert [one["url"] for one in included(bundle)] == ["http://hl7.org/fhir/StructureDefinition/heartrate"]


def test_iterate_goes_on_from_what_came_along(ehr: Caller) -> None:
    bundle = ehr.search(
        "StructureDefinition?_id=ans-heart-rate&_include=StructureDefinition:base&_include:iterate=StructureDefinition:base"
    )
    assert [one["id"] for one in included(bundle)] == ["heartrate", "vitalsigns", "Observation", "DomainResource", "Resource"]


def test_without_a_version_the_latest_comes_along(ehr: Caller, forms: Forms) -> None:
    """references.html#canonical: 1.10 is later than 1.9."""
    bundle = ehr.search(f"QuestionnaireResponse?_id={forms.answers['any']}&_include=QuestionnaireResponse:questionnaire")
    assert [one["version"] for one in included(bundle)] == ["1.10"]


def test_with_a_version_that_one_comes_along(ehr: Caller, forms: Forms) -> None:
    bundle = ehr.search(f"QuestionnaireResponse?_id={forms.answers['old']}&_include=QuestionnaireResponse:questionnaire")
    assert [one["version"] for one in included(bundle)] == ["1.2"]


def test_what_is_not_here_does_not_come_along(ehr: Caller, forms: Forms) -> None:
    bundle = ehr.search(f"QuestionnaireResponse?_id={forms.answers['other']}&_include=QuestionnaireResponse:questionnaire")
    assert (len(resources(bundle)), included(bundle)) == (1, [])


def test_every_reference_means_canonical_ones_too(ehr: Caller, forms: Forms) -> None:
    bundle = ehr.search(f"QuestionnaireResponse?_id={forms.answers['old']}&_include=*")
    assert sorted(one["resourceType"] for one in included(bundle)) == ["Patient", "Questionnaire"]


def test_without_the_scope_to_search_it_nothing_comes_along(ehr: Caller, forms: Forms) -> None:
    """FHIR.md 0.4: what comes along is decided like everything else."""
    query = f"QuestionnaireResponse?_id={forms.answers['any']}&_include=QuestionnaireResponse:questionnaire"
    narrow = ehr.narrowed("system/QuestionnaireResponse.rs")
    assert (len(resources(narrow.search(query))), included(narrow.search(query))) == (1, [])
    assert len(included(ehr.narrowed("system/QuestionnaireResponse.rs system/Questionnaire.s").search(query))) == 1


def test_what_a_granular_scope_hides_does_not_come_along(ehr: Caller, forms: Forms) -> None:
    query = f"QuestionnaireResponse?_id={forms.answers['any']}&_include=QuestionnaireResponse:questionnaire"
    narrow = ehr.narrowed("system/QuestionnaireResponse.rs system/Questionnaire.rs?version=1.9")
    assert [one["version"] for one in included(narrow.search(query))] == ["1.9"]


@pytest.mark.parametrize(("version", "expected"), [("1.2", ["any", "old"]), ("1.9", ["any"])])
def test_what_refers_to_a_canonical_url_comes_along(ehr: Caller, forms: Forms, version: str, expected: list[str]) -> None:
    """https://hl7.org/fhir/R4/search.html#revinclude: by the url alone, or by url and version."""
    query = f"Questionnaire?_id={forms.versions[version]}&_revinclude=QuestionnaireResponse:questionnaire"
    assert sorted(one["id"] for one in included(ehr.search(query))) == sorted(forms.answers[name] for name in expected)


def test_answers_of_a_hidden_patient_do_not_come_along(stranger: Caller, forms: Forms) -> None:
    query = f"Questionnaire?_id={forms.versions['1.2']}&_revinclude=QuestionnaireResponse:questionnaire"
    bundle = stranger.search(query)
    assert (ids(bundle), included(bundle)) == ([forms.versions["1.2"]], [])
