"""Chained and reverse chained search over HTTP.

https://hl7.org/fhir/R4/search.html#chaining, #has; FHIR.md 4b.9; section 0.4: what a caller may not see, or may not
search, decides nothing by way of a chain.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, ids
from tests.support.outcomes import refused
from tests.support.resources import HEART_RATE, STEPS, WEIGHT, consent, device, observation, organization, patient

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ward:
    """Two patients of the same clinic, and what was measured of them."""

    clinic: Json
    first: Json
    second: Json
    unit: Json
    heart: Json
    weight: Json
    steps: Json


@pytest.fixture(scope="module")
def ward(ehr: Caller) -> Ward:
    clinic = ehr.create(organization("Clinique Chaînée", identifier=[{"system": "urn:clinic", "value": "c1"}]))
    group = ehr.create(organization("Groupe Chaîné", identifier=[{"system": "urn:clinic", "value": "g1"}]))
    ehr.update(clinic, partOf={"reference": f"Organization/{group['id']}"})
    first = ehr.create(patient("Zchaînon", identifier=[{"system": "urn:chain", "value": "1"}], gender="female"))
    second = ehr.create(patient("Zchaînette", identifier=[{"system": "urn:chain", "value": "2"}], gender="male"))
    unit = ehr.create(device("Balance chaînée", manufacturer="Zmaillons"))
    worn = {"device": {"reference": f"Device/{unit['id']}"}}
    heart = ehr.create(observation(first["id"], HEART_RATE, 71))
    weight = ehr.create(observation(second["id"], WEIGHT, 80, unit="kg", **worn))
    steps = ehr.create(observation(second["id"], STEPS, 9_000, unit="1", performer=[{"reference": f"Organization/{clinic['id']}"}]))
    return Ward(clinic, first, second, unit, heart, weight, steps)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("patient.identifier=urn:chain|1", ["heart"]),
        ("subject:Patient.identifier=urn:chain|2", ["weight", "steps"]),
        ("patient.name=zchain", ["heart", "weight", "steps"]),
        ("patient.name=zchain&code=8867-4", ["heart"]),
        ("patient.family:exact=Zchaînette", ["weight", "steps"]),
        ("patient.name=zchain&patient.gender=male", ["weight", "steps"]),
        ("patient.name=zchain&patient.gender:not=male", ["heart"]),
        ("device.manufacturer=zmaillons", ["weight"]),
        ("device:Device.device-name=balance&patient.identifier=urn:chain|2", ["weight"]),
        ("device.manufacturer=zmaillons&patient.identifier=urn:chain|1", []),
        ("patient.identifier=urn:chain|nobody", []),
        ("performer:Organization.identifier=urn:clinic|c1", ["steps"]),
        ("patient.organization.identifier=urn:clinic|c1", []),
        ("patient._id={second}", ["weight", "steps"]),
    ],
)
def test_a_chain_goes_over_a_reference(ehr: Caller, ward: Ward, query: str, expected: list[str]) -> None:
    """search.html#chaining: the resource referred to must match the rest of the chain."""
    bundle = ehr.search(f"Observation?{query.format(second=ward.second['id'])}&_total=accurate")
    assert set(ids(bundle)) == {getattr(ward, name)["id"] for name in expected}
    assert bundle["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_has:Observation:patient:code=8867-4&name=zchain", ["first"]),
        ("Patient?_has:Observation:patient:status=final&name=zchain", ["first", "second"]),
        ("Patient?_has:Observation:patient:code=29463-7&_has:Observation:patient:code=55423-8&name=zchain", ["second"]),
        ("Patient?_has:Observation:patient:code=29463-7&_has:Observation:patient:code=8867-4&name=zchain", []),
        ("Patient?_has:Observation:patient:date=lt2000&name=zchain", []),
        ("Patient?_has:Observation:patient:device.manufacturer=zmaillons", ["second"]),
        ("Patient?_has:Observation:subject:device.manufacturer=zmaillons", ["second"]),
        ("Device?_has:Observation:device:patient.identifier=urn:chain|2", ["unit"]),
        ("Device?_has:Observation:device:code=8867-4&manufacturer=zmaillons", []),
        ("Device?_has:Observation:device:patient._has:Observation:patient:code=55423-8&manufacturer=zmaillons", ["unit"]),
        ("Organization?_has:Observation:performer:patient.name=zchain", ["clinic"]),
        ("Observation?patient._has:Observation:patient:code=55423-8&code=29463-7&patient.name=zchain", ["weight"]),
    ],
)
def test_a_reverse_chain_asks_for_what_refers_to_us(ehr: Caller, ward: Ward, query: str, expected: list[str]) -> None:
    """search.html#has: some resource of that type refers to the match; nested ones included."""
    bundle = ehr.search(f"{query}&_total=accurate")
    assert set(ids(bundle)) == {getattr(ward, name)["id"] for name in expected}
    assert bundle["total"] == len(expected)


def test_pages_of_a_chained_search_have_neither_gaps_nor_doubles(ehr: Caller, ward: Ward) -> None:
    """http.html#paging: the chain is asked again for each page."""
    query = "Observation?patient.name=zchain&_sort=_id"
    pages = [id for page in ehr.pages(f"{query}&_count=1") for id in ids(page)]
    assert pages == ehr.found(query)
    assert len(pages) == 3


@pytest.mark.parametrize(
    "query",
    [
        "Observation?patient.identifier=urn:chain|1",
        "Observation?patient.name=zchain",
        "Patient?_has:Observation:patient:code=8867-4&name=zchain",
        "Device?_has:Observation:device:patient.identifier=urn:chain|2",
        "Device?_has:Observation:device:code=29463-7&manufacturer=zmaillons",
        "Organization?_has:Observation:performer:code=55423-8",
        "Organization?_has:Observation:performer:code=55423-8&_summary=count",
    ],
)
def test_what_is_hidden_decides_nothing(stranger: Caller, ward: Ward, query: str) -> None:
    """DESIGN law 3; FHIR.md 0.4: a Device that everybody may see is not found by a reading that nobody else may."""
    bundle = stranger.search(f"{query}&_total=accurate")
    assert (ids(bundle), bundle["total"]) == ([], 0)


def test_a_consent_for_one_kind_of_data_does_not_open_the_chain_to_another(ehr: Caller, another: Callable[..., Caller], ward: Ward) -> None:
    """Each inner search is decided for its own type: readings may be seen, the Patient may not."""
    asker = another()
    only = {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}
    agreed = ehr.create(consent(ward.first["id"], provision=only))
    try:
        assert asker.found(f"Observation?_id={ward.heart['id']}") == [ward.heart["id"]]
        assert asker.found("Observation?patient.identifier=urn:chain|1") == []
        assert asker.found(f"Patient?_id={ward.first['id']}&_has:Observation:patient:code=8867-4") == []
    finally:
        ehr.update(agreed, status="inactive")


def test_what_names_somebody_hidden_besides_is_passed_over_on_the_way(ehr: Caller) -> None:
    """Law 3: an observation of a patient who permits, made by one who does not, leads nowhere and disturbs nothing."""
    own, denying = ehr.create(patient("Zpermet")), ehr.create(patient("Zrefuse"))
    shown = ehr.create(observation(own["id"]))
    hidden = ehr.create(observation(own["id"], performer=[{"reference": f"Patient/{denying['id']}"}]))
    of_shown, _ = (ehr.create(observation(own["id"], hasMember=[{"reference": f"Observation/{one['id']}"}])) for one in (shown, hidden))
    ehr.create(consent(denying["id"], "deny"))
    assert ehr.found(f"Observation?has-member.patient=Patient/{own['id']}") == [of_shown["id"]]


@pytest.mark.parametrize(
    ("scope", "query"),
    [
        ("system/Observation.rs", "Observation?patient.name=zchain"),
        ("system/Observation.rs system/Patient.r", "Observation?patient.name=zchain"),
        ("system/Patient.rs", "Patient?_has:Observation:patient:code=8867-4"),
        ("system/Observation.rs system/Patient.rs", "Observation?patient.organization.name=x"),
        ("system/*.cruds", "Patient?_has:AuditEvent:patient:action=R"),
    ],
)
def test_every_type_on_the_way_needs_a_scope_to_search_it(ehr: Caller, ward: Ward, scope: str, query: str) -> None:
    """FHIR.md 0.4 (a type inferred through _has): 403 before anything is looked up, whether or not there is something."""
    caller = ehr.narrowed(scope)
    refused(caller.get(query), 403, "forbidden")
    refused(caller.get(query.replace("zchain", "nobody").replace("8867-4", "nothing")), 403, "forbidden")


def test_a_granular_scope_holds_inside_a_chain_too(ehr: Caller, ward: Ward) -> None:
    """SMART 2.2: what the scope does not reach decides nothing."""
    caller = ehr.narrowed("system/Patient.rs system/Observation.rs?code=http://loinc.org|29463-7")
    query = "Patient?name=zchain&_has:Observation:patient:code="
    assert caller.found(f"{query}{WEIGHT}") == [ward.second["id"]]
    assert caller.found(f"{query}{HEART_RATE}") == []


def test_whose_data_decided_is_in_the_log(ehr: Caller, backstage: Backstage, ward: Ward) -> None:
    """DESIGN law 2: what a chain looked at was used, though it is no part of the answer."""
    answer = ehr.get("Device?_has:Observation:device:patient.identifier=urn:chain|2")
    assert ids(answer.json()) == [ward.unit["id"]]
    recorded = backstage.records(answer.headers["X-Request-Id"])
    assert backstage.patient_token(ward.second["id"]) in {one.patient for one in recorded}
    assert backstage.patient_token(ward.first["id"]) not in {one.patient for one in recorded}
