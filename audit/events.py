"""AuditEvents in the shape of IHE BALP 1.1.4: one for the interaction, and one for each patient concerned.

https://profiles.ihe.net/ITI/BALP/content.html. The interaction's own event names every resource. What concerns one
patient alone (the decision, the Consent, the query in full) is in that patient's event, which is sealed under the
patient's key and becomes unreadable with it. Pure: ids and times come in, and nothing but references goes out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from audit.agents import Party, Source, agents, policy, purpose_of_event, source_of
from audit.entities import consents_of, detail_of, of_item, of_patient, of_query, of_request, of_target, references
from audit.interaction import Interaction, Item
from audit.kinds import BALP, KINDS, Row
from audit.query_text import request_line

ITEMS_MAX = 1_000
"""Resources named in one AuditEvent; more of them make further events of the same interaction."""
REFUSED = "refused"
"""The basis of what was not allowed, or failed."""
PROFILES = f"{BALP}/StructureDefinition/"
TOKEN_USE = f"{PROFILES}IHE.BasicAudit.OAUTHaccessTokenUse.Minimal"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_KEPT_MAX = 256

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One AuditEvent as JSON. Its parts are shared between events: not to be changed.

    patient     "Patient/x" whom it concerns, None for the interaction's own
    references  what its entities name, without versions
    policies    what allowed it, as URIs
    """

    id: str
    patient: str | None
    resource: Json
    references: frozenset[str]
    policies: tuple[str, ...]


def events(interaction: Interaction, ids: Iterator[str], source: Source) -> list[Event]:
    """The interaction's own events (one for each ITEMS_MAX resources, at least one), then those of each patient.

    Patients come in the order in which the items name them, then those only aimed at. `ids` gives an id for each event.
    """
    patients = _by_patient(interaction)
    maker = _Maker(interaction, source, alone=not patients)
    made = [maker.event(next(ids), None, part) for part in _parts(_distinct(interaction.items))]
    for patient, items in patients.items():
        made += [maker.event(next(ids), patient, part) for part in _parts(items)]
    return made


def _parts(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    if len(items) <= ITEMS_MAX:
        return [items]
    return [items[start : start + ITEMS_MAX] for start in range(0, len(items), ITEMS_MAX)]


def _distinct(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """A resource that concerns several patients is one resource."""
    if len(items) <= 1:
        return items
    return tuple({(item.reference, item.version): item for item in items}.values())


def _by_patient(interaction: Interaction) -> Mapping[str, tuple[Item, ...]]:
    patients: dict[str, list[Item]] = {}
    for item in interaction.items:
        if item.patient is not None:
            patients.setdefault(item.patient, []).append(item)
    for patient in interaction.aimed:
        patients.setdefault(patient, [])
    return {patient: tuple(items) for patient, items in patients.items()}


class _Maker:
    """What all events of one interaction share, made once. `alone`: no patient is concerned."""

    __slots__ = ("_agents", "_alone", "_interaction", "_named", "_recorded", "_row", "_shared", "_source")

    def __init__(self, interaction: Interaction, source: Source, *, alone: bool) -> None:
        self._interaction, self._source, self._alone = interaction, source, alone
        self._row = row = KINDS[interaction.kind]
        self._recorded = recorded = instant(interaction.recorded_us)
        self._agents: dict[tuple[str, ...], list[Json]] = {}
        self._named: dict[tuple[str, str | None], Json] = {}
        self._shared: Json = {
            "type": row.type,
            "subtype": row.subtype,
            "action": row.action,
            "recorded": recorded,
            "outcome": interaction.outcome,
        }
        if interaction.outcome_code:
            self._shared["outcomeDesc"] = interaction.outcome_code
        self._shared["purposeOfEvent"] = purpose_of_event(interaction.purpose or row.purpose, interaction.reason)

    def event(self, id: str, patient: str | None, items: tuple[Item, ...]) -> Event:
        """Elements in the order of the specification."""
        bases = _bases(self._interaction, self._row, items)
        policies = tuple(dict.fromkeys(map(policy, bases)))
        entities = self._entities(patient, items, bases)
        resource = {
            "resourceType": "AuditEvent",
            "id": id,
            "meta": self._meta(patient, items),
            **self._shared,
            "agent": self._agents_allowed_by(policies),
            "source": source_of(self._source),
            "entity": entities,
        }
        return Event(id, patient, resource, references(entities), policies)

    def _meta(self, patient: str | None, items: tuple[Item, ...]) -> Json:
        meta: Json = {"versionId": "1", "lastUpdated": self._recorded}
        if profiles := _profiles(self._interaction, self._row, patient, items):
            meta["profile"] = profiles
        return meta

    def _agents_allowed_by(self, policies: tuple[str, ...]) -> list[Json]:
        known = self._agents.get(policies)
        if known is None:
            known = self._agents[policies] = agents(_party(self._interaction, self._row, self._source, policies))
        return known

    def _entities(self, patient: str | None, items: tuple[Item, ...], bases: tuple[str, ...]) -> list[Json]:
        interaction, shape = self._interaction, self._row.shape
        if shape == "token":
            # BALP closes the list of ITI-71: one entity and no other, not even the request's id.
            return [self._query(patient)]
        made = [of_patient(patient)] if patient else []
        if shape == "query" or (shape == "list" and interaction.query):
            made.append(self._query(patient))
        elif interaction.target and not items:
            made.append(of_target(interaction.target))
        alone, mixed = shape == "data" and len(items) == 1, len(bases) > 1
        made += [self._item(item, alone=alone, detail=detail_of(item, basis=mixed) if patient else []) for item in items]
        if patient:
            made += consents_of(bases)
        made.append(of_request(interaction.request_id))
        return made

    def _item(self, item: Item, *, alone: bool, detail: list[Json]) -> Json:
        """What an event names without detail, the others name in the same words."""
        if detail or alone:
            return of_item(item, alone=alone, detail=detail)
        key = item.reference, item.version
        known = self._named.get(key)
        if known is None:
            known = self._named[key] = of_item(item, alone=False, detail=None)
        return known

    def _query(self, patient: str | None) -> Json:
        """In full only where a patient's key seals it, or where nobody is concerned."""
        values, interaction = self._alone or patient is not None, self._interaction
        return of_query(request_line(interaction.method, interaction.query, secrets=self._row.authentication, values=values))


def _party(interaction: Interaction, row: Row, source: Source, policies: tuple[str, ...]) -> Party:
    return Party(
        interaction.kind,
        source,
        interaction.purpose or row.purpose,
        policies,
        interaction.client_id,
        interaction.client_name,
        interaction.network,
        interaction.organization,
        interaction.user,
        interaction.token_id,
        interaction.person,
        interaction.account,
        interaction.role,
        interaction.issuer,
        interaction.subject,
    )


def _bases(interaction: Interaction, row: Row, items: tuple[Item, ...]) -> tuple[str, ...]:
    """On what basis, never nothing: the items' own, else what is said of the interaction, else what its kind says."""
    if len(items) == 1:
        return (items[0].basis,)
    if items:
        return tuple(dict.fromkeys(item.basis for item in items))
    if interaction.outcome != "0":
        return (REFUSED,)
    return (interaction.basis or row.basis,)


def _profiles(interaction: Interaction, row: Row, patient: str | None, items: tuple[Item, ...]) -> list[str]:
    """The BALP profiles that the event meets. They are for what went well; a token's use is recorded either way."""
    claimed = []
    if row.profile and interaction.outcome == "0" and (row.shape != "data" or len(items) == 1):
        claimed.append(PROFILES + (row.patient_profile if patient else row.profile))
    if interaction.token_id:
        claimed.append(TOKEN_USE)
    return claimed


def instant(us: int) -> str:
    """https://hl7.org/fhir/R4/datatypes.html#instant, in UTC with microseconds."""
    return f"{_second(us // 1_000_000)}.{us % 1_000_000:06d}Z"


@lru_cache(SECONDS_KEPT_MAX)
def _second(s: int) -> str:
    """What happens at the same time speaks of the same seconds."""
    return (EPOCH + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%S")
