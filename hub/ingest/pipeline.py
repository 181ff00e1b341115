"""The way of a reading: bind device to patient, decide, settle duplicates, build, seal, commit as one batch.

DESIGN 7. Each item gets its own fate; a bad item never takes good ones with it. One decision per patient and measure,
one read of what is there, one transaction with the audit records for the whole batch.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from adapters.contract import Manifest
from adapters.device_facts import DeviceFacts
from adapters.device_tree import DeviceTree
from adapters.reading import Item, Reading
from fhir_profiles.building import as_parts, build, resource_type
from fhir_profiles.derivation import adapter_uri
from fhir_profiles.measurement import Measurement, Recorded
from hub.ingest import fates
from hub.ingest.confirming import Assigned, Unclear, only_whole, remembered
from hub.ingest.devices import Binding, Bindings, bind
from hub.ingest.facts import UnitFacts
from hub.ingest.fates import Answer
from hub.ingest.normalise import Doubt, last_us, normalise, reading_key, span_us, value_text
from hub.ingest.parts import UnitParts
from hub.ingest.queue import Queue
from hub.ingest.raw import Raw, ReadBy, read_now
from hub.ingest.recordings import keep_content, located
from hub.ingest.settle import BREATH_ITEMS, Candidate, Settled, settle
from hub.ingest.units import OnlyOwn
from hub.ingest.waiting import Waiting
from hub.ingest.wearing import user_index
from hub.ingest.weighed import content_of, may_wait, without_bytes
from hub.ingest.whose import Known, contradicts, known_by
from hub.instants import from_datetime
from hub.metrics import INGESTED
from hub.recording import Recording, write_of
from hub.repository import Repository
from hub.repository.consents_then import ConsentsThen
from hub.repository.reading import basis_of
from hub.repository.redoing import redoing
from hub.repository.standing import Standing
from hub.repository.visibility import PatientRules
from hub.store.protocol import Decided, NoteWrite, Quarantined, Unit

SENT_BY_OTHERS = "The same readings are being sent by others at this moment; send them again."
BATCH_ITEMS_MAX = 5_000
"""Of one transaction. With the smallest cache that a setting allows, MongoDB refuses ten thousand as too large."""
_PROBE_ID = "probe"

Beside = Callable[[Sequence[Answer]], Awaitable[Sequence[NoteWrite]]]
"""What is to be remembered with the answers of a batch; asked anew at each attempt, with the answers as they would be then."""


async def NOTHING_BESIDE(_: Sequence[Answer]) -> Sequence[NoteWrite]:  # noqa: N802 - a value that happens to be a function
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a batch was sent: what the sender says about all its items, `facts` that the payload says about units, `trees` of their parts.

    media_type  without parameters, None where it is not said
    read_by     who read the items, if that was not the adapter as it is installed: what waited is not always read again
    """

    manifest: Manifest
    device: str | None
    time_zone: str | None
    media_type: str | None = None
    read_by: ReadBy | None = None
    facts: Sequence[DeviceFacts] = ()
    trees: Sequence[DeviceTree] = ()

    @property
    def reader(self) -> ReadBy:
        return self.read_by or read_now(self.manifest)


@dataclass(slots=True)
class Batch:
    """What a batch has come to so far, by the index of the item."""

    items: Sequence[Item]
    answers: dict[int, Answer] = field(default_factory=dict)
    candidates: list[tuple[int, Candidate]] = field(default_factory=list)
    waiting: list[tuple[int, Waiting]] = field(default_factory=list)
    unclear: dict[int, Unclear] = field(default_factory=dict)
    to_confirm: set[int] = field(default_factory=set)


class Pipeline:
    """Takes the items of one batch to their fates, for one caller."""

    def __init__(
        self,
        repository: Repository,
        sent: Sent,
        recording: Recording,
        beside: Beside = NOTHING_BESIDE,
        assigned: Assigned | None = None,
        then: ConsentsThen | None = None,
    ) -> None:
        """`assigned`: whose the one item is, as somebody says who confirms it.

        `then`: nothing is kept of a time when a patient had withdrawn.
        """
        self._repository = repository
        self._beside = beside
        self._assigned = assigned
        self._then = then
        self._services = repository.services
        self._visibility = repository.rights.visibility
        self._sent = sent
        self._recording = recording
        self._only_own = OnlyOwn(repository.services, repository.caller, sent.manifest)
        self._bindings = Bindings(repository.services, sent.manifest.identifier_system)
        self._changes: int | None = None
        self._rules: dict[bytes, PatientRules | None] = {}
        self._versions: dict[bytes, int] = {}
        self._decided: dict[tuple[bytes, str], str | None] = {}
        self._known: dict[bytes, Known] = {}
        self._kept: set[tuple[str, str]] = set()
        self._came: Mapping[str, Quarantined] = {}
        self._still: set[str] = set()
        """Of what came, what goes on waiting after the parts before: it is not freed with the last."""
        self._received_us = repository.services.clock()
        self._reader = sent.reader
        self._source = adapter_uri(sent.manifest.name, self._reader.mapping_version)
        self._raw_head = raw_of(sent, repository.caller.account).head
        self._creates: dict[str, bool] = {}
        self._facts = UnitFacts(repository, self._bindings, self._rules, self._received_us)
        self._parts = UnitParts(repository, self._bindings, self._rules, self._received_us)

    async def run(self, items: Sequence[Item], released: Sequence[Quarantined] = ()) -> list[Answer]:
        """One answer per item. `released`: quarantined items that these are, freed in the same transaction; what goes on waiting
        has waited since it first came.

        More than BATCH_ITEMS_MAX go in several transactions; what was acknowledged of an interrupted upload is a
        duplicate when it comes again. What goes beside it comes with the last of them, and what is freed goes with it.
        """
        self._came = {one.id: one for one in released}
        answers: list[Answer] = []
        for start in range(0, max(len(items), 1), BATCH_ITEMS_MAX):
            part = items[start : start + BATCH_ITEMS_MAX]
            last = start + BATCH_ITEMS_MAX >= len(items)
            answers += await self._run(part, released if last else (), answers if last else None)
        return answers

    async def _run(self, items: Sequence[Item], released: Sequence[Quarantined], before: Sequence[Answer] | None) -> list[Answer]:
        """`before`: the answers of the items before these; None if others come after."""
        batch: Batch | None = await self._decided_on(items)
        about = f"{self._sent.manifest.name} of {self._repository.caller.client_id}"

        async def commit() -> list[Answer]:
            nonlocal batch
            decided, batch = batch or await self._decided_on(items), None
            return _in_order(decided, await self._commit(decided, released, before))

        answers = await redoing(commit, lambda: (about,), self._services.turns, changed=SENT_BY_OTHERS, standings=self._standings)
        for fate, count in Counter(answer.fate for answer in answers).items():
            INGESTED.labels(self._sent.manifest.name, fate).inc(count)
        return answers

    async def _decided_on(self, items: Sequence[Item]) -> Batch:
        """Sorted by what holds now: while bytes were kept, or others were first, a patient may have withdrawn or a unit changed hands."""
        batch = await self._sort(items)
        while await self._keep_contents(batch):
            batch = await self._sort(items)
        return batch

    async def _keep_contents(self, batch: Batch) -> bool:
        """The bytes of recordings, before anything names them. Says whether any had to be written."""
        wrote = False
        for index, candidate in batch.candidates:
            value = candidate.measurement.value
            if not isinstance(value, Recorded) or index >= len(batch.items) or (value.content, value.stored_as) in self._kept:
                continue
            wrote |= await keep_content(self._services, candidate.patient, value, content_of(batch.items[index]))
            self._kept.add((value.content, value.stored_as))
        return wrote

    def _forget(self) -> None:
        """Nothing that an earlier decision was made by counts for the next."""
        for looked_up in (self._rules, self._versions, self._decided, self._known):
            looked_up.clear()
        for heard in (self._bindings, self._facts, self._parts):
            heard.forget()

    async def _sort(self, items: Sequence[Item]) -> Batch:
        """Everything that needs no look at what is stored: who is refused, who waits, who may be stored."""
        self._forget()
        self._changes = self._services.store.changes
        for standing in self._standings:
            await standing.still()
        batch = Batch(items=items)
        units = {self._device_of(item) for item in items} | {one.device or self._sent.device for one in self._sent.facts}
        await self._bindings.load({unit for unit in units if self._only_own.may_speak_of(unit)})
        await self._load_rules()
        if any(isinstance(item, Reading) and item.whose for item in items):
            self._known = await known_by(self._services, self._bindings.all())
        facts = [one for one in self._sent.facts if self._only_own.may_speak_of(one.device or self._sent.device)]
        await self._facts.hear(self._sent.manifest.identifier_system, facts, self._sent.device)
        await self._facts.know(self._bindings.units)
        trees = [one for one in self._sent.trees if self._only_own.may_speak_of(one.device)]
        await self._parts.hear(self._sent.manifest.identifier_system, trees)
        for index, item in enumerate(items):
            if index % BREATH_ITEMS == 0:
                await asyncio.sleep(0)
            if (refusal := self._only_own.refusal(item, self._device_of(item))) is not None:
                batch.answers[index] = refusal
                continue
            if not isinstance(item, Reading):
                if item.keep:
                    self._wait(batch, index, item, item.code, item.hint)
                else:
                    batch.answers[index] = Answer(fate="refused", pointer=item.pointer, code=item.code, hint=item.hint)
                continue
            self._sort_reading(batch, index, item)
        await self._sort_unclear(batch)
        if self._assigned is not None and (batch.answers or batch.waiting):
            await self._assigned.require_waiting(self._services)  # whoever came second is told that, and nothing about patients
            only_whole([*batch.answers.values(), *(waiting for _, waiting in batch.waiting)])
        return batch

    def _sort_reading(self, batch: Batch, index: int, reading: Reading) -> None:
        device = self._device_of(reading)
        if device is None:
            self._wait(batch, index, reading, fates.DEVICE_MISSING, fates.DEVICE_MISSING_HINT)
            return
        measured = normalise(reading, time_zone=self._sent.time_zone, patient="Patient/_", device="Device/_", received_us=self._received_us)
        if isinstance(measured, Doubt):
            self._wait(batch, index, reading, measured.code, measured.hint)
            return
        missing = self._missing_scope(measured)
        if missing is not None:
            self._wait(batch, index, reading, fates.SCOPE_MISSING, fates.scope_missing_hint(missing))
            return
        start_us, end_us = span_us(measured)
        last = start_us if measured.until is None else last_us(measured)
        held = self._bindings.worn_by(device, user_index(reading), start_us, last)
        unclear = Unclear(reading=reading, measured=measured, device=device, period=(start_us, end_us), among=held.among)
        if (held.among and held.binding is None) or self._assigned is not None:
            batch.unclear[index] = unclear
        else:
            self._sort_held(batch, index, unclear, held.binding)

    async def _sort_unclear(self, batch: Batch) -> None:
        """What somebody assigned goes to that patient, and what was assigned before goes there again; the rest waits to be."""
        if not batch.unclear:
            return
        owners = await remembered(self._services, batch.unclear, self._assigned)
        for index, unclear in batch.unclear.items():
            for binding in unclear.among:
                self._recording.aim_patient(binding.patient)
            if owners[index] is None:
                batch.to_confirm.add(index)
            self._sort_held(batch, index, unclear, owners[index])

    def _sort_held(self, batch: Batch, index: int, held: Unclear, binding: Binding | None) -> None:
        candidate = None if binding is None else self._candidate(held.reading, held.measured, held.device, binding, held.period)
        withdrawn = candidate is not None and self._was_withdrawn(candidate)
        if candidate is None or binding is None or (withdrawn and (self._came or self._assigned)):  # whoever lets it in is told no more
            self._wait(batch, index, held.reading, fates.NOT_PAIRED, fates.NOT_PAIRED_HINT)
        elif held.reading.whose and contradicts(held.reading.whose, self._known.get(binding.patient, {})):
            self._recording.aim_patient(binding.patient)
            self._wait(batch, index, held.reading, fates.WHOSE_CONTRADICTS, fates.WHOSE_CONTRADICTS_HINT)
        elif withdrawn:
            batch.answers[index] = Answer(
                fate="refused", pointer=held.reading.pointer, code=fates.WITHDRAWN_THEN, hint=fates.WITHDRAWN_THEN_HINT
            )
        else:
            if not held.reading.manual:
                self._facts.saw(binding.device_reference, held.period[0] if held.measured.until is None else last_us(held.measured))
            batch.candidates.append((index, candidate))
            batch.candidates += [(index + place * len(batch.items), one) for place, one in enumerate(self._companions(candidate), start=1)]

    def _was_withdrawn(self, candidate: Candidate) -> bool:
        if self._then is None or not self._then.has_changed(candidate.patient):
            return False
        if found := self._then.withdrawn_during(candidate.patient, _probe(candidate.measurement), candidate.start_us, candidate.end_us):
            self._recording.aim_patient(candidate.patient)
        return found

    def _missing_scope(self, measured: Measurement) -> str | None:
        """A type that the reading becomes and the caller may not create."""
        return next((type for type in map(resource_type, as_parts(measured)) if not self._may_create(type)), None)

    def _may_create(self, type: str) -> bool:
        """What the caller's scopes say, which stay as they are for the whole batch."""
        if type not in self._creates:
            self._creates[type] = self._repository.rights.covers(type, "c")
        return self._creates[type]

    def _companions(self, candidate: Candidate) -> list[Candidate]:
        """The document and the content of a recording: stored with what it is found by or not at all, and corrected with it or not at all.

        With its hash, therefore: with one of their own, which of two recordings is current would be another for each.
        """
        value = candidate.measurement.value
        if not isinstance(value, Recorded):
            return []
        ids = {"DocumentReference": value.document.partition("/")[2], "Binary": value.content.partition("/")[2]}
        beside = [(ids[resource_type(part)], part) for part in as_parts(candidate.measurement)[1:]]
        return [replace(candidate, id=id, measurement=part) for id, part in beside]

    def _value(self, id: str, measurement: Measurement) -> bytes:
        """With the id inside, equal values of different readings have different hashes: frequencies say nothing."""
        return self._services.blind.once("reading-value", f"{id}\n{value_text(measurement).decode()}")

    def _candidate(
        self, reading: Reading, measured: Measurement, device: str, binding: Binding, period: tuple[int, int]
    ) -> Candidate | None:
        """A reading that may be stored, or None if the patient does not permit it."""
        bound = bind(measured, binding, self._source, manual=reading.manual)
        if not reading.manual and self._facts.clock_is_off(binding.device_reference):
            bound = replace(bound, clock_off=True)
        leaf = None if reading.manual else self._parts.leaf(device, reading.source_id, reading.measure)
        if leaf is not None and resource_type(bound) == "Observation" and not isinstance(bound.value, Recorded):
            bound = replace(bound, device=leaf)
        basis = self._permit(binding, bound)
        if basis is None:
            self._recording.aim_patient(binding.patient)
            return None
        blind = self._services.blind
        key = f"{binding.patient.hex()}|{reading_key(reading, device)}"
        id = blind.id("reading", key)
        value = self._value(id, bound)
        return Candidate(
            id=id,
            patient=binding.patient,
            patient_reference=binding.patient_reference,
            measurement=located(bound, key, value, self._services),
            basis=basis,
            start_us=period[0],
            end_us=period[1],
            value=value,
            modified_us=0 if reading.modified is None else from_datetime(reading.modified),
            raw=self._raw_head + without_bytes(reading).raw,
            pointer=reading.pointer,
        )

    def _permit(self, binding: Binding, measured: Measurement) -> str | None:
        """Which rule lets this be collected, or None. Decided once per patient and measure, unless time matters."""
        rules = self._rules.get(binding.patient)
        if rules is None:
            return None
        timed = any(rule.data_start_us is not None or rule.data_end_us is not None for rule in rules.rules)
        key = (binding.patient, measured.measure)
        if timed or key not in self._decided:
            bases = [self._decide(rules, part) for part in as_parts(measured)]
            self._decided[key] = bases[0] if all(bases) else None
        return self._decided[key]

    def _decide(self, rules: PatientRules, measured: Measurement) -> str | None:
        content = _probe(measured)
        if not self._repository.rights.scopes_match(resource_type(measured), "c", content):
            return None
        decision = self._visibility.decide(rules, content, "collect", self._received_us)
        return basis_of(decision) if decision.permit else None

    async def _load_rules(self) -> None:
        for patient in self._bindings.patients:
            rules = await self._visibility.rules(patient)
            self._versions[patient] = 0 if rules is None else rules.version
            self._rules[patient] = None if rules is None or rules.deleted else rules
        if self._then is not None:
            await self._then.load(self._rules)

    def _device_of(self, item: Item) -> str | None:
        return item.device or self._sent.device

    def _wait(self, batch: Batch, index: int, item: Item, code: str, hint: str) -> None:
        if may_wait(item):
            batch.waiting.append((index, self._waiting(item, code, hint)))
        else:
            batch.answers[index] = _not_waiting(Answer(fate="refused", pointer=item.pointer, code=code, hint=hint))

    def _waiting(self, item: Item, code: str, hint: str) -> Waiting:
        return Waiting(
            adapter=self._sent.manifest.name,
            mapping_version=self._reader.mapping_version,
            software=self._reader.software,
            fetched=self._then is not None,
            item=item,
            device=self._sent.device,
            time_zone=self._sent.time_zone,
            media_type=self._sent.media_type,
            code=code,
            hint=hint,
        )

    async def _commit(self, batch: Batch, released: Sequence[Quarantined], before: Sequence[Answer] | None) -> Settled:
        """Read what is there, settle against it, and write all of it with its audit records, or nothing."""
        if self._assigned is not None:
            await self._assigned.require_waiting(self._services)
        rows = {candidate.row for _, candidate in batch.candidates}
        existing = await self._services.store.currents(sorted(rows), deleted=True) if rows else {}
        keys = await self._services.vault.keys(sorted({candidate.patient for _, candidate in batch.candidates}))
        settled = await settle(batch.candidates, existing, keys, services=self._services, now_us=self._services.clock())
        if self._assigned is not None:
            only_whole([settled.answers[index] for index in settled.conflicts])
        life, grown = await self._facts.life(), await self._parts.grown()
        self._recording.forget()
        for touched in (*settled.touched, *life.touched, *grown.touched):
            self._recording.touch(touched)
        waits = [batch.items[index] for index in settled.conflicts if index < len(batch.items) and may_wait(batch.items[index])]
        conflicts = [self._waiting(item, fates.TIME_CONFLICT, fates.TIME_CONFLICT_HINT) for item in waits]
        came = self._came
        queue = Queue(self._services, self._repository.caller.account, came, self._received_us)
        to_wait = [(waiting, index in batch.to_confirm) for index, waiting in batch.waiting]
        quarantine = await queue.entries([*to_wait, *((waiting, False) for waiting in conflicts)])
        kept = self._still | {one.id for one in quarantine}
        notes = () if before is None else await self._beside([*before, *_in_order(batch, settled)])
        unit = Unit(
            inserts=[*settled.inserts, *life.inserts, *grown.inserts],
            replaces=[*settled.replaces, *life.replaces, *grown.replaces],
            claims=life.claims,
            remarks=settled.remarks,
            past=settled.past,
            quarantine=quarantine,
            released=[one.id for one in released if one.id not in kept],
            confirmed=() if self._assigned is None else (self._assigned.id,),
            notes=[*notes, *life.notes, *grown.notes],
            decided=self._decided_by(),
        )
        await self._recording.commit(unit, writes=[write_of(stored) for stored in (*settled.written, *life.written, *grown.written)])
        self._still = kept & self._came.keys()
        self._facts.remember(life)
        self._parts.remember(grown)
        return settled

    def _decided_by(self) -> Decided:
        """What changes of this before all is written makes it be decided anew."""
        return Decided(
            changes=self._changes,
            rules=dict(self._versions),
            pairings=self._bindings.read,
            callers=[one.registered for one in self._standings if one.registered is not None],
            notes={key: version for one in self._standings for key, version in one.notes.items()},
        )

    @property
    def _standings(self) -> Sequence[Standing]:
        """Of the client in whose name it is stored, and of whom somebody used to say whose it is."""
        by = None if self._assigned is None else self._assigned.by
        return [self._repository.standing] if by is None else [self._repository.standing, by]


def _probe(measured: Measurement) -> dict[str, Any]:
    """What consents and scopes are asked about."""
    content: dict[str, Any] = orjson.loads(build(measured, id=_PROBE_ID, version=1, last_updated="2000-01-01T00:00:00Z"))
    return content


def raw_of(sent: Sent, client: str) -> Raw:
    """What is kept with each reading of the batch, but for its own bytes."""
    reader = sent.reader
    return Raw(
        adapter=sent.manifest.name,
        mapping_version=reader.mapping_version,
        software=reader.software,
        client=client,
        device=sent.device,
        time_zone=sent.time_zone,
        media_type=sent.media_type,
    )


def _in_order(batch: Batch, settled: Settled) -> list[Answer]:
    answers = {**batch.answers, **settled.answers}
    for index, waiting in batch.waiting:
        answers[index] = Answer(fate="quarantined", pointer=waiting.item.pointer, code=waiting.code, hint=waiting.hint)
    return [_final(answers[index], item) for index, item in enumerate(batch.items)]


def _final(answer: Answer, item: Item) -> Answer:
    return answer if answer.fate != "quarantined" or may_wait(item) else _not_waiting(answer)


def _not_waiting(answer: Answer) -> Answer:
    """What cannot be read whole again is refused where it would wait."""
    return replace(answer, fate="refused", hint=f"{answer.hint} {fates.NO_WAITING}")
