"""Searching over several types at once. https://hl7.org/fhir/R4/http.html#vsearch, https://hl7.org/fhir/R4/search.html#all"""

from typing import Any

import pytest

from tests.support.caller import Caller, ids, link, resources
from tests.support.outcomes import refused
from tests.support.resources import device, observation, patient

Json = dict[str, Any]


@pytest.fixture(scope="module")
def since(ehr: Caller) -> str:
    """The moment behind which lie a patient, three readings and a device that no other test makes."""
    before = ehr.create(patient())["meta"]["lastUpdated"]
    person = ehr.create(patient())
    for _ in range(3):
        ehr.create(observation(person["id"]))
    ehr.create(device())
    return f"_lastUpdated=gt{before.replace('+', '%2B')}"


def kinds(bundle: Json) -> list[str]:
    return [one["resourceType"] for one in resources(bundle)]


@pytest.fixture(scope="module")
def mine(ehr: Caller, since: str) -> str:
    """Only what is there now: others write meanwhile."""
    found = [id for page in ehr.pages(f"/fhir?_type=Patient,Observation,Device&{since}") for id in ids(page)]
    return f"_id={','.join(found[:100])}"


def test_types_come_one_after_the_other(ehr: Caller, mine: str) -> None:
    """search.html#all: _type limits the types; each comes in its own order."""
    bundle = ehr.search(f"/fhir?_type=Patient,Observation,Device&{mine}&_total=accurate")
    assert kinds(bundle) == sorted(kinds(bundle))
    assert bundle["total"] == len(kinds(bundle)) >= 5
    assert set(kinds(ehr.search(f"/fhir?_type=Device,Patient&{mine}"))) == {"Device", "Patient"}
    for entry in bundle["entry"]:
        assert entry["fullUrl"] == f"{ehr.base}/{entry['resource']['resourceType']}/{entry['resource']['id']}"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 50])
def test_pages_go_over_types_there_and_back(ehr: Caller, mine: str, count: int) -> None:
    """http.html#paging: neither gaps nor doubles, full pages, in both directions."""
    query = f"/fhir?_type=Patient,Observation,Device&{mine}"
    expected = ids(ehr.search(f"{query}&_count=1000"))
    pages = ehr.pages(f"{query}&_count={count}")
    assert [id for page in pages for id in ids(page)] == expected
    assert all(len(ids(page)) == count for page in pages[:-1])
    bundle, back = pages[-1], ids(pages[-1])
    while (before := link(bundle, "previous")) is not None:
        bundle = ehr.search(before)
        back = ids(bundle) + back
    assert back == expected


def test_without_types_all_are_meant_that_a_scope_covers(ehr: Caller, mine: str) -> None:
    """search.html#all: GET [base]?…; what no scope covers is not there, and no type is all that is left: 403."""
    assert set(kinds(ehr.search(f"/fhir?{mine}"))) == {"Patient", "Observation", "Device"}
    narrowed = ehr.narrowed("system/Patient.rs system/Device.rs")
    assert set(kinds(narrowed.search(f"/fhir?{mine}"))) == {"Patient", "Device"}
    refused(ehr.narrowed("system/Patient.cru").get(f"/fhir?{mine}"), 403, "forbidden")


def test_a_type_that_is_named_needs_its_scope(ehr: Caller, mine: str) -> None:
    """A narrower answer must not look like a whole one."""
    refused(ehr.narrowed("system/Patient.rs").get(f"/fhir?_type=Patient,Observation&{mine}"), 403, "forbidden")


def test_what_is_hidden_is_in_no_type(stranger: Caller, mine: str) -> None:
    """DESIGN law 3."""
    bundle = stranger.search(f"/fhir?_type=Patient,Observation&{mine}&_total=accurate")
    assert (ids(bundle), bundle["total"]) == ([], 0)


def test_post_finds_what_get_finds(ehr: Caller, mine: str) -> None:
    """http.html#search: POST [base]/_search."""
    form = {"_type": "Patient,Observation", "_id": mine.removeprefix("_id="), "_total": "accurate"}
    posted = ehr.request("POST", "_search", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    got = ehr.search(f"/fhir?_type=Patient,Observation&{mine}&_total=accurate")
    assert (ids(posted.json()), posted.json()["total"]) == (ids(got), got["total"])


def test_totals_are_of_all_types(ehr: Caller, mine: str) -> None:
    """search.html#total"""
    bundle = ehr.search(f"/fhir?_type=Patient,Observation,Device&{mine}&_summary=count")
    assert bundle["total"] == len(ids(ehr.search(f"/fhir?_type=Patient,Observation,Device&{mine}&_count=1000")))
    assert "entry" not in bundle


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("_type=Patient,Nonsense", 400, "not-supported"),
        ("_type=Patient,Device&name=x", 400, "not-supported"),
        ("_type=Patient,Device&_sort=_lastUpdated", 400, "not-supported"),
        ("_type=Patient&_type=Device", 400, "invalid"),
        ("_lastUpdated=never", 400, "invalid"),
    ],
)
def test_what_several_types_do_not_share_is_refused(ehr: Caller, query: str, status: int, code: str) -> None:
    """search.html#all: only parameters that all types have."""
    refused(ehr.get(f"/fhir?{query}"), status, code)


def test_one_type_may_be_sorted(ehr: Caller, mine: str) -> None:
    found = ids(ehr.search(f"/fhir?_type=Observation&{mine}&_sort=-_id"))
    assert found == sorted(found, reverse=True)
