"""Whose data a resource of each type is: the element that names the patient, and whether it may be missing.

Where a type names patients in lists, or in several places alike (Account, Appointment, Group, Provenance, …), no single
element says whose it is: all patients it names must permit, and it lies in nobody's compartment.
"""

from collections.abc import Mapping
from typing import Final

_ELEMENTS: Final = {
    "id": "Patient",
    "subject": "AdverseEvent Basic CarePlan CareTeam ChargeItem ClinicalImpression Communication CommunicationRequest Composition "
    "Condition DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference Encounter Flag Goal GuidanceResponse "
    "ImagingStudy Invoice List MeasureReport Media MedicationAdministration MedicationDispense MedicationRequest MedicationStatement "
    "Observation Procedure QuestionnaireResponse RequestGroup RiskAssessment ServiceRequest Specimen",
    "patient": "AllergyIntolerance BodyStructure Claim ClaimResponse Consent CoverageEligibilityRequest CoverageEligibilityResponse "
    "DetectedIssue EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Immunization ImmunizationEvaluation ImmunizationRecommendation "
    "MolecularSequence NutritionOrder RelatedPerson SupplyDelivery VisionPrescription",
    "beneficiary": "Coverage",
    "candidate": "EnrollmentRequest",
    "individual": "ResearchSubject",
    "for": "Task",
    "entity.what": "AuditEvent",
}

COMPARTMENT_ELEMENT: Final[Mapping[str, str]] = {type: element for element, types in _ELEMENTS.items() for type in types.split()}

MAY_NAME_NOBODY: Final = frozenset({"Invoice", "List", "MeasureReport", "MolecularSequence", "SupplyDelivery", "Task", "AuditEvent"})
"""Administrative types: their element may be missing. Of all others it must be there."""

BY_NAME: Final = (COMPARTMENT_ELEMENT.keys() - {"Patient", "AuditEvent"}) | frozenset(
    {
        "Account",
        "Appointment",
        "AppointmentResponse",
        "Binary",
        "Bundle",
        "Device",
        "DeviceMetric",
        "Group",
        "Person",
        "Provenance",
        "Schedule",
    }
)
"""Types whose resources may be about a patient by name alone: they name the patient, what they are about does, or it is a device that the
patient wears. An Organization that names one is not about that patient for it."""

MUST_NAME_SOMEBODY: Final = frozenset({"Binary", "Bundle", "Provenance"})
"""They have no element of their own for it and carry anybody's data: some patient must be named in them."""
