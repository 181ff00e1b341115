"""SMART scopes: the v2 grammar whole, v1 mapped onto it, and what of a request lies inside a registration.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

A set of scopes is kept in one canonical form (what a wider scope already gives is left out, order is fixed), so that
two sets that allow the same are equal, and `Scopes.parse(scopes.text()) == scopes`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal, get_args
from urllib.parse import quote, unquote

Level = Literal["patient", "user", "system"]
Query = tuple[tuple[str, str], ...]
"""Search parameters that all hold, as (name, value), sorted, percent-decoded."""

LETTERS = "cruds"
"""create, read (vread, instance history), update (patch), delete, search (type and system history); in this order."""
V1_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}

SCOPES_MAX = 100
SCOPES_WITH_QUERY_MAX = 16
SCOPE_TEXT_MAX_CHARS = 4_096
"""A granted scope travels in each access token, hence in a request header, which proxies cut at 8 KiB."""

AUDIT_LETTERS = frozenset("rs")
"""The log is written by the hub alone; it is given by name only, never by a wildcard (law 1 of the design)."""

SELECTING_COMMON_PARAMETERS = frozenset({"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"})
"""Of the parameters with an underscore, those that select by the resource's own content; the rest shape the answer."""

READING = frozenset("rs")
CONFORMANCE = frozenset(
    """
    CapabilityStatement CodeSystem CompartmentDefinition ConceptMap ExampleScenario GraphDefinition ImplementationGuide MessageDefinition
    NamingSystem OperationDefinition SearchParameter StructureDefinition StructureMap TerminologyCapabilities TestScript ValueSet
    """.split()  # noqa: SIM905
)
"""What says how others have to read the data: written only with a scope that names the type."""

CONTEXT_SCOPES = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"}
)
"""They speak about a person's session, which SMART Backend Services does not have."""

R4_TYPES = frozenset(
    """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary
    BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim
    ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition
    Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
    DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint
    EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
    FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization ImmunizationEvaluation
    ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media
    Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
    MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder Observation
    ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice
    PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse
    RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
    RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap
    Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
    SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
    VisionPrescription
    """.split()  # noqa: SIM905 (146 quoted names would be a page)
)
"""https://hl7.org/fhir/R4/valueset-resource-types.html; the abstract Resource and DomainResource cannot be granted."""

_LEVELS = frozenset(get_args(Level))
_SHAPE = re.compile(r"(?P<level>[a-z]+)/(?P<type>\*|[A-Za-z]+)\.(?P<access>\*|[a-z]+)(?:\?(?P<query>.*))?")
_V2_LETTERS = re.compile(r"c?r?u?d?s?")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_PARAMETER_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class ScopeSyntax(ValueError):
    """A scope that cannot be granted. `error` is RFC 6749's word; the text repeats nothing that the caller sent."""

    error = "invalid_scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource scope.

    level          whose data: of one patient, of one user, of the system's own policy
    resource_type  an R4 type name, or "*" for every type but AuditEvent
    letters        subset of "cruds"
    query          search parameters that all must hold; empty does not restrict
    """

    level: Level
    resource_type: str
    letters: frozenset[str]
    query: Query = ()

    def text(self) -> str:
        letters = "".join(letter for letter in LETTERS if letter in self.letters)
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe=_SAFE)}" for name, value in self.query)
        return f"{self.level}/{self.resource_type}.{letters}" + (f"?{query}" if query else "")


_SAFE = "|:/,.$-_~"


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a token or a registration allows: the union of its scopes. No scope, no access."""

    items: tuple[Scope, ...] = ()

    @staticmethod
    def parse(text: str) -> "Scopes":
        """The canonical set for a scope parameter (RFC 6749 section 3.3). Raises ScopeSyntax."""
        return _parse(text)

    def text(self) -> str:
        """Canonical: the same set of permissions always gives the same text."""
        return " ".join(scope.text() for scope in self.items)

    def covering(self, resource_type: str, letter: str, *, level: Level = "system") -> tuple[Scope, ...]:
        """The scopes that allow this; any one of them suffices, each under its own query. Empty means no.

        Scopes of level patient or user speak only when asked for by name: who asks must then narrow to that person.
        """
        return tuple(scope for scope in self.items if scope.level == level and letter in _given(scope, resource_type))

    def within(self, granted: "Scopes") -> "Scopes":
        """What of this request lies inside the registration; may be empty. See `narrow`."""
        met = (_meet(mine, theirs) for mine, theirs in product(self.items, granted.items))
        return Scopes(_canonical(scope for scope in met if scope is not None))


def narrow(requested: Scopes, granted: Scopes) -> Scopes:
    """The part of the request that the registration allows (RFC 6749 section 3.3 lets the server narrow).

    A request without a query for what is registered with one comes back with that query.
    Raises ScopeSyntax when nothing is left, or more than a token carries.
    """
    left = requested.within(granted)
    if not left.items:
        raise ScopeSyntax("none of the requested scopes is registered for this client")
    return _limited(left)


@lru_cache(maxsize=1_024)
def _parse(text: str) -> Scopes:
    if len(text) > SCOPE_TEXT_MAX_CHARS:
        raise ScopeSyntax(f"the scope parameter is longer than {SCOPE_TEXT_MAX_CHARS} characters")
    tokens = text.split(" ")
    if len(tokens) > SCOPES_MAX:
        raise ScopeSyntax(f"more than {SCOPES_MAX} scopes")
    return _limited(Scopes(_canonical(_scope(token) for token in tokens)))


def _limited(scopes: Scopes) -> Scopes:
    """What leaves this module can be parsed again from its own text."""
    if sum(bool(scope.query) for scope in scopes.items) > SCOPES_WITH_QUERY_MAX:
        raise ScopeSyntax(f"more than {SCOPES_WITH_QUERY_MAX} scopes with a query")
    if len(scopes.items) > SCOPES_MAX or len(scopes.text()) > SCOPE_TEXT_MAX_CHARS:
        raise ScopeSyntax(f"more than {SCOPES_MAX} scopes or {SCOPE_TEXT_MAX_CHARS} characters")
    return scopes


def _scope(token: str) -> Scope:
    if not _SCOPE_TOKEN.fullmatch(token):
        raise ScopeSyntax("scopes are separated by one space and use the characters of RFC 6749 section 3.3")
    if token in CONTEXT_SCOPES:
        raise ScopeSyntax(f"{token} speaks about a person's session; a backend service asks for system scopes only")
    shape = _SHAPE.fullmatch(token)
    if shape is None or shape["level"] not in _LEVELS:
        raise ScopeSyntax("a resource scope reads (patient|user|system)/(Type|*).cruds, see SMART App Launch 2.2")
    resource_type = _resource_type(shape["type"])
    letters = _letters(shape["access"], with_query=shape["query"] is not None)
    return Scope(shape["level"], resource_type, _grantable(resource_type, letters), _query(shape["query"]))  # type: ignore[arg-type]


def _resource_type(name: str) -> str:
    if name != "*" and name not in R4_TYPES:
        raise ScopeSyntax("a scope names a type that FHIR R4 does not have")
    return name


def _letters(access: str, *, with_query: bool) -> frozenset[str]:
    """v1 words first: `read` taken letter by letter would be a malformed v2 permission."""
    if access in V1_LETTERS:
        if with_query:
            raise ScopeSyntax("a query belongs to a version 2 scope (.rs rather than .read)")
        return frozenset(V1_LETTERS[access])
    if not _V2_LETTERS.fullmatch(access):
        raise ScopeSyntax("permissions are letters of cruds in this order, or read, write, *")
    return frozenset(access)


def _grantable(resource_type: str, letters: frozenset[str]) -> frozenset[str]:
    if resource_type != "AuditEvent":
        return letters
    if letters.isdisjoint(AUDIT_LETTERS):
        raise ScopeSyntax("AuditEvent can be read and searched only")
    return letters & AUDIT_LETTERS


def _query(text: str | None) -> Query:
    if text is None:
        return ()
    return tuple(sorted({_pair(part) for part in text.split("&")}))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (_decoded(part) for part in text.partition("="))
    if not equals or not value:
        raise ScopeSyntax("a scope query reads parameter=value&parameter=value")
    if not _PARAMETER_NAME.fullmatch(name) or (name.startswith("_") and name not in SELECTING_COMMON_PARAMETERS):
        raise ScopeSyntax("a scope query takes plain search parameters: no modifier, chain, _has, _filter or result parameter")
    if not value.isprintable():
        raise ScopeSyntax("a scope query holds a character that cannot be printed")
    return name, value


def _decoded(text: str) -> str:
    """Percent-decoding of RFC 3986; a plus sign stays a plus sign."""
    if _BAD_ESCAPE.search(text):
        raise ScopeSyntax("a scope query holds a broken percent escape")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ScopeSyntax("a scope query is not UTF-8 after percent-decoding") from None


def _given(scope: Scope, resource_type: str) -> frozenset[str]:
    """The letters that a scope gives for a type. A wildcard gives nothing of the log, and of conformance resources to read alone."""
    if scope.resource_type == resource_type:
        return scope.letters
    if scope.resource_type != "*" or resource_type == "AuditEvent":
        return frozenset()
    return scope.letters & READING if resource_type in CONFORMANCE else scope.letters


def _meet(a: Scope, b: Scope) -> Scope | None:
    """What both allow. Parameters of one query all hold, so the meeting of two queries is all their parameters."""
    if a.level != b.level:
        return None
    for resource_type in (b.resource_type, a.resource_type):
        letters = _given(a, resource_type) & _given(b, resource_type)
        if letters:
            return Scope(a.level, resource_type, letters, tuple(sorted({*a.query, *b.query})))
    return None


def _canonical(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Merge what differs in letters only, then leave out each letter that a wider scope gives already."""
    merged: dict[tuple[Level, str, Query], frozenset[str]] = {}
    for scope in scopes:
        key = (scope.level, scope.resource_type, scope.query)
        merged[key] = merged.get(key, frozenset()) | scope.letters
    union = [Scope(level, resource_type, letters, query) for (level, resource_type, query), letters in merged.items()]
    kept = (Scope(s.level, s.resource_type, s.letters - _given_by_wider(s, union), s.query) for s in union)
    return tuple(sorted((scope for scope in kept if scope.letters), key=lambda s: (s.level, s.resource_type, s.query)))


def _given_by_wider(scope: Scope, union: list[Scope]) -> frozenset[str]:
    query = set(scope.query)
    wider = (
        _given(other, scope.resource_type)
        for other in union
        if other is not scope and other.level == scope.level and query.issuperset(other.query)
    )
    return frozenset().union(*wider)
