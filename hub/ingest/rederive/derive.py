"""One row: what the mapping of today makes of its item, bound as it was bound, decided as a write of the client that sent it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from adapters.contract import Adapter, Unreadable
from adapters.discovery import software
from adapters.reading import Item, Reading
from fhir_profiles.building import as_parts, build, resource_type
from fhir_profiles.derivation import adapter_uri, clock_was_off, replaced
from fhir_profiles.measurement import Measurement, Recorded
from hub import numbers
from hub.ingest.devices import Bindings
from hub.ingest.normalise import Doubt, last_us, normalise, reading_key, span_us, value_text
from hub.ingest.pieces import ContentMissing, ContentTooLong, Pieces, read_pieces
from hub.ingest.raw import Raw
from hub.ingest.recordings import located, stored_pieces
from hub.ingest.rederive.derived import (
    IN_ERROR,
    NEVER,
    NONE_OF_ITS_VALUES,
    Bound,
    Derived,
    Kind,
    Left,
    Part,
    alike,
    content_of,
    counterpart,
    device_of,
    document_of,
    elsewhere,
    is_as_it_is,
)
from hub.ingest.sender import SenderGone, Senders
from hub.ingest.settle import Candidate
from hub.ingest.wearing import Binding, user_index
from hub.ingest.weighed import content_of as content_of_item
from hub.ingest.weighed import without_bytes
from hub.ingest.whose import Known, contradicts, known_by
from hub.instants import from_datetime
from hub.repository import Repository
from hub.repository.content import StoredContent, stored_content
from hub.repository.reading import basis_of
from hub.repository.visibility import PatientRules
from hub.services import Services
from hub.store.protocol import Decided, Stored, Unavailable
from security.envelope import DataKey

Holding = Literal["free", "held"]
"""free  whoever comes to the place is stored there, or meets what is there as any reading does
held  somebody is there who cannot be read anew, of whom it cannot be known whether they should be"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which items of which adapter.

    mapping_version    only what this version read
    client, time_zone  for what was kept before it was kept with them
    """

    adapter: Adapter
    mapping_version: str | None = None
    client: str | None = None
    time_zone: str | None = None


class Deriver:
    """Rows of one adapter. What is looked up for one is kept for the others of the same page."""

    def __init__(self, services: Services, senders: Senders, asked: Asked, interaction: str) -> None:
        self._services, self._senders, self._asked, self._interaction = services, senders, asked, interaction
        self._repositories: dict[str, Repository | None] = {}
        self._rules: dict[tuple[str, bytes], PatientRules | None] = {}
        self._bindings = Bindings(services, asked.adapter.manifest.identifier_system)
        self._loaded: set[str] = set()
        self._keys: Mapping[bytes | None, DataKey] = {}
        self._known: dict[bytes, Known] = {}

    def forget(self) -> None:
        """Consents, clients and pairings are asked anew."""
        self._repositories, self._rules, self._loaded, self._known = {}, {}, set(), {}
        self._bindings.forget()

    def decided(self, clients: Iterable[str], changes: int | None) -> Decided:
        """What the rows of these clients were decided by. `changes`: from before anything was asked."""
        rules: dict[bytes, int] = {}
        for (_, patient), one in self._rules.items():  # asked for each client by itself: the oldest answer counts
            version = 0 if one is None else one.version
            rules[patient] = min(version, rules.get(patient, version))
        doors = [door for client in sorted(clients) if (door := self._repositories.get(client)) is not None]
        callers = [door.standing.registered for door in doors if door.standing.registered is not None]
        return Decided(changes=changes, rules=rules, pairings=self._bindings.read, callers=callers)

    async def repository(self, client: str) -> Repository | None:
        """The door of a client; None for who is none any more."""
        if client not in self._repositories:
            try:
                self._repositories[client] = await self._senders.repository(client, self._interaction)
            except SenderGone:
                self._repositories[client] = None
        return self._repositories[client]

    async def holder(self, stored: Stored | None, key: DataKey | None, value: bytes) -> "Derived | Holding":
        """Who lies where another reading would go, of whichever version and time. What the mended mapping leaves there is met as ever.

        value  keyed hash of who comes: a row that once said the same is met, whoever changed it
        """
        if stored is None or stored.deleted:
            return "free"
        if key is None:
            return "held"
        found = await self.derive(stored, key, any_version=True)
        if isinstance(found, Derived):
            return "free" if found.kind == "unchanged" else found
        if found is not None:
            return "held"
        content = numbers.loads(self._services.vault.open(key, stored))
        known = stored.reading is not None and value in stored.reading.values
        return "free" if content.get("status") == IN_ERROR or known else "held"

    async def derive(self, stored: Stored, key: DataKey | None, *, any_version: bool = False) -> Derived | Left | None:
        """None for a row that another adapter or (but for `any_version`) another version read, or that is in error already."""
        if key is None or stored.raw is None or stored.patient is None:
            return None
        vault = self._services.vault
        plain = vault.open_sealed(key, stored.type, stored.id, stored.version, stored.patient, stored.raw, purpose="raw")
        try:
            raw = Raw.from_bytes(plain)
        except ValueError:
            return "raw-unreadable"
        wanted = None if any_version else self._asked.mapping_version
        if raw.adapter != self._asked.adapter.manifest.name or (wanted is not None and raw.mapping_version != wanted):
            return None
        content = numbers.loads(vault.open(key, stored))
        return None if content.get("status") == IN_ERROR else await self._derive(stored, content, self._completed(raw))

    def _completed(self, raw: Raw) -> Raw:
        return replace(raw, client=raw.client or self._asked.client, time_zone=raw.time_zone or self._asked.time_zone)

    async def _derive(self, stored: Stored, content: Mapping[str, Any], raw: Raw) -> Derived | Left:
        if raw.client is None:
            return "sender-unknown"
        repository = await self.repository(raw.client)
        if repository is None:
            return "sender-gone"
        basis = await self._permit(repository, raw.client, stored, content)
        if basis is None:
            return "not-permitted"
        rows = await self._rows(stored, content)
        pieces = None
        if document_of(stored.row, content) is not None:
            pieces = await self._content(rows)
            if pieces is None:
                return "content-missing"
        base = Derived(kind="nothing", stored=stored, content=content, client=raw.client, basis=basis, rows=rows)
        found = await self._read(base, raw, pieces)
        return found if isinstance(found, str) else await self._decided(repository, found)

    async def _rows(self, stored: Stored, content: Mapping[str, Any]) -> list[tuple[Stored, Mapping[str, Any]]]:
        """The reading with what belongs to it: of a recording its document and its content."""
        rows: list[tuple[Stored, Mapping[str, Any]]] = [(stored, content)]
        wanted = document_of(stored.row, content)
        while wanted is not None:
            following = await self._services.store.current(wanted)
            if following is None or following.patient != stored.patient:
                return rows[:1]
            key = await self._services.vault.key(following.patient)
            rows.append((following, numbers.loads(self._services.vault.open(key, following))))
            wanted = content_of(rows[-1][1]) if following.type == "DocumentReference" else None
        return rows

    async def _content(self, rows: Sequence[tuple[Stored, Mapping[str, Any]]]) -> Pieces | None:
        binary, content = rows[-1]
        where: StoredContent | None = stored_content(content)
        if where is None or binary.patient is None:
            return None
        return await stored_pieces(self._services, binary.patient, binary.id, where)

    async def _read(self, base: Derived, raw: Raw, pieces: Pieces | None) -> Derived | Left:
        adapter = self._asked.adapter
        try:
            if pieces is None:
                items: Sequence[Item] = await asyncio.to_thread(lambda: list(adapter.decode(raw.item, raw.context)))
            else:
                items = await asyncio.to_thread(read_pieces, adapter, pieces, raw.context, raw.item)
        except ContentMissing:
            return "content-missing"
        except ContentTooLong:
            return "content-too-long"
        except Unavailable:
            raise
        except Unreadable as error:
            return replace(base, code=error.code)
        except Exception:  # noqa: BLE001 - whatever the mapping trips over, the other rows go on
            return "raw-unreadable"
        found = [one for item in items if (one := await self._bound(base, raw, item)) is not None]
        same = [one for one in found if one[0].row == base.stored.row]
        if same:
            own = [one for one in same if one[2]]
            return self._made(base, "changed", own, raw) if own else elsewhere(base)
        return await self._moved(base, raw, items, found)

    async def _moved(self, base: Derived, raw: Raw, items: Sequence[Item], found: "Sequence[Bound]") -> Derived | Left:
        """Under another key: the one of the item's readings that no other row is of."""
        there = await self._services.store.currents([one[0].row for one in found], deleted=True)
        free = [one for one in found if one[0].row not in there or not self._is_sibling(there[one[0].row], raw)]
        # What was sent again since the mapping was mended lies under its new key already: then it is known by what it says.
        ours = counterpart(base, free) or (None if free else alike(base, found))
        if ours is None:
            doubts = [self._doubt(raw, item) for item in items]
            return "ambiguous" if free else replace(base, code=next((code for code in doubts if code), "no-reading"))
        if not ours[2]:
            return elsewhere(base)
        return self._made(base, "moved", [ours], raw)

    def _is_sibling(self, other: Stored, raw: Raw) -> bool:
        """Was the other row read from the same bytes? Deleted ones, and those changed by a person, are somebody's decision too.

        What a re-derivation has entered in error is nobody's place any more.
        """
        if other.reading == NONE_OF_ITS_VALUES:
            return False
        if other.raw is None:
            return True
        key = self._keys.get(other.patient)
        if key is None:
            return True
        vault = self._services.vault
        plain = vault.open_sealed(key, other.type, other.id, other.version, other.patient, other.raw, purpose="raw")
        try:
            return bool(raw.item) and Raw.from_bytes(plain).item == raw.item  # a recording's bytes are not in it
        except ValueError:
            return True

    def know(self, keys: Mapping[bytes | None, DataKey]) -> None:
        """The keys of the patients of this page."""
        self._keys = keys

    async def _bound(self, base: Derived, raw: Raw, item: Item) -> "Bound | None":
        """An item as it would be this patient's, on the same device; None for what is in doubt."""
        unit = item.device or raw.device
        if not isinstance(item, Reading) or unit is None or base.stored.patient is None:
            return None
        measured = self._measured(base, raw, item)
        if isinstance(measured, Doubt):
            return None
        services, patient = self._services, base.stored.patient
        key = f"{patient.hex()}|{reading_key(item, unit)}"
        id = services.blind.id("reading", key)
        value = self._value(id, measured)
        start_us, end_us = span_us(measured)
        measured = located(measured, key, value, services)
        candidate = Candidate(
            id=id,
            patient=patient,
            patient_reference=base.content["subject"]["reference"],
            measurement=measured,
            basis=base.basis,
            start_us=start_us,
            end_us=end_us,
            value=value,
            modified_us=0 if item.modified is None else from_datetime(item.modified),
            raw=b"",
            pointer=item.pointer,
        )
        if item.whose and contradicts(item.whose, await self._known_of(patient, candidate.patient_reference)):
            return candidate, item, False
        same_time = start_us == base.stored.start_us and end_us == base.stored.end_us and candidate.row == base.stored.row
        return candidate, item, same_time or await self._was_worn(unit, item, patient, (start_us, last_us(measured)))

    def _measured(self, base: Derived, raw: Raw, item: Reading) -> Measurement | Doubt:
        manifest = self._asked.adapter.manifest
        measured = normalise(
            item,
            time_zone=raw.time_zone,
            patient=base.content["subject"]["reference"],
            device=device_of([content for _, content in base.rows]),
            received_us=base.stored.updated_us,
        )
        if isinstance(measured, Doubt):
            return measured
        source = adapter_uri(manifest.name, manifest.version)
        # What was known of the clock when it was taken in is known of it still: no mapping says it.
        return replace(measured, source=source, replaces=replaced(dict(base.content)), clock_off=clock_was_off(base.content))

    def _doubt(self, raw: Raw, item: Item) -> str | None:
        if not isinstance(item, Reading):
            return item.code
        found = normalise(item, time_zone=raw.time_zone, patient="Patient/_", device=None, received_us=self._services.clock())
        return found.code if isinstance(found, Doubt) else None

    async def _known_of(self, patient: bytes, reference: str) -> Known:
        """Under which identifiers the hub knows the patient."""
        if patient not in self._known:
            nobody = Binding(patient=patient, patient_reference=reference, device_reference="", from_us=None, to_us=None)
            self._known |= await known_by(self._services, [nobody])
        return self._known.get(patient, {})

    async def _was_worn(self, unit: str, item: Reading, patient: bytes, span: tuple[int, int]) -> bool:
        """Had this patient the unit then, alone or among others?"""
        if unit not in self._loaded:
            await self._bindings.load([unit])
            self._loaded.add(unit)
        held = self._bindings.worn_by(unit, user_index(item), *span)
        if held.binding is not None:
            return held.binding.patient == patient
        return patient in {one.patient for one in held.among}

    def _value(self, id: str, measurement: Measurement) -> bytes:
        return self._services.blind.once("reading-value", f"{id}\n{value_text(measurement).decode()}")

    def _made(self, base: Derived, kind: Kind, found: "Sequence[Bound]", raw: Raw) -> Derived:
        """With each resource that it becomes, as it is and as it would be."""
        manifest = self._asked.adapter.manifest
        header = replace(raw, mapping_version=manifest.version, software=software().get(manifest.name))
        made = [(self._parts(base, kind, candidate, header, item), item) for candidate, item, _ in found]
        unchanged = [one for one in made if kind == "changed" and all(is_as_it_is(part) for part in one[0])]
        parts, read = (unchanged or sorted(made, key=lambda one: one[0][0].candidate.rank))[-1]
        content = content_of_item(read) if isinstance(parts[0].candidate.measurement.value, Recorded) else b""
        return replace(base, kind="unchanged" if unchanged else kind, parts=parts, code=None, content_bytes=content)

    def _parts(self, base: Derived, kind: Kind, candidate: Candidate, header: Raw, item: Reading) -> list[Part]:
        kept = header.with_item(without_bytes(item).raw).to_bytes()
        measurement = candidate.measurement
        if kind == "moved":
            # The version, for another reading may have the row by then.
            measurement = replace(measurement, replaces=f"{base.stored.row}/_history/{base.stored.version}")
        first = replace(candidate, raw=kept, measurement=measurement)
        by_type = {stored.type: (stored, content) for stored, content in base.rows}
        parts = []
        for one in (first, *self._companions(first)):
            stored, old = by_type.get(one.type, (None, None)) if kind == "changed" else (None, None)
            new = numbers.loads(build(one.measurement, id=one.id, version=1, last_updated=NEVER))
            parts.append(Part(stored=stored, old=old, candidate=one, new=new))
        return parts

    def _companions(self, candidate: Candidate) -> list[Candidate]:
        value = candidate.measurement.value
        if not isinstance(value, Recorded):
            return []
        ids = {"DocumentReference": value.document.partition("/")[2], "Binary": value.content.partition("/")[2]}
        made = []
        for measurement in as_parts(candidate.measurement)[1:]:
            id = ids[resource_type(measurement)]
            made.append(replace(candidate, id=id, measurement=measurement))  # with its hash, as the pipeline keeps them
        return made

    async def _permit(self, repository: Repository, client: str, stored: Stored, content: Mapping[str, Any]) -> str | None:
        """Which rule lets this client write the resource, or None."""
        patient = stored.patient
        if patient is None:
            return None
        if (client, patient) not in self._rules:
            self._rules[client, patient] = await repository.rights.visibility.rules(patient)
        rules = self._rules[client, patient]
        if rules is None or rules.deleted or not repository.rights.scopes_match(stored.type, "c", content):
            return None
        decision = repository.rights.visibility.decide(rules, content, "collect", self._services.clock())
        return basis_of(decision) if decision.permit else None

    async def _decided(self, repository: Repository, derived: Derived) -> Derived | Left:
        """What would come must be permitted as well as what is there."""
        for part in derived.parts:
            probe = derived.stored._replace(type=resource_type(part.candidate.measurement))
            if await self._permit(repository, derived.client, probe, part.new) is None:
                return "not-permitted"
        return derived
