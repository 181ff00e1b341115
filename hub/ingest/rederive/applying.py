"""What a plan wanted, done: new versions where a row is still as the plan saw it, batch by batch, each with its records.

Nothing is remembered of how far it came: a row that is as the plan wanted it is done, so that after any interruption the same plan is
applied again, and applying twice changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adapters.contract import Adapter
from fhir_profiles.derivation import replaced_by_json
from fhir_profiles.measurement import Recorded
from hub import numbers
from hub.ingest.pipeline import SENT_BY_OTHERS
from hub.ingest.recordings import keep_content
from hub.ingest.rederive.derive import Asked, Deriver
from hub.ingest.rederive.derived import IN_ERROR, NONE_OF_ITS_VALUES, RETRACTED, Derived, Part, document_of, is_as_it_is
from hub.ingest.rederive.diff import settled
from hub.ingest.rederive.plan import BadPlan, Plan, Row, as_row, digest, touched
from hub.ingest.replay import Advance, no_progress
from hub.ingest.sender import Senders
from hub.ingest.settle import Builder, Settled, settle
from hub.instants import fhir_instant
from hub.recording import write_of
from hub.repository.redoing import redoing
from hub.search.index import index
from hub.services import Services
from hub.store.protocol import ReadingMark, Replace, Stored, Unit
from security.envelope import DataKey

BATCH_ROWS: Final = 100
"""Of one transaction: a moved recording is six rows."""
APPLY: Final = "rederive-apply"
_HAS_NO_STATUS: Final = "Binary"


@dataclass(slots=True, kw_only=True)
class Applied:
    """Rows by what became of them.

    done       changed or moved, retracted  entered in error without anything in its place
    already    were as the plan wanted them
    differs    have changed since the plan, or the mapping has; left alone
    held       would be retracted, if that were asked for
    refused    by why: not permitted any more, sender gone; `place-held`, and of a chain what went with another one: `chain-broken`
    stuck      cannot go where they belong, by name with why; left as they are
    """

    done: int = 0
    retracted: int = 0
    already: int = 0
    differs: int = 0
    held: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    stuck: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Was everything done that was asked for?"""
        return not (self.differs or self.refused or self.stuck)

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("done", "retracted", "already", "differs", "held")}
        return {**counts, "refused": dict(sorted(self.refused.items())), "stuck": dict(self.stuck)}

    @property
    def is_blocked(self) -> bool:
        """Of a chain: is there one that cannot go?"""
        return bool(self.differs or self.refused or self.held)

    def break_chain(self, count: int) -> None:
        """So many of a chain stay, because another one cannot go: held as that one is, if that is all."""
        if self.differs or self.refused:
            self.refused["chain-broken"] += count
        else:
            self.held += count

    def add(self, other: "Applied") -> None:
        for name in ("done", "retracted", "already", "differs", "held"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused


@dataclass(slots=True)
class _Decided:
    """What is to be written now, with the keys of its patients, and what became of the other rows.

    kept  bytes of a recording had to be written first: time went by
    """

    wanted: list[Derived]
    keys: Mapping[bytes | None, DataKey]
    made: Applied
    kept: bool

    def leave_all(self) -> None:
        """One cannot go, so none of them does: the others are counted with it."""
        self.made.break_chain(len(self.wanted))
        self.made.done -= len(self.wanted)
        self.wanted = []


class Applier:
    """`retract`: what comes to nothing is entered in error."""

    def __init__(self, services: Services, senders: Senders, plan: Plan, adapter: Adapter | None, *, retract: bool = False) -> None:
        """`adapter`: the installed one of the plan's name. Raises BadPlan for none, or for another mapping of it."""
        if adapter is None or adapter.manifest.version != plan.mapping_version:
            raise BadPlan(f"the plan was made with {plan.adapter} {plan.mapping_version}, which is not what is installed; make it anew")
        self._services, self._plan, self._retract = services, plan, retract
        asked = Asked(adapter=adapter, client=plan.client, time_zone=plan.time_zone)
        self._deriver = Deriver(services, senders, asked, APPLY)
        self._changes: int | None = None
        self._chained = {row for chain in plan.chains for unit in chain for row in unit}
        self._kept: set[tuple[str, str]] = set()

    async def run(self, advance: Advance = no_progress) -> Applied:
        """All of it. What is acknowledged by `advance` is durable. Raises FhirError where others do not come to an end."""
        applied, rows = Applied(stuck=self._plan.stuck), {one.row: one for one in self._plan.rows}
        alone = [one for one in self._plan.rows if one.row not in self._chained]
        # Who moves may meet somebody who changes, or take the place of who is retracted: so they come after them.
        for some in ([one for one in alone if one.kind != "moved"], [one for one in alone if one.kind == "moved"]):
            for start in range(0, len(some), BATCH_ROWS):
                applied.add(await self._redoing(some[start : start + BATCH_ROWS]))
                advance(len(some[start : start + BATCH_ROWS]))
        for chain in self._plan.chains:
            applied.add(await self._chain([[rows[name] for name in unit] for unit in chain], advance))
        return applied

    async def _chain(self, units: Sequence[Sequence[Row]], advance: Advance) -> Applied:
        """All of it or nothing. One that takes several transactions is looked at as a whole first; should something change between
        two of them, what has gone is where it belongs, and the rest stays where it is, behind it.
        """
        applied, left = Applied(), list(units)
        if len(units) > 1 and (looked := await self._looked_through(units)).is_blocked:
            looked.break_chain(looked.done)
            looked.done, left = 0, []
            applied = looked
        while left and not applied.is_blocked:
            unit = left.pop(0)
            applied.add(await self._redoing(unit, whole=True))
            advance(len(unit))
        if left:
            applied.break_chain(sum(len(unit) for unit in left))
        return applied

    async def _looked_through(self, units: Sequence[Sequence[Row]]) -> Applied:
        """What would become of a chain, as if all of it left its place at once. Nothing is written."""
        looked, names = Applied(), frozenset(row.row for unit in units for row in unit)
        for unit in units:
            looked.add((await self._decided(unit, whole=True, leaving=names, keep=False)).made)
        return looked

    async def _redoing(self, rows: Sequence[Row], *, whole: bool = False) -> Applied:
        async def attempt() -> Applied:
            return await self._batch(rows, whole=whole)

        return await redoing(attempt, lambda: ("rederive",), self._services.turns, changed=SENT_BY_OTHERS)

    async def _batch(self, rows: Sequence[Row], *, whole: bool) -> Applied:
        """`whole`: in one transaction, all of them or none."""
        decided = await self._decided(rows, whole=whole)
        while decided.kept:
            decided = await self._decided(rows, whole=whole)  # a patient may have withdrawn meanwhile
        if whole and decided.made.is_blocked:
            decided.leave_all()
        clients = sorted({one.client for one in decided.wanted})
        for group in [clients] if whole and clients else [[one] for one in clients]:
            await self._write(group, decided, whole=whole)
        return decided.made

    async def _decided(self, rows: Sequence[Row], *, whole: bool, leaving: AbstractSet[str] = frozenset(), keep: bool = True) -> _Decided:
        """`leaving`: rows that will have left their place, besides those of these that are written now."""
        services, made = self._services, Applied()
        self._changes = services.store.changes  # before anything is decided
        current = await services.store.currents([one.row for one in rows], deleted=True)
        keys = await services.vault.keys(sorted({one.patient for one in current.values() if one.patient is not None}))
        self._deriver.forget()
        self._deriver.know(keys)
        found, kept = list[Derived](), False
        for row in rows:
            one = await self._wanted(row, current.get(row.row), keys, made)
            if one is not None:
                kept |= keep and await self._keep_bytes(one)
                found.append(replace(one, content_bytes=b""))  # not the bytes of all of them at once
        leaving = leaving | {one.stored.row for one in found if one.becomes is not None}
        there = await services.store.currents(sorted({one.becomes for one in found if one.becomes is not None} - leaving))
        if not (whole and made.is_blocked):  # then none of them goes, wherever
            found = [one for one in found if await self._may_go(one, there.get(one.becomes or ""), keys, made)]
        for one in found:
            made.retracted, made.done = made.retracted + (one.kind in RETRACTED), made.done + (one.kind not in RETRACTED)
        return _Decided(found, keys, made, kept)

    async def _wanted(self, row: Row, stored: Stored | None, keys: Mapping[bytes | None, DataKey], made: Applied) -> Derived | None:
        """The row if it is to be written now, and it is as the plan saw it."""
        key = None if stored is None else keys.get(stored.patient)
        if stored is None or stored.deleted or key is None:
            made.differs += 1
            return None
        if stored.version != row.version:
            is_done = await self._is_done(row, stored, key)
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
            return derived
        return None

    async def _may_go(self, one: Derived, there: Stored | None, keys: Mapping[bytes | None, DataKey], made: Applied) -> bool:
        """Is its place as the plan saw it: free, or of a reading that it may meet?"""
        if there is None:
            return True
        holder = await self._deriver.holder(there, keys.get(there.patient), one.value)
        if holder == "held":
            made.refused["place-held"] += 1
        elif isinstance(holder, Derived):
            is_held = holder.kind in RETRACTED and not self._retract
            made.held, made.differs = made.held + is_held, made.differs + (not is_held)
        return holder == "free"

    async def _is_done(self, row: Row, stored: Stored, key: DataKey) -> bool:
        """The version after the one of the plan: is it what the plan wanted? Of a chain another one may have the place by now."""
        then: Stored | None = stored if stored.version == row.version + 1 else None
        if then is None and row.row in self._chained:
            then = await self._services.store.version(row.row, row.version + 1)
        if then is None or then.deleted:
            return False
        content = numbers.loads(self._services.vault.open(key, then))
        if row.kind != "changed":
            return bool(content.get("status") == IN_ERROR)
        # A recording's parts are written with it, so what it is found by speaks for them.
        return then.raw is not None and self._speaks_for(row, then, content)

    def _speaks_for(self, row: Row, stored: Stored, content: Mapping[str, Any]) -> bool:
        alone = numbers.canonical([[stored.row, settled(content)]])
        return digest(self._services, f"after\n{alone.decode()}") == row.after or document_of(stored.row, content) is not None

    async def _write(self, clients: Sequence[str], decided: _Decided, *, whole: bool) -> None:
        """One transaction, one interaction of each client. Raises Conflict."""
        found = [await self._deriver.repository(one) for one in clients]
        first, *others = doors = [one for one in found if one is not None]
        assert len(doors) == len(clients)  # noqa: S101 - what is wanted was decided by these doors
        now_us = self._services.clock()
        wanted = [one for one in decided.wanted if one.client in clients]
        errors = {each.new.row: each for one in wanted if one.kind != "changed" for each in self._in_error(one, decided.keys, now_us)}
        wanted, met = await self._settled(wanted, errors, decided, now_us, whole=whole)
        if not wanted:
            return
        unit = self._unit(wanted, errors, met, Builder(self._services, decided.keys, now_us))
        records = {client: door.recording(APPLY) for client, door in zip(clients[1:], others, strict=True)}
        async with first.recording(APPLY) as recording:
            records[clients[0]] = recording
            came = {part.candidate.row: one.client for one in wanted for part in one.parts}
            for one in wanted:
                records[one.client].touch(touched(one, one.stored.version + 1))
            for each in met.touched:
                records[came[each.reference]].touch(each)
            written = [*unit.past, *unit.inserts, *(one.new for one in unit.replaces)]
            beside = [one for client, one in records.items() if client != clients[0]]
            await recording.commit(unit, writes=[write_of(one) for one in written], beside=beside)

    def _unit(self, wanted: Sequence[Derived], errors: Mapping[str, Replace], met: Settled, builder: Builder) -> Unit:
        """Where one comes to the place that another leaves, what was there is entered in error first: that version is past already."""
        changed = [self._changed(part, builder) for one in wanted if one.kind == "changed" for part in one.parts if not is_as_it_is(part)]
        leaving = {row: errors[row] for one in wanted if one.kind != "changed" for row in [stored.row for stored, _ in one.rows]}
        taken = {one.new.row: leaving.pop(one.new.row) for one in met.replaces if one.new.row in leaving}
        replaces = [replace(one, old=taken[one.new.row].old) if one.new.row in taken else one for one in met.replaces]
        return Unit(
            inserts=met.inserts,
            replaces=[*replaces, *changed, *leaving.values()],
            remarks=met.remarks,
            past=[*(one.new for one in taken.values()), *met.past],
            decided=self._deriver.decided({one.client for one in wanted}, self._changes),
        )

    async def _settled(
        self, wanted: list[Derived], errors: Mapping[str, Replace], decided: _Decided, now_us: int, *, whole: bool
    ) -> tuple[list[Derived], Settled]:
        """Moved readings against what is there under their new keys. What contradicts it there stays where it is."""
        moved = [(one, part.candidate) for one in wanted if one.kind == "moved" for part in one.parts]
        if not moved:
            return wanted, Settled()
        existing = await self._services.store.currents(sorted({candidate.row for _, candidate in moved}), deleted=True)
        leaving = {stored.row for one in wanted if one.kind == "moved" for stored, _ in one.rows}
        existing = {row: errors[row].new if row in leaving else stored for row, stored in existing.items()}
        places = [(place, candidate) for place, (_, candidate) in enumerate(moved)]
        met = await settle(places, existing, decided.keys, services=self._services, now_us=now_us)
        if not met.conflicts:
            return wanted, met
        contradicting = {moved[place][0].stored.row for place in met.conflicts}
        decided.made.refused["time-conflict"] += len(contradicting)
        decided.made.done -= len(contradicting)
        left = [one for one in wanted if one.stored.row not in contradicting]
        if whole:
            decided.wanted = left
            decided.leave_all()
            return [], Settled()
        return await self._settled(left, errors, decided, now_us, whole=whole)

    async def _keep_bytes(self, one: Derived) -> bool:
        """Of a recording under a new key, or of other bytes: durable before anything names them. Says whether any had to be written."""
        candidate = one.parts[0].candidate if one.parts else None
        value = None if candidate is None else candidate.measurement.value
        if candidate is None or not isinstance(value, Recorded) or (value.content, value.stored_as) in self._kept:
            return False
        wrote = await keep_content(self._services, candidate.patient, value, one.content_bytes)
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
            by = moved.get(stored.type) or next(iter(moved.values()), None)
            made.append(self._entered_in_error(stored, content, by, keys[stored.patient], now_us))
        return made

    def _entered_in_error(self, stored: Stored, content: Mapping[str, Any], by: str | None, key: DataKey, now_us: int) -> Replace:
        services, version = self._services, stored.version + 1
        meta = {**content["meta"], "versionId": str(version), "lastUpdated": fhir_instant(now_us)}
        new: dict[str, Any] = {**content, "meta": meta}
        if stored.type != _HAS_NO_STATUS:  # its version says only that what comes under its key is no correction of it
            new["status"] = IN_ERROR
        if by is not None and stored.type != _HAS_NO_STATUS:
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
