"""What a stored row shows: DESIGN 5, "Tokens"; SECURITY 2.7 rule 5 for the codings."""

from typing import Any

import pytest

from hub.errors import FhirError
from hub.search.index import Indexed, class_tokens, code_tokens, index
from hub.search.systems import LOINC, MDC, UCUM
from hub.search.times import date_range
from tests.spec.search.given import BASE, patient_token, token

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
HEART_RATE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/heartrate|4.0.1"], "tag": [{"system": "urn:t", "code": "t"}]},
    "identifier": [{"system": "urn:x", "value": "1"}],
    "status": "final",
    "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
    "code": {"coding": [{"system": LOINC, "code": "8867-4"}, {"system": MDC, "code": "149546"}], "text": "Heart rate"},
    "subject": {"reference": "Patient/p"},
    "device": {"reference": "Device/d"},
    "effectiveDateTime": "2026-01-05T08:09:10+01:00",
    "valueQuantity": {"value": 72, "unit": "/min", "system": UCUM, "code": "/min"},
}


def indexed(resource: dict[str, Any]) -> Indexed:
    return index(resource, token=token, patient_token=patient_token, base=BASE)


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", **elements}


def test_a_heart_rate_shows_its_tokens_and_nothing_more() -> None:
    """The whole row, so that an extra token (a leak) shows as well as a missing one."""
    start, end = date_range("2026-01-05T07:09:10Z")
    assert indexed(HEART_RATE) == Indexed(
        patient="p",
        named=frozenset(),
        k=frozenset(
            {
                token("_type", "Observation"),
                token("_profile", "http://hl7.org/fhir/StructureDefinition/heartrate"),
                token("_tag", "urn:t|t"),
                token("_tag", "*|t"),
                token("status", "|final"),
                token("category", f"{CATEGORY}|vital-signs"),
                token("code", f"{LOINC}|8867-4"),
                token("code", f"{MDC}|149546"),
                token("device", "Device/d"),
            }
        ),
        g=frozenset({token("identifier", "urn:x|1"), token("identifier", "*|1")}),
        start_us=start,
        end_us=end,
    )


def test_a_patient_is_its_own_compartment_and_shows_what_is_looked_up_across_patients() -> None:
    """Identifier, word prefixes and birth date go to `g`; the rest stays in `k`."""
    found = indexed(
        {
            "resourceType": "Patient",
            "id": "p",
            "active": True,
            "identifier": [{"value": "1", "type": {"coding": [{"system": "urn:t", "code": "INS"}]}}],
            "name": [{"family": "Li", "given": ["A"], "text": "A Li"}],
            "birthDate": "1980-03",
            "managingOrganization": {"reference": "Organization/1"},
        }
    )
    assert found.patient == "p"
    assert found.g == {
        token("identifier", "|1"),
        token("identifier", "*|1"),
        token("family", "l"),
        token("family", "li"),
        token("given", "a"),
        token("name", "l"),
        token("name", "li"),
        token("name", "a"),
        token("birthdate", "y:1980"),
        token("birthdate", "m:1980-03"),
    }
    assert found.k == {
        token("_type", "Patient"),
        token("active", "|true"),
        token("coding", "urn:t|INS"),
        token("coding", "*|INS"),
        token("organization", "Organization/1"),
    }


@pytest.mark.parametrize(
    ("resource", "patient"),
    [
        (observation(subject={"reference": "Patient/p"}), "p"),
        (observation(subject={"reference": f"{BASE}/Patient/p"}), "p"),
        (observation(subject={"reference": "Patient/p/_history/1"}), "p"),
        (observation(subject={"reference": "Group/g"}), None),
        (observation(subject={"reference": "https://other.example/fhir/Patient/p"}), None),
        (observation(subject={"reference": "#p"}), None),
        (observation(subject={"identifier": {"value": "p"}}), None),
        (observation(performer=[{"reference": "Patient/p"}]), None),
        (observation(), None),
        ({"resourceType": "Consent", "id": "c", "patient": {"reference": "Patient/p"}}, "p"),
        (
            {
                "resourceType": "AuditEvent",
                "id": "a",
                "entity": [{"what": {"reference": "Device/1"}}, {"what": {"reference": "Patient/p"}}],
            },
            "p",
        ),
        ({"resourceType": "AuditEvent", "id": "a", "agent": [{"who": {"reference": "Patient/p"}}]}, None),
        ({"resourceType": "Device", "id": "d", "patient": {"reference": "Patient/p"}}, None),
    ],
)
def test_a_resource_lies_in_the_compartment_of_its_subject(resource: dict[str, Any], patient: str | None) -> None:
    """DESIGN 5: `p` is the patient whose compartment a resource belongs to by its subject; a Device stays without."""
    assert indexed(resource).patient == patient


PATIENT_Q = {"reference": "Patient/q"}


@pytest.mark.parametrize(
    "elements",
    [
        {"performer": [PATIENT_Q]},
        {"focus": [PATIENT_Q]},
        {"device": PATIENT_Q},
        {"subject": {"reference": "Patient/p", "extension": [{"url": "u", "valueReference": PATIENT_Q}]}},
        {"subject": {"reference": "Patient/p", "identifier": {"value": "1", "assigner": PATIENT_Q}}},
        {"identifier": [{"value": "1", "assigner": PATIENT_Q}]},
        {"code": {"text": "x", "extension": [{"url": "u", "valueReference": PATIENT_Q}]}},
        {"code": {"coding": [{"code": "x", "extension": [{"url": "u", "valueReference": PATIENT_Q}]}]}},
        {"code": {"coding": [{"code": "x"}], "extension": [{"url": "u", "valueReference": PATIENT_Q}]}},
        {"code": {"coding": [{"code": "x", "display": "x", "_display": {"extension": [{"url": "u", "valueReference": PATIENT_Q}]}}]}},
        {"code": {"text": "x", "_text": {"extension": [{"url": "u", "valueReference": PATIENT_Q}]}}},
        {"component": [{"code": {"text": "x"}, "extension": [{"url": "u", "valueReference": PATIENT_Q}]}]},
        {"effectivePeriod": {"start": "2026", "extension": [{"url": "u", "valueReference": PATIENT_Q}]}},
        {"_status": {"extension": [{"url": "u", "valueReference": PATIENT_Q}]}, "status": "final"},
        {"meta": {"extension": [{"url": "u", "valueReference": PATIENT_Q}]}},
        {"meta": {"tag": [{"code": "t", "extension": [{"url": "u", "valueReference": PATIENT_Q}]}]}},
        {"contained": [{"resourceType": "Group", "id": "g", "member": [{"entity": PATIENT_Q}]}]},
        {"note": [{"text": "x", "authorReference": {"reference": f"{BASE}/Patient/q/_history/4"}}]},
    ],
)
def test_every_other_patient_named_anywhere_is_noted(elements: dict[str, Any]) -> None:
    """DESIGN 5: other patients a resource names must all permit, wherever they are named."""
    found = indexed(observation(**{"subject": {"reference": "Patient/p"}, **elements}))
    assert (found.patient, found.named) == ("p", {"q"})
    assert patient_token("q") in found.k
    assert patient_token("p") not in found.k


def test_the_same_patient_named_twice_is_no_other_patient() -> None:
    """A person may measure herself."""
    found = indexed(observation(subject={"reference": "Patient/p"}, performer=[{"reference": "Patient/p"}]))
    assert found.named == frozenset()


X = {"system": "urn:x", "code": "X"}


@pytest.mark.parametrize(
    "elements",
    [
        {"code": {"coding": [X]}},
        {"category": [{"coding": [{"code": "other"}, X]}]},
        {"component": [{"code": {"coding": [X]}}]},
        {"valueCodeableConcept": {"coding": [X]}},
        {"component": [{"code": {"text": "x"}, "valueCodeableConcept": {"coding": [X]}}]},
        {"interpretation": [{"coding": [X]}]},
        {"extension": [{"url": "u", "valueCoding": {**X, "display": "x"}}]},
        {"extension": [{"url": "u", "valueCodeableConcept": {"coding": [{**X, "userSelected": True, "version": "1"}]}}]},
        {"code": {"coding": [{"code": "other", "extension": [{"url": "u", "valueCoding": X}]}]}},
        {"code": {"text": "x", "extension": [{"url": "u", "valueCoding": X}]}},
        {"code": {"coding": [{"code": "other", "_display": {"extension": [{"url": "u", "valueCoding": X}]}}]}},
        {"extension": [{"url": "u", "valueCoding": {**X, "_display": {"extension": [{"url": "u", "valueString": "x"}]}}}]},
        {"identifier": [{"value": "1", "type": {"coding": [X]}}]},
        {"contained": [{"resourceType": "Condition", "id": "c", "code": {"coding": [X]}}]},
        {"subject": {"identifier": {"type": {"coding": [X]}}}},
    ],
)
@pytest.mark.parametrize("system", ["urn:x", None])
def test_a_coding_is_found_anywhere_outside_meta(elements: dict[str, Any], system: str | None) -> None:
    """SECURITY 2.7 rule 5: `code` matches a coding anywhere in the instance."""
    found = indexed(observation(**elements))
    assert found.k & code_tokens(system, "X", token)
    assert not found.k & code_tokens(system, "Y", token)
    assert not found.k & code_tokens("urn:y", "X", token)


@pytest.mark.parametrize(
    "elements",
    [
        {"meta": {"tag": [X], "security": [X]}},
        {"valueQuantity": {"value": 1, "unit": "x", **X}},
        {"status": "X"},
        {"identifier": [{"system": "urn:x", "value": "X"}]},
    ],
)
def test_labels_units_and_identifiers_are_no_codings_of_the_resource(elements: dict[str, Any]) -> None:
    """SECURITY 2.7 rule 5: outside `meta`; a unit is not what was coded."""
    assert not indexed(observation(**elements)).k & code_tokens(None, "X", token)


@pytest.mark.parametrize("system", [LOINC, "urn:x", None])
def test_a_known_or_unknown_or_absent_system_is_found_by_the_bare_code(system: str | None) -> None:
    """A consent may name a code without its system."""
    coding = {"code": "1-8"} if system is None else {"system": system, "code": "1-8"}
    for elements in ({"code": {"coding": [coding]}}, {"valueCodeableConcept": {"coding": [coding]}}):
        assert indexed(observation(**elements)).k & code_tokens(None, "1-8", token)


@pytest.mark.parametrize(
    ("system", "code", "hit"),
    [
        ("http://hl7.org/fhir/resource-types", "Observation", True),
        ("http://hl7.org/fhir/resource-types", "Consent", False),
        ("urn:ietf:rfc:3986", "http://hl7.org/fhir/StructureDefinition/heartrate", True),
        ("urn:ietf:rfc:3986", "http://hl7.org/fhir/StructureDefinition/bp", False),
        (None, "http://hl7.org/fhir/StructureDefinition/heartrate|4.0.1", True),
        ("http://hl7.org/fhir/consent-content-class", "http://hl7.org/fhir/StructureDefinition/heartrate", True),
        (CATEGORY, "vital-signs", True),
        (None, "vital-signs", True),
        ("urn:other", "vital-signs", False),
        (CATEGORY, "laboratory", False),
        (LOINC, "8867-4", False),
    ],
)
def test_a_class_is_a_type_else_a_profile_else_a_category(system: str | None, code: str, hit: bool) -> None:
    """SECURITY 2.7 rule 5."""
    assert bool(indexed(HEART_RATE).k & class_tokens(system, code, token)) is hit


def test_an_audit_event_names_agents_and_entities() -> None:
    """AuditEvent.type and subtype are Codings, not CodeableConcepts."""
    found = indexed(
        {
            "resourceType": "AuditEvent",
            "id": "a",
            "type": {"system": "urn:x", "code": "rest"},
            "recorded": "2026-01-01T00:00:00.000Z",
            "agent": [{"who": {"reference": "Device/1"}, "type": {"coding": [X]}}],
            "entity": [
                {"what": {"reference": "Patient/p"}, "role": {"system": "urn:r", "code": "1"}},
                {"what": {"reference": "Patient/q"}},
            ],
        }
    )
    assert (found.patient, found.named) == ("p", {"q"})
    assert {token("agent", "Device/1"), token("entity", "Patient/p"), token("entity", "Patient/q"), token("type", "*|rest")} <= found.k
    assert token("coding", "urn:r|1") in found.k
    assert found.end_us is not None
    assert found.start_us is not None
    assert found.end_us - found.start_us == 1_000


def test_an_unknown_type_is_refused() -> None:
    """Silence means no: without a row nobody knows whose it is."""
    with pytest.raises(FhirError) as refused:
        indexed({"resourceType": "Parameters", "id": "b"})
    assert refused.value.code == "not-supported"


@pytest.mark.parametrize(
    "effective", [{"effectiveDateTime": "yesterday"}, {"effectivePeriod": {"start": "2026", "end": "2025"}}, {"effectiveDateTime": 5}]
)
def test_a_date_that_is_none_is_refused_with_its_place(effective: dict[str, Any]) -> None:
    """Nothing is stored that could not be found again."""
    with pytest.raises(FhirError) as refused:
        indexed(observation(**effective))
    assert refused.value.code == "value"
    assert refused.value.issues[0].expression == f"Observation.{next(iter(effective))}"
    assert "yesterday" not in str(refused.value)


def test_nulls_hold_the_place_of_extensions() -> None:
    """https://hl7.org/fhir/R4/json.html#primitive: an array may have null where only an extension is."""
    patient = {"resourceType": "Patient", "id": "p", "meta": {"profile": [None, "urn:x"]}, "name": [{"given": [None, "A"]}], "active": None}
    found = indexed(patient)
    assert token("_profile", "urn:x") in found.k
    assert found.g == {token("given", "a")}
    organization = {"resourceType": "Organization", "id": "o", "alias": [None, "B"], "_alias": [{"extension": [{"url": "u"}]}, None]}
    assert indexed(organization).g == {token("name", "b")}
