"""Two patients of one hospital who are told apart by nothing but whose record it is, and what a person may ask of either."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.discovery import adapters
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import HEART_RATE, concept, observation, organization, patient, practitioner

GLUCOSE = "2339-0"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """Ids of a patient and of what there is about that patient."""

    patient: str
    pulse: str
    glucose: str
    problem: str
    diagnosis: str
    device: str
    provenance: str
    binary: str
    reported: str

    def names(self) -> Iterator[str]:
        yield f"Patient/{self.patient}"
        yield from (f"Observation/{id}" for id in (self.pulse, self.glucose, self.reported))
        yield from (f"Condition/{id}" for id in (self.problem, self.diagnosis))
        yield from (f"Device/{self.device}", f"Provenance/{self.provenance}", f"Binary/{self.binary}")


@dataclass(frozen=True, slots=True)
class Scene:
    """`shared`: ids of a Group of both patients, and of a List of one that tells of the other."""

    mine: Record
    theirs: Record
    shared: tuple[str, str]
    organization: str
    practitioner: str


def scene(ehr: Caller, backstage: Backstage) -> Scene:
    mine, theirs = (record(ehr, backstage) for _ in range(2))
    members = [{"entity": {"reference": f"Patient/{one.patient}"}} for one in (mine, theirs)]
    group = ehr.create({"resourceType": "Group", "type": "person", "actual": True, "member": members})
    told = {"entry": [{"item": {"reference": f"Patient/{theirs.patient}"}}], "subject": {"reference": f"Patient/{mine.patient}"}}
    listed = ehr.create({"resourceType": "List", "status": "current", "mode": "working", **told})
    place, who = ehr.create(organization())["id"], ehr.create(practitioner())["id"]
    return Scene(mine, theirs, (f"Group/{group['id']}", f"List/{listed['id']}"), place, who)


def record(ehr: Caller, backstage: Backstage) -> Record:
    id = ehr.create(patient("Pareille", identifier=[{"system": "urn:persons", "value": "1"}]))["id"]
    manifest = adapters()["withings"].manifest
    unit = backstage.pair(manifest.identifier_system, id, f"Patient/{id}", from_us=0).device.partition("/")[2]
    pulse = ehr.create(observation(id, device={"reference": f"Device/{unit}"}, identifier=[{"system": "urn:persons", "value": "2"}]))["id"]
    target = [{"reference": f"Observation/{pulse}"}]
    made = {"resourceType": "Provenance", "target": target, "recorded": "2026-03-01T10:00:00Z", "agent": [{"who": {"display": "ward"}}]}
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA==", "securityContext": {"reference": f"Patient/{id}"}}
    return Record(
        patient=id,
        pulse=pulse,
        glucose=ehr.create(observation(id, GLUCOSE, 5, category="laboratory", unit="mmol/L"))["id"],
        problem=ehr.create(condition(id, "problem-list-item"))["id"],
        diagnosis=ehr.create(condition(id, "encounter-diagnosis"))["id"],
        device=unit,
        provenance=ehr.create(made)["id"],
        binary=ehr.create(binary)["id"],
        reported=ehr.create(observation(None, "55423-8", 12, category="activity", subject={"reference": f"Device/{unit}"}))["id"],
    )


def condition(patient_id: str, category: str) -> Json:
    return {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{patient_id}"},
        "category": [concept(CONDITION_CATEGORY, category)],
        "code": concept("http://snomed.info/sct", "38341003"),
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
    }


def searches(of: Record) -> list[str]:
    """Ways to ask for somebody's record, by everything it could be found by."""
    id = of.patient
    return [
        f"Patient?_id={id}",
        "Patient?identifier=urn:persons|1",
        "Patient?family=Pareille",
        f"Patient?_has:Observation:patient:code={HEART_RATE}",
        "Patient?_has:Condition:patient:category=problem-list-item",
        "Patient?_has:Group:member:type=person",
        f"Observation?patient={id}",
        "Observation?identifier=urn:persons|2",
        f"Observation?code={HEART_RATE}",
        "Observation?patient.identifier=urn:persons|1",
        f"Observation?device=Device/{of.device}",
        f"Observation?device.patient=Patient/{id}",
        f"Observation?subject=Device/{of.device}",
        "Observation?_include=Observation:patient&_include=Observation:device&_include:iterate=*",
        f"Observation?_id={of.pulse}&_revinclude=Provenance:target",
        "Patient?_revinclude=Observation:patient&_revinclude=Condition:patient&_revinclude:iterate=Provenance:target",
        "Condition?category=problem-list-item",
        f"Condition?subject=Patient/{id}",
        "Device",
        f"Device?_id={of.device}",
        "Device?_revinclude=Observation:device",
        "Provenance",
        f"Provenance?target=Observation/{of.pulse}",
        "Provenance?target:Observation.code=8867-4",
        "Group?_include=Group:member",
        "List?_include=List:item",
        "Binary",
        "Organization",
        "Practitioner",
        "Location",
        f"Patient/{id}/Observation",
        f"Patient/{id}/*",
        "?_type=Patient,Observation,Device,Organization",
        f"Observation/$lastn?patient={id}",
        "Patient/_history",
        "Observation/_history",
        "Device/_history",
        "_history",
    ]
