"""Small FIT files, written octet by octet: https://developer.garmin.com/fit/protocol/."""

from typing import Any

ENUM, UINT8, UINT16, UINT32, STRING, UINT32Z, SINT16 = 0x00, 0x02, 0x84, 0x86, 0x07, 0x8C, 0x83
SIZES = {ENUM: 1, UINT8: 1, UINT16: 2, UINT32: 4, UINT32Z: 4, SINT16: 2}
Field = tuple[int, int, Any]
"""Number, base type, value: a number, several, or octets."""


def crc(octets: bytes) -> int:
    """CRC-16/ARC, bit by bit."""
    value = 0
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def _octets(base: int, value: Any, order: str) -> bytes:
    if isinstance(value, bytes):
        return value
    numbers = value if isinstance(value, (list, tuple)) else [value]
    return b"".join((number % (1 << 8 * SIZES[base])).to_bytes(SIZES[base], "big" if order == ">" else "little") for number in numbers)


def definition(kind: int, *fields: Field, order: str = "<", local: int = 0, developer: bytes = b"") -> bytes:
    """A definition message; `developer` are (number, size, index) of developer fields."""
    head = bytes((0x40 | (0x20 if developer else 0) | local, 0, order == ">")) + kind.to_bytes(2, "big" if order == ">" else "little")
    listed = b"".join(bytes((number, len(_octets(base, value, order)), base)) for number, base, value in fields)
    return head + bytes((len(fields),)) + listed + (bytes((len(developer) // 3,)) + developer if developer else b"")


def message(kind: int, *fields: Field, order: str = "<", local: int = 0) -> bytes:
    """A definition and one data message of it."""
    return definition(kind, *fields, order=order, local=local) + data(*fields, order=order, local=local)


def data(*fields: Field, order: str = "<", local: int = 0) -> bytes:
    return bytes((local,)) + b"".join(_octets(base, value, order) for _, base, value in fields)


def file(*parts: bytes, trailer: bytes | None = None) -> bytes:
    """Header of 12 octets, body, CRC."""
    body = b"".join(parts)
    head = bytes((12, 0x10)) + (2195).to_bytes(2, "little") + len(body).to_bytes(4, "little") + b".FIT"
    return head + body + (crc(head + body).to_bytes(2, "little") if trailer is None else trailer)


def file_id(serial: int = 1234, manufacturer: int = 1) -> bytes:
    return message(0, (0, ENUM, 9), (1, UINT16, manufacturer), (3, UINT32Z, serial), (4, UINT32, 1_000_000_000))
