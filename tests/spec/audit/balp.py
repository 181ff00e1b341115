"""What the profiles of IHE BALP 1.1.4 ask of an AuditEvent, as a table, and a checker that reads it.

https://profiles.ihe.net/ITI/BALP/artifacts.html. Slices of agent and entity are told apart by `type` (IHE.IUA.71:
entities by `role`), so what matches a slice must fulfil it and must be there as often as the slice says.
"""

from dataclasses import dataclass
from typing import Any

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
USER_AGENT = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes"
REQUEST_ID = ("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId")

Code = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """`codes`: what tells it apart, any of them. `least`, `most`: how often; `has`, `lacks`: its elements."""

    codes: tuple[Code, ...]
    least: int = 0
    most: int = 1
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    requestor: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    type: Code
    subtypes: tuple[Code, ...]
    action: str
    agents: tuple[Slice, ...]
    entities: tuple[Slice, ...]
    entities_by: str = "type"
    closed: bool = False


def _agents(client: Code, server: Code, *users: Code) -> tuple[Slice, ...]:
    machine: dict[str, Any] = {"least": 1, "has": ("who", "network"), "lacks": ("media",)}
    return (
        Slice(codes=(client,), **machine),
        Slice(codes=(server,), **machine),
        Slice(codes=users, has=("who",), lacks=("media", "network"), requestor=True),
    )


SOURCE, DESTINATION, APPLICATION = (DICOM, "110153"), (DICOM, "110152"), (DICOM, "110150")
CUSTODIAN = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian")
RECIPIENT = (PARTICIPATION, "IRCP")
SOURCES = tuple((PARTICIPATION, code) for code in ("AUT", "INF", "CST"))
TRANSACTION = Slice(codes=(REQUEST_ID,), has=("what",))
DATA = Slice(codes=((ENTITY_TYPE, "2"),), least=1, has=("what", "role"), roles=("4", "3", "20"))
QUERY = Slice(codes=((ENTITY_TYPE, "2"),), least=1, has=("query",), lacks=("what", "lifecycle", "detail"), roles=("24",))
PATIENT = Slice(codes=((ENTITY_TYPE, "1"),), least=1, has=("what",), roles=("1",))
TOKEN_REQUEST = Slice(codes=((ROLE, "24"),), least=1, has=("query", "type"), lacks=("what",))


def _rest(action: str, agents: tuple[Slice, ...], entity: Slice, *interactions: str) -> Profile:
    rest = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
    subtypes = tuple(("http://hl7.org/fhir/restful-interaction", code) for code in interactions)
    return Profile(type=rest, subtypes=subtypes, action=action, agents=agents, entities=(TRANSACTION, entity))


BASIC = {
    "Read": _rest("R", _agents(DESTINATION, SOURCE, RECIPIENT), DATA, "read", "vread"),
    "Query": _rest("E", _agents(SOURCE, DESTINATION, RECIPIENT), QUERY, "search", "search-type", "search-system"),
    "Create": _rest("C", _agents(SOURCE, DESTINATION, *SOURCES), DATA, "create"),
    "Update": _rest("U", _agents(SOURCE, DESTINATION, *SOURCES), DATA, "update", "patch"),
    "Delete": _rest("D", _agents(APPLICATION, CUSTODIAN, *SOURCES), DATA, "delete"),
}

TABLE = {
    **{f"IHE.BasicAudit.{name}": profile for name, profile in BASIC.items()},
    "IHE.IUA.71": Profile(
        type=(DICOM, "110114"),
        subtypes=(("urn:ihe:event-type-code", "ITI-71"),),
        action="E",
        agents=_agents(APPLICATION, (USER_AGENT, "AuthzOauthService"), RECIPIENT),
        entities=(TOKEN_REQUEST,),
        entities_by="role",
        closed=True,
    ),
}
TOKEN_USE = "IHE.BasicAudit.OAUTHaccessTokenUse.Minimal"
TOKEN_AGENT = Slice(codes=((USER_AGENT, "UserOauthAgent"),), least=1, most=99, has=("policy",), lacks=("media", "network"), requestor=True)


def claimed(resource: dict[str, Any]) -> list[str]:
    return [profile.removeprefix(PROFILES) for profile in resource["meta"].get("profile", ())]


def problems(resource: dict[str, Any]) -> list[str]:
    """What keeps the event from being what it claims to be."""
    found: list[str] = []
    for name in claimed(resource):
        if name == TOKEN_USE:
            found += _slices(resource["agent"], (TOKEN_AGENT,), _agent_codes)
            found += ["jti" for agent in resource["agent"] if _matching(agent, TOKEN_AGENT, _agent_codes) and not _only_jti(agent)]
        else:
            found += _profile(resource, TABLE[name.replace("Patient", "")], patient="Patient" in name)
    return found


def _profile(resource: dict[str, Any], profile: Profile, *, patient: bool) -> list[str]:
    entities = (*profile.entities, PATIENT) if patient else profile.entities
    by = profile.entities_by
    found = _slices(resource["agent"], profile.agents, _agent_codes)
    found += _slices(resource["entity"], entities, lambda entity: [_pair(entity[by])] if by in entity else [])
    found += ["type"] if _pair(resource["type"]) != profile.type else []
    found += ["subtype"] if sum(_pair(one) in profile.subtypes for one in resource["subtype"]) != 1 else []
    found += ["action"] if resource["action"] != profile.action else []
    found += ["outcome"] if resource["outcome"] != "0" else []
    if profile.closed:
        found += ["closed"] if len(resource["subtype"]) > 1 or len(resource["entity"]) > 1 or len(resource["agent"]) > 3 else []
    return found


def _slices(elements: list[dict[str, Any]], slices: tuple[Slice, ...], codes: Any) -> list[str]:
    found = []
    for one in slices:
        matching = [element for element in elements if _matching(element, one, codes)]
        if not one.least <= len(matching) <= one.most:
            found.append(f"{one.codes} is there {len(matching)} times")
        found += [f"{one.codes} {fault}" for element in matching for fault in _faults(element, one)]
    return found


def _matching(element: dict[str, Any], one: Slice, codes: Any) -> bool:
    return any(code in one.codes for code in codes(element))


def _faults(element: dict[str, Any], one: Slice) -> list[str]:
    faults = [f"lacks {name}" for name in one.has if name not in element]
    faults += [f"has {name}" for name in one.lacks if name in element]
    if one.roles and element.get("role", {}).get("code") not in one.roles:
        faults.append("has another role")
    if one.requestor is not None and element.get("requestor") != one.requestor:
        faults.append("is no requestor")
    return faults


def _agent_codes(agent: dict[str, Any]) -> list[Code]:
    return [_pair(coding) for coding in agent["type"]["coding"]]


def _pair(coding: dict[str, Any]) -> Code:
    return coding["system"], coding["code"]


def _only_jti(agent: dict[str, Any]) -> bool:
    return len(agent["policy"]) == 1 and agent["policy"][0].startswith("urn:ietf:params:oauth:jti:")
