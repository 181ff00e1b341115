"""The suite's apps and people at a hub of ours: what an operator does by commands, done behind the scenes.

`python -m tests.spec.smart.blackbox.own DATA_DIR BASE_URL target.json` does it at a hub that was started by hand.
"""

import json
import secrets
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from security.oauth.clients import Authentication
from tests.spec.smart.blackbox.target import Registration, Somebody, Target
from tests.support.apps import register_app
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
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


def own_target(backstage: Backstage, base_url: str, ehr: Caller, data: Data) -> Target:
    organization = ehr.account.organization
    treating, mark = ehr.create(practitioner())["id"], secrets.token_hex(4)
    return Target(
        fhir=f"{base_url}/fhir",
        apps={
            "public": _app(backstage, organization),
            "symmetric": _app(backstage, organization, "client_secret_basic"),
            "asymmetric": _app(backstage, organization, "private_key_jwt"),
            "other": _app(backstage, organization, context=CONTEXT.replace("offline", "online")),
            "backend": _backend(backstage, f"blackbox-backend-{mark}", "system/*.cruds", organization),
            "limited": _backend(backstage, f"blackbox-limited-{mark}", LIMITED, organization),
            "introspector": _backend(backstage, f"blackbox-introspector-{mark}", "system/*.rs", organization, introspector=True),
        },
        people={
            "patient": _somebody(backstage, "patient", f"Patient/{data.patient}", "", data),
            "practitioner": _somebody(backstage, "practitioner", f"Practitioner/{treating}", organization, data),
        },
    )


LIMITED = f"system/Observation.rs?category={OBSERVATION_CATEGORY}|vital-signs"


def _app(backstage: Backstage, organization: str, authentication: Authentication = "none", *, context: str = CONTEXT) -> Registration:
    scope = f"{context} {DATA}"
    made = register_app(
        backstage,
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


def _backend(backstage: Backstage, name: str, scope: str, organization: str, *, introspector: bool = False) -> Registration:
    account = new_client(name, scope, organization=organization, consent_default="opt-out")
    account = backstage.register(replace(account, client=replace(account.client, introspector=introspector)))
    return Registration(client_id=account.id, key=account.key, scope=scope)


def _somebody(backstage: Backstage, role: Any, fhir_user: str, organization: str, data: Data) -> Somebody:
    someone = add_person(backstage, role, fhir_user=fhir_user, organization=organization)
    return Somebody(
        login=someone.login,
        password=someone.password,
        totp=someone.totp,
        patient=data.patient,
        patient_name=FAMILY,
        encounter=data.encounter,
        fhir_user=fhir_user,
    )


def write_target(target: Target, path: Path) -> None:
    """As `read_target` reads it: keys lie in files beside it. Readable by its owner alone, for it opens everything that it names."""
    apps = {name: asdict(one) for name, one in target.apps.items()}
    for name, one in target.apps.items():
        if one.key is not None:
            apps[name]["key"] = f"{path.stem}-{name}.pem"
            _write(path.parent / apps[name]["key"], one.key)
    people = {name: asdict(one) for name, one in target.people.items()}
    _write(path, json.dumps({"fhir": target.fhir, "apps": apps, "people": people}, indent=2).encode())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def main(data_dir: str, base_url: str, path: str) -> None:
    base = base_url.rstrip("/")
    with Backstage(Path(data_dir), base) as backstage, http_client(base) as http:
        scope, name = "system/*.cruds", f"blackbox-ehr-{secrets.token_hex(4)}"
        ehr = Caller(http, backstage.register(new_client(name, scope, consent_default="opt-out", recorder=True)), scope)
        write_target(own_target(backstage, base, ehr, given_data(ehr)), Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
