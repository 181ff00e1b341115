"""What a batch says of the parts of its units: Devices for VMDs and channels, a DeviceMetric for each thing measured. docs/adr/0021.

Written in the transaction of the readings, and only what is new. A part is nobody's, as its unit is; who has, or had, the unit is asked
before it is shown. One sealed note for each unit says which parts it has, so that whoever pairs the unit pairs its parts.
"""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import structlog

from adapters.device_tree import DeviceTree, Metric
from adapters.reading import Coded
from fhir_profiles.device_tree import device_metric, part_device
from fhir_profiles.measurement import Coding
from hub import numbers
from hub.ingest.devices import Bindings
from hub.notebook import Notebook
from hub.recording import Touched
from hub.repository import Repository
from hub.repository.patientless import patientless
from hub.repository.visibility import PatientRules
from hub.services import Services
from hub.store.protocol import Conflict, NoteWrite, Replace, Stored
from hub.units import registered
from hub.units.registered import Opened

log = structlog.get_logger()

KIND = "unit-parts"
PAIRED = "pairings"
"""Kind of the note that every change of a unit's pairings writes: of two who pair it at once one reads again what the other did."""
PARTS_MAX = 2_000
"""Of one unit: a monitor with every module has some hundred. What a sender counts up beyond that is not kept."""
TYPES = ("Device", "DeviceMetric")
Leaf = tuple[str, str | None, str]
"""Identifier of the unit, source id and measure of a reading."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A part as it is to be: "Type/id", and the resource without id."""

    row: str
    content: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(numbers.canonical(self.content)).hexdigest()


@dataclass(slots=True)
class Grown:
    """What goes into the unit of the batch. `known`: to be remembered once that is durable."""

    inserts: list[Stored] = field(default_factory=list)
    replaces: list[Replace] = field(default_factory=list)
    notes: list[NoteWrite] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    known: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def written(self) -> list[Stored]:
        return [*self.inserts, *(one.new for one in self.replaces)]


class UnitParts:
    """For one batch of one caller."""

    def __init__(self, repository: Repository, bindings: Bindings, rules: Mapping[bytes, PatientRules | None], received_us: int) -> None:
        self._repository = repository
        self._services = repository.services
        self._bindings = bindings
        self._rules = rules
        self._received_us = received_us
        self._planned: dict[str, dict[str, Planned]] = {}
        self._tokens: dict[str, bytes] = {}
        self._leaves: dict[Leaf, str] = {}

    def forget(self) -> None:
        """The batch is decided anew, and so is what it says."""
        for heard in (self._planned, self._tokens, self._leaves):
            heard.clear()

    async def hear(self, system: str, trees: Iterable[DeviceTree]) -> None:
        """Plan what is said of units that are registered, whose patients permit that something of them is collected."""
        if not allows_parts(self._repository):
            return
        by_unit: dict[str, list[DeviceTree]] = {}
        for tree in trees:
            by_unit.setdefault(tree.device, []).append(tree)
        for identifier, said in by_unit.items():
            token = registered.unit_token(self._services, system, identifier)
            row = await self._services.store.claim(token)
            unit = None if row is None else await registered.unit(self._services, row)
            if unit is not None and self._permitted(identifier, unit):
                self._plan(identifier, token, unit, said)
                await self._fit(unit.row)

    def leaf(self, identifier: str, source_id: str | None, measure: str) -> str | None:
        """The DeviceMetric that gave a reading, if the hub keeps it or is about to."""
        return self._leaves.get((identifier, source_id, measure))

    async def grown(self) -> Grown:
        """What is new. To be asked anew at each attempt.

        Raises Conflict where it is no longer as it was when it was heard: readings would name what is not there.
        """
        grown = Grown()
        for row, planned in self._planned.items():
            known = self._remembered(row)
            if known is None or any(known.get(one.row) != one.fingerprint for one in planned.values()):
                await self._grow(grown, row, planned)
        return grown

    def remember(self, grown: Grown) -> None:
        for row, known in grown.known.items():
            self._services.units.put(_cached(row), known)

    def _permitted(self, identifier: str, unit: Opened) -> bool:
        """Everybody who has the unit now; of one that nobody has, nobody is asked."""
        wearing = self._bindings.wearing(identifier, self._received_us)
        return all(self._permits(patient, unit.content) for patient in wearing)

    def _permits(self, patient: bytes, content: Mapping[str, Any]) -> bool:
        rules = self._rules.get(patient)
        return rules is not None and self._repository.rights.visibility.decide(rules, content, "collect", self._received_us).permit

    def _plan(self, identifier: str, token: bytes, unit: Opened, said: Iterable[DeviceTree]) -> None:
        planned = self._planned.setdefault(unit.row, {})
        self._tokens[unit.row] = token
        for tree in said:
            rows = {part.path: self._row("Device", unit, part.path, part.type) for part in tree.parts}
            for part in tree.parts:
                parent = rows.get(part.parent or "", unit.reference)
                content = part_device(identifier=f"{identifier}/{part.path}", type=_coding(part.type), parent=parent)
                planned[rows[part.path]] = Planned(rows[part.path], content)
            for metric in tree.metrics:
                row = self._row("DeviceMetric", unit, metric.source_id, metric.type)
                planned[row] = Planned(row, _metric(identifier, unit, rows.get(metric.parent or "", unit.reference), metric))
                self._leaves[identifier, metric.source_id, metric.measure] = row
        self._limit(unit.row, planned)

    def _limit(self, row: str, planned: dict[str, Planned]) -> None:
        """Nothing of a unit with more parts than any has, and nothing that its sender may not write."""
        rights = self._repository.rights
        sound = len(planned) <= PARTS_MAX and all(
            rights.scopes_match(one.row.partition("/")[0], "c", one.content) for one in planned.values()
        )
        if not sound:
            self._leaves = {leaf: made for leaf, made in self._leaves.items() if made not in planned}
            del self._planned[row]

    async def _fit(self, row: str) -> None:
        """Of a unit that has as many parts as are kept, those go on; what is new is left out, and its readings name the unit."""
        planned = self._planned.get(row)
        if planned is None or planned.keys() <= (self._remembered(row) or {}).keys():
            return
        known = (await Notebook(self._services, KIND).read(row)).content.get("parts", {})
        new = planned.keys() - known.keys()
        if len(known) + len(new) > PARTS_MAX:
            log.warning("unit_parts_full", parts=len(known), left_out=len(new))
            self._leave_out(planned, new)

    def _leave_out(self, planned: dict[str, Planned], new: AbstractSet[str]) -> None:
        """What is there already and would hang on something new stays as it is."""
        self._leaves = {leaf: made for leaf, made in self._leaves.items() if made not in new}
        out = set(new)
        while hanging := {row for row, one in planned.items() if row not in out and one.content["parent"]["reference"] in out}:
            out |= hanging
        for row in out:
            del planned[row]

    def _remembered(self, row: str) -> Mapping[str, str] | None:
        known: Mapping[str, str] | None = self._services.units.get(_cached(row))
        return known

    def _row(self, type: str, unit: Opened, place: str, code: Coded) -> str:
        return f"{type}/{self._services.blind.id('unit-part', f'{unit.row}|{type}|{place}|{code.code}')}"

    async def _grow(self, grown: Grown, row: str, planned: Mapping[str, Planned]) -> None:
        services = self._services
        notebook = Notebook(services, KIND)
        page = await notebook.read(row)
        known: dict[str, str] = dict(page.content.get("parts", {}))
        fresh = [one for one in planned.values() if known.get(one.row) != one.fingerprint]
        unit = await services.store.current(row)
        if not fresh:
            grown.known[row] = known
            return
        if unit is None or len(known.keys() | planned.keys()) > PARTS_MAX:
            raise Conflict  # decided anew, it names the unit
        there = await services.store.currents([one.row for one in fresh], deleted=True)
        for one in fresh:
            await self._write(grown, one, there.get(one.row), unit)
        now = known | {one.row: one.fingerprint for one in fresh}
        grown.notes.append(await notebook.write(page, {"parts": now}))
        grown.notes.append(await paired_note(services, self._tokens[row]))
        grown.known[row] = now

    async def _write(self, grown: Grown, one: Planned, old: Stored | None, unit: Stored) -> None:
        services = self._services
        services.check(one.content)
        version = 1 if old is None else old.version + 1
        id = one.row.partition("/")[2]
        made = patientless(services, await services.vault.key(None), one.row, version, one.content, id, services.clock())
        made = made._replace(others=tuple(sorted({*unit.others, *(() if old is None else old.others)})))
        if old is None:
            grown.inserts.append(made)
        else:
            grown.replaces.append(Replace(new=made, old=old))
        grown.touched.append(
            Touched(reference=made.row, version=version, patient=None, patient_reference=None, basis="scope", others=made.others)
        )


def allows_parts(repository: Repository) -> bool:
    """Only a client who may create them is the source of parts; another's readings name the unit itself."""
    return all(repository.rights.covers(type, "c") for type in TYPES)


async def parts_of(services: Services, row: str) -> tuple[str, ...]:
    """The rows of the parts that are kept of a unit."""
    page = await Notebook(services, KIND).read(row)
    return tuple(sorted(page.content.get("parts", {})))


async def paired_note(services: Services, token: bytes) -> NoteWrite:
    """For `Unit.notes` of whoever decides by the pairings of a unit or changes them. `token`: of `registered.unit_token`."""
    notebook = Notebook(services, PAIRED)
    return await notebook.write(await notebook.read(token.hex()), {})


def _metric(identifier: str, unit: Opened, parent: str, metric: Metric) -> dict[str, Any]:
    return device_metric(
        identifier=f"{identifier}/{metric.source_id}",
        type=_coding(metric.type),
        source=unit.reference,
        parent=parent,
        unit=metric.unit,
        state=metric.state,
        calibration=metric.calibration,
        limits=tuple((_coding(one.of), one.low, one.high, one.unit) for one in metric.limits),
        decimal=numbers.Decimal,
    )


def _coding(coded: Coded) -> Coding:
    return Coding(system=coded.system, code=coded.code, display=coded.display)


def _cached(row: str) -> str:
    return f"parts of {row}"
