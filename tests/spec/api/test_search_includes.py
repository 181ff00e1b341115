"""What comes along with the matches, over HTTP.

https://hl7.org/fhir/R4/search.html#include; FHIR.md 2b (never silently cut), 0.4 (included resources are decided like all
others), 4b.9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, ids, link
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, WEIGHT, consent, device, observation, organization, patient, practitioner

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ward:
    group: Json
    clinic: Json
    doctor: Json
    person: Json
    unit: Json
    heart: Json
    weight: Json

    @property
    def mine(self) -> str:
        return f"Observation?patient={self.person['id']}"

    def reference(self, name: str) -> str:
        resource = getattr(self, name)
        return f"{resource['resourceType']}/{resource['id']}"


@pytest.fixture(scope="module")
def ward(ehr: Caller) -> Ward:
    group = ehr.create(organization("Groupe inclus"))
    clinic = ehr.create(organization("Clinique incluse"))
    doctor = ehr.create(practitioner())
    unit = ehr.create(device("Balance incluse", owner={"reference": f"Organization/{group['id']}"}))
    person = ehr.create(patient("Zinclus", generalPractitioner=[{"reference": f"Practitioner/{doctor['id']}"}]))
    worn = {"device": {"reference": f"Device/{unit['id']}"}, "performer": [{"reference": f"Organization/{clinic['id']}"}]}
    heart = ehr.create(observation(person["id"], HEART_RATE, 71, **worn))
    weight = ehr.create(observation(person["id"], WEIGHT, 80, unit="kg", **worn))
    return Ward(group, clinic, doctor, person, unit, heart, weight)


def included(bundle: Json) -> list[str]:
    """References of what came along, in order."""
    found = [one["resource"] for one in bundle.get("entry", ()) if one["search"]["mode"] == "include"]
    return [f"{one['resourceType']}/{one['id']}" for one in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_include=Observation:device", ["unit"]),
        ("_include=Observation:subject", ["person"]),
        ("_include=Observation:patient", ["person"]),
        ("_include=Observation:subject:Patient", ["person"]),
        ("_include=Observation:subject:Device", []),
        ("_include=Observation:device&_include=Observation:patient", ["unit", "person"]),
        ("_include=Observation:device&_include=Observation:device", ["unit"]),
        ("_include=*", ["unit", "person", "clinic"]),
        ("_include=Observation:*", ["unit", "person", "clinic"]),
        ("_include=Observation:*:Organization", ["clinic"]),
        ("_include=Observation:performer&code=nothing", []),
        ("_include=Observation:device&_count=1", ["unit"]),
    ],
)
def test_includes_follow_references(ehr: Caller, ward: Ward, query: str, expected: list[str]) -> None:
    """search.html#include: the resources that the matches refer to, once, whatever the number of references."""
    bundle = ehr.search(f"{ward.mine}&{query}")
    assert sorted(included(bundle)) == sorted(ward.reference(name) for name in expected)


def test_what_comes_along_counts_neither_as_a_match_nor_in_the_total(ehr: Caller, ward: Ward) -> None:
    """search.html#count, #total: included resources are on top."""
    bundle = ehr.search(f"{ward.mine}&_include=Observation:device&_count=1&_total=accurate")
    assert (bundle["total"], len(ids(bundle)), len(included(bundle))) == (2, 1, 1)
    following = ehr.search(link(bundle, "next") or "")
    assert (len(ids(following)), included(following)) == (1, [ward.reference("unit")])
    entry = next(one for one in bundle["entry"] if one["search"]["mode"] == "include")
    assert entry["fullUrl"] == f"{ehr.base}/{ward.reference('unit')}"
    assert ehr.get(entry["fullUrl"]).json() == entry["resource"]
    assert "entry" not in ehr.search(f"{ward.mine}&_include=Observation:device&_count=0")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_id={person}&_revinclude=Observation:subject", ["heart", "weight"]),
        ("Patient?_id={person}&_revinclude=Observation:patient", ["heart", "weight"]),
        ("Patient?_id={person}&_revinclude=Observation:performer", []),
        ("Device?_id={unit}&_revinclude=Observation:device", ["heart", "weight"]),
        ("Device?_id={unit}&_revinclude=Observation:*", ["heart", "weight"]),
        ("Organization?_id={clinic}&_revinclude=Observation:performer", ["heart", "weight"]),
        ("Organization?_id={group}&_revinclude=Observation:performer", []),
        ("Device?_id={unit}&_revinclude=Observation:device&_include:iterate=Observation:patient", ["heart", "weight", "person"]),
        ("Patient?_id={person}&_revinclude=Observation:patient&_include:iterate=Observation:device", ["heart", "weight", "unit"]),
        ("Patient?_id={person}&_revinclude=Observation:patient&_include=Patient:organization", ["heart", "weight", "managing"]),
    ],
)
def test_reverse_includes_find_what_refers_to_the_matches(ehr: Caller, ward: Ward, query: str, expected: list[str]) -> None:
    """search.html#revinclude; :iterate goes on from what came along."""
    names = ("person", "unit", "clinic", "group")
    bundle = ehr.search(query.format(**{name: getattr(ward, name)["id"] for name in names}))
    found = [name if name != ehr.account.organization else "managing" for name in included(bundle)]
    assert sorted(found) == sorted(name if name == "managing" else ward.reference(name) for name in expected)


def test_without_iterate_only_the_matches_are_followed(ehr: Caller, ward: Ward) -> None:
    """search.html#include: Observation:patient is followed, Patient:organization only with :iterate."""
    query = f"{ward.mine}&_include=Observation:patient"
    refused(ehr.get(f"{query}&_include=Patient:organization"), 400, "not-supported")
    assert sorted(included(ehr.search(f"{query}&_include:iterate=Patient:organization"))) == sorted(
        [ward.reference("person"), ehr.account.organization]
    )


def test_a_circle_of_references_comes_to_an_end(ehr: Caller) -> None:
    """search.html#include: iteration ends when nothing new comes."""
    first = ehr.create(device("Un"))
    person = ehr.create(patient())
    for _ in range(2):
        ehr.create(observation(person["id"], device={"reference": f"Device/{first['id']}"}))
    around = "_revinclude:iterate=Observation:device&_include:iterate=Observation:device&_include:iterate=Observation:patient"
    bundle = ehr.search(f"Device?_id={first['id']}&{around}&_revinclude:iterate=Observation:patient")
    assert len(included(bundle)) == len(set(included(bundle))) == 3


def test_an_include_by_version_brings_that_version(ehr: Caller) -> None:
    """search.html#include: "If a resource has a reference that is versioned and _include is performed, the specified version"."""
    unit = ehr.create(device("Avant"))
    unit_now = ehr.update(unit, manufacturer="Après")
    person = ehr.create(patient())
    ehr.create(observation(person["id"], device={"reference": f"Device/{unit['id']}/_history/1"}))
    query = f"Observation?patient={person['id']}&_include=Observation:device"
    (entry,) = [one["resource"] for one in ehr.search(query)["entry"] if one["search"]["mode"] == "include"]
    assert entry == unit
    ehr.create(observation(person["id"], device={"reference": f"Device/{unit['id']}"}))
    both = [one["resource"] for one in ehr.search(query)["entry"] if one["search"]["mode"] == "include"]
    assert both == [unit, unit_now]


@pytest.mark.parametrize("reference", [f"Device/{ABSENT}", "Device/0/_history/7", "https://elsewhere.example/fhir/Device/1"])
def test_what_is_not_here_does_not_come_along(ehr: Caller, reference: str) -> None:
    """search.html#include: a server includes what it has."""
    person = ehr.create(patient())
    made = ehr.create(observation(person["id"], device={"reference": reference}))
    bundle = ehr.search(f"Observation?patient={person['id']}&_include=Observation:device")
    assert (ids(bundle), included(bundle)) == ([made["id"]], [])


def test_each_resource_that_would_come_along_is_decided_for_itself(ehr: Caller, stranger: Caller, ward: Ward) -> None:
    """FHIR.md 0.4; DESIGN 6: readings are permitted, the Patient is not: as if it were not there."""
    only = {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}
    agreed = ehr.create(consent(ward.person["id"], provision=only))
    try:
        bundle = stranger.search(f"{ward.mine}&_include=Observation:patient&_include=Observation:device")
        assert (len(ids(bundle)), included(bundle)) == (2, [ward.reference("unit")])
    finally:
        ehr.update(agreed, status="inactive")
    for query in (
        f"Device?_id={ward.unit['id']}&_revinclude=Observation:device",
        f"Organization?_id={ward.clinic['id']}&_revinclude=Observation:*",
    ):
        bundle = stranger.search(query)
        assert (len(ids(bundle)), included(bundle)) == (1, [])


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("system/Observation.rs", []),
        ("system/Observation.rs system/Device.r", ["unit"]),
        ("system/Observation.rs system/Device.s", ["unit"]),
        ("system/Observation.rs system/Device.cud", []),
        ("system/Observation.rs system/Device.rs?status=inactive", []),
        ("system/Observation.rs system/Device.rs?manufacturer=x system/Organization.r", []),
        ("system/Observation.rs system/Patient.rs", ["person"]),
    ],
)
def test_what_no_scope_reaches_does_not_come_along(ehr: Caller, ward: Ward, scope: str, expected: list[str]) -> None:
    """FHIR.md 0.4: includes outside the token's scopes were Microsoft's leak of 2026."""
    bundle = ehr.narrowed(scope).search(f"{ward.mine}&_include=Observation:device&_include=Observation:patient")
    assert included(bundle) == [ward.reference(name) for name in expected]


def test_reverse_includes_need_a_scope_to_search(ehr: Caller, ward: Ward) -> None:
    """A reverse include is a search for what refers to the match."""
    query = f"Device?_id={ward.unit['id']}&_revinclude=Observation:device"
    assert included(ehr.narrowed("system/Device.rs system/Observation.r").search(query)) == []
    granular = "system/Device.rs system/Observation.rs?code=http://loinc.org|29463-7"
    assert included(ehr.narrowed(granular).search(query)) == [ward.reference("weight")]


def test_who_is_paired_with_a_device_is_asked_for_it(ehr: Caller, another: Callable[..., Caller], backstage: Backstage) -> None:
    """DESIGN 5: a paired Device needs the consent of whoever wears it, also when it comes along with another's reading."""
    wearer, other = ehr.create(patient()), ehr.create(patient())
    backstage.pair("urn:included", "unit-1", f"Patient/{wearer['id']}")
    unit = ehr.found("Device?identifier=urn:included|unit-1")[0]
    ehr.create(observation(other["id"], device={"reference": f"Device/{unit}"}))
    asker, query = another(), f"Observation?patient={other['id']}&_include=Observation:device"
    ehr.create(consent(other["id"]))
    assert included(asker.search(query)) == []
    ehr.create(consent(wearer["id"]))
    assert included(asker.search(query)) == [f"Device/{unit}"]


def test_what_came_along_is_in_the_log(ehr: Caller, backstage: Backstage, ward: Ward) -> None:
    """DESIGN law 2: every resource returned, not only the matches (LFH#2090)."""
    answer = ehr.get(f"Device?_id={ward.unit['id']}&_revinclude=Observation:device")
    recorded = backstage.records(answer.headers["X-Request-Id"])
    entities = [entity.get("what", {}).get("reference", "") for one in recorded for entity in one.event["entity"]]
    named = {reference.partition("/_history")[0] for reference in entities}
    assert {ward.reference("heart"), ward.reference("weight"), ward.reference("unit")} <= named
    assert backstage.patient_token(ward.person["id"]) in {one.patient for one in recorded}
