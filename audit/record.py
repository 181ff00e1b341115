"""What lies in the log: one sealed AuditEvent with the tokens by which it is found, tied into its writer's chain.

A draft says what happened; a record is a draft that a writer has given its place (`audit.chain`). Nothing here names a
person: the AuditEvent is ciphertext, whom and what it concerns are keyed tokens, the rest are times and random ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One version of a resource that was written together with this record.

    row      "Observation/abc", as in `_id` of `resources`
    version  counted from 1
    tag      the AEAD tag of the stored ciphertext (its last 16 bytes): says which bytes belong to the version without
             saying what they mean
    """

    row: str
    version: int
    tag: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record before it has a place.

    id           of the AuditEvent
    recorded_us  microseconds since 1970 UTC
    patient      token of the patient concerned; None for the record of the interaction itself
    tokens       what a search of the log may ask, besides patient and time (`audit.log`)
    request      id of the request; the same in all records of one interaction
    writes       what was written to `resources` in the same transaction
    sealed       the AuditEvent, compressed and encrypted by whoever holds the keys
    key_id, key_version, dictionary   what is needed to open `sealed`
    """

    id: str
    recorded_us: int
    patient: bytes | None
    tokens: frozenset[bytes]
    request: str
    writes: tuple[Write, ...] = ()
    sealed: bytes
    key_id: bytes
    key_version: int
    dictionary: int


@dataclass(frozen=True, slots=True)
class Record:
    """A draft in its place: number `sequence` (from 1) of `writer`, after the record whose hash is `previous`.

    `hash` covers every field of the draft, the place and `previous` (`audit.chain.digest`).
    """

    draft: Draft
    writer: bytes
    sequence: int
    previous: bytes
    hash: bytes


def to_document(record: Record) -> Document:
    """As MongoDB keeps it (DESIGN 5). Empty fields are left out."""
    draft = record.draft
    made: Document = {
        "_id": draft.id,
        "w": record.writer,
        "s": record.sequence,
        "t": draft.recorded_us,
        "k": sorted(draft.tokens),
        "r": draft.request,
        "c": draft.sealed,
        "ki": draft.key_id,
        "kv": draft.key_version,
        "d": draft.dictionary,
        "ph": record.previous,
        "h": record.hash,
    }
    if draft.patient is not None:
        made["p"] = draft.patient
    if draft.writes:
        made["e"] = [[write.row, write.version, write.tag] for write in draft.writes]
    return made


def from_document(found: Mapping[str, Any]) -> Record:
    """The reverse of `to_document`. KeyError when a field that every record has is missing."""
    draft = Draft(
        id=found["_id"],
        recorded_us=found["t"],
        patient=found.get("p"),
        tokens=frozenset(found["k"]),
        request=found["r"],
        writes=tuple(Write(row, version, tag) for row, version, tag in found.get("e", ())),
        sealed=found["c"],
        key_id=found["ki"],
        key_version=found["kv"],
        dictionary=found["d"],
    )
    return Record(draft, found["w"], found["s"], found["ph"], found["h"])
