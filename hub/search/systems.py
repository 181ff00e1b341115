"""Code systems a parameter knows: their codings are found by bare code without a token of their own for it.

A coding from a system that its parameter does not list gets a second, any-system token. So adding a system here needs
no re-indexing; taking one away does, because rows written meanwhile lack that second token.
"""

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
V3_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

OBSERVATION_CODES = (LOINC, MDC, SNOMED)
OBSERVATION_CATEGORIES = (
    "http://terminology.hl7.org/CodeSystem/observation-category",
    "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories",
    LOINC,
    SNOMED,
)
DEVICE_TYPES = (MDC, SNOMED, LOINC)
CONSENT_SCOPES = ("http://terminology.hl7.org/CodeSystem/consentscope",)
CONSENT_CATEGORIES = (LOINC, "http://terminology.hl7.org/CodeSystem/consentcategorycodes", V3_ACT_CODE)
AUDIT_EVENT_TYPES = ("http://terminology.hl7.org/CodeSystem/audit-event-type", DICOM, LIFECYCLE)
AUDIT_EVENT_SUBTYPES = ("http://hl7.org/fhir/restful-interaction", DICOM, LIFECYCLE)

ELSEWHERE = (
    LOINC,
    MDC,
    SNOMED,
    UCUM,
    V3_ACT_CODE,
    "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "http://terminology.hl7.org/CodeSystem/v2-0203",
    "http://terminology.hl7.org/CodeSystem/data-absent-reason",
    "http://terminology.hl7.org/CodeSystem/organization-type",
    "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "http://terminology.hl7.org/CodeSystem/object-role",
    "urn:ietf:bcp:47",
)
"""For codings outside every token parameter (space "coding"): values, body sites, methods, identifier types."""
