"""A recording or a report that was bound to a patient: the three resources that it becomes, and its bytes sealed piece by piece.

docs/adr/0014-recordings.md, docs/adr/0024-reports.md. The pieces are durable before the rows that name them are committed: whoever can
read the rows can read the bytes, whatever is killed in between.
"""

import asyncio
from dataclasses import replace
from typing import Final

from adapters.reading import Document, Item, Reading
from fhir_profiles.measurement import Measurement, Recorded
from hub.ingest.pieces import Pieces
from hub.ingest.weighed import Content
from hub.repository.content import CONTENT_PIECE_BYTES, StoredContent, content_id
from hub.services import Services
from hub.store.contents import Piece
from hub.store.protocol import SYSTEM_KEY
from hub.vault import CONTENT_TYPE

DIGEST_LETTERS: Final = 32
GRACE_US: Final = 3_600_000_000
"""Pieces that somebody relied on within the last hour may belong to a row that is about to be written."""
WAITING_MARK: Final = "~"
WAITING_DIGEST: Final = "waiting"
"""Of what content the pieces of a waiting recording are. No digest of a Binary is called so: its tag cannot lead there."""
PIECES_AT_ONCE: Final = 16


def is_recording(item: Item) -> bool:
    """Its bytes lie in pieces, beside the row of what it becomes or of what waits."""
    return isinstance(item, Reading) and isinstance(item.value, Document)


def located(measurement: Measurement, key: str, digest: bytes, services: Services) -> Measurement:
    """With the ids under which its parts lie: like those of readings they follow from the reading's key, so that each can be only once.

    digest  keyed hash of what the recording is; another recording of the same key has other pieces
    """
    value = measurement.value
    if not isinstance(value, Recorded):
        return measurement
    count = -(-value.size_bytes // CONTENT_PIECE_BYTES)
    # A DiagnosticReport has no element that names its DocumentReference: they have one id.
    document = "reading" if value.part == "DiagnosticReport" else "recording-document"
    where = replace(
        value,
        document=f"DocumentReference/{services.blind.id(document, key)}",
        content=f"Binary/{services.blind.id('recording-content', key)}",
        stored_as=f"{digest.hex()[:DIGEST_LETTERS]}.{count}.{value.size_bytes}",
    )
    return replace(measurement, value=where)


async def keep_content(services: Services, patient: bytes, recorded: Recorded, content: Content) -> bool:
    """Seal and write the pieces, a few at a time; done if all of them are there, which are then relied on from now on.

    Says whether it wrote any: then time went by.
    """
    digest, count = recorded.stored_as.split(".")[:2]
    binary = recorded.content.removeprefix("Binary/")
    if await services.store.contents.touch(content_id(binary, digest), services.clock()) == int(count):
        return False
    await _put(services, patient, content_id(binary, digest), content)
    return True


async def keep_waiting(services: Services, id: str, content: Content) -> None:
    """The bytes of a recording that waits in quarantine under this id, in pieces under the system's key."""
    of = content_id(f"{WAITING_MARK}{id}", WAITING_DIGEST)
    if await services.store.contents.touch(of, services.clock()) != _count(len(content)):
        await _put(services, None, of, content)


async def waiting_pieces(services: Services, id: str, size_bytes: int) -> Pieces:
    """The bytes again, read as they are asked for."""
    return await _pieces(services, None, content_id(f"{WAITING_MARK}{id}", WAITING_DIGEST), size_bytes)


async def stored_pieces(services: Services, patient: bytes, binary: str, content: StoredContent) -> Pieces:
    """The bytes of a Binary, for who derives it anew."""
    return await _pieces(services, patient, content_id(binary, content.digest), content.size_bytes)


async def drop_waiting(services: Services, id: str) -> None:
    """It waits no more. What somebody may be sending again at this moment is left to the sweep, as is what a kill leaves behind."""
    await services.store.contents.drop(content_id(f"{WAITING_MARK}{id}", WAITING_DIGEST), services.clock() - GRACE_US)


def _count(size_bytes: int) -> int:
    return -(-size_bytes // CONTENT_PIECE_BYTES)


async def _put(services: Services, patient: bytes | None, of: str, content: Content) -> None:
    key = await services.vault.key(patient)

    def sealed(number: int) -> Piece:
        id = f"{of}.{number}"
        plain = content[number * CONTENT_PIECE_BYTES : (number + 1) * CONTENT_PIECE_BYTES]
        made = services.vault.seal(key, CONTENT_TYPE, id, 1, patient, plain, purpose="content")
        return Piece(id, patient or SYSTEM_KEY, key.version, made, services.clock())

    count = _count(len(content))
    for start in range(0, count, PIECES_AT_ONCE):
        some = range(start, min(start + PIECES_AT_ONCE, count))
        await services.store.contents.put(*await asyncio.to_thread(lambda numbers: [sealed(number) for number in numbers], some))


async def _pieces(services: Services, patient: bytes | None, of: str, size_bytes: int) -> Pieces:
    key = await services.vault.key(patient)

    async def fetch(number: int) -> bytes | None:
        piece = await services.store.contents.get(f"{of}.{number}")
        return None if piece is None else piece.sealed

    def opened(number: int, sealed: bytes) -> bytes:
        return services.vault.open_sealed(key, CONTENT_TYPE, f"{of}.{number}", 1, patient, sealed, purpose="content")

    return Pieces(fetch, opened, size_bytes)
