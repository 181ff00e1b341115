"""What every part of the hub is given instead of reaching for it: store, keys, clock, randomness. Made in `hub.app`."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.hashing import Hashing
from hub.remembered import Remembered
from hub.settings import Settings
from hub.store.mongo import MongoStore
from hub.store.protocol import Asked, Stored
from hub.turns import Room, Seats, Turns
from hub.vault import AUDIT_TYPE, Vault
from security.blind import ALPHABET, ID_CHARACTERS, Blind
from security.oauth.authorization import Authorization
from security.oauth.clients import Client

KEYED = "~"
"""First letter of a row id that is the keyed form of an id brought by an importer."""
OWN_ID = re.compile(r"[0-9A-Za-z]{22}")
UNITS_REMEMBERED_MAX = 50_000
AUTHORIZATIONS_REMEMBERED_MAX = 4_096
CLIENTS_REMEMBERED_MAX = 50_000
_EVEN = 256 - 256 % len(ALPHABET)
_LETTERS, _UNEVEN = bytes(ALPHABET.encode()[byte % len(ALPHABET)] for byte in range(256)), bytes(range(_EVEN, 256))
"""A random byte as a letter; those that would give some letters more often than others are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`clock` gives microseconds since 1970; `check` raises FhirError for a resource that R4 does not allow."""

    store: MongoStore
    vault: Vault
    blind: Blind
    clock: Callable[[], int]
    new_id: Callable[[], str]
    check: Callable[[Mapping[str, Any]], None]
    page_key: bytes
    base_url: str
    settings: Settings
    find_client: Callable[[str], Awaitable[Client | None]]
    """The registry as it is now."""
    turns: Turns = field(default_factory=Turns)
    room: Room = field(default_factory=Room)
    spool_room: Room = field(default_factory=Room)
    seats: Seats = field(default_factory=Seats)
    hashing: Hashing = field(default_factory=Hashing)
    units: Remembered[str, Any] = field(default_factory=lambda: Remembered(UNITS_REMEMBERED_MAX))
    """What `hub.units` last wrote about units, by the row of the Device."""
    authorizations: Remembered[bytes, tuple[int, Authorization]] = field(default_factory=lambda: Remembered(AUTHORIZATIONS_REMEMBERED_MAX))
    """What people let apps do, opened, by the note's key: with the version it was read from, good only if that is the one that counts."""
    clients_used: Remembered[str, int] = field(default_factory=lambda: Remembered(CLIENTS_REMEMBERED_MAX))
    """The day on which a client by itself was last seen to get a token (`hub.oauth.client_used`), by client_id."""

    async def resolve(self, type: str, id: str, *, deleted: bool = False, asked: Sequence[Asked] = ()) -> Stored | None:
        """The current row of a logical id, ours or brought by an importer. `deleted`: its tombstone too.

        asked  what `ask` gave for the same id, if somebody has asked already
        """
        if type == AUDIT_TYPE:
            return await self.store.record(id)
        own, *others = [await self.store.answer(one, deleted=deleted) for one in asked or self.ask(type, id)]
        other = others[0] if others else None
        return other if own is None or (own.deleted and other is not None) else own

    def ask(self, type: str, id: str) -> Sequence[Asked]:
        """For the rows that may bear this id, without waiting for them; of all types but AuditEvent."""
        brought = f"{type}/{self.brought_id(type, id)}"
        # An importer may bring an id that looks like ours; both are asked, found or not, so that the effort tells nothing.
        rows = (f"{type}/{id}", brought) if OWN_ID.fullmatch(id) else (brought,)
        return [self.store.ask(row) for row in rows]

    def brought_id(self, type: str, id: str) -> str:
        """Ids brought by importers may say something about a person, so rows bear them keyed (DESIGN 5)."""
        return KEYED + self.blind.id(f"brought/{type}", id)

    def row_ids(self, type: str, id: str) -> frozenset[str]:
        brought = self.brought_id(type, id)
        return frozenset((id, brought) if OWN_ID.fullmatch(id) else (brought,))


def random_id() -> str:
    """A FHIR id of 22 characters: 131 bits from the operating system. A request makes several, and dividing costs five times this."""
    made = b""
    while len(made) < ID_CHARACTERS:  # nearly always once
        made = os.urandom(2 * ID_CHARACTERS).translate(_LETTERS, _UNEVEN)
    return made[:ID_CHARACTERS].decode("ascii")
