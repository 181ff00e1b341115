"""What a scope means to the person who is asked, as rows: every type of R4, the categories, what a query narrows, whom it is about.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. A row says what is reached and not what it is for; where
several types share a row, the type's own name stands beside it.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from hub.console.words import Said
from security.oauth.person import Role
from security.scopes import Level

Verb = Literal["read", "add", "change", "delete"]
LETTERS_OF: Final[Mapping[Verb, frozenset[str]]] = {
    "read": frozenset("rs"),
    "add": frozenset("c"),
    "change": frozenset("u"),
    "delete": frozenset("d"),
}
"""Reading one and searching are one thing to people; a scope with one of the two letters keeps to it."""
VERBS: Final[Mapping[Verb, Said]] = {
    "read": Said("Read", "Lire"),
    "add": Said("Add", "Ajouter"),
    "change": Said("Change", "Modifier"),
    "delete": Said("Delete", "Supprimer"),
}

EVERYTHING: Final = Said(
    "Everything: all health data that the hub has, of every kind", "Tout : toutes les données de santé que le hub contient, de toute sorte"
)
ONLY: Final = Said("only where {name} is {value}", "seulement là où {name} vaut {value}")
OF_CODE: Final = Said("only {value}", "seulement {value}")

TYPES: Final[tuple[tuple[str, Said], ...]] = (
    (
        "Patient",
        Said("identity and contact details: name, birth date, address", "identité et coordonnées : nom, date de naissance, adresse"),
    ),
    (
        "Observation",
        Said(
            "measurements and results: pulse, blood pressure, weight, glucose and others",
            "mesures et résultats : pouls, tension, poids, glycémie et autres",
        ),
    ),
    ("Device", Said("connected devices: which, and their state", "objets connectés : lesquels, et leur état")),
    ("DeviceMetric", Said("settings and calibration of devices", "réglages et étalonnage des objets")),
    ("DeviceUseStatement DeviceRequest", Said("which device is worn or prescribed", "quel objet est porté ou prescrit")),
    ("DeviceDefinition", Said("models of devices (nobody’s data)", "modèles d’objets (aucune donnée de personne)")),
    ("DiagnosticReport", Said("reports of examinations", "comptes rendus d’examens")),
    ("DocumentReference DocumentManifest Composition", Said("documents and recordings", "documents et enregistrements")),
    ("Binary Media", Said("files: documents, pictures, recordings", "fichiers : documents, images, enregistrements")),
    ("Condition", Said("illnesses and problems", "maladies et problèmes de santé")),
    ("AllergyIntolerance", Said("allergies and intolerances", "allergies et intolérances")),
    ("AdverseEvent DetectedIssue", Said("incidents and warnings about care", "incidents et alertes de soins")),
    ("FamilyMemberHistory", Said("illnesses in the family", "antécédents familiaux")),
    ("Procedure", Said("operations and treatments", "actes et interventions")),
    ("Immunization ImmunizationEvaluation ImmunizationRecommendation", Said("vaccinations", "vaccinations")),
    (
        "MedicationRequest MedicationStatement MedicationAdministration MedicationDispense",
        Said("medicines: prescribed, taken, given", "médicaments : prescrits, pris, administrés"),
    ),
    (
        "Medication MedicationKnowledge Substance",
        Said("descriptions of medicines (nobody’s data)", "descriptions de médicaments (aucune donnée de personne)"),
    ),
    ("CarePlan Goal RequestGroup NutritionOrder", Said("care plans and goals", "plans de soins et objectifs")),
    ("CareTeam", Said("who takes part in the care", "qui participe aux soins")),
    ("ServiceRequest Task", Said("examinations and care that were ordered", "examens et soins demandés")),
    ("ClinicalImpression RiskAssessment Flag", Said("assessments by professionals", "évaluations par des professionnels")),
    ("Encounter EpisodeOfCare", Said("visits and stays", "consultations et séjours")),
    ("Appointment AppointmentResponse Schedule Slot", Said("appointments", "rendez-vous")),
    ("ImagingStudy BodyStructure", Said("medical images", "imagerie médicale")),
    ("Specimen BiologicallyDerivedProduct", Said("samples that were taken", "prélèvements")),
    ("MolecularSequence", Said("genetic data", "données génétiques")),
    ("VisionPrescription", Said("glasses and lenses", "lunettes et lentilles")),
    ("QuestionnaireResponse", Said("answers to questionnaires", "réponses aux questionnaires")),
    ("Questionnaire", Said("questionnaires (nobody’s data)", "questionnaires (aucune donnée de personne)")),
    ("Communication CommunicationRequest", Said("messages about care", "messages sur les soins")),
    ("Consent", Said("decisions about who may see the data", "décisions sur qui peut voir les données")),
    ("AuditEvent", Said("the record of who saw what", "le journal de qui a vu quoi")),
    ("Provenance", Said("where data comes from", "origine des données")),
    ("RelatedPerson Person Group", Said("persons close to the patient, and groups", "proches du patient, et groupes")),
    ("Practitioner PractitionerRole", Said("professionals: name, role, how to reach them", "professionnels : nom, rôle, coordonnées")),
    (
        "Organization OrganizationAffiliation Location HealthcareService Endpoint",
        Said("establishments and services", "établissements et services"),
    ),
    ("List", Said("lists that were drawn up", "listes établies")),
    (
        (
            "Coverage CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest EnrollmentResponse InsurancePlan "
            "Contract VerificationResult"
        ),
        Said("insurance", "assurance"),
    ),
    (
        "Account ChargeItem ChargeItemDefinition Claim ClaimResponse ExplanationOfBenefit Invoice PaymentNotice PaymentReconciliation",
        Said("bills and payments", "factures et paiements"),
    ),
    ("SupplyDelivery SupplyRequest", Said("supplies", "fournitures")),
    ("Subscription", Said("notifications of new data", "avertissements de nouvelles données")),
    (
        (
            "ResearchStudy ResearchSubject ResearchDefinition ResearchElementDefinition Evidence EvidenceVariable EffectEvidenceSynthesis "
            "RiskEvidenceSynthesis"
        ),
        Said("research", "recherche"),
    ),
    (
        "Measure MeasureReport GuidanceResponse",
        Said("indicators of quality, and advice that was computed", "indicateurs, et avis calculés"),
    ),
    (
        (
            "MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication "
            "MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
            "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect SubstanceNucleicAcid SubstancePolymer SubstanceProtein "
            "SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification"
        ),
        Said("catalogues of products (nobody’s data)", "catalogues de produits (aucune donnée de personne)"),
    ),
    (
        (
            "ActivityDefinition CapabilityStatement CatalogEntry CodeSystem CompartmentDefinition ConceptMap EventDefinition "
            "ExampleScenario GraphDefinition ImplementationGuide Library MessageDefinition NamingSystem ObservationDefinition "
            "OperationDefinition PlanDefinition SearchParameter SpecimenDefinition StructureDefinition StructureMap "
            "TerminologyCapabilities TestReport TestScript ValueSet"
        ),
        Said("definitions and vocabularies (nobody’s data)", "définitions et vocabulaires (aucune donnée de personne)"),
    ),
    (
        "Basic Bundle Linkage MessageHeader OperationOutcome Parameters",
        Said("other records", "autres enregistrements"),
    ),
)


class Kind(NamedTuple):
    """What a type is to people; `shared`: other types go by the same words."""

    words: Said
    shared: bool


KINDS: Final[Mapping[str, Kind]] = {type: Kind(words, " " in types) for types, words in TYPES for type in types.split()}

OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
SERVICE_SECTION: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
CORE: Final = "http://hl7.org/fhir/us/core/CodeSystem"

CATEGORIES: Final[Mapping[tuple[str, str, str], Said]] = {
    ("Observation", OBSERVATION_CATEGORY, "vital-signs"): Said(
        "vital signs: pulse, blood pressure, temperature, weight", "signes vitaux : pouls, tension, température, poids"
    ),
    ("Observation", OBSERVATION_CATEGORY, "activity"): Said("activity: steps, effort, sleep", "activité : pas, effort, sommeil"),
    ("Observation", OBSERVATION_CATEGORY, "laboratory"): Said(
        "laboratory results: glucose and others", "résultats de laboratoire : glycémie et autres"
    ),
    ("Observation", OBSERVATION_CATEGORY, "exam"): Said("findings of examinations", "résultats d’examens cliniques"),
    ("Observation", OBSERVATION_CATEGORY, "imaging"): Said("findings of imaging", "résultats d’imagerie"),
    ("Observation", OBSERVATION_CATEGORY, "procedure"): Said(
        "measurements during treatments, implants among them", "mesures faites lors de soins, implants compris"
    ),
    ("Observation", OBSERVATION_CATEGORY, "social-history"): Said(
        "way of life: tobacco, alcohol, work", "mode de vie : tabac, alcool, travail"
    ),
    ("Observation", OBSERVATION_CATEGORY, "survey"): Said("answers to questionnaires and scores", "réponses aux questionnaires et scores"),
    ("Observation", OBSERVATION_CATEGORY, "therapy"): Said("measurements during therapies", "mesures pendant les traitements"),
    ("Condition", CONDITION_CATEGORY, "problem-list-item"): Said("problems that last", "problèmes de santé durables"),
    ("Condition", CONDITION_CATEGORY, "encounter-diagnosis"): Said("diagnoses of visits", "diagnostics de consultations"),
    ("Condition", f"{CORE}/condition-category", "health-concern"): Said("health concerns", "préoccupations de santé"),
    ("DocumentReference", f"{CORE}/us-core-documentreference-category", "clinical-note"): Said(
        "notes of professionals", "notes de professionnels"
    ),
    ("DiagnosticReport", SERVICE_SECTION, "LAB"): Said("laboratory reports", "comptes rendus de laboratoire"),
    ("DiagnosticReport", SERVICE_SECTION, "RAD"): Said("radiology reports", "comptes rendus de radiologie"),
    ("DiagnosticReport", SERVICE_SECTION, "CUS"): Said("reports of cardiac ultrasound", "comptes rendus d’échographie cardiaque"),
}
"""By type, code system and code, for `category=system|code`, or `category=code`."""

PARAMETERS: Final[Mapping[str, Said]] = {
    "category": Said("the category", "la catégorie"),
    "code": Said("the kind", "la nature"),
    "status": Said("the state", "l’état"),
    "date": Said("the date", "la date"),
    "_id": Said("the record", "l’enregistrement"),
    "_security": Said("the confidentiality", "la confidentialité"),
    "_tag": Said("the tag", "l’étiquette"),
    "_profile": Said("the profile", "le profil"),
    "_lastUpdated": Said("the last change", "la dernière modification"),
    "_source": Said("the source", "la source"),
    "patient": Said("the patient", "le patient"),
    "device": Said("the device", "l’objet"),
    "type": Said("the type", "le type"),
}
"""Of a query; one that is not here is shown by its own name."""

Context = Literal["openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"]
CONTEXTS: Final[Mapping[str, Said]] = {
    "openid": Said(
        "know that it is you who signed in, by a number that tells nothing else",
        "savoir que c’est vous qui êtes connecté, par un numéro qui ne dit rien d’autre",
    ),
    "fhirUser": Said("know which record here is yours", "savoir quelle fiche est la vôtre ici"),
    "profile": Said("know your name", "connaître votre nom"),
    "launch": Said("know what was open when it was started", "savoir ce qui était ouvert à son lancement"),
    "launch/patient": Said("know which patient it is about", "savoir de quel patient il s’agit"),
    "launch/encounter": Said("know which visit it is about", "savoir de quelle consultation il s’agit"),
    "online_access": Said("go on while you are signed in", "continuer tant que vous êtes connecté"),
    "offline_access": Said("go on when you are not here", "continuer quand vous n’êtes pas là"),
}

WHOSE: Final[Mapping[Level, Mapping[Role, Said]]] = {
    "patient": {
        "patient": Said("About you", "À votre sujet"),
        "practitioner": Said("About this patient", "Au sujet de ce patient"),
        "compliance": Said("About one patient", "Au sujet d’un patient"),
        "administrator": Said("About one patient", "Au sujet d’un patient"),
        "vendor": Said("About one patient", "Au sujet d’un patient"),
    },
    "user": {
        "patient": Said("In your name, whatever you may see yourself", "En votre nom, tout ce que vous pouvez voir vous-même"),
        "practitioner": Said(
            "In your name, about every patient whose data you may see",
            "En votre nom, sur tous les patients dont vous pouvez voir les données",
        ),
        "compliance": Said("In your name, what your role may see", "En votre nom, ce que votre rôle permet de voir"),
        "administrator": Said("In your name, what your role may see", "En votre nom, ce que votre rôle permet de voir"),
        "vendor": Said("In your name, what your role may see", "En votre nom, ce que votre rôle permet de voir"),
    },
    "system": {
        role: Said("By itself, without anybody", "Par elle-même, sans personne")
        for role in ("patient", "practitioner", "compliance", "administrator", "vendor")
    },
}
"""By level and by the role of who is asked. `system` is given by nobody, and named all the same."""
