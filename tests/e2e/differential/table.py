"""What R4 says of the search parameters that the generated resources are searched by, written down by hand.

https://hl7.org/fhir/R4/searchparameter-registry.html. Each line: code, search type, what stands there, where it stands
(several places parted by commas), then the types that a reference may lead to, or the code system that an element of
type code has by definition. Nothing of this comes from the hub's own rows.
"""

from dataclasses import dataclass

FHIR = "http://hl7.org/fhir"
ANYWHERE = """
_id                 token      id         id
_lastUpdated        date       instant    meta.lastUpdated
_tag                token      concept    meta.tag
_security           token      concept    meta.security
_profile            uri        canonical  meta.profile
_source             uri        uri        meta.source
"""
PERSON = """
active              token      boolean    active
address             string     Address    address
address-city        string     string     address.city
address-country     string     string     address.country
address-postalcode  string     string     address.postalCode
address-use         token      code       address.use                          {fhir}/address-use
email               token      email      telecom
family              string     string     name.family
gender              token      code       gender                               {fhir}/administrative-gender
given               string     string     name.given
identifier          token      Identifier identifier
name                string     HumanName  name
phone               token      phone      telecom
telecom             token      telecom    telecom
"""
PLACE = """
address             string     Address    address
address-city        string     string     address.city
address-use         token      code       address.use                          {fhir}/address-use
identifier          token      Identifier identifier
name                string     string     name,alias
type                token      concept    type
"""
ABOUT_SOMEBODY = """
identifier          token      Identifier identifier
patient             reference  Reference  subject                              Patient
"""

TEXTS = {
    "Patient": PERSON
    + """
birthdate           date       date       birthDate
death-date          date       date       deceasedDateTime
deceased            token      deceased   deceasedBoolean,deceasedDateTime
general-practitioner reference Reference  generalPractitioner                  Organization Practitioner PractitionerRole
language            token      concept    communication.language
link                reference  Reference  link.other                           Patient RelatedPerson
organization        reference  Reference  managingOrganization                 Organization
""",
    "Practitioner": PERSON
    + """
communication       token      concept    communication
""",
    "Organization": PLACE
    + """
active              token      boolean    active
partof              reference  Reference  partOf                               Organization
""",
    "Location": PLACE
    + """
operational-status  token      concept    operationalStatus
organization        reference  Reference  managingOrganization                 Organization
partof              reference  Reference  partOf                               Location
status              token      code       status                               {fhir}/location-status
""",
    "Device": """
device-name         string     string     deviceName.name,type.coding.display,type.text
identifier          token      Identifier identifier
location            reference  Reference  location                             Location
manufacturer        string     string     manufacturer
model               string     string     modelNumber
organization        reference  Reference  owner                                Organization
patient             reference  Reference  patient                              Patient
status              token      code       status                               {fhir}/device-status
type                token      concept    type
url                 uri        uri        url
""",
    "Observation": ABOUT_SOMEBODY
    + """
based-on            reference  Reference  basedOn                              CarePlan DeviceRequest ServiceRequest
category            token      concept    category
code                token      concept    code
combo-code          token      concept    code,component.code
combo-value-concept token      concept    valueCodeableConcept,component.valueCodeableConcept
combo-value-quantity quantity  Quantity   valueQuantity,component.valueQuantity
component-code      token      concept    component.code
component-value-concept token  concept    component.valueCodeableConcept
component-value-quantity quantity Quantity component.valueQuantity
data-absent-reason  token      concept    dataAbsentReason
date                date       date       effectiveDateTime,effectivePeriod,effectiveTiming,effectiveInstant
derived-from        reference  Reference  derivedFrom                          Observation Media DocumentReference
device              reference  Reference  device                               Device DeviceMetric
encounter           reference  Reference  encounter                            Encounter
focus               reference  Reference  focus
has-member          reference  Reference  hasMember                            Observation QuestionnaireResponse MolecularSequence
method              token      concept    method
performer           reference  Reference  performer   CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson
status              token      code       status                               {fhir}/observation-status
subject             reference  Reference  subject                              Device Group Location Patient
value-concept       token      concept    valueCodeableConcept
value-date          date       date       valueDateTime,valuePeriod
value-quantity      quantity   Quantity   valueQuantity
value-string        string     string     valueString,valueCodeableConcept.text
""",
    "Condition": ABOUT_SOMEBODY
    + """
abatement-date      date       date       abatementDateTime,abatementPeriod
asserter            reference  Reference  asserter                             Patient Practitioner PractitionerRole RelatedPerson
body-site           token      concept    bodySite
category            token      concept    category
clinical-status     token      concept    clinicalStatus
code                token      concept    code
encounter           reference  Reference  encounter                            Encounter
evidence            token      concept    evidence.code
evidence-detail     reference  Reference  evidence.detail
onset-age           quantity   Quantity   onsetAge,onsetRange
onset-date          date       date       onsetDateTime,onsetPeriod
onset-info          string     string     onsetString
recorded-date       date       date       recordedDate
severity            token      concept    severity
subject             reference  Reference  subject                              Group Patient
verification-status token      concept    verificationStatus
""",
    "DiagnosticReport": ABOUT_SOMEBODY
    + """
based-on            reference  Reference  basedOn                              CarePlan ServiceRequest
category            token      concept    category
code                token      concept    code
conclusion          token      concept    conclusionCode
date                date       date       effectiveDateTime,effectivePeriod
encounter           reference  Reference  encounter                            Encounter
issued              date       date       issued
performer           reference  Reference  performer                            CareTeam Organization Practitioner PractitionerRole
result              reference  Reference  result                               Observation
results-interpreter reference  Reference  resultsInterpreter                   CareTeam Organization Practitioner PractitionerRole
status              token      code       status                               {fhir}/diagnostic-report-status
subject             reference  Reference  subject                              Device Group Location Patient
""",
    "Encounter": ABOUT_SOMEBODY
    + """
based-on            reference  Reference  basedOn                              ServiceRequest
class               token      concept    class
date                date       date       period
diagnosis           reference  Reference  diagnosis.condition                  Condition Procedure
length              quantity   Quantity   length
location            reference  Reference  location.location                    Location
location-period     date       date       location.period
part-of             reference  Reference  partOf                               Encounter
participant         reference  Reference  participant.individual               Practitioner PractitionerRole RelatedPerson
participant-type    token      concept    participant.type
practitioner        reference  Reference  participant.individual               Practitioner
reason-code         token      concept    reasonCode
reason-reference    reference  Reference  reasonReference                      Condition Observation Procedure
service-provider    reference  Reference  serviceProvider                      Organization
status              token      code       status                               {fhir}/encounter-status
subject             reference  Reference  subject                              Group Patient
type                token      concept    type
""",
    "MedicationStatement": ABOUT_SOMEBODY
    + """
category            token      concept    category
code                token      concept    medicationCodeableConcept
context             reference  Reference  context                              Encounter EpisodeOfCare
effective           date       date       effectiveDateTime,effectivePeriod
part-of             reference  Reference  partOf                               MedicationStatement Observation Procedure
source              reference  Reference  informationSource   Organization Patient Practitioner PractitionerRole RelatedPerson
status              token      code       status            {fhir}/CodeSystem/medication-statement-status
subject             reference  Reference  subject                              Group Patient
""",
    "ServiceRequest": ABOUT_SOMEBODY
    + """
authored            date       date       authoredOn
based-on            reference  Reference  basedOn                              CarePlan MedicationRequest ServiceRequest
body-site           token      concept    bodySite
category            token      concept    category
code                token      concept    code
encounter           reference  Reference  encounter                            Encounter
instantiates-canonical reference canonical instantiatesCanonical
instantiates-uri    uri        uri        instantiatesUri
intent              token      code       intent                               {fhir}/request-intent
occurrence          date       date       occurrenceDateTime,occurrencePeriod,occurrenceTiming
performer           reference  Reference  performer   Device Organization Patient Practitioner PractitionerRole RelatedPerson
priority            token      code       priority                             {fhir}/request-priority
replaces            reference  Reference  replaces                             ServiceRequest
requester           reference  Reference  requester   Device Organization Patient Practitioner PractitionerRole RelatedPerson
requisition         token      Identifier requisition
status              token      code       status                               {fhir}/request-status
subject             reference  Reference  subject                              Device Group Location Patient
""",
    "Provenance": """
agent               reference  Reference  agent.who   Device Organization Patient Practitioner PractitionerRole RelatedPerson
agent-role          token      concept    agent.role
agent-type          token      concept    agent.type
entity              reference  Reference  entity.what
location            reference  Reference  location                             Location
patient             reference  Reference  target                               Patient
recorded            date       date       recorded
target              reference  Reference  target
when                date       date       occurredDateTime
""",
    "Consent": """
action              token      concept    provision.action
actor               reference  Reference  provision.actor.reference   Device Organization Patient Practitioner RelatedPerson
category            token      concept    category
date                date       date       dateTime
identifier          token      Identifier identifier
organization        reference  Reference  organization                         Organization
patient             reference  Reference  patient                              Patient
period              date       date       provision.period
purpose             token      concept    provision.purpose
scope               token      concept    scope
status              token      code       status                               {fhir}/consent-state-codes
""",
    "RiskAssessment": ABOUT_SOMEBODY
    + """
condition           reference  Reference  condition                            Condition
date                date       date       occurrenceDateTime
encounter           reference  Reference  encounter                            Encounter
method              token      concept    method
performer           reference  Reference  performer                            Device Practitioner PractitionerRole
probability         number     number     prediction.probabilityDecimal,prediction.probabilityRange
risk                token      concept    prediction.qualitativeRisk
subject             reference  Reference  subject                              Group Patient
""",
    "Group": """
actual              token      boolean    actual
characteristic      token      concept    characteristic.code
code                token      concept    code
exclude             token      boolean    characteristic.exclude
identifier          token      Identifier identifier
managing-entity     reference  Reference  managingEntity                       Organization Practitioner PractitionerRole RelatedPerson
member              reference  Reference  member.entity                        Device Group Patient Practitioner PractitionerRole
type                token      code       type                                 {fhir}/group-type
value               token      mixed      characteristic.valueCodeableConcept,characteristic.valueBoolean
""",
}
COMPOSITES = {
    "Observation": """
code-value-concept            .            code=token:concept:code value-concept=token:concept:valueCodeableConcept
code-value-date               .            code=token:concept:code value-date=date:date:valueDateTime,valuePeriod
code-value-quantity           .            code=token:concept:code value-quantity=quantity:Quantity:valueQuantity
code-value-string             .            code=token:concept:code value-string=string:string:valueString
combo-code-value-concept      .,component  combo-code=token:concept:code combo-value-concept=token:concept:valueCodeableConcept
combo-code-value-quantity     .,component  combo-code=token:concept:code combo-value-quantity=quantity:Quantity:valueQuantity
component-code-value-concept  component    component-code=token:concept:code component-value-concept=token:concept:valueCodeableConcept
component-code-value-quantity component    component-code=token:concept:code component-value-quantity=quantity:Quantity:valueQuantity
""",
    "Group": """
characteristic-value          characteristic characteristic=token:concept:code value=token:mixed:valueCodeableConcept,valueBoolean
""",
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """One parameter. `targets`: () is any type. `parts`: of a composite, whose own `paths` are what it repeats over."""

    code: str
    type: str
    kind: str
    paths: tuple[tuple[str, ...], ...]
    targets: tuple[str, ...] = ()
    system: str | None = None
    parts: tuple["Known", ...] = ()


def _paths(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(() if path == "." else tuple(path.split(".")) for path in text.split(","))


def _known(line: str) -> Known:
    code, type, kind, paths, *rest = line.replace("{fhir}", FHIR).split()
    system = rest[0] if kind == "code" else None
    return Known(code=code, type=type, kind=kind, paths=_paths(paths), targets=() if system else tuple(rest), system=system)


def _composite(line: str) -> Known:
    code, roots, *parts = line.split()
    return Known(code=code, type="composite", kind="composite", paths=_paths(roots), parts=tuple(map(_part, parts)))


def _part(text: str) -> Known:
    code, _, rest = text.partition("=")
    type, kind, paths = rest.split(":")
    return Known(code=code, type=type, kind=kind, paths=_paths(paths))


TABLE: dict[str, dict[str, Known]] = {
    type: {one.code: one for one in map(_known, (ANYWHERE + text).strip().replace("\n\n", "\n").splitlines())}
    | {one.code: one for one in map(_composite, COMPOSITES.get(type, "").strip().splitlines())}
    for type, text in TEXTS.items()
}

COMPARTMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "Patient": {
        "Observation": ("subject", "performer"),
        "Condition": ("patient", "asserter"),
        "DiagnosticReport": ("subject",),
        "Encounter": ("patient",),
        "MedicationStatement": ("subject",),
        "ServiceRequest": ("subject", "performer"),
        "RiskAssessment": ("subject",),
        "Provenance": ("patient",),
        "Consent": ("patient",),
        "Group": ("member",),
    },
    "Practitioner": {
        "Patient": ("general-practitioner",),
        "Observation": ("performer",),
        "Condition": ("asserter",),
        "DiagnosticReport": ("performer",),
        "Encounter": ("practitioner", "participant"),
        "MedicationStatement": ("source",),
        "ServiceRequest": ("performer", "requester"),
        "RiskAssessment": ("performer",),
        "Provenance": ("agent",),
        "Group": ("member",),
    },
    "Device": {
        "Observation": ("subject", "device"),
        "ServiceRequest": ("performer", "requester"),
        "RiskAssessment": ("performer",),
        "Provenance": ("agent",),
        "Group": ("member",),
    },
    "Encounter": {
        "Observation": ("encounter",),
        "Condition": ("encounter",),
        "DiagnosticReport": ("encounter",),
        "ServiceRequest": ("encounter",),
    },
}
"""https://hl7.org/fhir/R4/compartmentdefinition.html: by which parameters a type lies in a compartment."""
