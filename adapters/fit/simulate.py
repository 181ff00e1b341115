"""FIT files of a scale and of a cuff, written from measurements octet by octet: https://developer.garmin.com/fit/protocol/"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.fit.mapping import BLOOD_PRESSURE, BLOOD_PRESSURE_STATUS, WEIGHT_CALCULATING, WEIGHT_SCALE
from adapters.kit.scene import Scene, Unwritable
from adapters.kit.writing import Values, Writer, pressure, sort

UINT8, UINT16, UINT32, UINT32Z, ENUM = 0x02, 0x84, 0x86, 0x8C, 0x00
OCTETS: Final[Mapping[int, int]] = {UINT8: 1, ENUM: 1, UINT16: 2, UINT32: 4, UINT32Z: 4}
FILE_ID, WEIGHT_FILE, TIMESTAMP = 0, 9, 253
EPOCH: Final = int(datetime(1989, 12, 31, tzinfo=UTC).timestamp())
FIRST, LAST = 0x10000000, 0xFFFFFFFF
"""Below the first a time is a counter since the unit was switched on; the last one says that there is none."""
STATUS_NO_MEASUREMENT: Final = 2
INVALID: Final = 0xFFFF
Field = tuple[int, int, int]
"""Number, base type, value."""


def _message(scene: Scene, values: Values) -> tuple[str, bytes]:
    seconds = int(scene.at.timestamp()) - EPOCH
    if not FIRST <= seconds < LAST:
        raise Unwritable
    when = (TIMESTAMP, UINT32, seconds)
    if "systolic" not in values:
        return scene.device, _written(WEIGHT_SCALE, when, (0, UINT16, _hundredths(values[""])))
    parts = [
        (place, UINT16, INVALID if text is None else int(text)) for place, text in enumerate((values["systolic"], values["diastolic"]))
    ]
    failed = [(BLOOD_PRESSURE_STATUS, ENUM, STATUS_NO_MEASUREMENT)] if values["systolic"] is None else []
    return scene.device, _written(BLOOD_PRESSURE, when, *parts, *failed)


def _hundredths(text: str | None) -> int:
    return WEIGHT_CALCULATING if text is None else int(text.replace(".", ""))


def _written(kind: int, *fields: Field) -> bytes:
    """A definition, little end first, and one data message of it."""
    listed = b"".join(bytes((number, OCTETS[base], base)) for number, base, _ in fields)
    data = b"".join(value.to_bytes(OCTETS[base], "little") for _, base, value in fields)
    return b"\x40\0\0" + kind.to_bytes(2, "little") + bytes((len(fields),)) + listed + b"\0" + data


def _file(messages: Sequence[tuple[str, bytes]]) -> bytes:
    """Header of 12 octets, which unit, the messages, CRC."""
    serial = int(messages[0][0].partition("-")[2]) if messages else 1
    unit = _written(FILE_ID, (0, ENUM, WEIGHT_FILE), (1, UINT16, 1), (3, UINT32Z, serial), (4, UINT32, FIRST))
    body = unit + b"".join(octets for _, octets in messages)
    whole = b"\x0c\x10" + (2195).to_bytes(2, "little") + len(body).to_bytes(4, "little") + b".FIT" + body
    return whole + _crc(whole).to_bytes(2, "little")


def _crc_of(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ 0xA001 if octet & 1 else octet >> 1
    return octet


TABLE: Final = tuple(map(_crc_of, range(256)))


def _crc(octets: bytes) -> int:
    """CRC-16/ARC."""
    value = 0
    for octet in octets:
        value = value >> 8 ^ TABLE[(value ^ octet) & 0xFF]
    return value


SIMULATOR = Writer(
    sorts=[sort("body-weight", "kg", 2), pressure()],
    unit=lambda number: f"1-{1_000_000 + number}",
    record=_message,
    payload=_file,
    one_unit=True,
)
