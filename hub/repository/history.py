"""FHIR history behind the one door: every version decided anew, and of what is hidden now nothing older is shown.

https://hl7.org/fhir/R4/http.html#history. A version is part of a history if this caller may see it, and may see the newest
version of its resource; a deletion counts as the content that was deleted.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import orjson

from hub import outcomes
from hub.errors import FhirError
from hub.recording import Recording, Touched
from hub.repository.reading import AUDIT_BASIS, POLICY_ONLY, Reading, basis_of, touched
from hub.repository.rights import Rights
from hub.repository.visibility import PatientRules
from hub.search.history import HistoryAsked
from hub.search.page import Cursor, Position
from hub.search.parameters import RESOURCE_TYPES
from hub.search.predicate import EVERYTHING, AllOf, AnyOf, IdIs, Not, Predicate
from hub.services import KEYED, Services
from hub.store.protocol import Histories, Place, Snapshot, Stored
from security.envelope import DataKey

OPENED_MAX = 100_000
CHUNK_ROWS = 200
Read = tuple[Stored, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One entry. `json` is None for a deletion; `brought`: its id came from an importer."""

    stored: Stored
    id: str
    json: bytes | None
    touched: Touched

    @property
    def brought(self) -> bool:
        return self.stored.id.startswith(KEYED)

    @property
    def place(self) -> Place:
        return self.stored.updated_us, self.stored.row, self.stored.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One page of a history. `after` and `before`: the positions of the pages next to it, or None."""

    versions: tuple[Version, ...]
    total: int | None
    after: Position | None
    before: Position | None
    started_us: int


class History:
    """Histories for one caller."""

    def __init__(self, services: Services, rights: Rights, reading: Reading) -> None:
        self._services = services
        self._rights = rights
        self._reading = reading

    async def instance(self, type: str, id: str, asked: HistoryAsked, cursor: Cursor | None, recording: Recording) -> Past:
        """Every version of one resource; whoever may not see the newest is answered as for one that never was."""
        self._rights.require(type, "r")
        stored = await self._services.resolve(type, id, deleted=True)
        if stored is None:
            await self._reading.as_if_hidden(type, id, recording)
            raise outcomes.absent()
        recording.aim(stored)
        opened = await self._reading.open(stored, "access")
        if type in POLICY_ONLY:
            only = Version(stored=stored, id=id, json=opened.json, touched=opened.touched)
            return self._noted(Past(versions=(only,), total=1, after=None, before=None, started_us=self._services.clock()), recording)
        async with self._services.store.snapshot() as snapshot:
            judge = _Judge(self._services, self._rights, snapshot, "r")
            if not await judge.sees_now(stored.row):
                raise outcomes.absent()
            past = await self._page(_asked(asked, row=stored.row), asked, cursor, judge, total=True)
        return self._noted(past, recording)

    async def of_type(self, type: str, asked: HistoryAsked, cursor: Cursor | None, recording: Recording) -> Past:
        """Every version of every resource of a type."""
        self._rights.require(type, "s")
        if type in POLICY_ONLY:
            raise FhirError("not-supported", f"A {type} is written once and never changed: search for it instead.")
        return await self._of_types([type], asked, cursor, recording)

    async def of_system(self, asked: HistoryAsked, cursor: Cursor | None, recording: Recording) -> Past:
        """Of all types that the token may search."""
        types = [type for type in RESOURCE_TYPES if type not in POLICY_ONLY and self._rights.covers(type, "s")]
        if not types:
            raise outcomes.forbidden()
        return await self._of_types(types, asked, cursor, recording)

    async def _of_types(self, types: Sequence[str], asked: HistoryAsked, cursor: Cursor | None, recording: Recording) -> Past:
        async with self._services.store.snapshot() as snapshot:
            visible = await self._rights.visibility.of_all(snapshot, self._services.clock())
            scopes = {type: _beside_ids(self._rights.predicate(type, "s")[0]) for type in types}
            question = replace(_asked(asked, types=scopes), restriction=visible.predicate, others_within=visible.permitted)
            question = replace(question, own=self._rights.visibility.own)
            judge = _Judge(self._services, self._rights, snapshot, "s")
            past = await self._page(question, asked, cursor, judge, total=asked.total or not asked.count)
        return self._noted(past, recording)

    def _noted(self, past: Past, recording: Recording) -> Past:
        for version in past.versions:
            recording.touch(version.touched)
        return past

    async def _page(self, question: Histories, asked: HistoryAsked, cursor: Cursor | None, judge: "_Judge", *, total: bool) -> Past:
        backwards = cursor is not None and cursor.direction == "previous"
        started_us = judge.now_us if cursor is None else cursor.started_us
        count = await judge.count(question) if total else None
        from_here = replace(question, descending=question.descending is not backwards, after=_place(cursor))
        found: list[Version] = []
        if asked.count:
            async with aclosing(judge.versions(from_here, asked.count + 1)) as versions:
                async for version in versions:
                    found.append(version)
                    if len(found) > asked.count:
                        break
        return _cut(found, asked.count, cursor, Past(versions=(), total=count, after=None, before=None, started_us=started_us))


class _Judge:
    """Decides about versions, all as of one moment. `letter` of the scope that must cover them."""

    def __init__(self, services: Services, rights: Rights, snapshot: Snapshot, letter: str) -> None:
        self._services = services
        self._rights = rights
        self._snapshot = snapshot
        self._letter = letter
        self.now_us = services.clock()
        self._rules: dict[bytes, PatientRules | None] = {}
        self._now: dict[str, bool] = {}
        """Rows whose newest version has been decided about."""

    async def sees_now(self, row: str) -> bool:
        await self._decide_now({row}, [])
        return self._now[row]

    async def versions(self, question: Histories, first: int) -> AsyncGenerator[Version, None]:
        """What of it may be seen, in order."""
        chunk, size = list[Read](), min(first, CHUNK_ROWS)
        async with aclosing(self._snapshot.history(question, first)) as reads:
            async for read in reads:
                chunk.append(read)
                if len(chunk) < size:
                    continue
                for version in await self._seen(chunk):
                    yield version
                chunk, size = [], CHUNK_ROWS
        for version in await self._seen(chunk):
            yield version

    async def count(self, question: Histories) -> int:
        count = 0
        async with aclosing(self.versions(question, CHUNK_ROWS)) as versions:
            async for _ in versions:
                count += 1
                if count > OPENED_MAX:
                    raise FhirError("too-costly", f"This history holds more than {OPENED_MAX} versions; narrow it by _since or _at.")
        return count

    async def _seen(self, chunk: Sequence[Read]) -> list[Version]:
        await self._decide_now({stored.row for stored, _ in chunk}, [stored for stored, current in chunk if current])
        left = [stored for stored, _ in chunk if self._now[stored.row]]
        return [version for version in await self._opened(left) if version is not None]

    async def _decide_now(self, rows: set[str], at_hand: Sequence[Stored]) -> None:
        """May the newest version of these rows be seen? Those at hand need not be read again."""
        known = {stored.row: stored for stored in at_hand if stored.row not in self._now}
        missing = sorted(rows - self._now.keys() - known.keys())
        if missing:
            known |= {stored.row: stored for stored in await self._snapshot.rows(missing, deleted=True)}
        newest = list(known.values())
        for stored, version in zip(newest, await self._opened(newest), strict=True):
            self._now[stored.row] = version is not None
        self._now |= {row: False for row in missing if row not in known}

    async def _opened(self, rows: Sequence[Stored]) -> list[Version | None]:
        """Each opened and decided about by itself; None for what may not be seen."""
        await self._learn({patient for stored in rows for patient in self._rights.visibility.concerned(stored)})
        keys = await self._services.vault.keys([stored.patient for stored in rows])
        return [self._version(stored, keys) for stored in rows]

    async def _learn(self, patients: set[bytes]) -> None:
        unknown = patients - self._rules.keys()
        if unknown:
            grants = await self._snapshot.grants(sorted(unknown))
            self._rules |= {**dict.fromkeys(unknown), **await self._rights.visibility.opened(grants.values())}

    def _version(self, stored: Stored, keys: Mapping[bytes | None, DataKey]) -> Version | None:
        key = keys.get(stored.patient)
        if key is None:
            return None  # it has been destroyed: nobody can read it any more
        vault = self._services.vault
        json = vault.open_deleted(key, stored, stored.deleted) if stored.deleted else vault.open(key, stored)
        content = orjson.loads(json)
        basis = self._basis(stored, content)
        if basis is None or not self._rights.scopes_match(stored.type, self._letter, content, stored):
            return None
        told = touched(stored, content, basis)
        return Version(stored=stored, id=str(content["id"]), json=None if stored.deleted else json, touched=told)

    def _basis(self, stored: Stored, content: Mapping[str, Any]) -> str | None:
        if stored.type in POLICY_ONLY:
            return AUDIT_BASIS
        basis = "scope"
        for patient in self._rights.visibility.concerned(stored):
            rules = self._rules.get(patient)
            decision = None if rules is None else self._rights.visibility.decide(rules, content, "access", self.now_us)
            if decision is None or not decision.permit:
                return None
            basis = basis_of(decision) if basis == "scope" else basis
        return basis


def _asked(asked: HistoryAsked, *, row: str | None = None, types: Mapping[str, Predicate] | None = None) -> Histories:
    return Histories(row=row, types=types or {}, since_us=asked.since_us, at=asked.at, descending=asked.descending)


def _beside_ids(predicate: Predicate) -> Predicate:
    """A scope by id is decided after opening: older versions lie under other names."""
    return EVERYTHING if _names_ids(predicate) else predicate


def _names_ids(predicate: Predicate) -> bool:
    match predicate:
        case IdIs():
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(_names_ids(part) for part in parts)
        case Not(part):
            return _names_ids(part)
        case _:
            return False


def _place(cursor: Cursor | None) -> Place | None:
    if cursor is None or not cursor.position:
        return None
    updated_us, row, version = cursor.position
    return int(str(updated_us)), str(row), int(str(version))


def _cut(found: Sequence[Version], size: int, cursor: Cursor | None, past: Past) -> Past:
    """`found` holds one more than the page where there is more that way; the other way there is where we come from."""
    more, found = len(found) > size, found[:size]
    if not found:
        return past
    first, last = found[0].place, found[-1].place
    if cursor is not None and cursor.direction == "previous":
        return replace(past, versions=tuple(reversed(found)), after=first, before=last if more else None)
    came = cursor is not None and bool(cursor.position)
    return replace(past, versions=tuple(found), after=last if more else None, before=first if came else None)
