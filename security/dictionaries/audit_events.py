"""Templates of AuditEvents in the shape of IHE BALP 1.1.4: one kind of access each, allowed or refused.

https://profiles.ihe.net/ITI/BALP/content.html, https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from security.dictionaries.samples import Template

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
BALP: Final = "https://profiles.ihe.net/ITI/BALP/"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One interaction: its code, BALP profile (without "Patient"), AuditEvent.action, and whether it carries a query."""

    code: str
    profile: str
    action: str
    query: bool = False


ROWS: Final = (
    Row(code="read", profile="Read", action="R"),
    Row(code="vread", profile="Read", action="R"),
    Row(code="create", profile="Create", action="C"),
    Row(code="update", profile="Update", action="U"),
    Row(code="delete", profile="Delete", action="D"),
    Row(code="search-type", profile="Query", action="E", query=True),
)
OUTCOMES: Final = (("0", None), ("4", "no active consent"), ("4", "scope does not cover this interaction"), ("8", "unavailable"))
RESOURCES: Final = ("Observation", "Patient", "Device", "Consent")
PURPOSES: Final = (("TREAT", "treatment"), ("HRESCH", "healthcare research"), ("PATRQT", "patient requested"))


def templates() -> Iterator[Template]:
    """Every interaction and outcome, with one patient and without, with one resource and with several."""
    for row, (outcome, text), patient in product(ROWS, OUTCOMES, (True, True, False)):
        for resource_type, purpose in zip(RESOURCES, (*PURPOSES, PURPOSES[0]), strict=True):
            yield _event(row, outcome, text, resource_type, purpose, patient=patient)


def _event(row: Row, outcome: str, text: str | None, resource_type: str, purpose: tuple[str, str], *, patient: bool) -> Template:
    entities = [_data(resource_type)] * (4 if row.query else 1)
    return {
        "resourceType": "AuditEvent",
        "id": "§id",
        "meta": {"profile": [f"{BALP}StructureDefinition/IHE.BasicAudit.{'Patient' if patient else ''}{row.profile}"]},
        "type": _coding(f"{TERMINOLOGY}audit-event-type", "rest", "RESTful Operation"),
        "subtype": [_coding(RESTFUL, row.code, row.code)],
        "action": row.action,
        "recorded": "§instant",
        "outcome": outcome,
        **({"outcomeDesc": text} if text else {}),
        "purposeOfEvent": [{"coding": [_coding(f"{TERMINOLOGY}v3-ActReason", *purpose)]}],
        "agent": _agents(purpose),
        "source": {
            "site": "hds-hub",
            "observer": {"reference": "Device/hub", "display": "hds-hub"},
            "type": [_coding(f"{TERMINOLOGY}security-source-type", "4", "Application Server")],
        },
        "entity": [*([_patient()] if patient else []), *entities, *([_query()] if row.query else []), _request()],
    }


def _agents(purpose: tuple[str, str]) -> list[Mapping[str, object]]:
    reason = [{"coding": [_coding(f"{TERMINOLOGY}v3-ActReason", *purpose)]}]
    return [
        {
            "type": {"coding": [_coding(DICOM, "110153", "Source Role ID")]},
            "who": {"identifier": {"value": "§id"}, "display": "§name"},
            "requestor": False,
            "network": {"address": "§release", "type": "2"},
        },
        {
            "type": {"coding": [_coding(DICOM, "110152", "Destination Role ID")]},
            "who": {"display": "hds-hub"},
            "requestor": False,
            "network": {"address": "/fhir", "type": "5"},
        },
        {
            "type": {"coding": [_coding(f"{TERMINOLOGY}v3-ParticipationType", "IRCP", "information recipient")]},
            "who": {"reference": "Organization/§id", "display": "§name"},
            "requestor": True,
            "policy": ["§uuid"],
            "purposeOfUse": reason,
        },
    ]


def _patient() -> Template:
    return {"what": {"reference": "Patient/§id"}, "type": _entity_type("1", "Person"), "role": _role("1", "Patient")}


def _data(resource_type: str) -> Template:
    return {
        "what": {"reference": f"{resource_type}/§id/_history/§count"},
        "type": _entity_type("2", "System Object"),
        "role": _role("4", "Domain Resource"),
    }


def _query() -> Template:
    return {"type": _entity_type("2", "System Object"), "role": _role("24", "Query"), "query": "§query"}


def _request() -> Template:
    kind = _coding(f"{BALP}CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id")
    return {"what": {"identifier": {"value": "§uuid"}}, "type": kind}


def _entity_type(code: str, display: str) -> Template:
    return _coding(f"{TERMINOLOGY}audit-entity-type", code, display)


def _role(code: str, display: str) -> Template:
    return _coding(f"{TERMINOLOGY}object-role", code, display)


def _coding(system: str, code: str, display: str) -> Template:
    return {"system": system, "code": code, "display": display}
