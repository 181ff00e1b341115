"""MLLP blocks: VT, a message, FS, CR. HL7 v2.6 appendix C (minimal lower layer protocol).

Pure: bytes in as they arrive, whole messages out. FS alone ends a block, because a message cannot contain it and some senders
forget the CR; a VT inside a block begins anew, because its sender gave the first one up.
"""

from collections.abc import Iterator

VT, FS = 0x0B, 0x1C
CUT_BYTES = 4_096
"""How much of a block that is too long is kept to say so: its MSH stands at the beginning."""


class FrameBroken(Exception):
    """Bytes between two blocks: nobody can tell where the next message begins."""


class FrameTooLong(Exception):
    """The block has more bytes than the limit. `beginning`: its first bytes."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__()
        self.beginning = beginning


class Frames:
    """Takes apart what one connection sends."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._open: bytearray | None = None

    @property
    def partial(self) -> bool:
        """Is a block begun and not ended?"""
        return self._open is not None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that end in `data`, in order. Raises FrameBroken, FrameTooLong after those before the fault, however the
        bytes were cut into pieces on their way; the connection is of no use then.
        """
        while data:
            if self._open is None:
                data = self._between(data)
                continue
            message, data = self._inside(self._open, data)
            if message is not None:
                yield message

    def _between(self, data: bytes) -> bytes:
        rest = data.lstrip(b"\r\n")
        if not rest:
            return b""
        if rest[0] != VT:
            raise FrameBroken
        self._open = bytearray()
        return rest[1:]

    def _inside(self, block: bytearray, data: bytes) -> tuple[bytes | None, bytes]:
        """The message if it ends in `data`, and what is left of that."""
        end = data.find(FS)
        part = data if end < 0 else data[:end]
        again = part.rfind(VT)
        if again >= 0:
            block.clear()
            part = part[again + 1 :]
        block += part
        if len(block) > self._bytes_max:
            raise FrameTooLong(bytes(block[:CUT_BYTES]))
        if end < 0:
            return None, b""
        self._open = None
        return bytes(block), data[end + 1 :]


def framed(message: bytes) -> bytes:
    return bytes((VT,)) + message + bytes((FS, 0x0D))
