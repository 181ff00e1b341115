"""Notes of transports, sealed and opened: what is remembered of a sender lies in the database as ciphertext under a pseudonym."""

from dataclasses import dataclass
from typing import Any

import orjson

from hub.services import Services
from hub.store.protocol import Note, NoteWrite
from hub.vault import NOTE_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A note opened, as it was when it was read. `note` is None while nobody has written it."""

    key: bytes
    kind: str
    patient: bytes | None
    note: Note | None
    content: dict[str, Any]


class Notebook:
    """Notes of one kind. `patient`: whose key seals them, so that they go when the patient's key goes."""

    def __init__(self, services: Services, kind: str) -> None:
        self._services = services
        self._kind = kind

    @property
    def now_us(self) -> int:
        return self._services.clock()

    def key(self, name: str) -> bytes:
        return self._services.blind.token(f"note-{self._kind}", name)

    async def read(self, name: str, patient: bytes | None = None) -> Page:
        """What has expired is not there any more, whether or not the database has thrown it away yet."""
        return await self.at(self.key(name), patient)

    async def at(self, key: bytes, patient: bytes | None = None) -> Page:
        """By the key of a page that was read before; the name it had may be a secret that nobody keeps."""
        note = await self._services.store.notes.get(key)
        return await self._opened(key, note, patient)

    async def opened(self, note: Note) -> Page:
        """A note of this kind that somebody has read."""
        return await self._opened(note.key, note, note.patient)

    async def all(self, limit: int) -> list[Page]:
        """Every note of the kind whose key is still there."""
        made = []
        for note in await self._services.store.notes.of_kind(self._kind, limit):
            try:
                made.append(await self._opened(note.key, note, note.patient))
            except KeyError:  # erased: the patient's key is gone, and what it sealed with it
                continue
        return made

    async def blank(self, name: str, patient: bytes | None = None) -> Page:
        """To be written in place of whatever lies there, which is not opened: its key may be gone."""
        key = self.key(name)
        return Page(key=key, kind=self._kind, patient=patient, note=await self._services.store.notes.get(key), content={})

    async def write(self, page: Page, content: dict[str, Any], expires_us: int | None = None) -> NoteWrite:
        """For `Unit.notes`: in place of what `page` shows; whoever writes second meets a Conflict."""
        expected = 0 if page.note is None else page.note.version
        key = await self._services.vault.key(page.patient)
        id = page.key.hex()
        sealed = self._services.vault.seal(key, NOTE_TYPE, id, expected + 1, page.patient, orjson.dumps(content))
        new = Note(
            key=page.key,
            kind=self._kind,
            version=expected + 1,
            sealed=sealed,
            key_version=key.version,
            patient=page.patient,
            expires_us=expires_us,
        )
        return NoteWrite(new=new, expected_version=expected)

    async def _opened(self, key: bytes, note: Note | None, patient: bytes | None) -> Page:
        over = note is not None and note.expires_us is not None and note.expires_us <= self._services.clock()
        if note is None or over:
            return Page(key=key, kind=self._kind, patient=patient, note=note, content={})
        data_key = await self._services.vault.key(note.patient)
        plain = self._services.vault.open_sealed(data_key, NOTE_TYPE, key.hex(), note.version, note.patient, note.sealed)
        return Page(key=key, kind=self._kind, patient=note.patient, note=note, content=orjson.loads(plain))
