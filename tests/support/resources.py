"""Resources for tests: invented, valid, no more than what a test is about."""

from typing import Any

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"

HEART_RATE, WEIGHT, STEPS = "8867-4", "29463-7", "55423-8"
UNITS = {WEIGHT: "kg"}
ABSENT = "0" * 22
"""An id that has the form of ours and that nothing has."""

Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def patient(family: str = "Essai", **more: Any) -> Json:
    return {"resourceType": "Patient", "name": [{"family": family}], **more}


def organization(name: str = "Clinique d'essai", **more: Any) -> Json:
    return {"resourceType": "Organization", "name": name, **more}


def practitioner(family: str = "Soignante", **more: Any) -> Json:
    return {"resourceType": "Practitioner", "name": [{"family": family}], **more}


def device(name: str = "Tensiomètre", **more: Any) -> Json:
    return {"resourceType": "Device", "deviceName": [{"name": name, "type": "user-friendly-name"}], **more}


def observation(
    patient_id: str | None,
    code: str = HEART_RATE,
    value: Any = 71,
    *,
    at: str = "2026-03-01T10:00:00Z",
    category: str = "vital-signs",
    unit: str | None = None,
    **more: Any,
) -> Json:
    """`unit`: that of the code unless another is given."""
    unit = unit or UNITS.get(code, "/min")
    made: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept(OBSERVATION_CATEGORY, category)],
        "code": concept(LOINC, code),
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
    if patient_id is not None:
        made["subject"] = {"reference": f"Patient/{patient_id}"}
    return {**made, **more}


def consent(patient_id: str, type: str = "permit", *, status: str = "active", provision: Json | None = None, **more: Any) -> Json:
    """`provision`: what the root provision says beside its type."""
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [concept(LOINC, "59284-0")],
        "patient": {"reference": f"Patient/{patient_id}"},
        "dateTime": "2026-01-01",
        "policyRule": concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": {"type": type, **(provision or {})},
        **more,
    }


def replacing(path: str, value: str) -> Json:
    """A FHIRPath Patch that writes `value` at `path`. https://hl7.org/fhir/R4/fhirpatch.html"""
    part = [{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path}, {"name": "value", "valueString": value}]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


def actor(reference: str) -> Json:
    return {"role": concept(PARTICIPATION, "IRCP"), "reference": {"reference": reference}}


def action(code: str) -> Json:
    return concept(CONSENT_ACTION, code)


def purpose(code: str) -> Json:
    return {"system": ACT_REASON, "code": code}
