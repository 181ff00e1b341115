"""A recording that was bound to a patient: the three resources that it becomes, and its bytes sealed piece by piece.

docs/adr/0014-recordings.md. The pieces are durable before the rows that name them are committed: whoever can read the rows can read the
bytes, whatever is killed in between.
"""

import asyncio
from dataclasses import replace
from typing import Final

from adapters.reading import Document, Item, Reading
from fhir_profiles.measurement import Measurement, Recorded, RecordingPart
from hub.repository.content import CONTENT_PIECE_BYTES, piece_id
from hub.services import Services
from hub.store.contents import Piece
from hub.vault import CONTENT_TYPE

PARTS: Final[tuple[RecordingPart, ...]] = ("Observation", "DocumentReference", "Binary")
DIGEST_LETTERS: Final = 32


def is_recording(item: Item) -> bool:
    """Such an item does not wait: it would lie sealed twice, and whoever sent it has it."""
    return isinstance(item, Reading) and isinstance(item.value, Document)


def as_part(measurement: Measurement, part: RecordingPart) -> Measurement:
    """The measurement as it becomes one of the three; any other as it is."""
    value = measurement.value
    return replace(measurement, value=replace(value, part=part)) if isinstance(value, Recorded) else measurement


def located(measurement: Measurement, key: str, digest: bytes, services: Services) -> Measurement:
    """With the ids under which its parts lie: like those of readings they follow from the reading's key, so that each can be only once.

    digest  keyed hash of what the recording is; another recording of the same key has other pieces
    """
    value = measurement.value
    if not isinstance(value, Recorded):
        return measurement
    count = -(-value.size_bytes // CONTENT_PIECE_BYTES)
    where = replace(
        value,
        document=f"DocumentReference/{services.blind.id('recording-document', key)}",
        content=f"Binary/{services.blind.id('recording-content', key)}",
        stored_as=f"{digest.hex()[:DIGEST_LETTERS]}.{count}.{value.size_bytes}",
    )
    return replace(measurement, value=where)


async def keep_content(services: Services, patient: bytes, recorded: Recorded, content: bytes) -> None:
    """Seal and write the pieces, one at a time; done if the last one is there, for they are written in order."""
    digest, count = recorded.stored_as.split(".")[:2]
    binary = recorded.content.removeprefix("Binary/")
    if await services.store.contents.get(piece_id(binary, digest, int(count) - 1)) is not None:
        return
    key = await services.vault.key(patient)
    for number in range(int(count)):
        id = piece_id(binary, digest, number)
        plain = content[number * CONTENT_PIECE_BYTES : (number + 1) * CONTENT_PIECE_BYTES]
        sealed = await asyncio.to_thread(services.vault.seal, key, CONTENT_TYPE, id, 1, patient, plain, purpose="content")
        await services.store.contents.put(Piece(id=id, patient=patient, key_version=key.version, sealed=sealed))
