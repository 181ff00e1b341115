"""What a batch says about its units: when they were seen, firmware, battery, clock. docs/adr/0015.

Written in the transaction of the readings, and only what is new: a batch that says nothing new about a unit costs a look into memory, and
every five minutes one note. Nothing of a unit is taken while a patient who has it does not permit it (law 1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from adapters.device_facts import DeviceFacts
from fhir_profiles.clock import coincident_time_stamp
from fhir_profiles.product import NO_PRODUCT
from fhir_profiles.unit import with_names, with_status, with_versions
from hub.ingest.devices import Bindings
from hub.recording import Touched
from hub.repository import Repository
from hub.repository.patientless import patientless
from hub.repository.reading import basis_of
from hub.repository.visibility import PatientRules
from hub.store.protocol import Claim, NoteWrite, Replace, Stored
from hub.units import registered
from hub.units.gateway import gateway
from hub.units.judge import is_drifting
from hub.units.registered import Opened
from hub.units.said import SEEN_EVERY_US, Said, after, clock_is_news, said_of
from hub.units.state import StatePage, UnitState, UnitStates

SECOND_US = 1_000_000
NEARLY_RIGHT = replace(NO_PRODUCT, drift_s=1)
"""No product allows less: of a clock that keeps to it nothing needs to be looked up."""
Known = tuple[int, tuple[object, ...] | None, bool]
"""What was last written of a unit: when it was seen, the fingerprint of what was said, and whether its clock is off."""


@dataclass(slots=True)
class Life:
    """What goes into the unit of the batch. `known`: to be remembered once that is durable."""

    inserts: list[Stored] = field(default_factory=list)
    replaces: list[Replace] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[NoteWrite] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)

    @property
    def written(self) -> list[Stored]:
        return [*self.inserts, *(one.new for one in self.replaces)]


class UnitFacts:
    """For one batch of one caller."""

    def __init__(self, repository: Repository, bindings: Bindings, rules: Mapping[bytes, PatientRules | None], received_us: int) -> None:
        self._repository = repository
        self._services = repository.services
        self._bindings = bindings
        self._rules = rules
        self._received_us = received_us
        self._seen: dict[str, int] = {}
        self._said: dict[str, Said] = {}
        self._worn: dict[str, frozenset[bytes]] = {}
        self._off: dict[str, bool] = {}
        self._pages: dict[str, StatePage] = {}

    def forget(self) -> None:
        """The batch is decided anew, and so is what it says."""
        for heard in (self._seen, self._said, self._worn, self._off, self._pages):
            heard.clear()

    def saw(self, device: str, us: int) -> None:
        """A reading that may be collected. `device`: its Device; a moment to come was not seen yet."""
        if us > self._seen.get(device, 0):
            self._seen[device] = min(us, self._received_us)

    async def hear(self, system: str, facts: Iterable[DeviceFacts], device: str | None) -> None:
        """What the payload says. `device`: of which unit, where it does not say so. Of units that nobody registered nothing is kept."""
        by_unit: dict[str, list[DeviceFacts]] = {}
        for one in facts:
            if (identifier := one.device or device) is not None:
                by_unit.setdefault(identifier, []).append(one)
        tokens = {identifier: registered.unit_token(self._services, system, identifier) for identifier in by_unit}
        rows = await self._services.store.claims(list(tokens.values())) if tokens else {}
        for identifier, said in by_unit.items():
            row = rows.get(tokens[identifier])
            if row is not None:
                self._said[row] = said_of(said, self._received_us)
                self._worn[row] = self._bindings.wearing(identifier, self._received_us)

    async def know(self, rows: Iterable[str]) -> None:
        """The clocks of these units, before readings of theirs are decided on; nothing is asked about those that say nothing new."""
        new = [row for row in dict.fromkeys(rows) if self._says_news(row)]
        self._pages |= await UnitStates(self._services).read(new) if new else {}
        for row in new:
            state = self._pages[row].state
            device = await self._device(row, state, self._said.get(row))
            said = self._permitted_word(row, device)
            self._off[row] = await self._is_off(row, device, after(state, seen_us=None, said=said, received_us=self._received_us))

    def clock_is_off(self, row: str) -> bool:
        """By more than the unit's product allows, as far as is known now."""
        if row in self._off:
            return self._off[row]
        known: Known | None = self._services.units.get(row)
        return known is not None and known[2]

    async def life(self) -> Life:
        """What is new. To be asked anew at each attempt."""
        life = Life()
        due = [row for row in {**self._seen, **self._said} if self._is_due(row)]
        if not due:
            return life
        missing = [row for row in due if row not in self._pages]
        pages = {**self._pages, **(await UnitStates(self._services).read(missing) if missing else {})}
        for row in due:
            await self._live(life, row, pages[row])
        return life

    def remember(self, life: Life) -> None:
        for row, known in life.known.items():
            self._services.units.put(row, known)

    def _is_due(self, row: str) -> bool:
        known: Known | None = self._services.units.get(row)
        if known is None:
            return True
        seen_us = known[0]
        said = self._said.get(row)
        latest = max(self._seen.get(row, 0), 0 if said is None else said.seen_us)
        return latest - seen_us >= SEEN_EVERY_US or self._says_news(row)

    def _says_news(self, row: str) -> bool:
        known: Known | None = self._services.units.get(row)
        said = self._said.get(row)
        return known is None or (said is not None and said.fingerprint != known[1])

    def _permitted_word(self, row: str, device: Opened | None) -> Said | None:
        """What is said of the unit, if everybody who has it permits that it is taken."""
        said = self._said.get(row)
        return said if said is not None and device is not None and self._permitted(row, device.content) else None

    async def _is_off(self, row: str, device: Opened | None, state: UnitState) -> bool:
        if not is_drifting(state, NEARLY_RIGHT):
            return False
        found = device or await registered.unit(self._services, row)
        return found is not None and is_drifting(state, await registered.limits(self._services, found.content))

    async def _live(self, life: Life, row: str, page: StatePage) -> None:
        seen_us = self._seen.get(row)
        device = await self._device(row, page.state, self._said.get(row))
        said = self._permitted_word(row, device)
        if said is None and seen_us is None:
            return
        state = after(page.state, seen_us=seen_us, said=said, received_us=self._received_us)
        if device is not None:
            state = await self._changed(life, device, state, said)
        if _is_worth_writing(page.state, state):
            life.notes.append(await UnitStates(self._services).write(page, state))
        fingerprint = None if said is None else said.fingerprint
        known: Known | None = self._services.units.get(row)
        off = await self._is_off(row, device, state)
        life.known[row] = (state.seen_us or 0, fingerprint or (known[1] if known else None), off)

    async def _device(self, row: str, state: UnitState, said: Said | None) -> Opened | None:
        """Opened only where it may have to be changed, or its patient asked."""
        return await registered.unit(self._services, row) if said is not None or state.silent else None

    def _permitted(self, row: str, content: Mapping[str, Any]) -> bool:
        """Everybody who has the unit now permits that something of it is collected; of a unit that nobody has, nobody is asked."""
        return all(self._basis(patient, content) is not None for patient in self._worn.get(row, ()))

    def _basis(self, patient: bytes, content: Mapping[str, Any]) -> str | None:
        rules = self._rules.get(patient)
        if rules is None:
            return None
        decision = self._repository.rights.visibility.decide(rules, content, "collect", self._received_us)
        return basis_of(decision) if decision.permit else None

    async def _changed(self, life: Life, device: Opened, state: UnitState, said: Said | None) -> UnitState:
        """A new version of the Device, and a clock Observation, where there is something to say."""
        content: Mapping[str, Any] = device.content
        if state.silent and await self._speaks_again(content, state):
            state = replace(state, silent=False)
            if content.get("status") == "unknown":
                content = with_status(content, "active")
        if said is not None and self._may("Device", "u", content):
            content = with_names(with_versions(content, said.versions) or content, said.names)
        if content is not device.content:
            self._write(life, await self._again(device, content), device.stored)
        if said is not None and clock_is_news(state):
            state = await self._tell_clock(life, device, state)
        return state

    async def _speaks_again(self, content: Mapping[str, Any], state: UnitState) -> bool:
        """By the limit by which it was found silent: what is sent late of long ago is no sign of life."""
        limits = await registered.limits(self._services, content)
        return self._received_us - (state.seen_us or 0) <= limits.silence_s * SECOND_US

    async def _tell_clock(self, life: Life, device: Opened, state: UnitState) -> UnitState:
        services, row = self._services, device.reference
        made, new = await gateway(services)
        at_us, ahead_s = state.clock_us or self._received_us, state.clock_ahead_s or 0
        at = datetime.fromtimestamp(at_us / SECOND_US, UTC)
        content = coincident_time_stamp(device=row, gateway=made, at=at, ahead_s=ahead_s)
        if not self._may("Observation", "c", content):
            return state
        if new is not None:
            life.claims.append(new[1])
            self._write(life, new[0], None)
        services.check(content)
        id, key = services.new_id(), await services.vault.key(None)
        told = patientless(services, key, f"Observation/{id}", 1, content, id, services.clock())
        self._write(life, told._replace(others=device.stored.others), None)
        return replace(state, told_ahead_s=ahead_s, told_us=at_us)

    async def _again(self, device: Opened, content: Mapping[str, Any]) -> Stored:
        services, stored = self._services, device.stored
        services.check(content)
        key = await services.vault.key(None)
        made = patientless(services, key, stored.row, stored.version + 1, content, device.content["id"], services.clock())
        return made._replace(others=stored.others)

    def _write(self, life: Life, new: Stored, old: Stored | None) -> None:
        if old is None:
            life.inserts.append(new)
        else:
            life.replaces.append(Replace(new=new, old=old))
        life.touched.append(
            Touched(reference=new.row, version=new.version, patient=None, patient_reference=None, basis="scope", others=new.others)
        )

    def _may(self, type: str, letter: str, content: Mapping[str, Any]) -> bool:
        rights = self._repository.rights
        return rights.covers(type, letter) and rights.scopes_match(type, letter, content)


def _is_worth_writing(before: UnitState, now: UnitState) -> bool:
    """Not for a few minutes' sake alone."""
    if before.seen_us is not None and now.seen_us is not None and now.seen_us - before.seen_us < SEEN_EVERY_US:
        return replace(before, seen_us=None, heard_us=None) != replace(now, seen_us=None, heard_us=None)
    return before != now
