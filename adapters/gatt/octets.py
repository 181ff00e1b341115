"""Reading a characteristic value from its first octet to its last. Everything is little-endian."""

from dataclasses import dataclass

from adapters.ieee11073 import Number, float32, sfloat
from adapters.refusal import ItemRefused


@dataclass(frozen=True, slots=True)
class DateTime:
    """org.bluetooth.date_time: wall clock without zone; year, month or day 0 is unknown."""

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int


class Octets:
    """Bits reserved for future use are ignored, as the GATT Specification Supplement asks; octets that no flag announces are
    refused, because a guess about them would be one about the value.
    """

    def __init__(self, value: bytes) -> None:
        self._value, self._at = value, 0

    def uint(self, size: int) -> int:
        end = self._at + size
        if end > len(self._value):
            raise ItemRefused("frame-too-short", f"The flags announce at least {end} octets; the frame has {len(self._value)}.", keep=False)
        number = int.from_bytes(self._value[self._at : end], "little")
        self._at = end
        return number

    def sint(self, size: int) -> int:
        number, bits = self.uint(size), 8 * size
        return number - (1 << bits) if number >> (bits - 1) else number

    def sfloat(self) -> Number:
        return sfloat(self.uint(2))

    def float32(self) -> Number:
        return float32(self.uint(4))

    def date_time(self) -> DateTime:
        return DateTime(self.uint(2), self.uint(1), self.uint(1), self.uint(1), self.uint(1), self.uint(1))

    def take(self, size: int) -> "Octets":
        """The next octets as a value of their own."""
        if size > self.left():
            raise ItemRefused("frame-too-short", f"A record of {size} octets is announced; {self.left()} are left.", keep=False)
        self._at += size
        return Octets(self._value[self._at - size : self._at])

    def left(self) -> int:
        return len(self._value) - self._at

    def end(self) -> None:
        if self.left():
            raise ItemRefused("frame-too-long", f"The frame has {self.left()} octets more than its flags announce.")

    def check_crc(self, head: bytes = b"") -> None:
        """The last two octets are the E2E-CRC of `head` and those before (Continuous Glucose Monitoring Service 1.0.2, 3.11)."""
        if crc16(head + self._value[:-2]) != int.from_bytes(self._value[-2:], "little"):
            raise ItemRefused("crc-wrong", "The E2E-CRC does not fit the octets: the frame was damaged on its way.", keep=False)
        self._at += 2


def crc16(octets: bytes) -> int:
    """CRC-16/MCRF4XX: D16+D12+D5+1, seed 0xFFFF, least significant bit first. Of "123456789" it is 0x6F91."""
    crc = 0xFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc
