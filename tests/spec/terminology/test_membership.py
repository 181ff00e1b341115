"""https://hl7.org/fhir/R4/valueset.html, https://hl7.org/fhir/R4/codesystem.html: what is shipped, and what is in it."""

from typing import Any

import pytest

from fhir_profiles import r4
from fhir_profiles.terminology import ancestors, code_systems, descendants, library, members
from tests.spec.terminology import naive

VITAL_SIGNS = "http://hl7.org/fhir/ValueSet/observation-vitalsignresult"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
VALUE_SETS = library.shipped("ValueSet")


@pytest.mark.parametrize("type", library.TYPES)
def test_what_is_shipped_is_valid_and_there_once(type: str) -> None:
    resources = library.shipped(type).values()
    assert [problem for resource in resources for problem in r4.check(resource)] == []
    assert len({resource["id"] for resource in resources}) == len(resources)


def test_the_magic_codes_of_vital_signs_are_members() -> None:
    """https://hl7.org/fhir/R4/observation-vitalsigns.html"""
    vital_signs = members(VITAL_SIGNS)
    assert vital_signs is not None
    assert {("http://loinc.org", code) for code in ("85354-9", "8867-4", "9279-1", "2708-6", "29463-7")} <= vital_signs
    assert ("http://loinc.org", "2339-0") not in vital_signs


def test_every_listed_value_set_has_the_members_that_a_plain_reading_finds() -> None:
    """https://hl7.org/fhir/R4/valueset.html#compositions"""
    for url in VALUE_SETS:
        assert members(url) == naive.members(url, VALUE_SETS, library.shipped("CodeSystem")), url


@pytest.mark.parametrize(
    "url", ["http://hl7.org/fhir/ValueSet/ucum-units", "http://hl7.org/fhir/ValueSet/condition-code", "http://no.where/vs"]
)
def test_a_value_set_that_cannot_be_listed_has_no_set_of_members(url: str) -> None:
    assert members(url) is None


def test_a_value_set_is_found_by_its_version_and_by_no_other() -> None:
    """https://hl7.org/fhir/R4/references.html#canonical"""
    assert members(f"{VITAL_SIGNS}|4.0.1") == members(VITAL_SIGNS)
    assert members(f"{VITAL_SIGNS}|3.0.0") is None


def test_a_concept_that_only_groups_others_is_no_member() -> None:
    """https://hl7.org/fhir/R4/codesystem.html#defined-props: notSelectable."""
    purposes = members("http://terminology.hl7.org/ValueSet/v3-PurposeOfUse")
    assert purposes is not None
    assert (ACT_REASON, "HRESCH") in purposes
    assert (ACT_REASON, "_ActHealthInformationManagementReason") not in purposes


def test_a_concept_is_above_itself_and_its_kinds() -> None:
    """https://hl7.org/fhir/R4/search.html#token: :above and :below include the code itself."""
    assert descendants(CLINICAL, "active") == {"active", "recurrence", "relapse"}
    assert ancestors(CLINICAL, "relapse") == {"active", "relapse"}
    assert descendants(CLINICAL, "relapse") == {"relapse"}


def test_a_kind_of_several_concepts_stands_below_each() -> None:
    """https://hl7.org/fhir/R4/codesystem.html#defined-props: the property `child` (or `parent`) adds to the nesting."""
    system: dict[str, Any] = {
        "resourceType": "CodeSystem",
        "url": "http://example.org/cs",
        "content": "complete",
        "concept": [
            {"code": "device", "concept": [{"code": "watch"}]},
            {"code": "jewel", "property": [{"code": "child", "valueCode": "watch"}]},
            {"code": "smart-watch", "property": [{"code": "parent", "valueCode": "watch"}]},
        ],
    }
    assert naive.above(system, "smart-watch") == {"smart-watch", "watch", "device", "jewel"}
    assert code_systems.read(system).ancestors("smart-watch") == {"smart-watch", "watch", "device", "jewel"}
    assert code_systems.read(system).descendants("jewel") == {"jewel", "watch", "smart-watch"}
    assert code_systems.read({**system, "hierarchyMeaning": "part-of"}).descendants("jewel") == {"jewel"}


@pytest.mark.parametrize(("system", "code"), [("http://snomed.info/sct", "38341003"), (CLINICAL, "no-such-code")])
def test_no_hierarchy_is_invented_for_what_is_not_shipped(system: str, code: str) -> None:
    assert descendants(system, code) is None
    assert ancestors(system, code) is None
