"""Frames that make sense only together, if they come in one payload.

A glucose context has no time of its own: it shares that of the 2A18 with its sequence number. A body composition may take two
packets. The minutes of a CGM record count from the session start 2AAA. Each joined item keeps both frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.gatt.characteristics import body_composition_measurement
from adapters.gatt.glucose import glucose_measurement, sequence_number, session_start
from adapters.refusal import ItemRefused

Key = TypeVar("Key")
GLUCOSE, CONTEXT, COMPOSITION, CGM, SESSION = "2A18", "2A34", "2A9C", "2AA7", "2AAA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame whose own fields have been read. `raw` is what is kept of it."""

    pointer: str
    raw: bytes
    device: str | None
    name: str
    octets: bytes
    received_at: Any


class Company:
    """Who belongs to whom among the frames of one payload. Of several that contradict each other none is taken."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._glucose: dict[tuple[str | None, int], Frame | None] = {}
        self._session: dict[str | None, Frame | None] = {}
        self._second: dict[str, Frame] = {}
        self._joined: set[str] = set()
        open_packets: dict[str | None, Frame] = {}
        for frame in frames:
            if frame.name == GLUCOSE:
                self._add_glucose(frame)
            elif frame.name == SESSION:
                self._add_session(frame)
            elif frame.name == COMPOSITION and is_packet(frame.octets):
                self._add_packet(frame, open_packets)

    def glucose_of(self, context: Frame) -> Frame | None:
        return self._glucose.get((context.device, sequence_number(context.octets)))

    def session_of(self, record: Frame) -> Frame | None:
        return self._session.get(record.device)

    def second_of(self, packet: Frame) -> Frame | None:
        return self._second.get(packet.pointer)

    def is_second(self, packet: Frame) -> bool:
        return packet.pointer in self._joined

    def _add_glucose(self, frame: Frame) -> None:
        try:
            _once(self._glucose, (frame.device, glucose_measurement(frame.octets).sequence), frame)
        except ItemRefused:
            return  # said when the frame itself is read

    def _add_session(self, frame: Frame) -> None:
        try:
            session_start(frame.octets)
        except ItemRefused:
            return
        _once(self._session, frame.device, frame)

    def _add_packet(self, frame: Frame, open_packets: dict[str | None, Frame]) -> None:
        """Only the first packet has a time stamp or a user (Body Composition Service, 3.2.1.1); newest first, it is the later one."""
        before = open_packets.pop(frame.device, None)
        opens = _opens(frame.octets)
        if before is None or (opens and _opens(before.octets)) or not _same_fat(before.octets, frame.octets):
            open_packets[frame.device] = frame
            return
        first, second = (frame, before) if opens else (before, frame)
        self._second[first.pointer] = second
        self._joined.add(second.pointer)


def is_packet(octets: bytes) -> bool:
    """Is it one of two packets: bit 12 of the flags."""
    return bool(int.from_bytes(octets[:2], "little") & 0x1000)


def _opens(octets: bytes) -> bool:
    return bool(octets[0] & 0x06)


def _same_fat(one: bytes, other: bytes) -> bool:
    try:
        return body_composition_measurement(one).fat == body_composition_measurement(other).fat
    except ItemRefused:
        return False


def _once(frames: dict[Key, Frame | None], key: Key, frame: Frame) -> None:
    known = frames.setdefault(key, frame)
    if known is not None and known.octets != frame.octets:
        frames[key] = None
