"""How a unit does: when it was last seen, its battery, its clock. One note for each unit, sealed, under a pseudonym of its Device.

Not in the Device itself: a version for each time that a unit was seen would bury the versions that say something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

import orjson

from hub.services import Services
from hub.store.protocol import Note, NoteWrite
from hub.vault import NOTE_TYPE

KIND = "unit"
UNITS_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """Times in microseconds since 1970 UTC; None: not known.

    seen_us    the latest moment at which the unit is known to have measured or reported
    heard_us   when the hub last took note of it; known_us: since when it looks after it
    battery_percent, battery_level   as it was said last, at battery_us
    clock_ahead_s   the device's wall clock minus the receiver's, as compared at clock_us
    told_ahead_s, told_us   the same, as it was last kept as an Observation
    silent     the watch has set the Device's status to unknown
    """

    seen_us: int | None = None
    heard_us: int | None = None
    known_us: int | None = None
    battery_percent: int | None = None
    battery_level: str | None = None
    battery_us: int | None = None
    clock_ahead_s: int | None = None
    clock_us: int | None = None
    told_ahead_s: int | None = None
    told_us: int | None = None
    silent: bool = False


NOTHING_KNOWN = UnitState()
_FIELDS = frozenset(field.name for field in fields(UnitState))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePage:
    """A unit's state as it was read. `note` is None while nobody has written it."""

    key: bytes
    note: Note | None
    state: UnitState


class UnitStates:
    """Reads and writes states by the row of the Device ("Device/id")."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def key(self, row: str) -> bytes:
        return self._services.blind.token(f"note-{KIND}", row)

    async def read(self, rows: Sequence[str]) -> Mapping[str, StatePage]:
        """Every row has a page."""
        keys = {row: self.key(row) for row in rows}
        found = await self._services.store.notes.of_keys(list(keys.values()))
        return {row: await self._page(key, found.get(key)) for row, key in keys.items()}

    async def all(self) -> Mapping[bytes, StatePage]:
        """By the note's key."""
        return {note.key: await self._page(note.key, note) for note in await self._services.store.notes.of_kind(KIND, UNITS_MAX)}

    async def write(self, page: StatePage, state: UnitState) -> NoteWrite:
        """For `Unit.notes`: in place of what `page` shows; whoever writes second meets a Conflict."""
        expected = 0 if page.note is None else page.note.version
        vault = self._services.vault
        key = await vault.key(None)
        said = {name: value for name, value in asdict(state).items() if value is not None and value is not False}
        sealed = vault.seal(key, NOTE_TYPE, page.key.hex(), expected + 1, None, orjson.dumps(said))
        new = Note(key=page.key, kind=KIND, version=expected + 1, sealed=sealed, key_version=key.version)
        return NoteWrite(new=new, expected_version=expected)

    async def _page(self, key: bytes, note: Note | None) -> StatePage:
        if note is None:
            return StatePage(key=key, note=None, state=NOTHING_KNOWN)
        vault = self._services.vault
        plain = vault.open_sealed(await vault.key(None), NOTE_TYPE, key.hex(), note.version, None, note.sealed)
        known = {name: value for name, value in orjson.loads(plain).items() if name in _FIELDS}
        return StatePage(key=key, note=note, state=replace(NOTHING_KNOWN, **known))
