"""Every search parameter finds what it should and nothing else: one positive and one negative example per row.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import re
from pathlib import Path
from typing import Any

import pytest

from hub.search.parameters import COMMON, RESOURCE_TYPES
from hub.search.types import SEARCH_TYPES
from tests.spec.search.given import found

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


def test_every_row_has_its_examples() -> None:
    """A new row without an example is not done."""
    rows = {(type, code) for type, row in RESOURCE_TYPES.items() for code in row.parameters}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_rows_are_sound(type: str) -> None:
    """Spaces exist, types have a module, common parameters are everywhere."""
    row = RESOURCE_TYPES[type]
    assert {common.code for common in COMMON} <= set(row.parameters)
    for parameter in row.parameters.values():
        assert parameter.type in SEARCH_TYPES
        assert parameter.paths
        assert set(parameter.spaces) <= set(row.parameters)
        assert parameter.where != "p" or row.compartment is not None


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "search.md"


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_the_guide_lists_what_can_be_searched(type: str) -> None:
    """A guide that promises more or less than runs is worse than none."""
    line = next(line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {type} |"))
    common = {row.code for row in COMMON}
    assert set(re.findall(r"`([^`]+)`", line)) == set(RESOURCE_TYPES[type].parameters) - common
