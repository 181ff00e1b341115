"""Templates of the resources around an Observation: Patient, Consent, Device, and those that share one dictionary.

https://hl7.org/fhir/R4/resourcelist.html; French identifiers: OIDs of the INS and of RPPS (SECURITY 5.2).
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from security.dictionaries.samples import Template

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
MDC: Final = "urn:iso:std:iso:11073:10101"
FR_CORE: Final = "https://hl7.fr/ig/fhir/core/"
INS_NIR: Final = "urn:oid:1.2.250.1.213.1.4.8"
RPPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
META: Final = {"versionId": "§count", "lastUpdated": "§instant"}


def patients() -> Iterator[Template]:
    for gender, ins in product(("male", "female", "unknown"), (True, False)):
        yield _resource("Patient", **({} if not ins else {"identifier": [_ins()]}), **_person(gender))
        yield _resource("Patient", identifier=[_local_number()], active=True, **_person(gender), **_home())


def consents() -> Iterator[Template]:
    for status, kind, purpose in product(("active", "inactive"), ("permit", "deny"), ("TREAT", "HRESCH")):
        yield _consent(status, {"type": kind})
        yield _consent(status, {"type": kind, "period": {"start": "§date", "end": "§date"}, **_conditions(purpose)})
        yield _consent(status, {"type": kind, "provision": [{"type": "deny", **_conditions(purpose)}]})


def devices() -> Iterator[Template]:
    for (code, display, text), named in product(_SPECIALIZATIONS, (True, False)):
        yield _resource(
            "Device",
            identifier=[{"system": "urn:uuid:§uuid", "value": "§serial"}],
            status="active",
            manufacturer="§name",
            deviceName=[{"name": "§name", "type": "manufacturer-name"}],
            type={**_concept(MDC, "65573", "MDC_MOC_VMS_MDS_SIMP"), "text": "Personal health device"},
            **({"modelNumber": "§name", "serialNumber": "§serial"} if named else {}),
            specialization=[{"systemType": {**_concept(MDC, code, display), "text": text}}],
        )
        yield _phd(code, display)


def _phd(code: str, display: str) -> Template:
    """As HL7 PHD 1.1 has it: versions of software, certificates and the clock in `property`."""
    return _resource(
        "Device",
        identifier=[{"type": _concept(f"{TERMINOLOGY}v2-0203", "SYSID", "IEEE 11073 System Identifier"), "value": "§serial"}],
        manufacturer="§name",
        serialNumber="§serial",
        modelNumber="§name",
        type=_concept(MDC, "65573", "MDC_MOC_VMS_MDS_SIMP"),
        specialization=[{"systemType": _concept(MDC, code, display), "version": "§count"}],
        version=[{"type": _concept(MDC, "531976", "MDC_ID_PROD_SPEC_FW"), "value": "§release"}],
    )


def others() -> Iterator[Template]:
    """The shared dictionary also learns a little of each type that has its own: contained resources and Bundles need it."""
    yield from (_practitioner(), _organization(), _encounter(), _condition(), _report(), _document(), _provenance())
    yield from (_related_person(), _medication_administration(), _metric(), _service_request(), _group())
    yield from patients()


_SPECIALIZATIONS: Final = (
    ("528391", "MDC_DEV_SPEC_PROFILE_BP", "Blood pressure monitor"),
    ("528399", "MDC_DEV_SPEC_PROFILE_SCALE", "Weighing scale"),
    ("528404", "MDC_DEV_SPEC_PROFILE_BCA", "Body composition analyser"),
    ("528388", "MDC_DEV_SPEC_PROFILE_PULS_OXIM", "Pulse oximeter"),
    ("528409", "MDC_DEV_SPEC_PROFILE_CGM", "Continuous glucose monitor"),
    ("528401", "MDC_DEV_SPEC_PROFILE_GLUCOSE", "Glucose meter"),
    ("528392", "MDC_DEV_SPEC_PROFILE_TEMP", "Thermometer"),
    ("528425", "MDC_DEV_SPEC_PROFILE_HF_CARDIO", "Activity monitor"),
    ("528525", "MDC_DEV_SUB_SPEC_PROFILE_HR", "Heart rate monitor"),
)
_SUBJECT: Final = {"subject": {"reference": "Patient/§id"}}
_NAME: Final = [{"use": "official", "family": "§name", "given": ["§name", "§name"]}]


def _resource(resource_type: str, **elements: object) -> Template:
    return {"resourceType": resource_type, "id": "§id", "meta": META, **elements}


def _ins() -> Template:
    kind = _concept(f"{FR_CORE}CodeSystem/fr-core-cs-v2-0203", "INS-NIR", "NIR définitif")
    return {"use": "official", "type": kind, "system": INS_NIR, "value": "§digits"}


def _local_number() -> Template:
    return {
        "use": "usual",
        "type": _concept(f"{TERMINOLOGY}v2-0203", "PI", "Patient internal identifier"),
        "system": "urn:uuid:§uuid",
        "value": "§digits",
    }


def _person(gender: str) -> dict[str, object]:
    return {
        "name": _NAME,
        "telecom": [{"system": "phone", "value": "§phone", "use": "mobile"}, {"system": "email", "value": "§name@example.org"}],
        "gender": gender,
        "birthDate": "§born",
    }


def _home() -> dict[str, object]:
    address = {"use": "home", "line": ["§street"], "city": "§name", "postalCode": "§digits", "country": "FR"}
    return {"address": [address], "managingOrganization": {"reference": "Organization/§id"}}


def _consent(status: str, provision: Mapping[str, object]) -> Template:
    return _resource(
        "Consent",
        status=status,
        scope=_concept(f"{TERMINOLOGY}consentscope", "patient-privacy", "Privacy Consent"),
        category=[_concept(LOINC, "59284-0", "Patient Consent")],
        patient={"reference": "Patient/§id"},
        dateTime="§local",
        performer=[{"reference": "Patient/§id"}],
        organization=[{"reference": "Organization/§id"}],
        policyRule=_concept(f"{TERMINOLOGY}v3-ActCode", "OPTIN", "opt-in"),
        provision=provision,
    )


def _conditions(purpose: str) -> dict[str, object]:
    recipient = _concept(f"{TERMINOLOGY}v3-ParticipationType", "IRCP", "information recipient")
    return {
        "actor": [{"role": recipient, "reference": {"reference": "Organization/§id"}}],
        "action": [_concept(f"{TERMINOLOGY}consentaction", "access", "Access")],
        "purpose": [{"system": f"{TERMINOLOGY}v3-ActReason", "code": purpose}],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}],
        "code": [_concept(LOINC, "8867-4", "Heart rate")],
    }


def _practitioner() -> Template:
    identifier = {"type": _concept(f"{FR_CORE}CodeSystem/fr-core-cs-v2-0203", "RPPS", "N° RPPS"), "system": RPPS, "value": "§digits"}
    return _resource("Practitioner", identifier=[identifier], active=True, **_person("unknown"))


def _organization() -> Template:
    finess = {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "§digits"}
    kind = [_concept(f"{TERMINOLOGY}organization-type", "prov", "Healthcare Provider")]
    return _resource("Organization", identifier=[finess], active=True, type=kind, name="§name", **_home())


def _encounter() -> Template:
    kind = {"system": f"{TERMINOLOGY}v3-ActCode", "code": "AMB", "display": "ambulatory"}
    people = [{"individual": {"reference": "Practitioner/§id"}}]
    return _resource("Encounter", status="finished", **{"class": kind}, **_SUBJECT, participant=people, period=_PERIOD)


_PERIOD: Final = {"start": "§local", "end": "§local"}


def _condition() -> Template:
    return _resource(
        "Condition",
        clinicalStatus=_concept(f"{TERMINOLOGY}condition-clinical", "active", "Active"),
        verificationStatus=_concept(f"{TERMINOLOGY}condition-ver-status", "confirmed", "Confirmed"),
        category=[_concept(f"{TERMINOLOGY}condition-category", "problem-list-item", "Problem List Item")],
        code={**_concept(SNOMED, "§digits", "§words"), "text": "§words"},
        **_SUBJECT,
        onsetDateTime="§date",
        recordedDate="§date",
    )


def _report() -> Template:
    kind = [_concept(f"{TERMINOLOGY}v2-0074", "LAB", "Laboratory")]
    result = [{"reference": "Observation/§id"}, {"reference": "Observation/§id"}]
    return _resource(
        "DiagnosticReport",
        status="final",
        category=kind,
        code=_concept(LOINC, "§serial", "§words"),
        **_SUBJECT,
        issued="§instant",
        result=result,
    )


def _document() -> Template:
    attachment = {"contentType": "application/pdf", "url": "Binary/§id", "size": 0, "hash": "§query", "title": "§words"}
    kind = _concept(LOINC, "34133-9", "Summary of episode note")
    return _resource("DocumentReference", status="current", type=kind, **_SUBJECT, date="§instant", content=[{"attachment": attachment}])


def _provenance() -> Template:
    agent = {"type": _concept(f"{TERMINOLOGY}provenance-participant-type", "author", "Author"), "who": {"reference": "Organization/§id"}}
    return _resource("Provenance", target=[{"reference": "Observation/§id/_history/§count"}], recorded="§instant", agent=[agent])


def _related_person() -> Template:
    kin = [_concept(f"{TERMINOLOGY}v3-RoleCode", "CHILD", "child")]
    return _resource("RelatedPerson", active=True, patient={"reference": "Patient/§id"}, relationship=kin, **_person("unknown"))


def _medication_administration() -> Template:
    dose = {"value": "§number:1-40.1", "unit": "U", "system": "http://unitsofmeasure.org", "code": "[iU]"}
    drug = _concept("http://www.whocc.no/atc", "A10AB05", "insulin aspart")
    return _resource(
        "MedicationAdministration",
        status="completed",
        medicationCodeableConcept=drug,
        **_SUBJECT,
        effectiveDateTime="§local",
        dosage={"dose": dose},
    )


def _metric() -> Template:
    kind = _concept(MDC, "150456", "MDC_PULS_OXIM_SAT_O2")
    return _resource("DeviceMetric", type=kind, source={"reference": "Device/§id"}, category="measurement", operationalStatus="on")


def _service_request() -> Template:
    who = {"requester": {"reference": "Practitioner/§id"}, "authoredOn": "§local"}
    return _resource("ServiceRequest", status="active", intent="order", code=_concept(SNOMED, "§digits", "§words"), **_SUBJECT, **who)


def _group() -> Template:
    return _resource("Group", type="person", actual=True, name="§words", member=[{"entity": {"reference": "Patient/§id"}}] * 3)


def _concept(system: str, code: str, display: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
