"""Drafts, chains and interactions to start from."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from audit.agents import Source
from audit.chain import Head, genesis, link
from audit.events import Event, events
from audit.interaction import Interaction, Item
from audit.record import Draft, Record, Write

SOURCE = Source("hds-hub", "http://127.0.0.1:8000/fhir")
WRITER, OTHER_WRITER = b"writer-one-00000", b"writer-two-00000"
NOW_US = 1_795_348_800_123_456  # 2026-11-22T12:00:00.123456Z
CONSENT = "consent Consent/y/_history/2"

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.integers(min_value=-(2**62), max_value=2**62)
writes = st.builds(Write, row=texts, version=numbers, tag=st.binary(max_size=16))
any_draft = st.builds(
    Draft,
    id=texts,
    recorded_us=numbers,
    patient=st.none() | st.binary(max_size=12),
    tokens=st.frozensets(st.binary(max_size=12), max_size=4),
    request=texts,
    writes=st.lists(writes, max_size=3).map(tuple),
    sealed=st.binary(max_size=32),
    key_id=st.binary(max_size=12),
    key_version=numbers,
    dictionary=numbers,
)


def tag(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


def draft(number: int, *written: tuple[str, int]) -> Draft:
    """Draft `number`; `written` names rows and versions, whose tag is `tag("row/version")`."""
    return Draft(
        id=f"event-{number}",
        recorded_us=NOW_US + number,
        patient=b"patient-toke" if number % 2 else None,
        tokens=frozenset({b"token-action", b"token-client"}),
        request=f"request-{number}",
        writes=tuple(Write(row, version, tag(f"{row}/{version}")) for row, version in written),
        sealed=f"sealed {number}".encode(),
        key_id=b"system",
        key_version=1,
        dictionary=5,
    )


def chain(length: int, writer: bytes = WRITER, previous: tuple[Head, ...] = ()) -> tuple[list[Record], Head]:
    """A whole chain and its head. Record n writes version 1 of row "Observation/{writer}-n"."""
    return link(genesis(writer, previous), [draft(n, (row(n, writer), 1)) for n in range(1, length + 1)])


def row(number: int, writer: bytes = WRITER) -> str:
    return f"Observation/{writer.decode()}-{number}"


def current(*chains: list[Record]) -> list[tuple[str, int, bytes]]:
    """What lies in `resources` after these chains were written."""
    written = [write for records in chains for record in records for write in record.draft.writes]
    latest = {write.row: write for write in sorted(written, key=lambda write: write.version)}
    return [(write.row, write.version, write.tag) for write in latest.values()]


def with_draft(record: Record, **changes: Any) -> Record:
    """The record with fields of its draft changed, its hash left as it was."""
    return replace(record, draft=replace(record.draft, **changes))


def item(reference: str = "Observation/abc", **more: Any) -> Item:
    return Item(**{"reference": reference, "version": "1", "patient": "Patient/x", "basis": CONSENT, **more})


def interaction(kind: Any = "read", **more: Any) -> Interaction:
    """A read of Observation/abc of Patient/x by a client of Organization/o, allowed by a Consent."""
    usual: dict[str, Any] = {
        "recorded_us": NOW_US,
        "request_id": "request-1",
        "client_id": "client-1",
        "client_name": "EHR of the clinic",
        "organization": "Organization/o",
        "purpose": "TREAT",
        "network": "192.0.2.1",
        "method": "GET",
        "query": "/fhir/Observation/abc",
        "items": (item(),),
    }
    return Interaction(kind=kind, **{**usual, **more})


def refused(kind: Any = "read", **more: Any) -> Interaction:
    """The same read, refused: no consent, so nothing is among the items."""
    usual = {"outcome": "4", "outcome_code": "not-found", "items": (), "target": "Observation/abc", "aimed": ("Patient/x",)}
    return interaction(kind, **{**usual, **more})


def command(kind: Any, **more: Any) -> Interaction:
    """The same by a person at the command line."""
    usual = {"user": "opérateur", "reason": "ticket 12", "recorded_us": NOW_US, "request_id": "request-1"}
    return Interaction(kind=kind, **{**usual, **more})


def ids() -> Iterator[str]:
    return (f"id-{number}" for number in itertools.count(1))


def made(what: Interaction) -> list[Event]:
    return events(what, ids(), SOURCE)


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of elements left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)
