"""What the repository asks of a store: sealed rows in, sealed rows out. A storage engine is one file behind this.

A store never sees a resource in clear and never decides; it keeps what it is given together or not at all.
"""

from asyncio import Future
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from audit.record import Draft
from hub.search.predicate import NOTHING, Predicate
from security.context import Registered
from security.oauth.clients import Client

DECIDING = frozenset({"Patient", "Consent"})
"""Types whose writes change what the consents come to, and are written though the Patient is deleted."""
WEBHOOK = "webhook"
"""Kind of the note that says how a vendor's calls prove themselves."""
AUTHORIZATION = "authorization"
"""Kind of the note that says what a person let an app do."""
DECIDING_NOTES = frozenset({WEBHOOK, AUTHORIZATION})
"""Kinds of notes by which it is decided whether something is taken in."""
SYSTEM_KEY = b"system"
"""Key id of what belongs to no patient (DESIGN 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingMark:
    """What tells a duplicate from a correction without opening: source-modified time and keyed value hashes.

    `values[0]` is the current value's hash; the others are values the row once had.
    """

    modified_us: int
    values: tuple[bytes, ...]


class Stored(NamedTuple):
    """One version of a resource as it lies in the database (docs/adr/0004-stored-form.md).

    A tuple, for each page makes fifty: a frozen dataclass of so many fields takes three times as long.

    deleted  of a tombstone: the content that was deleted, sealed apart. `sealed` holds no more than id and version then;
             by the deleted content it is decided who may know of it, and `tokens` are still its tokens
    revived  the version that brought back what had been deleted
    """

    type: str
    id: str
    version: int
    updated_us: int
    sealed: bytes
    key_version: int
    patient: bytes | None = None
    others: tuple[bytes, ...] = ()
    tokens: tuple[bytes, ...] = ()
    global_tokens: tuple[bytes, ...] = ()
    start_us: int | None = None
    end_us: int | None = None
    raw: bytes | None = None
    reading: ReadingMark | None = None
    deleted: bytes | None = None
    revived: bool = False

    @property
    def row(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def key_id(self) -> bytes:
        return self.patient or SYSTEM_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the consents of one patient come to. `sealed` holds the rules in words, the rest lets a query join.

    deleted  the Patient is: nothing more is written about it
    """

    patient: bytes
    version: int
    sealed: bytes
    key_version: int
    actors: tuple[bytes, ...]
    organization: bytes | None
    shape: bytes
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantGroup:
    """Patients whose rules come to the same thing, with one of their grants as the specimen."""

    patients: frozenset[bytes]
    specimen: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A device worn by a patient for a period; `sealed` holds the references for people."""

    id: str
    device: bytes
    patient: bytes
    from_us: int | None
    to_us: int | None
    sealed: bytes
    key_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A unique key: whoever inserts it first has it. `value` is what it points to (a row).

    holder  the row it points to as it was read, if it is taken over from there; None for a key that nobody has
    """

    key: bytes
    value: str
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An item that waits: sealed under the system key, because no patient is known or may be named.

    to_confirm  a person has to say whose it is
    beside_bytes  how long the recording is that lies beside it; 0 for what is no recording
    """

    id: str
    client: str
    adapter: str
    code: str
    received_us: int
    expires_us: int
    sealed: bytes
    key_version: int
    to_confirm: bool = False
    beside_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a transport remembers, written with the readings it belongs to: an answer that was given, a cursor, a link to a cloud.

    key      a pseudonym, so that it says nothing of what it stands for
    kind     by which notes of one sort are found
    patient  whose key seals it; None: the system's
    expires_us  when it is forgotten, in microseconds since 1970 UTC; None: never
    """

    key: bytes
    kind: str
    version: int
    sealed: bytes
    key_version: int
    patient: bytes | None = None
    expires_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWrite:
    """A note in place of the version that was read; `expected_version` 0 for one that nobody has written."""

    new: Note
    expected_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWrite:
    """A registration in place of the revision that was read; None for one that is new."""

    new: Client
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """A new version in place of the one that was read; the old one goes to the history.

    A deletion puts a tombstone in place of a live version, a re-creation a live version in place of a tombstone.
    """

    new: Stored
    old: Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """The source has confirmed the current value of the row that was read, at a later time: no new version."""

    old: Stored
    modified_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantWrite:
    new: Grant
    expected_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A Patient is deleted because nothing else of the patient was there, of what `restriction` lets through, but for the rows `seen`.

    but  types that may stay
    """

    patient: bytes
    restriction: Predicate
    but: frozenset[str]
    seen: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairDevice:
    """A pairing opened, changed or closed, and the tokens of the patients the Device is now paired with; `parts`: rows of its parts.

    erased  of wearers who are asked no more, for nobody can say any more that they were
    """

    pairing: Pairing
    device_row: str
    device_patients: tuple[bytes, ...]
    parts: tuple[str, ...] = ()
    erased: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What it was decided by that something is written, as it was read. Where any of it has changed since, it is decided anew.

    changes   of such things, as many as the store knew of before the first of them was read; None: it is not known
    rules     versions of patients' grants; 0 for a patient whom nobody knew
    pairings  of units, by the unit's token
    callers   the registrations in whose names it is written
    notes     versions of notes that it rests on, by key
    """

    changes: int | None
    rules: Mapping[bytes, int] = field(default_factory=dict)
    pairings: Mapping[bytes, frozenset[Pairing]] = field(default_factory=dict)
    callers: Sequence[Registered] = ()
    notes: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Unit:
    """What one request wants written, all or nothing, its audit records included.

    confirmed, disowned  quarantined items whose owner somebody has named, which are done with, or of which somebody has said that they
             are nobody's, which stay until they expire and are asked about no more. Each must still wait to be confirmed
    notes, forgotten  what transports remember from now on, and keys of notes that are of no use any more
    lapsed     items of quarantine as they were read: whatever has come in their place since stays
    decided    by what; None where nobody was asked, as for what an operator does
    """

    inserts: Sequence[Stored] = ()
    replaces: Sequence[Replace] = ()
    remarks: Sequence[Remark] = ()
    past: Sequence[Stored] = ()
    grants: Sequence[GrantWrite] = ()
    claims: Sequence[Claim] = ()
    pairings: Sequence[PairDevice] = ()
    quarantine: Sequence[Quarantined] = ()
    released: Sequence[str] = ()
    confirmed: Sequence[str] = ()
    disowned: Sequence[str] = ()
    lapsed: Sequence[Quarantined] = ()
    notes: Sequence[NoteWrite] = ()
    forgotten: Sequence[bytes] = ()
    clients: Sequence[ClientWrite] = ()
    drafts: Sequence[Draft] = ()
    closing: Sequence[Closing] = ()
    decided: Decided | None = None

    @property
    def about(self) -> frozenset[bytes]:
        """Patients of whom it writes something that a deletion of the Patient may not overlook, nor come before."""
        written = (*self.inserts, *self.past, *(one.new for one in self.replaces))
        about = {one.patient for one in written if one.patient is not None and not one.deleted and one.type not in DECIDING}
        return frozenset(about - {one.new.patient for one in self.grants})

    @property
    def redecides(self) -> bool:
        """Does it change what others may have decided by? Whom nobody knew before, nobody has decided by."""
        known = any(one.expected_version for one in self.grants) or any(one.expected_revision is not None for one in self.clients)
        noted = any(one.new.kind in DECIDING_NOTES and (one.expected_version or one.new.kind != AUTHORIZATION) for one in self.notes)
        return known or bool(self.pairings) or noted

    @property
    def audit_only(self) -> bool:
        written = (self.inserts, self.replaces, self.remarks, self.past, self.grants, self.claims, self.pairings)
        let_go = (self.released, self.lapsed, self.confirmed, self.disowned)
        return not (any(written) or self.quarantine or any(let_go) or self.notes or self.forgotten or self.clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one client may send in a minute."""

    requests: int
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What is left of an allowance after a request was asked for; `items` is below zero where a batch was larger than what was left."""

    admitted: bool
    requests: float
    items: float


Asked = Future["Stored | None"]
"""A row that was asked for, tombstones included; the answer is to come."""


class Conflict(Exception):
    """Somebody else was first: a version moved on, or a unique key is taken. Read again and redo."""


class Locked(Conflict):
    """A transaction that has not ended holds what this one needs: nobody was first yet. Wait, then redo.

    It is that of another process, or of one that was killed, until the database gives it up.
    """


class Unavailable(Exception):
    """The store did not acknowledge; nothing of the unit may be answered as done."""


class Unsure(Unavailable):
    """The store went away in the middle: whether the unit is written cannot be told."""


class Unsettled(Unavailable):
    """The unit is written, and something that was decided before it may still be: a transaction from before has not ended."""


SortField = Literal["d", "lu", "id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sort field of the store, and the position after which to go on (values as the row shows them)."""

    field: SortField
    descending: bool = False
    after: tuple[Any, str] | None = None
    ids_descending: bool | None = None
    """How ties go, if somebody asked for it; None leaves it to the store, which takes the way of its index."""
    backwards: bool = False
    """From the position, or from the end, towards the beginning: rows come in the reverse of the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A search for rows of one type: what the caller asked for and what it may see, both inside."""

    type: str
    predicate: Predicate
    restriction: Predicate
    others_within: frozenset[bytes] | None = None
    """Patients that rows may name besides their own; None: whoever they name is asked after opening."""
    naming_others: bool = False
    """Only rows that name patients besides their own."""


Place = tuple[int, str, int]
"""Where a version stands in a history: lastUpdated, row, version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """A question about versions, current, past and deleted: of one row, or of whole types.

    types          each type asked for, with what the caller's scopes cover of it
    restriction    what the caller may see, and in `others_within` whom versions may name besides their own patient
    own            the patient who asks, whose own Patient may name anybody
    since_us, at   versions made since; versions that were current at some moment of this half-open range
    after          the last version shown, in the direction of `descending`
    """

    row: str | None = None
    types: Mapping[str, Predicate] = field(default_factory=dict)
    restriction: Predicate = NOTHING
    others_within: frozenset[bytes] = frozenset()
    own: bytes | None = None
    since_us: int | None = None
    at: tuple[int, int] | None = None
    descending: bool = True
    after: Place | None = None


class Snapshot(Protocol):
    """Reads that all see the same moment."""

    async def grants(self, patients: Sequence[bytes]) -> Mapping[bytes, Grant]: ...

    async def grant_groups(self, *, actors: frozenset[bytes], organization: bytes | None) -> Sequence[GrantGroup]: ...

    def find(
        self, finding: Finding, order: Order, limit: int | None = None, *, lean: bool = False
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """The rows in order, by as many at a time as the store likes.

        lean  without what only a writer needs (tokens, raw payload, mark): to be shown, never to be written again
        """
        ...

    async def count(self, finding: Finding, limit: int | None = None) -> int: ...

    async def rows(self, rows: Sequence[str], *, deleted: bool = False, lean: bool = False) -> Sequence[Stored]: ...

    async def versions(self, versions: Sequence[tuple[str, int]]) -> Sequence[Stored]: ...

    async def types(self) -> frozenset[str]: ...

    async def rows_ever(self, type: str, of_type: bytes, patient: bytes) -> frozenset[str]:
        """The names of one patient's rows of this type, deleted ones too: of those a version is past. `of_type`: the type's token."""
        ...

    def history(self, asked: Histories, batch: int) -> AsyncGenerator[tuple[Stored, bool], None]:
        """Versions in order, each with whether it is the current one. `batch`: how many are likely to be wanted."""
        ...

    async def patients(self, finding: Finding, limit: int) -> frozenset[bytes]: ...

    def compartment(self, patient: bytes, restriction: Predicate, but: frozenset[str]) -> AsyncGenerator[Stored, None]:
        """Everything of one patient, of whatever type, in no order; types in `but` left out."""
        ...

    async def concerned(self, type: str, predicate: Predicate, rows_max: int) -> frozenset[bytes] | None: ...

    async def carriers(self, tokens: frozenset[bytes], patients_max: int) -> frozenset[bytes] | None: ...

    async def pairings_of_devices(self, devices: Sequence[bytes]) -> Sequence[Pairing]: ...


class Store(Protocol):
    """The engine. Reads of single rows are gathered, commits are grouped; both are invisible from here."""

    async def current(self, row: str, *, deleted: bool = False) -> Stored | None:
        """What is deleted is not there, unless it is asked for."""
        ...

    async def currents(self, rows: Sequence[str], *, deleted: bool = False) -> Mapping[str, Stored]: ...

    async def version(self, row: str, version: int) -> Stored | None: ...

    async def grant(self, patient: bytes, meanwhile: Awaitable[None] | None = None) -> Grant | None: ...

    async def claim(self, key: bytes) -> str | None: ...

    async def pairings(self, device: bytes) -> Sequence[Pairing]: ...

    async def pairings_of(self, patients: Sequence[bytes]) -> Sequence[Pairing]: ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]: ...

    async def commit(self, unit: Unit) -> None: ...


@dataclass(slots=True)
class Statistics:
    """What the committer did, for /metrics."""

    rounds: int = 0
    units: int = 0
    retries: int = 0
    conflicts: int = 0
    failures: int = 0
    largest_round: int = field(default=0)
