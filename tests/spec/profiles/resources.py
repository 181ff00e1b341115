"""One full resource of each type that the hub takes in, invented, with every kind of element somewhere in it."""

from typing import Any

EXTENSION = {"url": "http://example.org/why", "valueString": "asked"}

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "1", "lastUpdated": "2026-11-22T09:30:00.123+01:00", "profile": ["http://example.org/patient"]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Someone</p></div>'},
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Clinic"}],
    "extension": [{"url": "http://example.org/place", "extension": [{"url": "city", "valueString": "Lyon"}]}],
    "identifier": [
        {"use": "official", "system": "urn:oid:1.2.250.1.213.1.4.8", "value": "1", "period": {"start": "2020", "end": "2026-01"}}
    ],
    "active": True,
    "name": [{"use": "official", "family": "Essai", "given": ["Anne", None], "_given": [None, {"extension": [EXTENSION]}]}],
    "telecom": [{"system": "phone", "value": "+33 1 00 00 00 00", "use": "home", "rank": 1}],
    "gender": "female",
    "birthDate": "1980-02-29",
    "_birthDate": {"extension": [{"url": "http://example.org/at", "valueDateTime": "1980-02-29T07:00:00+01:00"}]},
    "deceasedBoolean": False,
    "address": [{"use": "home", "type": "both", "line": ["1 rue"], "city": "Lyon", "country": "FR"}],
    "multipleBirthInteger": 2,
    "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
    "contact": [{"name": {"text": "Next of kin"}, "gender": "unknown"}],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr"}]}, "preferred": True}],
    "managingOrganization": {"reference": "#o1", "type": "Organization", "display": "Clinic"},
    "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
}

PRACTITIONER: dict[str, Any] = {
    "resourceType": "Practitioner",
    "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "2"}],
    "name": [{"family": "Medecin", "suffix": ["Dr"]}],
    "gender": "other",
    "birthDate": "1970",
    "qualification": [{"code": {"text": "Cardiologist"}, "period": {"start": "2001-01-01"}}],
}

ORGANIZATION: dict[str, Any] = {
    "resourceType": "Organization",
    "active": True,
    "name": "Clinic",
    "alias": ["The clinic"],
    "contact": [{"purpose": {"text": "press"}, "telecom": [{"system": "url", "value": "http://example.org"}]}],
}

DEVICE: dict[str, Any] = {
    "resourceType": "Device",
    "identifier": [{"system": "urn:example:units", "value": "SCALE-1"}],
    "udiCarrier": [{"deviceIdentifier": "0", "carrierAIDC": "aGVsbG8=", "entryType": "self-reported"}],
    "status": "active",
    "manufacturer": "Maker",
    "manufactureDate": "2024-05",
    "deviceName": [{"name": "Scale", "type": "user-friendly-name"}],
    "type": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "65573", "userSelected": True}]},
    "specialization": [{"systemType": {"text": "scale"}, "version": "1"}],
    "version": [{"value": "2.1"}],
    "property": [{"type": {"text": "clock"}, "valueQuantity": [{"value": 1.5, "unit": "s"}]}],
    "url": "http://example.org/device",
    "note": [{"text": "bought used", "time": "2026-01-01"}],
}

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "corrected",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "Blood pressure"},
    "subject": {"reference": "Patient/p1"},
    "effectivePeriod": {"start": "2026-11-22T09:30:00+01:00", "end": "2026-11-22T09:31:00+01:00"},
    "issued": "2026-11-22T09:32:00Z",
    "performer": [{"reference": "Practitioner/x", "identifier": {"value": "2"}}],
    "interpretation": [{"text": "normal"}],
    "method": {"text": "cuff"},
    "device": {"reference": "Device/d1"},
    "referenceRange": [{"low": {"value": 60, "unit": "mmHg"}, "text": "usual"}],
    "component": [
        {
            "code": {"text": "systolic"},
            "valueQuantity": {"value": 116.0, "comparator": "<", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        },
        {"code": {"text": "curve"}, "valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2 E"}},
        {"code": {"text": "at"}, "valueTime": "09:30:00"},
        {"code": {"text": "nothing"}, "dataAbsentReason": {"text": "error"}},
    ],
}

CONSENT: dict[str, Any] = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": "Patient/p1"},
    "dateTime": "2026-11-22",
    "policy": [{"uri": "urn:example:policy"}],
    "verification": [{"verified": True, "verificationDate": "2026-11-22T09:30:00Z"}],
    "provision": {
        "type": "permit",
        "period": {"start": "2026-01-01", "end": "2027-01-01"},
        "actor": [{"role": {"text": "recipient"}, "reference": {"reference": "Organization/o1"}}],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
        "data": [{"meaning": "instance", "reference": {"reference": "Observation/o1"}}],
        "provision": [{"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Device"}]}],
    },
}

AUDIT_EVENT: dict[str, Any] = {
    "resourceType": "AuditEvent",
    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
    "action": "R",
    "recorded": "2026-11-22T09:30:00Z",
    "outcome": "0",
    "agent": [{"who": {"display": "client"}, "requestor": True, "network": {"address": "127.0.0.1", "type": "2"}}],
    "source": {"observer": {"display": "hub"}},
    "entity": [{"what": {"reference": "Patient/p1"}, "query": "aGVsbG8=", "detail": [{"type": "a", "valueString": "b"}]}],
}

RESOURCES = (PATIENT, PRACTITIONER, ORGANIZATION, DEVICE, OBSERVATION, CONSENT, AUDIT_EVENT)
