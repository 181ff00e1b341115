"""References: https://hl7.org/fhir/R4/search.html#reference"""

from typing import Any

import pytest

from hub.errors import FhirError
from hub.search.compile import compartments
from tests.spec.search.given import BASE, found, narrowed, patient_token, search


def observation(subject: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": subject}, **more}


@pytest.mark.parametrize("written", ["Patient/1", f"{BASE}/Patient/1", "Patient/1/_history/3"])
@pytest.mark.parametrize(
    ("code", "value", "hit"),
    [
        ("subject", "Patient/1", True),
        ("subject", "1", True),
        ("subject", f"{BASE}/Patient/1", True),
        ("subject:Patient", "1", True),
        ("subject:Group", "1", False),
        ("subject", "Group/1", False),
        ("subject", "https://other.example/fhir/Patient/1", False),
        ("patient", "1", True),
        ("patient", "Patient/1", True),
        ("patient:Patient", "1", True),
        ("patient", "2", False),
        ("patient", "2,1", True),
    ],
)
def test_a_reference_is_found_however_it_is_written(written: str, code: str, value: str, hit: bool) -> None:
    """[type]/[id], [id], and absolute URLs of our own base are one."""
    assert found(observation(written), (code, value)) is hit


def test_a_foreign_reference_is_found_by_its_url_alone() -> None:
    """An absolute URL elsewhere is another resource than ours of the same id."""
    foreign = observation("https://other.example/fhir/Patient/1")
    assert found(foreign, ("subject", "https://other.example/fhir/Patient/1"))
    assert found(foreign, ("patient", "https://other.example/fhir/Patient/1"))
    assert not found(foreign, ("patient", "1"))


def test_a_urn_is_compared_as_it_is() -> None:
    """References may be URNs, of documents for instance."""
    event = {"resourceType": "AuditEvent", "id": "a", "entity": [{"what": {"reference": "urn:uuid:7a"}}]}
    assert found(event, ("entity", "urn:uuid:7a"))
    assert not found(event, ("entity", "urn:uuid:7b"))


def test_contained_and_logical_references_are_not_found() -> None:
    """R4: a search goes by literal reference; `#x` lives inside its resource."""
    resource = {"resourceType": "Observation", "id": "o", "device": {"reference": "#1"}, "performer": [{"identifier": {"value": "1"}}]}
    assert not found(resource, ("device", "1"))
    assert not found(resource, ("performer", "1"))
    assert found(resource, ("performer:missing", "false"))


@pytest.mark.parametrize(("subject", "missing"), [("Patient/1", False), ("https://o.example/Patient/1", False), ("Group/1", True)])
def test_patient_is_missing_when_the_subject_is_no_patient(subject: str, missing: bool) -> None:
    """The registry filters the path: where(resolve() is Patient)."""
    assert found(observation(subject), ("patient:missing", "true")) is missing
    assert found(observation(subject), ("subject:missing", "true")) is False


@pytest.mark.parametrize(
    ("code", "value", "hint"),
    [
        ("patient", "Group/1", "Patient"),
        ("subject:Practitioner", "1", "Device, Group, Location or Patient"),
        ("device", "a b", "Type/id"),
        ("device", "Device/1/_history/2", "without version"),
        ("device", "Device/", "Type/id"),
        ("device:Device", "urn:uuid:1", "Type/id"),
        ("device", BASE + "/1", "Type/id"),
    ],
)
def test_what_cannot_be_such_a_reference_is_refused_with_a_hint(code: str, value: str, hint: str) -> None:
    """The text names what is possible and never what was sent."""
    with pytest.raises(FhirError, match=hint) as refused:
        search("Observation", (code, value))
    assert refused.value.code == "invalid"
    assert value not in str(refused.value)


def test_a_bare_id_of_any_type_is_refused() -> None:
    """AuditEvent.entity.what may be of any type: which is meant cannot be listed."""
    with pytest.raises(FhirError, match="Type/id"):
        search("AuditEvent", ("entity", "1"))


@pytest.mark.parametrize(
    ("value", "hit"),
    [("7", True), ("urn:s|7", True), ("urn:s|", True), ("|7", False), ("urn:t|7", False), ("8", False), ("a|b|c", None), ("|", None)],
)
def test_a_reference_is_found_by_the_identifier_it_gives(value: str, hit: bool | None) -> None:
    """R4 #modifiers :identifier: Reference.identifier, not that of the resource it leads to."""
    resource = {"resourceType": "Observation", "id": "o", "subject": {"identifier": {"system": "urn:s", "value": "7"}}}
    if hit is None:
        with pytest.raises(FhirError, match="identifier"):
            search("Observation", ("subject:identifier", value))
        return
    assert found(resource, ("subject:identifier", value)) is hit
    assert not found({"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/7"}}, ("subject:identifier", value))


@pytest.mark.parametrize(
    ("element", "value", "hit"),
    [
        ("http://x.example/q|1", "http://x.example/q", True),
        ("http://x.example/q|1", "http://x.example/q|1", True),
        ("http://x.example/q|1", "http://x.example/q|2", False),
        ("http://x.example/q", "http://x.example/q|1", False),
        ("http://x.example/q", "http://x.example/q2", False),
    ],
)
def test_a_canonical_reference_is_found_with_or_without_its_version(element: str, value: str, hit: bool) -> None:
    """R4 #versions: without a version any is meant, with one that one."""
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "questionnaire": element}
    assert found(resource, ("questionnaire", value)) is hit


@pytest.mark.parametrize(
    ("type", "pairs", "ids"),
    [
        ("Observation", [("patient", "1")], ["1"]),
        ("Observation", [("patient", "1,2"), ("code", "x")], ["1", "2"]),
        ("Observation", [("subject", "Patient/1"), ("patient", "1,2")], ["1"]),
        ("Observation", [("subject", "1")], None),
        ("Observation", [("code", "x")], None),
        ("Observation", [("patient:missing", "true")], None),
        ("AuditEvent", [("patient", "1")], None),
        ("Patient", [("_id", "1,2")], ["1", "2"]),
        ("Patient", [("name", "x")], None),
        ("Organization", [("_id", "1")], None),
    ],
)
def test_a_search_says_whose_compartments_it_can_find(type: str, pairs: list[tuple[str, str]], ids: list[str] | None) -> None:
    """DESIGN 5: a patient-scoped query goes to one shard; whoever plans it needs to know the patients."""
    said = compartments(narrowed(search(type, *pairs)).predicate)
    assert said == (None if ids is None else frozenset(map(patient_token, ids)))
