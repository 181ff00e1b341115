"""The suite's apps and people at the tests' own hub: what an operator does by commands, done behind the scenes."""

from dataclasses import dataclass, replace
from typing import Any

from security.oauth.clients import Authentication
from tests.spec.smart.blackbox.target import Registration, Somebody, Target
from tests.support.apps import register_app
from tests.support.backstage import new_client
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.process import PAGES
from tests.support.resources import OBSERVATION_CATEGORY, concept, observation, patient, practitioner
from tests.support.signing_in import add_person

CALLBACK = f"{PAGES}/callback"
LAUNCH = f"{PAGES}/launch"
CONTEXT = "launch launch/patient launch/encounter openid fhirUser offline_access"
DATA = "patient/*.cruds user/*.cruds"
FAMILY = "Boîtenoire"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What the patient of the suite has, by (type, category) -> id, and one resource of somebody else."""

    patient: str
    other: str
    encounter: str


def condition(patient_id: str, category: str, code: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "verificationStatus": concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
        "category": [concept(CONDITION_CATEGORY, category)],
        "code": {**concept("http://snomed.info/sct", code), "text": "Invented"},
        "subject": {"reference": f"Patient/{patient_id}"},
    }


def encounter(patient_id: str) -> dict[str, Any]:
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    subject = {"reference": f"Patient/{patient_id}"}
    return {"resourceType": "Encounter", "status": "in-progress", "class": ambulatory, "subject": subject}


def given_data(ehr: Caller) -> Data:
    """Somebody with readings and conditions of two categories each, and somebody else."""
    here, other = ehr.create(patient(FAMILY))["id"], ehr.create(patient("Noire"))["id"]
    for one in (here, other):
        ehr.create(observation(one))
        ehr.create(observation(one, "2339-0", 5, category="laboratory", unit="mmol/L"))
        ehr.create(condition(one, "problem-list-item", "38341003"))
        ehr.create(condition(one, "encounter-diagnosis", "195662009"))
    return Data(patient=here, other=other, encounter=ehr.create(encounter(here))["id"])


def own_target(running: Running, ehr: Caller, data: Data) -> Target:
    organization = ehr.account.organization
    treating = ehr.create(practitioner())["id"]
    return Target(
        fhir=f"{running.process.url}/fhir",
        apps={
            "public": _app(running, organization),
            "symmetric": _app(running, organization, "client_secret_basic"),
            "asymmetric": _app(running, organization, "private_key_jwt"),
            "other": _app(running, organization, context=CONTEXT.replace("offline", "online")),
            "backend": _backend(running, "blackbox-backend", "system/*.cruds", organization),
            "limited": _backend(running, "blackbox-limited", LIMITED, organization),
            "introspector": _backend(running, "blackbox-introspector", "system/*.rs", organization, introspector=True),
        },
        people={
            "patient": _somebody(running, "patient", f"Patient/{data.patient}", "", data),
            "practitioner": _somebody(running, "practitioner", f"Practitioner/{treating}", organization, data),
        },
    )


LIMITED = f"system/Observation.rs?category={OBSERVATION_CATEGORY}|vital-signs"


def _app(running: Running, organization: str, authentication: Authentication = "none", *, context: str = CONTEXT) -> Registration:
    scope = f"{context} {DATA}"
    made = register_app(
        running.backstage,
        scope,
        (CALLBACK,),
        authentication=authentication,
        organization=organization,
        launch_url=LAUNCH,
        origins=(PAGES,),
    )
    return Registration(
        client_id=made.id,
        redirect_uri=CALLBACK,
        secret=made.secret,
        key=made.key,
        origin=PAGES,
        launch_url=LAUNCH,
        scope=scope,
    )


def _backend(running: Running, name: str, scope: str, organization: str, *, introspector: bool = False) -> Registration:
    account = new_client(name, scope, organization=organization, consent_default="opt-out")
    account = running.backstage.register(replace(account, client=replace(account.client, introspector=introspector)))
    return Registration(client_id=account.id, key=account.key, scope=scope)


def _somebody(running: Running, role: Any, fhir_user: str, organization: str, data: Data) -> Somebody:
    someone = add_person(running.backstage, role, fhir_user=fhir_user, organization=organization)
    return Somebody(
        login=someone.login,
        password=someone.password,
        totp=someone.totp,
        patient=data.patient,
        patient_name=FAMILY,
        encounter=data.encounter,
        fhir_user=fhir_user,
    )
