"""The watch over units: who is silent becomes `unknown`, and `active` again when that is over. DEVICES 1.6, docs/adr/0015.

One process of all does a round, each change with its record in the same transaction. Counts go to /metrics; names go nowhere.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import structlog

from fhir_profiles.unit import with_status
from hub.metrics import UNITS
from hub.recording import Recording, Touched, write_of
from hub.repository.patientless import patientless
from hub.services import Services
from hub.store.protocol import Conflict, Note, NoteWrite, Replace, Unit
from hub.turns import breath
from hub.units import registered
from hub.units.judge import counts, findings
from hub.units.listing import UnitView, views
from hub.units.state import UnitStates
from hub.vault import NOTE_TYPE

KIND: Final = "unit-watch"
log = structlog.get_logger()

Recorder = Callable[[str], Recording]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A Device whose status was set."""

    device: str
    product: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    counts: Mapping[str, int]
    changed: tuple[Change, ...]


class Watch:
    """recorder  makes the record of a change"""

    def __init__(self, services: Services, recorder: Recorder) -> None:
        self._services = services
        self._recorder = recorder

    async def run(self) -> Round:
        """Look at every unit, now. Raises Unavailable."""
        now_us = self._services.clock()
        found = await views(self._services, now_us)
        changed = []
        for number, view in enumerate(found):
            await breath(number)
            is_silent = "silent" in findings(view, now_us)
            if is_silent != view.state.silent:
                changed += await self._set(view, is_silent=is_silent)
        return Round(counts=counts(found, now_us), changed=tuple(changed))

    async def forever(self) -> None:
        """In turn with the other processes: whoever writes the time down first does it, and all of them show what came of it."""
        pause_s = self._services.settings.watch_s
        while True:
            try:
                await self.turn(pause_s * 1_000_000)
            except Exception as error:  # noqa: BLE001 - what hinders a round must not end the watch for good; the next one does it
                log.warning("watch_failed", error=type(error).__name__)
            await asyncio.sleep(pause_s)

    async def turn(self, pause_us: int) -> None:
        """A round, if none was done for half of the pause, and the counts of the last one into this process's metrics."""
        for finding, number in (await self._told(pause_us)).items():
            UNITS.labels(finding).set(number)

    async def _told(self, pause_us: int) -> Mapping[str, int]:
        """The counts of the last round, this process's own or another one's."""
        key = self._services.blind.token(f"note-{KIND}", "round")
        note = await self._services.store.notes.get(key)
        content = await self._opened(note)
        now_us = self._services.clock()
        if content.get("at_us", 0) > now_us - pause_us // 2:
            return dict(content.get("counts", {}))
        turn = await self._written(key, note, {**content, "at_us": now_us})
        try:
            await self._services.store.commit(Unit(notes=[turn]))
        except Conflict:
            return dict(content.get("counts", {}))
        told = (await self.run()).counts
        done = await self._written(key, turn.new, {"at_us": now_us, "counts": told})
        await self._services.store.commit(Unit(notes=[done]))
        return told

    async def _set(self, view: UnitView, *, is_silent: bool) -> list[Change]:
        """Nothing where somebody else writes to the unit at this moment: the next round looks again."""
        services = self._services
        states = UnitStates(services)
        page = (await states.read([view.row]))[view.row]
        device = await registered.unit(services, view.row)
        if device is None or page.state != view.state:
            return []
        unit, made = Unit(), []
        before, after = ("active", "unknown") if is_silent else ("unknown", "active")
        if device.content.get("status") == before:
            content = with_status(device.content, "unknown" if is_silent else "active")
            key = await services.vault.key(None)
            row, now_us = device.row, services.clock()
            new = patientless(services, key, row, device.stored.version + 1, content, content["id"], now_us)._replace(
                others=device.stored.others
            )
            unit.replaces = [Replace(new=new, old=device.stored)]
            made = [Change(device=device.reference, product=None if view.product is None else view.product.key, status=after)]
        state = replace(page.state, silent=is_silent, known_us=page.state.known_us or view.updated_us)
        unit.notes = [await states.write(page, state)]
        async with self._recorder("device-watch") as recording:
            for one in unit.replaces:
                recording.touch(_of_nobody(one))
            try:
                await recording.commit(unit, writes=[write_of(one.new) for one in unit.replaces])
            except Conflict:
                recording.forget()
                return []
        return made

    async def _opened(self, note: Note | None) -> Mapping[str, Any]:
        if note is None:
            return {}
        vault = self._services.vault
        plain = vault.open_sealed(await vault.key(None), NOTE_TYPE, note.key.hex(), note.version, None, note.sealed)
        found: Mapping[str, Any] = orjson.loads(plain)
        return found

    async def _written(self, key: bytes, before: Note | None, content: Mapping[str, Any]) -> NoteWrite:
        expected = 0 if before is None else before.version
        vault = self._services.vault
        data_key = await vault.key(None)
        sealed = vault.seal(data_key, NOTE_TYPE, key.hex(), expected + 1, None, orjson.dumps(content))
        return NoteWrite(
            new=Note(key=key, kind=KIND, version=expected + 1, sealed=sealed, key_version=data_key.version), expected_version=expected
        )


def _of_nobody(one: Replace) -> Touched:
    new = one.new
    return Touched(reference=new.row, version=new.version, patient=None, patient_reference=None, basis="operator", others=new.others)
