"""A recording whose bytes are not in the reading but in the payload it came with: weighed once, then read again piece by piece."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from adapters.reading import Document, Item, Reading, Span

ReadAt = Callable[[int, int], bytes]
"""A stretch of the payload: from where, how many bytes."""
WEIGHED_BYTES: Final = 1024 * 1024
SIZE_BYTES_MAX: Final = 2**31 - 1
"""Attachment.size is an unsignedInt (https://hl7.org/fhir/R4/datatypes.html#Attachment)."""


class Content(Protocol):
    """Bytes that have a length and can be sliced: in memory, or read as they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice, /) -> bytes: ...


class Stretches:
    """Literal bytes and stretches of a payload, one behind the other."""

    def __init__(self, parts: Sequence[bytes | Span], read_at: ReadAt) -> None:
        self._parts, self._read_at = parts, read_at
        self._length = sum(part.length if isinstance(part, Span) else len(part) for part in parts)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: slice, /) -> bytes:
        """Reads a file: in a thread."""
        start, end, _ = place.indices(self._length)
        made, before = [], 0
        for part in self._parts:
            length = part.length if isinstance(part, Span) else len(part)
            low, high = max(start - before, 0), min(end - before, length)
            if low < high:
                made.append(self._read_at(part.start + low, high - low) if isinstance(part, Span) else part[low:high])
            before += length
        return b"".join(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed(Document):
    """A document with what is known of its bytes, and where they are as long as its payload is."""

    sha1: str
    sha256: str
    held: Content = field(compare=False, repr=False)


def weighed(item: Item, read_at: ReadAt) -> Item:
    """An item whose document names stretches of the payload, with size and SHA-1 of what they come to; any other as it is.

    Reads the payload: in a thread.
    """
    if not isinstance(item, Reading) or not isinstance(item.value, Document) or not item.value.content:
        return item
    document, stretches = item.value, Stretches(item.value.content, read_at)
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    for start in range(0, len(stretches), WEIGHED_BYTES):
        piece = stretches[start : start + WEIGHED_BYTES]
        sha1.update(piece)
        sha256.update(piece)
    made = Weighed(
        media_type=document.media_type,
        channels=document.channels,
        content=document.content,
        start=document.start,
        sha1=base64.b64encode(sha1.digest()).decode(),
        sha256=sha256.hexdigest(),
        held=stretches,
    )
    return replace(item, value=made)


def content_of(item: Item) -> Content:
    """The bytes of a recording, wherever they are."""
    if not isinstance(item, Reading) or not isinstance(item.value, Document):
        return item.raw
    if isinstance(item.value, Weighed):
        return item.value.held
    raw, start = item.raw, item.value.start
    return raw if start == 0 else Stretches([Span(start=start, length=len(raw) - start)], lambda at, size: raw[at : at + size])


def in_pieces(reading: Reading, size: int, read_at: ReadAt) -> Reading:
    """A recording whose bytes lie elsewhere, weighed. Reads all of them: in a thread."""
    document = reading.value
    if not isinstance(document, Document):
        raise TypeError("only recordings lie in pieces")
    made = weighed(replace(reading, value=replace(document, content=(Span(start=0, length=size),))), read_at)
    assert isinstance(made, Reading)  # noqa: S101 - as it was
    return made


def may_wait(item: Item) -> bool:
    """What cannot become an attachment has nothing to wait for."""
    return len(content_of(item)) <= SIZE_BYTES_MAX


def digest_of(item: Item) -> str:
    """SHA-256 of a recording, the same whichever way it came."""
    if isinstance(item, Reading) and isinstance(item.value, Weighed):
        return item.value.sha256
    return hashlib.sha256(content_of(item)[:]).hexdigest()


def without_bytes(reading: Reading) -> Reading:
    """What can be written down of a recording beside its bytes."""
    document = reading.value
    if not isinstance(document, Document):
        return reading
    kept = Document(media_type=document.media_type, channels=document.channels, start=document.start)
    return replace(reading, raw=reading.raw[: document.start], value=kept)
