"""Chained and reverse chained parameters as they are understood: https://hl7.org/fhir/R4/search.html#chaining and #has"""

from dataclasses import replace

import pytest

from hub.errors import FhirError
from hub.search.asked import Chain, Criterion, Has, Search
from hub.search.compile import narrow
from hub.search.names import HOPS_MAX
from hub.search.parse import parse_search
from hub.search.predicate import holds
from hub.search.resolve import pending, resolved, targets
from tests.spec.search.given import BASE, NOW_US, narrowed, opened_matches, patient_token, row_of, search, token


def only(found: Search) -> Chain | Has:
    (one,) = pending(found).values()
    return one


def plain(found: Search) -> tuple[str, str, str | None]:
    (one,) = found.criteria
    assert isinstance(one, Criterion)
    return found.type, one.parameter.code, one.modifier


def refused(type: str, name: str, value: str = "x", *, lenient: bool = False) -> FhirError:
    with pytest.raises(FhirError) as caught:
        parse_search(type, [(name, value)], lenient=lenient)
    return caught.value


def test_a_chain_with_a_type_goes_to_that_type() -> None:
    """`subject:Patient.name`: the inner search is one of Patients by name, modifier included."""
    chain = only(search("Observation", ("subject:Patient.name:contains", "dup")))
    assert isinstance(chain, Chain)
    assert chain.parameter.code == "subject"
    assert {type: plain(inner) for type, inner in chain.targets.items()} == {"Patient": ("Patient", "name", "contains")}


def test_a_chain_without_a_type_goes_to_each_type_that_has_the_rest() -> None:
    """R4 #chaining: where the type is not said, all that are possible; `device-name` is no parameter of a Patient."""
    chain = only(search("Observation", ("subject.identifier", "urn:x|1")))
    assert isinstance(chain, Chain)
    assert {"Patient", "Device"} <= set(chain.targets)
    other = only(search("Observation", ("subject.device-name", "cuff")))
    assert isinstance(other, Chain)
    assert set(other.targets) == {"Device"}


def test_a_chain_goes_over_several_hops() -> None:
    """`subject:Patient.organization.name`."""
    chain = only(search("Observation", ("subject:Patient.organization.name", "ouest")))
    assert isinstance(chain, Chain)
    inner = only(chain.targets["Patient"])
    assert isinstance(inner, Chain)
    assert plain(inner.targets["Organization"]) == ("Organization", "name", None)


def test_a_reverse_chain_asks_for_what_refers_to_us() -> None:
    """`_has:Observation:patient:code=…`: Patients with such an Observation."""
    has = only(search("Patient", ("_has:Observation:patient:code:not", "a")))
    assert isinstance(has, Has)
    assert (has.type, has.parameter.code) == ("Observation", "patient")
    assert plain(has.inner) == ("Observation", "code", "not")


def test_reverse_chains_nest() -> None:
    """R4 #has: "the _has parameter can be nested"."""
    has = only(search("Patient", ("_has:Observation:patient:_has:AuditEvent:entity:agent", "Device/1")))
    assert isinstance(has, Has)
    inner = only(has.inner)
    assert isinstance(inner, Has)
    assert plain(inner.inner) == ("AuditEvent", "agent", None)


def test_a_chain_may_end_in_a_reverse_chain_and_the_other_way_round() -> None:
    """`patient._has:…` and `_has:…:patient.name`."""
    chain = only(search("Observation", ("patient._has:Consent:patient:status", "active")))
    assert isinstance(chain, Chain)
    assert isinstance(only(chain.targets["Patient"]), Has)
    has = only(search("Device", ("_has:Observation:device:patient.family", "dupont")))
    assert isinstance(has, Has)
    assert isinstance(only(has.inner), Chain)


@pytest.mark.parametrize(
    ("type", "name", "hint"),
    [
        ("AuditEvent", "entity.status", "entity:TYPE.PARAMETER"),
        ("Observation", "subject:Organization.name", "does not lead to"),
        ("Observation", "patient.name:above", ":contains"),
        ("Observation", "_has:Observation:patient:code", "refers to no Observation"),
        ("Patient", "_has:Observation:code:code", "refers to no Patient"),
        ("Patient", "_has:Observation:patient:" * (HOPS_MAX + 1) + "code", "refers to no Observation"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_what_is_known_and_cannot_be_is_refused_always(type: str, name: str, hint: str, lenient: bool) -> None:
    """Left out, the search would be another one."""
    error = refused(type, name, "secret", lenient=lenient)
    assert error.code == "not-supported"
    assert hint in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("name", ["patient.birthdate", "_has:AuditEvent:patient:date"])
def test_a_value_inside_a_chain_is_read_as_strictly_as_outside(name: str) -> None:
    """The last parameter decides what a value looks like."""
    error = refused("Patient" if name.startswith("_has") else "Observation", name, "secret")
    assert error.code == "invalid"
    assert "secret" not in str(error)


def test_hops_have_a_limit() -> None:
    """Each is a search of its own."""
    assert refused("AuditEvent", "entity:AuditEvent." * (HOPS_MAX + 1) + "type").code == "not-supported"
    assert search("AuditEvent", ("entity:AuditEvent." * HOPS_MAX + "type", "rest")).criteria


def test_an_empty_chain_is_ignored_like_any_empty_parameter() -> None:
    """R4: empty parameters are no error."""
    found = search("Observation", ("patient.name", ""), ("_has:AuditEvent:entity:type", ""))
    assert (found.criteria, found.ignored) == ((), ("'patient.name'", "'_has:AuditEvent:entity:type'"))


OBSERVATION = {"resourceType": "Observation", "id": "o", "subject": {"reference": f"{BASE}/Patient/1/_history/2"}}


@pytest.mark.parametrize(
    ("answer", "hit"), [(["Patient/1"], True), (["Patient/2", "Patient/1"], True), (["Patient/2"], False), ([], False)]
)
def test_a_chain_is_resolved_by_the_references_it_found(answer: list[str], hit: bool) -> None:
    """Then it is a reference criterion like any other: exact in the tokens, decided again on the opened resource."""
    asked = resolved(search("Observation", ("patient.name", "x")), {0: answer})
    assert not pending(asked)
    assert opened_matches(asked, OBSERVATION) is hit
    assert holds(narrowed(asked).predicate, row_of(OBSERVATION)) is hit


@pytest.mark.parametrize(("answer", "hit"), [({"1", "2"}, True), ({"2"}, False), (set(), False)])
def test_a_reverse_chain_is_resolved_by_the_ids_that_are_referred_to(answer: set[str], hit: bool) -> None:
    """Then it is a criterion on `_id`."""
    asked = resolved(search("Patient", ("_has:Observation:patient:code", "x")), {0: answer})
    patient = {"resourceType": "Patient", "id": "1"}
    assert opened_matches(asked, patient) is hit
    assert holds(narrowed(asked).predicate, row_of(patient)) is hit


def test_other_criteria_stay_where_they_are() -> None:
    """Only chains are replaced."""
    asked = search("Observation", ("status", "final"), ("patient.name", "x"))
    answered = resolved(asked, {1: ["Patient/1"]})
    assert answered == replace(asked, criteria=(asked.criteria[0], answered.criteria[1]))


def test_what_was_not_resolved_is_not_run() -> None:
    """A chain left in would be a condition left out."""
    asked = search("Observation", ("patient.name", "x"))
    with pytest.raises(FhirError, match="chained"):
        narrow(asked, token=token, patient_token=patient_token, now_us=NOW_US)
    with pytest.raises(FhirError, match="chained"):
        opened_matches(asked, OBSERVATION)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("Patient/1", {"Patient/1"}),
        (f"{BASE}/Patient/1/_history/3", {"Patient/1"}),
        ("Organization/1", set()),
        ("https://other.example/fhir/Patient/1", set()),
        ("#p", set()),
        ("urn:uuid:1", set()),
    ],
)
def test_references_are_followed_to_local_resources_of_allowed_types(reference: str, found: set[str]) -> None:
    """What `_include` and `_has` may go to: nothing of another server's."""
    parameter = only(search("Observation", ("subject.identifier", "1"))).parameter
    resource = {"resourceType": "Observation", "subject": {"reference": reference}}
    assert targets(parameter, resource, BASE + "/") == found
