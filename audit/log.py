"""From events to drafts: sealed by whoever holds the keys, findable by tokens that whoever holds the index key makes.

Token spaces are named as the search parameters of AuditEvent (https://hl7.org/fhir/R4/auditevent.html#search), but for ISSUER; values are
written as the search writes them: "system|code" for codings, "|code" for codes and strings, "Type/id" for references.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import orjson

from audit.events import Event
from audit.interaction import Interaction
from audit.kinds import DICOM, KINDS, RESTFUL, TERMINOLOGY
from audit.record import Draft, Write

WRITES_MAX = 1_000
"""Writes told of in one record, as long as the interaction has further ones."""
FOUND_BY_BARE_CODE = frozenset({RESTFUL, DICOM, f"{TERMINOLOGY}/iso-21089-lifecycle", f"{TERMINOLOGY}/audit-event-type"})
"""Code systems that the search knows; a coding of another gets a second token for searches by bare code."""

ISSUER = "issuer"
"""The space of other authorization servers, for the command: FHIR searches for them by agent:identifier, which opens."""

Token = Callable[[str, str], bytes]
"""(space, value) -> keyed token"""


class SealedBody(Protocol):
    """An AuditEvent sealed, and what is needed to open it."""

    @property
    def sealed(self) -> bytes: ...
    @property
    def key_id(self) -> bytes: ...
    @property
    def key_version(self) -> int: ...
    @property
    def dictionary(self) -> int: ...


Seal = Callable[[str | None, str, bytes], SealedBody]
"""("Patient/x" or None, id of the AuditEvent, its JSON) -> sealed under that patient's key, or the system's"""


def drafts(
    events: Sequence[Event],
    *,
    interaction: Interaction,
    writes: Sequence[Write],
    token: Token,
    patient_token: Callable[[str], bytes],
    seal: Seal,
) -> list[Draft]:
    """One draft per event, for one insert. The interaction's own records tell of the writes.

    `patient_token` takes "Patient/x". Raises what the callables raise; then nothing must be answered.
    """
    shared = frozenset(token(space, value) for space, value in shared_words(interaction))
    told = _told(writes, sum(event.patient is None for event in events))
    made = []
    for event in events:
        body = seal(event.patient, event.id, orjson.dumps(event.resource))
        made.append(
            Draft(
                id=event.id,
                recorded_us=interaction.recorded_us,
                patient=None if event.patient is None else patient_token(event.patient),
                tokens=shared.union(token(space, value) for space, value in own_words(event)),
                request=interaction.request_id,
                writes=next(told) if event.patient is None else (),
                sealed=body.sealed,
                key_id=body.key_id,
                key_version=body.key_version,
                dictionary=body.dictionary,
            )
        )
    return made


def _told(writes: Sequence[Write], records: int) -> Iterator[tuple[Write, ...]]:
    """The writes, shared out among so many records; the last one takes what is left."""
    for index in range(records - 1):
        yield tuple(writes[index * WRITES_MAX : (index + 1) * WRITES_MAX])
    yield tuple(writes[(records - 1) * WRITES_MAX :])


def shared_words(interaction: Interaction) -> Iterator[tuple[str, str]]:
    """What all events of the interaction are found by: (space, value)."""
    row = KINDS[interaction.kind]
    yield "_type", "AuditEvent"
    yield "action", f"|{row.action}"
    yield "outcome", f"|{interaction.outcome}"
    yield from _coding_words("type", row.type["system"], row.type["code"])
    for subtype in row.subtype:
        yield from _coding_words("subtype", subtype["system"], subtype["code"])
    yield "purpose", f"{TERMINOLOGY}/v3-ActReason|{interaction.purpose or row.purpose}"
    if interaction.client_id:
        yield "altid", f"|{interaction.client_id}"
    if interaction.user:
        yield "altid", f"|{interaction.user}"
    if interaction.organization and (interaction.account or not interaction.user):
        yield "agent", interaction.organization
    if interaction.issuer:
        yield ISSUER, interaction.issuer
    if interaction.account:
        yield "altid", f"|{interaction.account}"
    if interaction.person:
        yield "agent", interaction.person


def _coding_words(space: str, system: str, code: str) -> Iterator[tuple[str, str]]:
    yield space, f"{system}|{code}"
    if system not in FOUND_BY_BARE_CODE:
        yield space, f"*|{code}"


def own_words(event: Event) -> Iterator[tuple[str, str]]:
    """What this event alone is found by: (space, value)."""
    for policy in event.policies:
        yield "policy", policy
    for reference in event.references:
        yield "entity", reference
