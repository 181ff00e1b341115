"""https://hl7.org/fhir/R4/valueset-operation-validate-code.html, https://hl7.org/fhir/R4/codesystem-operation-validate-code.html"""

from typing import Any

import pytest

from fhir_profiles.terminology import TerminologyError, library, members
from fhir_profiles.terminology.compose import holds
from fhir_profiles.terminology.validate_code import Asked, any_in_value_set, in_code_system, in_value_set

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
DAYS = library.shipped("ValueSet")["http://hl7.org/fhir/ValueSet/days-of-week"]
LANGUAGES = library.shipped("ValueSet")["http://hl7.org/fhir/ValueSet/all-languages"]
SNOMED = "http://snomed.info/sct"
MIXED: dict[str, Any] = {"compose": {"include": [{"system": SNOMED}, {"system": CLINICAL, "concept": [{"code": "active"}]}]}}


def test_a_code_of_the_code_system_is_right_and_told_its_name() -> None:
    verdict = in_code_system(Asked(system=CLINICAL, code="relapse"))
    assert (verdict.result, verdict.display, verdict.message) == (True, "Relapse", None)


def test_a_code_that_the_code_system_does_not_have_is_wrong() -> None:
    assert in_code_system(Asked(system=CLINICAL, code="Relapse")).result is False


@pytest.mark.parametrize(("display", "result"), [("relapse", True), (" RELAPSE ", True), ("Recurrence", False)])
def test_a_display_has_to_be_the_concepts_name_but_for_case_and_blanks(display: str, result: bool) -> None:
    verdict = in_code_system(Asked(system=CLINICAL, code="relapse", display=display))
    assert (verdict.result, verdict.display) == (result, "Relapse")


@pytest.mark.parametrize("abstract", [True, False])
def test_a_concept_that_groups_others_will_do_only_when_asked_for(abstract: bool) -> None:
    """The parameter `abstract`: "false" unless said otherwise."""
    assert in_code_system(Asked(system=ACT_REASON, code="_ActHealthInformationManagementReason", abstract=abstract)).result is abstract


@pytest.mark.parametrize(
    "asked", [Asked(system=SNOMED, code="38341003"), Asked(system=CLINICAL, code="active", version="1"), Asked(system=None, code="a")]
)
def test_a_code_system_that_is_not_shipped_is_not_judged(asked: Asked) -> None:
    with pytest.raises(TerminologyError) as refused:
        in_code_system(asked)
    assert refused.value.code == "not-supported"


def test_a_code_outside_the_shipped_part_of_a_code_system_is_not_judged() -> None:
    system = "http://terminology.hl7.org/CodeSystem/service-type"
    assert in_code_system(Asked(system=system, code="1")).result
    with pytest.raises(TerminologyError):
        in_code_system(Asked(system=system, code="99999"))


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (Asked(system="http://hl7.org/fhir/days-of-week", code="mon"), True),
        (Asked(system="http://hl7.org/fhir/days-of-week", code="mon", display="Monday"), True),
        (Asked(system="http://hl7.org/fhir/days-of-week", code="mon", display="Tuesday"), False),
        (Asked(system="http://hl7.org/fhir/days-of-week", code="lun"), False),
        (Asked(system="http://example.org/days", code="mon"), False),
        (Asked(system=None, code="mon"), True),
        (Asked(system=None, code="lun"), False),
    ],
)
def test_a_value_set_holds_a_code_of_its_code_system(asked: Asked, result: bool) -> None:
    assert in_value_set(DAYS, asked).result is result


@pytest.mark.parametrize(("code", "result"), [("fr", True), ("fr-FR", True), ("de-CH-1996", True), ("français", False), ("f", False)])
def test_a_code_system_with_a_grammar_is_judged_by_it(code: str, result: bool) -> None:
    """https://hl7.org/fhir/R4/terminologies-systems.html: BCP 47."""
    assert in_value_set(LANGUAGES, Asked(system="urn:ietf:bcp:47", code=code)).result is result


@pytest.mark.parametrize(("system", "code", "held"), [(CLINICAL, "active", True), (CLINICAL, "relapse", False), (SNOMED, "38341003", None)])
def test_only_what_rests_on_the_missing_code_system_stays_open(system: str, code: str, held: bool | None) -> None:
    assert holds(MIXED, system, code) is held


@pytest.mark.parametrize(("system", "code", "held"), [(CLINICAL, "active", False), (CLINICAL, "relapse", True), (SNOMED, "1", False)])
def test_an_exclude_takes_away_from_what_is_held(system: str, code: str, held: bool) -> None:
    excluding = {"compose": {"include": [{"system": CLINICAL}], "exclude": MIXED["compose"]["include"]}}
    assert holds(excluding, system, code) is held


def test_one_coding_of_a_concept_is_enough() -> None:
    """ "If a codeableConcept is provided, the server returns true if one of the codings is in the value set" """
    right, wrong, open = Asked(system=CLINICAL, code="active"), Asked(system=CLINICAL, code="relapse"), Asked(system=SNOMED, code="1")
    assert any_in_value_set(MIXED, (open, wrong, right)).result is True
    assert any_in_value_set(MIXED, (wrong,)).result is False
    with pytest.raises(TerminologyError):
        any_in_value_set(MIXED, (open, wrong))


def test_asking_for_one_code_agrees_with_listing_them_all() -> None:
    """Two ways through the same definition: what one value set lists it holds, and of what others list only what it lists too."""
    listed = {url: found for url in library.shipped("ValueSet") if (found := members(url)) is not None}
    samples = sorted({min(found) for found in listed.values()})
    for number, (url, found) in enumerate(listed.items()):
        for key in (*sorted(found)[:5], *samples[number % 50 :: 50]):
            assert holds(library.shipped("ValueSet")[url], *key) is (key in found), (url, key)
