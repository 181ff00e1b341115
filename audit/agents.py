"""Who took part: AuditEvent.agent, .source and .purposeOfEvent.

The same few callers come again and again, so what was made for one is kept for the next; whoever gets it must not
change it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from audit.interaction import Kind
from audit.kinds import BALP, KINDS, POLICY, TERMINOLOGY, Coding, coding
from fhir_profiles.canonical import BASE

CACHED_MAX = 4_096
HUB = {"display": "hds-hub"}
OAUTH_AGENT = coding(f"{BALP}/CodeSystem/UserAgentTypes", "UserOauthAgent", "User OAuth Agent participant")
TOKEN_ID = "urn:ietf:params:oauth:jti:"  # noqa: S105 (the prefix that BALP asks for)
ROLES = f"{BASE}/CodeSystem/person-role"
"""What a person is to the hub: patient, practitioner, compliance, administrator, vendor."""
IP_ADDRESS, URI = "2", "5"
"""https://hl7.org/fhir/R4/valueset-network-type.html"""
UNKNOWN = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
SERVER = coding(f"{TERMINOLOGY}/security-source-type", "4", "Application Server")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Which hub this is: `site` for people, `address` the base URL under which it answers."""

    site: str
    address: str


def policy(basis: str) -> str:
    """The basis of a decision as a URI: "policy opt-out" is …/opt-out, "consent Consent/y/_history/2" is …/consent.

    Raises ValueError for an empty one: nothing is recorded as allowed without saying why.
    """
    word, _, rest = basis.partition(" ")
    if not word:
        raise ValueError("a record needs the basis of the decision")
    return POLICY + (rest if word == "policy" else word)


@lru_cache(CACHED_MAX)
def purpose_of_use(purpose: str) -> list[Json]:
    return [{"coding": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": purpose}]}]


def purpose_of_event(purpose: str, reason: str | None) -> list[Json]:
    """`reason`: a person's own words, for commands."""
    return [{**purpose_of_use(purpose)[0], "text": reason}] if reason else purpose_of_use(purpose)


@lru_cache(CACHED_MAX)
def source_of(source: Source) -> Json:
    return {"site": source.site, "observer": HUB, "type": [SERVER]}


class Party(NamedTuple):
    """All that the agents of an event are made from. `policies`: what allowed it, as URIs."""

    kind: Kind
    source: Source
    purpose: str
    policies: tuple[str, ...]
    client_id: str | None
    client_name: str | None
    network: str | None
    organization: str | None
    user: str | None
    token_id: str | None
    person: str | None = None
    account: str | None = None
    role: str | None = None
    issuer: str | None = None
    subject: str | None = None


@lru_cache(CACHED_MAX)
def agents(party: Party) -> list[Json]:
    """The client, the hub, and on whose behalf it was done (BALP: client, server, user), those that there are.

    Of somebody who acts through the client both: the person, and the organisation in whose name.
    The one on whose behalf asked for it; if there is none, the client; if there is none, the hub. What allowed it stands
    with the client, because a token's id stands alone in its agent's policy (BALP OAUTHaccessTokenUse.Minimal). Where another
    authorization server vouched, its name and the client's name there are the identifier of the one on whose behalf (BALP
    OAUTHaccessTokenUse.Comprehensive).
    """
    client = party.client_id is not None or party.network is not None
    on_behalf = bool(party.organization or party.user or party.token_id or party.account or party.issuer)
    asking = {"requestor": True, "purposeOfUse": purpose_of_use(party.purpose)}
    allowed = {"policy": list(party.policies)}
    made: list[Json] = []
    if client:
        made.append({**_client(party), **allowed, **({} if on_behalf else asking)})
    made.append({**_hub(party), **({} if client or on_behalf else {**allowed, **asking})})
    if on_behalf:
        made.append({**_user(party), **({} if client else allowed), **_token(party), **asking})
    if party.account and party.organization:
        made.append({**_typed(KINDS[party.kind].user), "who": {"reference": party.organization}, "requestor": False})
    return made


def _typed(*codings: Coding) -> Json:
    return {"type": {"coding": list(codings)}}


def _client(party: Party) -> Json:
    made = {**_typed(KINDS[party.kind].client), "requestor": False, **_network(party.network)}
    if party.client_id is not None:
        display = {"display": party.client_name} if party.client_name else {}
        made |= {"who": {"identifier": {"value": party.client_id}, **display}, "altId": party.client_id}
    return made


def _hub(party: Party) -> Json:
    network = {"address": party.source.address, "type": URI}
    return {**_typed(KINDS[party.kind].server), "who": HUB, "requestor": False, "network": network}


def _user(party: Party) -> Json:
    codings = (KINDS[party.kind].user, OAUTH_AGENT) if party.token_id else (KINDS[party.kind].user,)
    if party.account:
        return {**_typed(*codings), **_person(party.person, party.account, party.role)}
    if party.user:
        return {**_typed(*codings), "who": {"identifier": {"value": party.user}}, "altId": party.user}
    who: Json = {"reference": party.organization} if party.organization else {"identifier": {"value": party.client_id}}
    vouched = {"identifier": {"system": party.issuer, "value": party.subject}} if party.issuer else {}
    return {**_typed(*codings), "who": {**who, **vouched}}


def _person(reference: str | None, account: str, role: str | None) -> Json:
    """As the resource that the person is, or by the account; the account is found by its id either way."""
    who: Json = {"reference": reference} if reference else {"identifier": {"value": account}}
    known: Json = {"role": [{"coding": [coding(ROLES, role, role)]}]} if role else {}
    return {**known, "who": who, "altId": account}


def _token(party: Party) -> Json:
    return {"policy": [TOKEN_ID + party.token_id]} if party.token_id else {}


def _network(network: str | None) -> Json:
    """BALP asks for it; where it is not known, it says so."""
    return {"network": {"address": network, "type": IP_ADDRESS} if network else UNKNOWN}
