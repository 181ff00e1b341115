"""The compliance officer's questions to the log, and its answers in words.

A question becomes tokens and times, which a store can look for without opening anything; the answer is read from the
opened AuditEvents.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audit.agents import TOKEN_ID
from audit.entities import DOMAIN_RESOURCE, PATIENT, REQUEST_ID, SECURITY_RESOURCE
from audit.kinds import DICOM, POLICY
from audit.log import ISSUER, Token
from audit.record import Draft

LIMIT_DEFAULT, LIMIT_MAX = 100, 10_000
REFERENCES_SHOWN = 3
"""In a table; JSON has them all."""
OUTCOMES = {"0": "done", "4": "refused", "8": "failed", "12": "out of order"}
TITLES = ("when", "who", "client", "purpose", "what", "patient", "outcome", "basis")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which records are asked for: all conditions hold; newest first.

    patient   token of the patient concerned, None for any record
    tokens    a record has each of them
    from_us, to_us   recorded in [from_us, to_us), microseconds since 1970 UTC
    """

    patient: bytes | None = None
    tokens: frozenset[bytes] = frozenset()
    from_us: int | None = None
    to_us: int | None = None
    limit: int = LIMIT_DEFAULT


def audit_query(
    *,
    token: Token,
    patient_token: Callable[[str], bytes],
    patient: str | None = None,
    client: str | None = None,
    user: str | None = None,
    person: str | None = None,
    organization: str | None = None,
    issuer: str | None = None,
    entity: str | None = None,
    action: str | None = None,
    outcome: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
    limit: int = LIMIT_DEFAULT,
) -> AuditQuery:
    """A question in words (references, ids, codes of AuditEvent) as tokens. `limit` is kept between 1 and LIMIT_MAX."""
    words = (
        ("altid", "|", client),
        ("altid", "|", user),
        ("agent", "", person),
        ("agent", "", organization),
        (ISSUER, "", issuer),
        ("entity", "", entity),
        ("action", "|", action),
        ("outcome", "|", outcome),
    )
    return AuditQuery(
        patient=None if patient is None else patient_token(patient),
        tokens=frozenset(token(space, prefix + value) for space, prefix, value in words if value is not None),
        from_us=from_us,
        to_us=to_us,
        limit=max(1, min(limit, LIMIT_MAX)),
    )


def asks_for(query: AuditQuery, draft: Draft) -> bool:
    """Is this record one of those asked for (leaving the limit aside)? The naive twin of the store's own query."""
    if query.patient is not None and query.patient != draft.patient:
        return False
    if query.from_us is not None and draft.recorded_us < query.from_us:
        return False
    if query.to_us is not None and draft.recorded_us >= query.to_us:
        return False
    return query.tokens <= draft.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One AuditEvent for people.

    who       on whose behalf it was done: an organisation, an operating-system user, a person, or nobody but the client
    role, organization   of a person who acted through the client: what it is to the hub, and in whose name it acted
    issuer    the other authorization server that vouched for the client; empty where it was the hub itself
    what      the interaction; references   what it named
    basis     policies and versions of Consents that allowed it, or why it was refused
    """

    id: str
    when: str
    who: str
    client: str
    purpose: str
    reason: str
    what: str
    references: tuple[str, ...]
    patient: str
    outcome: str
    basis: tuple[str, ...]
    request: str
    role: str = ""
    organization: str = ""
    issuer: str = ""


def row(resource: Json) -> Row:
    """Read an AuditEvent of this hub. What it does not say is empty."""
    agents, entities = resource.get("agent", ()), resource.get("entity", ())
    purpose: Json = next(iter(resource.get("purposeOfEvent", ())), {})
    asked: Json = next((agent for agent in agents if agent.get("requestor")), {})
    return Row(
        id=resource["id"],
        when=resource["recorded"],
        who=_name(asked),
        client=next((_name(agent) for agent in agents if "altId" in agent), ""),
        purpose=_code(purpose),
        reason=purpose.get("text", ""),
        what=_interaction(resource),
        references=tuple(_named(entities, DOMAIN_RESOURCE)),
        patient=next(_named(entities, PATIENT), ""),
        outcome=" ".join(filter(None, (OUTCOMES.get(resource["outcome"]), resource.get("outcomeDesc")))),
        basis=(*_policies(agents), *_named(entities, SECURITY_RESOURCE)),
        request=next(_request_ids(entities), ""),
        role=next((_code(role) for role in asked.get("role", ())), ""),
        organization=next((_name(agent) for agent in agents if _is_in_whose_name(agent)), ""),
        issuer=asked.get("who", {}).get("identifier", {}).get("system", ""),
    )


def cells(row: Row) -> tuple[str, ...]:
    """The row under TITLES."""
    shown = ", ".join(row.references[:REFERENCES_SHOWN])
    more = f" and {len(row.references) - REFERENCES_SHOWN} more" if len(row.references) > REFERENCES_SHOWN else ""
    purpose = f"{row.purpose} ({row.reason})" if row.reason else row.purpose
    who = f"{row.who} for {row.organization}" if row.organization else row.who
    client = f"{row.client}, vouched for by {row.issuer}" if row.issuer else row.client
    return (row.when, who, client, purpose, f"{row.what} {shown}{more}".strip(), row.patient, row.outcome, ", ".join(row.basis))


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _is_in_whose_name(agent: Json) -> bool:
    """Beside the person who asked: neither asking, nor the app, nor the hub, which has an address."""
    return not agent.get("requestor") and "altId" not in agent and "network" not in agent


def _name(agent: Json) -> str:
    """Registered name with id, a reference, or an id."""
    who = agent.get("who", {})
    id_ = who.get("reference") or who.get("identifier", {}).get("value", "")
    display = who.get("display", "")
    return f"{display} ({id_})" if display and id_ else display or id_


def _code(concept: Json) -> str:
    return next((str(coding["code"]) for coding in concept.get("coding", ())), "")


def _interaction(resource: Json) -> str:
    """The code of the subtype that says most: our own or FHIR's rather than DICOM's number."""
    codings = resource.get("subtype", ())
    spoken = [coding for coding in codings if coding["system"] != DICOM] or codings
    return str(spoken[-1]["code"]) if spoken else ""


def _named(entities: Iterable[Json], role: Json) -> Iterator[str]:
    for entity in entities:
        what = entity.get("what", {})
        name = what.get("reference") or what.get("display")
        if name and entity.get("role", {}).get("code") == role["code"]:
            yield name


def _policies(agents: Iterable[Json]) -> Iterator[str]:
    for agent in agents:
        yield from (policy.removeprefix(POLICY) for policy in agent.get("policy", ()) if not policy.startswith(TOKEN_ID))


def _request_ids(entities: Iterable[Json]) -> Iterator[str]:
    for entity in entities:
        if entity.get("type", {}).get("code") == REQUEST_ID["code"]:
            yield entity["what"]["identifier"]["value"]
