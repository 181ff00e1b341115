"""Section 1 of SCP-ECG: of its tags only when and with which device it was recorded. EN 1064, 5.4.

Whose it is (tags 0 to 12), who asked for it, recorded and confirmed it (15 to 23) is stepped over.
"""

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from adapters.limits import YEAR_MAX, YEAR_MIN
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused

DEVICE, DATE, TIME, ZONE, END = 14, 25, 26, 34, 255
_STRINGS_AT = 35
_SERIAL_MAX = 64
_NO_TIME = "The record does not say when it was acquired (tags 25 and 26)."


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`serial` of the device, if it says one; date and time as their bytes; `offset_min` ahead of UTC, if it says that."""

    serial: str | None
    date: bytes
    time: bytes
    offset_min: int | None

    def moment(self, after_us: int) -> DeviceTime:
        """So long after the beginning. Raises ItemRefused `no-time`."""
        try:
            year, month, day = struct.unpack("<HBB", self.date)
            hour, minute, second = struct.unpack("<BBB", self.time)
            start = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 -- the zone comes below
            wall = start + timedelta(microseconds=after_us)
            zone = None if self.offset_min is None else timezone(timedelta(minutes=self.offset_min))
        except (struct.error, ValueError, OverflowError):
            raise ItemRefused("no-time", _NO_TIME) from None
        if not YEAR_MIN < wall.year < YEAR_MAX:
            raise ItemRefused("no-time", "The year of acquisition is out of bounds.")
        text = start.isoformat(sep=" ") + (f" +{after_us} us" if after_us else "")
        if zone is None:
            return DeviceTime(kind="local", text=text, wall=wall)
        return DeviceTime(kind="offset", text=f"{text} {self.offset_min:+} min", instant=wall.replace(tzinfo=zone))

    def section(self) -> bytes:
        """Section 1 with these tags alone."""
        made = b""
        if self.serial:
            made += _tag(DEVICE, bytes(_STRINGS_AT) + b"\x01\x00" + self.serial.encode() + b"\x00")
        made += _tag(DATE, self.date) + _tag(TIME, self.time)
        if self.offset_min is not None:
            made += _tag(ZONE, struct.pack("<hH", self.offset_min, 0) + b"\x00")
        return made + _tag(END, b"")


def about(section: bytes) -> About:
    """What section 1 says of device and time."""
    found = _tags(section)
    return About(
        serial=_serial(found.get(DEVICE, b"")),
        date=found.get(DATE, b""),
        time=found.get(TIME, b""),
        offset_min=_offset(found.get(ZONE, b"")),
    )


def _tags(section: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 3 <= len(section):
        tag, length = struct.unpack_from("<BH", section, place)
        if tag == END:
            break
        if tag in {DEVICE, DATE, TIME, ZONE}:
            found[tag] = section[place + 3 : place + 3 + length]
        place += 3 + length
    return found


def _tag(tag: int, value: bytes) -> bytes:
    return struct.pack("<BH", tag, len(value)) + value


def _serial(device: bytes) -> str | None:
    """Behind 35 fixed bytes: the length of the analysing program's revision, that, then the serial number, each ended by a zero."""
    texts = device[_STRINGS_AT + 1 :].split(b"\x00")
    if len(texts) < 3:  # noqa: PLR2004 -- revision, serial number, and what follows its zero
        return None
    serial = texts[1].decode("latin-1").strip()
    return serial if serial and len(serial) <= _SERIAL_MAX and serial.isascii() and serial.isprintable() else None


def _offset(zone: bytes) -> int | None:
    """0x7FFF says that it is not known."""
    if len(zone) < 2:  # noqa: PLR2004
        return None
    minutes = int(struct.unpack_from("<h", zone)[0])
    return minutes if abs(minutes) <= 14 * 60 else None
