"""Every search parameter finds what it should and nothing else: one positive and one negative example per row.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from fhir_profiles.dates import DATED
from fhir_profiles.definitions import RESOURCE_TYPES as R4_TYPES
from hub.errors import FhirError
from hub.search.curated import CONCEPT_SPACES
from hub.search.parameters import COMMON, RESOURCE_TYPES
from hub.search.types import SEARCH_TYPES
from tests.spec.search.examples import example, places
from tests.spec.search.given import found, search

LOINC, MDC = "http://loinc.org", "urn:iso:std:iso:11073:10101"


def concept(system: str, code: str, **more: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more}]}


def named(**parts: Any) -> dict[str, Any]:
    return {"name": [parts]}


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


EXAMPLES: dict[tuple[str, str], tuple[str, dict[str, Any], dict[str, Any]]] = {
    ("Patient", "identifier"): ("urn:ins|1", {"identifier": [{"system": "urn:ins", "value": "1"}]}, {"identifier": [{"value": "1"}]}),
    ("Patient", "name"): ("zo", named(text="Zoë Martin"), named(text="Lazo Martin")),
    ("Patient", "family"): ("Mart", named(family="Martin"), named(given=["Martin"])),
    ("Patient", "given"): ("ann", named(given=["Anne", "Marie"]), named(family="Anne")),
    ("Patient", "birthdate"): ("1980-03", {"birthDate": "1980-03-05"}, {"birthDate": "1980-04-05"}),
    ("Patient", "gender"): ("female", {"gender": "female"}, {"gender": "male"}),
    ("Patient", "active"): ("true", {"active": True}, {"active": False}),
    ("Patient", "organization"): (
        "Organization/1",
        {"managingOrganization": to("Organization/1")},
        {"managingOrganization": to("Organization/2")},
    ),
    ("Practitioner", "identifier"): ("1", {"identifier": [{"system": "urn:rpps", "value": "1"}]}, {"identifier": [{"value": "11"}]}),
    ("Practitioner", "name"): ("dr", named(prefix=["Dr"]), named(text="André")),
    ("Practitioner", "family"): ("obrien", named(family="O'Brien"), named(family="Brien")),
    ("Practitioner", "given"): ("pierre", named(given=["Jean-Pierre"]), named(given=["Jean", "Perrin"])),
    ("Practitioner", "active"): ("false", {"active": False}, {}),
    ("Organization", "identifier"): ("|1", {"identifier": [{"value": "1"}]}, {"identifier": [{"system": "urn:x", "value": "1"}]}),
    ("Organization", "name"): ("ouest", {"name": "Hôpital", "alias": ["CH Ouest"]}, {"name": "Hôpital"}),
    ("Organization", "active"): ("true", {"active": True}, {}),
    ("Device", "identifier"): (
        "urn:oid:1|A",
        {"identifier": [{"system": "urn:oid:1", "value": "A"}]},
        {"identifier": [{"system": "urn:oid:1", "value": "a"}]},
    ),
    ("Device", "device-name"): ("cuff", {"type": concept(MDC, "1", display="Arm cuff")}, {"type": concept(MDC, "cuff")}),
    ("Device", "manufacturer"): ("acme", {"manufacturer": "ACME Inc."}, {"modelNumber": "ACME"}),
    ("Device", "model"): ("bp7", {"modelNumber": "BP-7"}, {"manufacturer": "BP-7"}),
    ("Device", "type"): ("528391", {"type": concept(MDC, "528391")}, {"type": concept(MDC, "528392")}),
    ("Device", "status"): ("active", {"status": "active"}, {"status": "inactive"}),
    ("Device", "patient"): ("Patient/1", {"patient": to("Patient/1")}, {"patient": to("Patient/2")}),
    ("Patient", "deceased"): ("true", {"deceasedDateTime": "2026-01-01"}, {"deceasedBoolean": False}),
    ("Observation", "patient"): ("1", {"subject": to("Patient/1")}, {"subject": to("Group/1")}),
    ("Observation", "subject"): ("1", {"subject": to("Group/1")}, {"subject": to("Group/2")}),
    ("Observation", "code"): (f"{LOINC}|8867-4", {"code": concept(LOINC, "8867-4")}, {"code": concept(MDC, "8867-4")}),
    ("Observation", "component-code"): ("8480-6", {"component": [{"code": concept(LOINC, "8480-6")}]}, {"code": concept(LOINC, "8480-6")}),
    ("Observation", "combo-code"): (
        "8480-6",
        {"component": [{"code": concept(LOINC, "8480-6")}]},
        {"valueCodeableConcept": concept(LOINC, "8480-6")},
    ),
    ("Observation", "category"): (
        "vital-signs",
        {"category": [concept("urn:other", "vital-signs")]},
        {"category": [concept("urn:other", "Vital-Signs")]},
    ),
    ("Observation", "date"): ("2026-01", {"effectiveDateTime": "2026-01-31"}, {"effectiveDateTime": "2026-02-01"}),
    ("Observation", "device"): ("1", {"device": to("DeviceMetric/1")}, {"device": to("Device/2")}),
    ("Observation", "status"): ("final", {"status": "final"}, {"status": "amended"}),
    ("Observation", "identifier"): ("a", {"identifier": [{"system": "urn:x", "value": "a"}]}, {"identifier": [{"system": "urn:x"}]}),
    ("Observation", "performer"): ("Patient/1", {"performer": [to("Organization/1"), to("Patient/1")]}, {"subject": to("Patient/1")}),
    ("Consent", "patient"): ("Patient/1", {"patient": to("Patient/1")}, {"patient": to("Patient/2")}),
    ("Consent", "status"): ("active", {"status": "active"}, {"status": "inactive"}),
    ("Consent", "scope"): (
        "patient-privacy",
        {"scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")},
        {"scope": concept("urn:x", "research")},
    ),
    ("Consent", "category"): ("59284-0", {"category": [concept(LOINC, "59284-0")]}, {"scope": concept(LOINC, "59284-0")}),
    ("Consent", "date"): ("ge2026", {"dateTime": "2026-01-01"}, {"dateTime": "2025-12-31"}),
    ("Consent", "period"): (
        "ap2026-06",
        {"provision": {"period": {"start": "2026-01-01"}}},
        {"provision": {"period": {"end": "2025-01-01"}}},
    ),
    ("Consent", "identifier"): ("a", {"identifier": [{"value": "a"}]}, {"identifier": [{"value": "b"}]}),
    ("AuditEvent", "date"): ("lt2026", {"recorded": "2025-12-31T23:59:59.999Z"}, {"recorded": "2026-01-01T00:00:00.000Z"}),
    ("AuditEvent", "patient"): (
        "Patient/1",
        {"agent": [{"who": to("Patient/1")}], "entity": [{"what": to("Patient/2")}]},
        {"entity": [{"what": to("Patient/2")}]},
    ),
    ("AuditEvent", "agent"): (
        "Device/1",
        {"agent": [{"who": to("Organization/1")}, {"who": to("Device/1")}]},
        {"entity": [{"what": to("Device/1")}]},
    ),
    ("AuditEvent", "entity"): (
        "Observation/1",
        {"entity": [{"what": to("Observation/1/_history/2")}]},
        {"entity": [{"what": to("Observation/2")}]},
    ),
    ("AuditEvent", "action"): ("R", {"action": "R"}, {"action": "C"}),
    ("AuditEvent", "outcome"): ("0", {"outcome": "0"}, {"outcome": "4"}),
    ("AuditEvent", "type"): (
        "rest",
        {"type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}},
        {"subtype": [{"system": "urn:x", "code": "rest"}]},
    ),
    ("AuditEvent", "subtype"): (
        "http://hl7.org/fhir/restful-interaction|read",
        {"subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}]},
        {"subtype": [{"code": "read"}]},
    ),
    ("AuditEvent", "altid"): ("client-1", {"agent": [{"altId": "client-1"}]}, {"agent": [{"altId": "client-2"}]}),
}
for _type in RESOURCE_TYPES:
    EXAMPLES[_type, "_id"] = ("a", {"id": "a"}, {"id": "A"})
    EXAMPLES[_type, "_lastUpdated"] = (
        "2026-01-01",
        {"meta": {"lastUpdated": "2026-01-01T10:00:00Z"}},
        {"meta": {"lastUpdated": "2026-01-02T00:00:00Z"}},
    )


@pytest.mark.parametrize(("type", "code"), EXAMPLES, ids="-".join)
def test_a_parameter_finds_its_own_and_nothing_else(type: str, code: str) -> None:
    """The registry's expression for the parameter."""
    value, match, other = EXAMPLES[type, code]
    assert found({"resourceType": type, "id": "x", **match}, (code, value))
    assert not found({"resourceType": type, "id": "x", **other}, (code, value))


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_every_parameter_finds_what_stands_at_each_of_its_paths_and_nothing_else(type: str) -> None:
    """searchparameter.html: the expression says where to look. Index, narrowing and re-check agree on each (`found`)."""
    for code, row in RESOURCE_TYPES[type].parameters.items():
        for place in places(row):
            value, match, other = example(type, code, place)
            assert found(match, (code, value)), (code, row.paths[place], value, match)
            assert not found(other, (code, value)), (code, row.paths[place], value, other)
            assert not found({"resourceType": type, "id": "y"}, (code, value)), code


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_every_parameter_tells_whether_it_is_missing(type: str) -> None:
    """R4 #modifiers: :missing is for all parameters; `_id` alone never is."""
    for code, row in RESOURCE_TYPES[type].parameters.items():
        for place in places(row):
            _, match, _ = example(type, code, place)
            assert found(match, (f"{code}:missing", "false")), (code, row.paths[place])
            assert found({"resourceType": type, "id": "y"}, (f"{code}:missing", "true")), code


def test_no_row_is_without_an_example() -> None:
    """A new row without an example is not done: by hand for the types a device hub lives on, made for all others."""
    rows = {(type, code) for type, row in RESOURCE_TYPES.items() for code in row.parameters}
    made = {(type, code) for type, code in rows if places(RESOURCE_TYPES[type].parameters[code])}
    assert rows - made - set(EXAMPLES) == set()
    assert set(EXAMPLES) <= rows


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_rows_are_sound(type: str) -> None:
    """Spaces are fed by somebody, types have a module, common parameters are everywhere."""
    row = RESOURCE_TYPES[type]
    assert {common.code for common in COMMON} <= set(row.parameters)
    written = {parameter.writes for parameter in row.parameters.values()} | {"coding", "category"}
    for parameter in row.parameters.values():
        assert parameter.type in SEARCH_TYPES
        assert parameter.paths
        assert len(parameter.kinds) == len(parameter.paths)
        assert set(parameter.spaces) <= written, parameter
        assert parameter.where != "p" or row.compartment is not None
        assert (parameter.where == "opened") <= (not parameter.spaces)


def test_no_space_of_codes_or_references_is_one_of_concepts() -> None:
    """A Consent's code must not find what is no coding (reading 5)."""
    for row in RESOURCE_TYPES.values():
        for parameter in row.parameters.values():
            if parameter.writes in CONCEPT_SPACES:
                assert (parameter.type, parameter.element) == ("token", "concept"), (row.name, parameter)


def test_every_dated_type_is_searched_by_that_date() -> None:
    """DESIGN 6: index and consent look at the same element (`fhir_profiles.dates`)."""
    dated = {type for type, row in RESOURCE_TYPES.items() if any(one.where == "de" for one in row.parameters.values())}
    assert dated == set(DATED)
    assert all(sum(one.where == "de" for one in row.parameters.values()) <= 1 for row in RESOURCE_TYPES.values())


def test_every_type_of_r4_is_here_but_two() -> None:
    """resourcelist.html: OperationOutcome and Parameters have no endpoint and are never stored."""
    assert set(RESOURCE_TYPES) == R4_TYPES - {"OperationOutcome", "Parameters"}


def test_every_parameter_that_r4_defines_is_offered_or_refused_with_a_reason() -> None:
    """https://hl7.org/fhir/R4/searchparameter-registry.html; three that the package adds are none of R4's."""
    added = {("DeviceDefinition", "classification"), ("DetectedIssue", "status"), ("ServiceRequest", "order-detail")}
    published = orjson.loads(DEFINITIONS.read_bytes())
    defined = {(type, one["code"]) for one in published for type in one["base"] if type not in ("Resource", "DomainResource")} - added
    offered = {(type, code) for type, row in RESOURCE_TYPES.items() for code in (*row.parameters, *row.refused) if not code.startswith("_")}
    assert offered == defined


def test_what_is_not_offered_is_refused_with_its_reason() -> None:
    """FHIR.md 0.7: nothing is left out in silence."""
    for type, row in RESOURCE_TYPES.items():
        for code, reason in row.refused.items():
            with pytest.raises(FhirError) as refused:
                search(type, (code, "x"))
            assert refused.value.code == "not-supported"
            assert reason in str(refused.value)


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "search.md"
DEFINITIONS = Path(__file__).resolve().parents[3] / "fhir_profiles" / "definitions" / "search_parameters.json"


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_the_guide_lists_what_can_be_searched(type: str) -> None:
    """A guide that promises more or less than runs is worse than none."""
    line = next(line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {type} |"))
    common = {row.code for row in COMMON}
    assert set(re.findall(r"`([^`]+)`", line)) == set(RESOURCE_TYPES[type].parameters) - common
