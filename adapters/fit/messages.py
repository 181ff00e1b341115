"""FIT files as messages, and messages as files again: fitdecode finds them, this module takes out what is read.

https://developer.garmin.com/fit/protocol/. A file that is cut off or damaged is refused before its first message: `messages` reads it
once for its CRC and once for its content.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO

import fitdecode
from fitdecode.utils import compute_crc

from adapters.contract import Unreadable
from adapters.fit.mapping import TIMESTAMP
from adapters.limits import ITEMS_MAX

FILE_BYTES_MAX = 16 * 1024 * 1024
"""A day of activity in one-second steps has less than half of that; a reader in Python takes a minute for it."""

INVALID = {
    0x00: 0xFF,
    0x01: 0x7F,
    0x02: 0xFF,
    0x83: 0x7FFF,
    0x84: 0xFFFF,
    0x85: 0x7FFFFFFF,
    0x86: 0xFFFFFFFF,
    0x0A: 0,
    0x8B: 0,
    0x8C: 0,
    0x0D: 0xFF,
}
"""Base type -> the number that says "no value". Strings, floats and 64-bit integers are not read."""

SIGNED = {0x01, 0x83, 0x85}
SIZE = {0x00: 1, 0x01: 1, 0x02: 1, 0x83: 2, 0x84: 2, 0x85: 4, 0x86: 4, 0x0A: 1, 0x8B: 2, 0x8C: 4, 0x0D: 1}
UINT32 = 0x86
_PROTOCOL, _PROFILE, _HEADER_SIZE = 0x10, 2195, 12
_BROKEN = (
    fitdecode.FitError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    struct.error,
    TypeError,
    UnicodeError,
    ValueError,
)
"""What fitdecode lets through where a definition makes no sense."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a message: its number, base type and octets as they were sent."""

    number: int
    base: int
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One data message. `kind` is the global number; `order` the byte order of its definition."""

    kind: int
    at: int
    order: str
    slots: tuple[Slot, ...] = field(repr=False)

    def numbers(self, number: int) -> tuple[int | None, ...]:
        """Return the values of a field, None for one that is invalid; nothing if the message has it not or not as integers."""
        slot = next((slot for slot in self.slots if slot.number == number), None)
        if slot is None or slot.base not in SIZE:
            return ()
        size = SIZE[slot.base]
        parts = (slot.octets[at : at + size] for at in range(0, len(slot.octets) - size + 1, size))
        values = [int.from_bytes(part, "big" if self.order == ">" else "little", signed=slot.base in SIGNED) for part in parts]
        return tuple(None if value == INVALID[slot.base] else value for value in values)

    def number(self, number: int) -> int | None:
        """Return the one value of a field."""
        values = self.numbers(number)
        return values[0] if len(values) == 1 else None

    def only(self, numbers: frozenset[int], timestamp: int | None) -> "Message":
        """Return the message reduced to some fields, with the time that was worked out for it."""
        kept = tuple(slot for slot in self.slots if slot.number in numbers and slot.number != TIMESTAMP)
        return replace(self, slots=kept if timestamp is None else (stamp(timestamp, self.order), *kept))


def stamp(timestamp: int, order: str) -> Slot:
    """The field timestamp: seconds since 1989-12-31T00:00:00Z."""
    return Slot(TIMESTAMP, UINT32, timestamp.to_bytes(4, "big" if order == ">" else "little"))


def messages(payload: bytes) -> Iterator[Message]:
    """Read one file or several chained ones. Raises Unreadable before the first message, or never."""
    if len(payload) > FILE_BYTES_MAX:
        raise Unreadable("payload-too-large", f"A FIT file may have {FILE_BYTES_MAX} bytes; this one has {len(payload)}.")
    trimmed = payload.rstrip(b"\n") if payload.endswith(b"\n") and not _is_whole(payload) else payload
    _check(trimmed)
    return _messages(trimmed)


def _is_whole(payload: bytes) -> bool:
    """A file may end in a line feed, which then belongs to its CRC."""
    return _fault(payload) is None


def _check(payload: bytes) -> None:
    """Raise Unreadable if the files are not whole; out here, because the library's own exceptions hold parts of them."""
    fault = _fault(payload)
    if fault is not None:
        raise Unreadable(*fault)


def _fault(payload: bytes) -> tuple[str, str] | None:
    if not payload:
        return "empty", "The payload is empty."
    count = 0
    try:
        with _reader(payload) as reader:
            for frame in reader:
                count += isinstance(frame, fitdecode.FitDataMessage)
    except fitdecode.FitCRCError:
        return "crc-wrong", "The checksum does not fit: the file was damaged on its way. Copy it from the device again."
    except fitdecode.FitEOFError:
        return "file-cut-off", "The file is shorter than its header says: it was cut off. Copy it from the device again."
    except fitdecode.FitHeaderError:
        return "not-fit", "This is no FIT file, or one without its end."
    except _BROKEN:
        return "not-fit", "The file's definitions make no sense."
    return None if count <= ITEMS_MAX else ("too-many-items", f"Send at most {ITEMS_MAX} messages at once.")


def _reader(payload: bytes) -> fitdecode.FitReader:
    return fitdecode.FitReader(
        BytesIO(payload),
        processor=None,
        check_crc=fitdecode.CrcCheck.RAISE,
        error_handling=fitdecode.ErrorHandling.IGNORE,
        keep_raw_chunks=True,
    )


def _messages(payload: bytes) -> Iterator[Message]:
    with _reader(payload) as reader:
        for frame in reader:
            if isinstance(frame, fitdecode.FitDataMessage):
                yield _message(frame)


def _message(frame: fitdecode.FitDataMessage) -> Message:
    slots, at = [], 1
    for definition in frame.def_mesg.field_defs:
        slots.append(Slot(definition.def_num, definition.base_type.identifier, bytes(frame.chunk.bytes[at : at + definition.size])))
        at += definition.size
    if frame.time_offset is not None:  # a compressed header: fitdecode works out the time
        timestamp = next((one.raw_value for one in frame.fields if one.def_num == TIMESTAMP), None)
        if isinstance(timestamp, int):
            slots.append(stamp(timestamp & 0xFFFFFFFF, frame.def_mesg.endian))
    return Message(
        kind=frame.global_mesg_num,
        at=frame.chunk.offset,
        order=frame.def_mesg.endian,
        slots=tuple(slots),
    )


def file_of(parts: tuple[Message, ...]) -> bytes:
    """Write messages as a FIT file of their own: what an item keeps."""
    body = b"".join(_written(part) for part in parts if part.slots)
    head = bytes((_HEADER_SIZE, _PROTOCOL)) + _PROFILE.to_bytes(2, "little") + len(body).to_bytes(4, "little") + b".FIT"
    return head + body + int(compute_crc(head + body)).to_bytes(2, "little")


def _written(part: Message) -> bytes:
    """Definition and data under local number 0; nothing of a developer's."""
    order = "big" if part.order == ">" else "little"
    fields = b"".join(bytes((slot.number, len(slot.octets), slot.base)) for slot in part.slots)
    head = bytes((0x40, 0, part.order == ">")) + part.kind.to_bytes(2, order) + bytes((len(part.slots),))  # type: ignore[arg-type]
    return head + fields + b"\x00" + b"".join(slot.octets for slot in part.slots)
