"""The set-up that the tests of single readings share: one patient, one caller, one blood pressure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from security.consent import CONSENT_REPLACES, Asker, Decision, decide, rules_of

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
TYPES = "http://hl7.org/fhir/resource-types"
PROFILE = "http://hl7.org/fhir/StructureDefinition/bp"

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CALLER = Asker(
    references=frozenset({"Organization/hospital", "Device/client"}), roles=frozenset({"IRCP", "PRCP"}), purpose="TREAT", action="access"
)
BLOOD_PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "bp",
    "meta": {"profile": [f"{PROFILE}|4.0.1"], "tag": [{"system": LOINC, "code": "tagged"}]},
    "status": "final",
    "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
    "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2026-03-01T10:00:00Z",
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": {"value": 120, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        },
        {
            "code": {"coding": [{"system": LOINC, "code": "8357-6"}]},
            "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "261665006"}]},
        },
    ],
}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "1", "birthDate": "1950-01-01"}
DEVICE: dict[str, Any] = {
    "resourceType": "Device",
    "id": "d",
    "type": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "65573"}]},
}


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def consent(type: str | None = "permit", *, root: dict[str, Any] | None = None, **provision: Any) -> dict[str, Any]:
    """An active Consent; `root` replaces elements of it (None takes one away), the rest are elements of its provision.

    `class_` stands for class, which Python keeps for itself.
    """
    if "class_" in provision:
        provision["class"] = provision.pop("class_")
    whole = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0"}]}],
        "patient": {"reference": "Patient/1"},
        "dateTime": "2026-01-01",
        "provision": ({"type": type} if type else {}) | provision,
    } | (root or {})
    return {name: value for name, value in whole.items() if value is not None}


def actor(reference: str, role: str | None = "IRCP") -> dict[str, Any]:
    made: dict[str, Any] = {"reference": {"reference": reference}}
    return made | {"role": {"coding": [{"system": PARTICIPATION, "code": role}]}} if role else made


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def replaces(*ids: str) -> dict[str, Any]:
    return {"extension": [{"url": CONSENT_REPLACES, "valueReference": {"reference": f"Consent/{id}"}} for id in ids]}


def decision(
    *consents: dict[str, Any], about: dict[str, Any] | None = None, default: bool = False, now: datetime = NOW, **asker: Any
) -> Decision:
    """What the Consents (ids a, b, c …, version 1) say; `asker` replaces what of the caller the test is about."""
    rules = [rule for id, one in zip("abcdefgh", consents, strict=False) for rule in rules_of(one, id=id, version="1")]
    return decide(rules, replace(CALLER, **asker), about or BLOOD_PRESSURE, default=default, now_us=us(now))


def permitted(*consents: dict[str, Any], **how: Any) -> bool:
    return decision(*consents, **how).permit
