"""https://hl7.org/fhir/R4/valueset-operation-expand.html"""

from typing import Any

import pytest

from fhir_profiles import r4
from fhir_profiles.terminology import TerminologyError, library
from fhir_profiles.terminology.expansion import Wanted, expand

NOW = "2026-11-22T09:30:00.000Z"
DAYS = library.shipped("ValueSet")["http://hl7.org/fhir/ValueSet/days-of-week"]
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def codes(expanded: dict[str, Any]) -> list[str]:
    return [one["code"] for one in expanded["expansion"].get("contains", ())]


def of(*include: dict[str, Any], exclude: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    compose: dict[str, Any] = {"include": list(include)}
    if exclude:
        compose["exclude"] = list(exclude)
    return {"resourceType": "ValueSet", "status": "active", "compose": compose}


def test_an_expansion_lists_every_concept_in_its_order_and_is_a_value_set() -> None:
    expanded = expand(DAYS, timestamp=NOW)
    assert r4.check(expanded) == ()
    assert codes(expanded) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert expanded["expansion"]["total"] == 7
    assert (expanded["url"], expanded["version"]) == (DAYS["url"], "4.0.1")
    assert "compose" not in expanded


@pytest.mark.parametrize(
    ("offset", "count", "page"),
    [(0, 2, ["mon", "tue"]), (5, 2, ["sat", "sun"]), (6, 9, ["sun"]), (7, 2, []), (0, 0, []), (3, None, ["thu", "fri", "sat", "sun"])],
)
def test_a_page_has_what_was_asked_for_and_the_total_of_all(offset: int, count: int | None, page: list[str]) -> None:
    """offset, count: "Paging support"; expansion.total counts all pages."""
    expanded = expand(DAYS, Wanted(offset=offset, count=count), timestamp=NOW)
    assert codes(expanded) == page
    assert (expanded["expansion"]["total"], expanded["expansion"]["offset"]) == (7, offset)
    assert r4.check(expanded) == ()


@pytest.mark.parametrize(("filter", "found"), [("SUN", ["sun"]), ("t day", ["tue", "thu", "sat"]), ("tué", ["tue"]), ("zz", [])])
def test_a_filter_asks_for_each_word_in_code_or_display(filter: str, found: list[str]) -> None:
    expanded = expand(DAYS, Wanted(filter=filter), timestamp=NOW)
    assert codes(expanded) == found
    assert expanded["expansion"]["parameter"] == [{"name": "filter", "valueString": filter}]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([{"property": "concept", "op": "is-a", "value": "active"}], ["active", "recurrence", "relapse"]),
        ([{"property": "concept", "op": "descendent-of", "value": "active"}], ["recurrence", "relapse"]),
        ([{"property": "concept", "op": "is-not-a", "value": "active"}], ["inactive", "remission", "resolved"]),
        ([{"property": "concept", "op": "generalizes", "value": "relapse"}], ["active", "relapse"]),
        ([{"property": "concept", "op": "in", "value": "relapse,resolved"}], ["relapse", "resolved"]),
        ([{"property": "display", "op": "=", "value": "Relapse"}], ["relapse"]),
        (
            [{"property": "severity", "op": "exists", "value": "false"}],
            ["active", "recurrence", "relapse", "inactive", "remission", "resolved"],
        ),
        (
            [{"property": "concept", "op": "is-a", "value": "active"}, {"property": "code", "op": "not-in", "value": "active"}],
            ["recurrence", "relapse"],
        ),
    ],
)
def test_a_filter_of_a_value_set_takes_what_its_operator_says(filters: list[dict[str, str]], found: list[str]) -> None:
    """https://hl7.org/fhir/R4/valueset-filter-operator.html"""
    assert codes(expand(of({"system": CLINICAL, "filter": filters}), timestamp=NOW)) == found


def test_several_value_sets_in_one_include_must_all_hold() -> None:
    """https://hl7.org/fhir/R4/valueset.html#compositions"""
    both = of({"valueSet": [DAYS["url"]], "system": "http://hl7.org/fhir/days-of-week", "concept": [{"code": "mon"}, {"code": "xxx"}]})
    assert codes(expand(both, timestamp=NOW)) == ["mon"]


def test_an_exclude_takes_away() -> None:
    left = of({"valueSet": [DAYS["url"]]}, exclude=({"system": "http://hl7.org/fhir/days-of-week", "concept": [{"code": "mon"}]},))
    assert codes(expand(left, timestamp=NOW)) == ["tue", "wed", "thu", "fri", "sat", "sun"]


def test_the_name_that_the_value_set_gives_stands_before_that_of_the_code_system() -> None:
    named = of({"system": CLINICAL, "concept": [{"code": "active", "display": "En cours"}, {"code": "relapse"}]})
    assert [one["display"] for one in expand(named, timestamp=NOW)["expansion"]["contains"]] == ["En cours", "Relapse"]


def test_concepts_that_group_others_are_marked_and_retired_ones_can_be_left_out() -> None:
    """expansion.contains.abstract and .inactive; the parameter activeOnly."""
    reasons = of({"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason"})
    listed = {one["code"]: one for one in expand(reasons, timestamp=NOW)["expansion"]["contains"]}
    assert listed["_ActHealthInformationManagementReason"]["abstract"] is True
    assert "abstract" not in listed["TREAT"]
    retired = {code for code, one in listed.items() if one.get("inactive")}
    assert retired
    assert retired.isdisjoint(codes(expand(reasons, Wanted(active_only=True), timestamp=NOW)))


@pytest.mark.parametrize(
    "value_set",
    [
        of({"system": "http://snomed.info/sct"}),
        of({"system": "http://loinc.org", "filter": [{"property": "parent", "op": "=", "value": "LP31755-9"}]}),
        of({"valueSet": ["http://example.org/elsewhere"]}),
        of({"system": CLINICAL, "filter": [{"property": "code", "op": "regex", "value": "(a+)+b"}]}),
        of({"system": CLINICAL, "version": "0.0.1"}),
        of({"system": "http://terminology.hl7.org/CodeSystem/service-type"}),
    ],
)
def test_what_rests_on_something_that_is_not_shipped_is_refused(value_set: dict[str, Any]) -> None:
    with pytest.raises(TerminologyError) as refused:
        expand(value_set, timestamp=NOW)
    assert refused.value.code == "not-supported"


def test_a_value_set_that_only_brings_its_expansion_is_taken_as_it_is() -> None:
    contains = [
        {"display": "all", "contains": [{"system": CLINICAL, "code": "active"}, {"system": CLINICAL, "code": "relapse", "inactive": True}]}
    ]
    brought = {"resourceType": "ValueSet", "status": "active", "expansion": {"timestamp": NOW, "contains": contains}}
    assert codes(expand(brought, timestamp=NOW)) == ["active", "relapse"]
    assert codes(expand(brought, Wanted(active_only=True), timestamp=NOW)) == ["active"]
