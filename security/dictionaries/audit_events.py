"""Templates of AuditEvents in the shape of IHE BALP 1.1.4: an interaction, or what of it concerns one patient.

https://profiles.ihe.net/ITI/BALP/content.html, https://hl7.org/fhir/R4/auditevent.html. They follow what the log writes
without importing it: the rooms of security and of the log do not know each other (DESIGN 3).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from security.dictionaries.samples import Template

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
BALP: Final = "https://profiles.ihe.net/ITI/BALP/"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
OWN: Final = "http://hds-hub.invalid/fhir/"
TOKEN_USE: Final = f"{BALP}StructureDefinition/IHE.BasicAudit.OAUTHaccessTokenUse.Minimal"

Coding = Mapping[str, str]


def _coding(system: str, code: str, display: str) -> Coding:
    return {"system": system, "code": code, "display": display}


REST: Final = _coding(f"{TERMINOLOGY}audit-event-type", "rest", "RESTful Operation")
IMPORT: Final = _coding(DICOM, "110107", "Import")
RECEIVE: Final = _coding(f"{TERMINOLOGY}iso-21089-lifecycle", "receive", "Receive/Retain Record Lifecycle Event")
SOURCE: Final = _coding(DICOM, "110153", "Source Role ID")
DESTINATION: Final = _coding(DICOM, "110152", "Destination Role ID")
AUTHOR: Final = _coding(f"{TERMINOLOGY}v3-ParticipationType", "AUT", "author (originator)")
RECIPIENT: Final = _coding(f"{TERMINOLOGY}v3-ParticipationType", "IRCP", "information recipient")
TOKEN: Final = _coding(f"{BALP}CodeSystem/UserAgentTypes", "UserOauthAgent", "User OAuth Agent participant")
REQUEST: Final = _coding(f"{BALP}CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id")
SERVER: Final = _coding(f"{TERMINOLOGY}security-source-type", "4", "Application Server")
PERSON: Final = _coding(f"{TERMINOLOGY}audit-entity-type", "1", "Person")
SYSTEM_OBJECT: Final = _coding(f"{TERMINOLOGY}audit-entity-type", "2", "System Object")
PATIENT: Final = _coding(f"{TERMINOLOGY}object-role", "1", "Patient")
DOMAIN_RESOURCE: Final = _coding(f"{TERMINOLOGY}object-role", "4", "Domain Resource")
SECURITY_RESOURCE: Final = _coding(f"{TERMINOLOGY}object-role", "13", "Security Resource")
QUERY: Final = _coding(f"{TERMINOLOGY}object-role", "24", "Query")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of interaction: what its agents are, how many resources it names, its profile without "Patient"."""

    type: Coding
    subtype: tuple[Coding, ...]
    action: str
    agents: tuple[Coding, Coding, Coding]
    items: int
    profile: str | None


def _rest(code: str) -> tuple[Coding, ...]:
    return (_coding("http://hl7.org/fhir/restful-interaction", code, code),)


READ: Final = (DESTINATION, SOURCE, RECIPIENT)
WRITE: Final = (SOURCE, DESTINATION, AUTHOR)
ROWS: Final = (
    Row(REST, _rest("read"), "R", READ, 1, "Read"),
    Row(REST, _rest("vread"), "R", READ, 1, "Read"),
    Row(REST, _rest("create"), "C", WRITE, 1, "Create"),
    Row(REST, _rest("update"), "U", WRITE, 1, "Update"),
    Row(REST, _rest("search-type"), "E", (SOURCE, DESTINATION, RECIPIENT), 4, "Query"),
    Row(IMPORT, (RECEIVE, _coding(f"{OWN}CodeSystem/audit-event", "ingest", "ingest")), "C", WRITE, 4, None),
)
TYPES: Final = ("Observation", "Patient", "Device", "Consent")
POLICIES: Final = ("consent", "opt-out", "scope")


def templates() -> Iterator[Template]:
    """Every kind of interaction, allowed and refused, with the patient concerned and without."""
    for row, patient, resource_type, policy in product(ROWS, (True, False), TYPES, POLICIES):
        yield _event(row, resource_type, policy, patient=patient)
    for row, patient, code in product(ROWS, (True, False), ("not-found", "no-scope")):
        yield {**_event(row, "Observation", "refused", patient=patient), "outcome": "4", "outcomeDesc": code}


def _event(row: Row, resource_type: str, policy: str, *, patient: bool) -> dict[str, object]:
    return {
        "resourceType": "AuditEvent",
        "id": "§id",
        "meta": {"versionId": "1", "lastUpdated": "§microsecond", "profile": _profiles(row, patient=patient)},
        "type": row.type,
        "subtype": row.subtype,
        "action": row.action,
        "recorded": "§microsecond",
        "outcome": "0",
        "purposeOfEvent": [_purpose()],
        "agent": _agents(row, policy),
        "source": {"site": "hds-hub", "observer": {"display": "hds-hub"}, "type": [SERVER]},
        "entity": _entities(row, resource_type, policy, patient=patient),
    }


def _profiles(row: Row, *, patient: bool) -> list[str]:
    claimed = [] if row.profile is None else [f"{BALP}StructureDefinition/IHE.BasicAudit.{'Patient' if patient else ''}{row.profile}"]
    return [*claimed, TOKEN_USE]


def _purpose() -> Template:
    return {"coding": [{"system": f"{TERMINOLOGY}v3-ActReason", "code": "TREAT"}]}


def _agents(row: Row, policy: str) -> list[Template]:
    """The client, the hub, and the organisation that acts."""
    client, server, user = row.agents
    return [
        {
            "type": {"coding": [client]},
            "requestor": False,
            "network": {"address": "§release", "type": "2"},
            "who": {"identifier": {"value": "§id"}, "display": "§name"},
            "altId": "§id",
            "policy": [f"{OWN}policy/{policy}"],
        },
        {
            "type": {"coding": [server]},
            "who": {"display": "hds-hub"},
            "requestor": False,
            "network": {"address": "http://127.0.0.1:8000/fhir", "type": "5"},
        },
        {
            "type": {"coding": [user, TOKEN]},
            "who": {"reference": "Organization/§id"},
            "policy": ["urn:ietf:params:oauth:jti:§id"],
            "requestor": True,
            "purposeOfUse": [_purpose()],
        },
    ]


def _entities(row: Row, resource_type: str, policy: str, *, patient: bool) -> list[Template]:
    many = row.items > 1
    kind = _coding("http://hl7.org/fhir/resource-types", resource_type, resource_type) if many else SYSTEM_OBJECT
    return [
        *([{"what": {"reference": "Patient/§id"}, "type": PERSON, "role": PATIENT}] if patient else []),
        *([{"type": SYSTEM_OBJECT, "role": QUERY, "query": "§query"}] if many else []),
        *([_item(resource_type, kind, patient=patient)] * row.items),
        *([_consent()] if patient and policy == "consent" else []),
        {"what": {"identifier": {"value": "§uuid"}}, "type": REQUEST},
    ]


def _item(resource_type: str, kind: Coding, *, patient: bool) -> Template:
    detail = [{"type": "category", "valueString": "vital-signs"}, {"type": "origin", "valueString": "withings"}]
    item = {"what": {"reference": f"{resource_type}/§id/_history/§count"}, "type": kind, "role": DOMAIN_RESOURCE}
    return {**item, "detail": detail} if patient else item


def _consent() -> Template:
    kind = _coding("http://hl7.org/fhir/resource-types", "Consent", "Consent")
    return {"what": {"reference": "Consent/§id/_history/§count"}, "type": kind, "role": SECURITY_RESOURCE}
