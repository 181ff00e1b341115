"""When the data of a resource is from: one element of each type, which the index, the search and consent agree on.

It is what the type's `date` search parameter looks at, or, where a type has several dates or none of that name, the one
that says when something was so or was done. Each is one element at the top, so that a resource has one time at most.
A type that is not here is in no period.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ELEMENTS: Final = {
    "authored": "QuestionnaireResponse",
    "authoredOn": "CommunicationRequest DeviceRequest MedicationRequest RequestGroup ServiceRequest SupplyRequest Task",
    "created": "Basic Claim ClaimResponse CoverageEligibilityRequest CoverageEligibilityResponse DocumentManifest ExplanationOfBenefit "
    "PaymentNotice PaymentReconciliation",
    "createdDateTime createdPeriod": "Media",
    "date": "ActivityDefinition AdverseEvent CapabilityStatement ChargeItemDefinition ClinicalImpression CodeSystem CompartmentDefinition "
    "Composition ConceptMap DocumentReference EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario "
    "FamilyMemberHistory GraphDefinition ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide Invoice Library List "
    "Measure MeasureReport MessageDefinition NamingSystem OperationDefinition PlanDefinition Questionnaire ResearchDefinition "
    "ResearchElementDefinition RiskEvidenceSynthesis SearchParameter StructureDefinition StructureMap TerminologyCapabilities TestScript "
    "ValueSet",
    "dateTime": "Consent NutritionOrder",
    "dateWritten": "VisionPrescription",
    "effectiveDateTime effectivePeriod": "DiagnosticReport MedicationAdministration MedicationStatement",
    "effectiveDateTime effectivePeriod effectiveTiming effectiveInstant": "Observation",
    "identifiedDateTime identifiedPeriod": "DetectedIssue",
    "issued": "Contract TestReport",
    "occurrenceDateTime": "Immunization RiskAssessment",
    "occurrenceDateTime occurrencePeriod occurrenceTiming": "ChargeItem",
    "onsetDateTime onsetPeriod": "Condition",
    "performedDateTime performedPeriod": "Procedure",
    "period": "CarePlan CareTeam Encounter EpisodeOfCare Flag OrganizationAffiliation PractitionerRole ResearchStudy ResearchSubject",
    "planningHorizon": "Schedule",
    "recorded": "AuditEvent Provenance",
    "recordedDate": "AllergyIntolerance",
    "sent": "Communication",
    "start": "Appointment Slot",
    "startDate": "Goal",
    "started": "ImagingStudy",
    "timestamp": "Bundle",
    "whenHandedOver": "MedicationDispense",
}

DATED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {type: tuple(elements.split()) for elements, types in _ELEMENTS.items() for type in types.split()}
)
"""Resource type -> JSON names of its element, one for each type that the element may have."""
