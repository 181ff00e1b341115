"""The bytes of a Binary that lie beside it in pieces (docs/adr/0014-recordings.md): decided anew for each piece, never whole in memory."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.recording import STORED_CONTENT
from hub import outcomes
from hub.repository.reading import Reading
from hub.services import Services
from hub.store.protocol import Stored
from hub.vault import CONTENT_TYPE

CONTENT_PIECE_BYTES: Final = 256 * 1024
_STORED_AS: Final = re.compile(r"([0-9a-f]{1,64})\.([1-9][0-9]{0,6})\.([1-9][0-9]{0,10})")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """What the tag of a Binary says: whose digest, in how many pieces, how many bytes."""

    digest: str
    pieces: int
    size_bytes: int


def stored_content(binary: Mapping[str, Any]) -> StoredContent | None:
    """None for a Binary that holds its bytes itself."""
    if "data" in binary:
        return None
    codes = [str(tag.get("code", "")) for tag in binary.get("meta", {}).get("tag", ()) if tag.get("system") == STORED_CONTENT]
    found = _STORED_AS.fullmatch(codes[0]) if codes else None
    return None if found is None else StoredContent(digest=found[1], pieces=int(found[2]), size_bytes=int(found[3]))


def content_id(binary: str, digest: str) -> str:
    """Bound to the Binary: a tag that somebody wrote leads to no other one's pieces."""
    return f"{binary}.{digest}"


def piece_id(binary: str, digest: str, number: int) -> str:
    return f"{content_id(binary, digest)}.{number}"


async def pieces(id: str, content: StoredContent, services: Services, reading: Reading) -> AsyncIterator[bytes]:
    """The bytes, piece by piece. Raises FhirError not-found as soon as the caller may not see the Binary any more."""
    for number in range(content.pieces):
        current = await services.resolve("Binary", id, deleted=True)
        if current is None or current.deleted:
            raise outcomes.absent()
        await reading.open(current, "access")
        yield await _piece(current, content, number, services)


async def _piece(binary: Stored, content: StoredContent, number: int, services: Services) -> bytes:
    id = piece_id(binary.id, content.digest, number)
    piece = await services.store.contents.get(id)
    if piece is None or binary.patient is None:
        raise outcomes.absent()
    key = await services.vault.key(binary.patient)
    return services.vault.open_sealed(key, CONTENT_TYPE, id, 1, binary.patient, piece.sealed, purpose="content")
