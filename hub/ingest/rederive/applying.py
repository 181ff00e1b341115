"""What a plan wanted, done: new versions where a row is still as the plan saw it, batch by batch, each with its records.

Nothing is remembered of how far it came: a row that is as the plan wanted it is done, so that after any interruption the same plan is
applied again, and applying twice changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.contract import Adapter
from fhir_profiles.derivation import replaced_by_json
from fhir_profiles.measurement import Recorded
from hub import numbers
from hub.ingest.pipeline import SENT_BY_OTHERS
from hub.ingest.recordings import keep_content
from hub.ingest.rederive.derive import Asked, Deriver
from hub.ingest.rederive.derived import IN_ERROR, Derived, Part, is_as_it_is
from hub.ingest.rederive.diff import settled
from hub.ingest.rederive.plan import BadPlan, Plan, Row, as_row, digest, touched
from hub.ingest.replay import Advance, no_progress
from hub.ingest.sender import Senders
from hub.ingest.settle import Builder, Settled, settle
from hub.instants import fhir_instant
from hub.recording import write_of
from hub.repository import Repository
from hub.repository.redoing import redoing
from hub.search.index import index
from hub.services import Services
from hub.store.protocol import ReadingMark, Replace, Stored, Unit
from security.envelope import DataKey

BATCH_ROWS: Final = 100
"""Of one transaction: a moved recording is six rows."""
APPLY: Final = "rederive-apply"
RETRACTED: Final = frozenset({"nothing", "elsewhere"})
NONE_OF_ITS_VALUES: Final = ReadingMark(modified_us=0, values=(b"\0",))
"""Should a mapping some day read it under this key again, it is no duplicate of what is in error."""
_HAS_NO_STATUS: Final = "Binary"


@dataclass(slots=True, kw_only=True)
class Applied:
    """Rows by what became of them.

    done       changed or moved, retracted  entered in error without anything in its place
    already    were as the plan wanted them
    differs    have changed since the plan, or the mapping has; left alone
    held       would be retracted, if that were asked for
    refused    by why: not permitted any more, sender gone
    chained    would take each other's place, by name; left as they are
    """

    done: int = 0
    retracted: int = 0
    already: int = 0
    differs: int = 0
    held: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    chained: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Was everything done that was asked for?"""
        return not (self.differs or self.refused or self.chained)

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("done", "retracted", "already", "differs", "held")}
        return {**counts, "refused": dict(sorted(self.refused.items())), "chained": self.chained}

    def add(self, other: "Applied") -> None:
        for name in ("done", "retracted", "already", "differs", "held"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused


@dataclass(slots=True)
class _Writes:
    """Of one batch, for one client."""

    replaces: list[Replace] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)

    @property
    def written(self) -> list[Stored]:
        return [*self.settled.written, *(one.new for one in self.replaces)]


class Applier:
    """`retract`: what comes to nothing is entered in error."""

    def __init__(self, services: Services, senders: Senders, plan: Plan, adapter: Adapter | None, *, retract: bool = False) -> None:
        """`adapter`: the installed one of the plan's name. Raises BadPlan for none, or for another mapping of it."""
        if adapter is None or adapter.manifest.version != plan.mapping_version:
            raise BadPlan(f"the plan was made with {plan.adapter} {plan.mapping_version}, which is not what is installed; make it anew")
        self._services, self._plan, self._retract = services, plan, retract
        asked = Asked(adapter=adapter, mapping_version=plan.read_by, client=plan.client, time_zone=plan.time_zone)
        self._deriver = Deriver(services, senders, asked, APPLY)
        self._deletions: int | None = None
        self._kept: set[tuple[str, str]] = set()

    async def run(self, advance: Advance = no_progress) -> Applied:
        """All of it. What is acknowledged by `advance` is durable. Raises FhirError where others do not come to an end."""
        applied = Applied(chained=self._plan.chained)
        for start in range(0, len(self._plan.rows), BATCH_ROWS):
            rows = self._plan.rows[start : start + BATCH_ROWS]

            async def attempt(rows: Sequence[Row] = rows) -> Applied:
                return await self._batch(rows)

            applied.add(await redoing(attempt, lambda: ("rederive",), self._services.turns, changed=SENT_BY_OTHERS))
            advance(len(rows))
        return applied

    async def _batch(self, rows: Sequence[Row]) -> Applied:
        wanted, keys, made = await self._decided(rows)
        while await self._keep_bytes([one for some in wanted.values() for one in some]):
            wanted, keys, made = await self._decided(rows)  # a patient may have withdrawn meanwhile
        for client, some in sorted(wanted.items()):
            repository = await self._deriver.repository(client)
            if repository is not None:
                await self._write(repository, some, keys, made)
        return made

    async def _decided(self, rows: Sequence[Row]) -> tuple[Mapping[str, Sequence[Derived]], Mapping[bytes | None, DataKey], Applied]:
        """What is to be written now, by client, with the keys of its patients, and what became of the other rows."""
        services, made = self._services, Applied()
        self._deletions = services.store.deletions  # before anything is decided
        current = await services.store.currents([one.row for one in rows], deleted=True)
        keys = await services.vault.keys(sorted({one.patient for one in current.values() if one.patient is not None}))
        self._deriver.forget()
        self._deriver.know(keys)
        wanted: dict[str, list[Derived]] = {}
        for row in rows:
            derived = await self._wanted(row, current.get(row.row), keys, made)
            if derived is not None:
                wanted.setdefault(derived.client, []).append(derived)
        return wanted, keys, made

    async def _wanted(self, row: Row, stored: Stored | None, keys: Mapping[bytes | None, DataKey], made: Applied) -> Derived | None:
        """The row if it is to be written now, and it is as the plan saw it."""
        key = None if stored is None else keys.get(stored.patient)
        if stored is None or stored.deleted or key is None:
            made.differs += 1
            return None
        if stored.version != row.version:
            is_done = stored.version == row.version + 1 and self._is_done(row, stored, key)
            made.already, made.differs = made.already + is_done, made.differs + (not is_done)
            return None
        derived = await self._deriver.derive(stored, key)
        if isinstance(derived, str):
            made.refused[derived] += 1
        elif derived is None or as_row(self._services, derived) != row:
            made.differs += 1
        elif derived.kind in RETRACTED and not self._retract:
            made.held += 1
        else:
            made.retracted, made.done = made.retracted + (derived.kind in RETRACTED), made.done + (derived.kind not in RETRACTED)
            return derived
        return None

    def _is_done(self, row: Row, stored: Stored, key: DataKey) -> bool:
        """The version after the one of the plan: is it what the plan wanted?"""
        content = numbers.loads(self._services.vault.open(key, stored))
        if row.kind != "changed":
            return bool(content.get("status") == IN_ERROR)
        # A recording's parts are written with it, so its Observation speaks for them.
        return stored.raw is not None and self._speaks_for(row, stored, content)

    def _speaks_for(self, row: Row, stored: Stored, content: Mapping[str, Any]) -> bool:
        alone = numbers.canonical([[stored.row, settled(content)]])
        return digest(self._services, f"after\n{alone.decode()}") == row.after or "derivedFrom" in content

    async def _write(self, repository: Repository, derived: Sequence[Derived], keys: Mapping[bytes | None, DataKey], made: Applied) -> None:
        """One transaction, one interaction of the client. Raises Conflict."""
        now_us = self._services.clock()
        builder, writes = Builder(self._services, keys, now_us), _Writes()
        derived, writes.settled = await self._settled(derived, keys, now_us, made)
        for one in derived:
            if one.kind == "changed":
                writes.replaces += [self._changed(part, builder) for part in one.parts if not is_as_it_is(part)]
            else:
                writes.replaces += self._in_error(one, keys, now_us)
        if not derived:
            return
        async with repository.recording(APPLY) as recording:
            for one in derived:
                recording.touch(touched(one, one.stored.version + 1))
            for each in writes.settled.touched:
                recording.touch(each)
            unit = Unit(
                inserts=writes.settled.inserts,
                replaces=[*writes.settled.replaces, *writes.replaces],
                remarks=writes.settled.remarks,
                past=writes.settled.past,
                deletions=self._deletions,
            )
            await recording.commit(unit, writes=[write_of(stored) for stored in writes.written])

    async def _settled(
        self, derived: Sequence[Derived], keys: Mapping[bytes | None, DataKey], now_us: int, made: Applied
    ) -> tuple[Sequence[Derived], Settled]:
        """Moved readings against what is there under their new keys. What contradicts it there stays where it is."""
        moved = [(one, part.candidate) for one in derived if one.kind == "moved" for part in one.parts]
        if not moved:
            return derived, Settled()
        existing = await self._services.store.currents(sorted({candidate.row for _, candidate in moved}), deleted=True)
        places = [(place, candidate) for place, (_, candidate) in enumerate(moved)]
        settled_ = await settle(places, existing, keys, services=self._services, now_us=now_us)
        if not settled_.conflicts:
            return derived, settled_
        contradicting = {moved[place][0].stored.row for place in settled_.conflicts}
        made.refused["time-conflict"] += len(contradicting)
        made.done -= len(contradicting)
        left = [one for one in derived if one.stored.row not in contradicting]
        return await self._settled(left, keys, now_us, made)

    async def _keep_bytes(self, derived: Sequence[Derived]) -> bool:
        """Of recordings under a new key, or of other bytes: durable before anything names them. Says whether any had to be written."""
        wrote = False
        for one, candidate in [(each, part.candidate) for each in derived for part in each.parts[:1]]:
            value = candidate.measurement.value
            if not isinstance(value, Recorded) or (value.content, value.stored_as) in self._kept:
                continue
            wrote |= await keep_content(self._services, candidate.patient, value, one.content_bytes)
            self._kept.add((value.content, value.stored_as))
        return wrote

    def _changed(self, part: Part, builder: Builder) -> Replace:
        """A new version on top of the one that is there, with every value it ever had."""
        assert part.stored is not None  # noqa: S101 - a changed part has one
        mark = part.stored.reading or ReadingMark(modified_us=0, values=())
        values = (part.candidate.value, *(one for one in mark.values if one != part.candidate.value))
        new = builder.build(part.candidate, part.stored.version + 1, values)
        kept = ReadingMark(modified_us=max(mark.modified_us, part.candidate.modified_us), values=values)
        return Replace(new=new._replace(reading=kept), old=part.stored)

    def _in_error(self, derived: Derived, keys: Mapping[bytes | None, DataKey], now_us: int) -> list[Replace]:
        """The last version of what was wrong. What it was made of stays with the version before."""
        moved = {part.candidate.type: part.candidate.row for part in derived.parts}
        made = []
        for stored, content in derived.rows:
            if stored.type == _HAS_NO_STATUS:
                continue
            by = moved.get(stored.type) or next(iter(moved.values()), None)
            made.append(self._entered_in_error(stored, content, by, keys[stored.patient], now_us))
        return made

    def _entered_in_error(self, stored: Stored, content: Mapping[str, Any], by: str | None, key: DataKey, now_us: int) -> Replace:
        services, version = self._services, stored.version + 1
        meta = {**content["meta"], "versionId": str(version), "lastUpdated": fhir_instant(now_us)}
        new: dict[str, Any] = {**content, "meta": meta, "status": IN_ERROR}
        if by is not None:
            new["extension"] = [*content.get("extension", ()), replaced_by_json(by)]
        json = numbers.dumps(new)
        indexed = index(new, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
        made = stored._replace(
            version=version,
            updated_us=now_us,
            sealed=services.vault.seal(key, stored.type, stored.id, version, stored.patient, json),
            key_version=key.version,
            tokens=tuple(sorted(indexed.k)),
            global_tokens=tuple(sorted(indexed.g)),
            raw=None,
            reading=NONE_OF_ITS_VALUES,
        )
        return Replace(new=made, old=stored)
