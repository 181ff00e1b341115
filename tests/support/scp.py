"""An encoder of SCP-ECG records for tests, written bit by bit and sharing nothing with the adapter. EN 1064."""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

NAME, ID, BORN = (0, b"Lovelace\x00"), (2, b"ada@example.org\x00"), (5, b"\x17\x07\x0c\x0a")
MACHINE = (14, bytes(35) + b"\x04" + b"1.02\x00" + b"SN-42\x00" + b"sys\x00" + b"mk\x00")
DATE, TIME = (25, struct.pack("<HBB", 2024, 3, 2)), (26, bytes([9, 30, 15]))
PARIS = (34, struct.pack("<hH", 60, 0) + b"CET\x00")


def crc(block: bytes) -> int:
    """CRC-CCITT, bit by bit."""
    value = 0xFFFF
    for byte in block:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def code(value: int) -> str:
    """The bits of one number in the default table."""
    if value == 0:
        return "0"
    if -8 <= value <= 8:
        return "1" * abs(value) + "0" + ("1" if value < 0 else "0")
    if -128 <= value < 128:
        return "1" * 9 + "0" + format(value & 0xFF, "08b")
    return "1" * 10 + format(value & 0xFFFF, "016b")


def packed(values: Sequence[int]) -> bytes:
    bits = "".join(map(code, values))
    bits += "0" * (-len(bits) % 16)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


def differences(samples: Sequence[int], order: int) -> list[int]:
    if order == 0:
        return list(samples)
    if order == 1:
        return [samples[0], *(now - before for before, now in pairwise(samples))]
    seconds = [now - 2 * one + two for two, one, now in zip(samples, samples[1:], samples[2:], strict=False)]
    return [*samples[:2], *seconds]


def record(
    leads: Mapping[int, Sequence[int]],
    *,
    tags: Sequence[tuple[int, bytes]] = (NAME, ID, BORN, MACHINE, DATE, TIME),
    order: int = 0,
    huffman: bool = False,
    step_nv: int = 5000,
    period_us: int = 2000,
    flags: int = 0,
    bimodal: int = 0,
    tables: int = 19_999,
) -> bytes:
    about = b"".join(struct.pack("<BH", number, len(value)) + value for number, value in (*tags, (255, b"")))
    definition = bytes([len(leads), flags]) + b"".join(struct.pack("<IIB", 1, len(one), number) for number, one in leads.items())
    made = [differences(one, order) for one in leads.values()]
    blocks = [packed(one) if huffman else struct.pack(f"<{len(one)}h", *one) for one in made]
    data = struct.pack("<HHBB", step_nv, period_us, order, bimodal)
    data += b"".join(struct.pack("<H", len(block)) for block in blocks) + b"".join(blocks)
    sections = {1: about, 3: definition, 6: data} | ({2: struct.pack("<H", tables)} if huffman else {})
    return framed(sections)


def framed(sections: Mapping[int, bytes]) -> bytes:
    place = 6 + 16 + 10 * (len(sections) + 1)
    pointers, rest = struct.pack("<HII", 0, 16 + 10 * (len(sections) + 1), 7), b""
    for number in sorted(sections):
        block = _section(number, sections[number], bytes(6))
        pointers += struct.pack("<HII", number, len(block), place + 1)
        place += len(block)
        rest += block
    body = struct.pack("<I", place) + _section(0, pointers, b"SCPECG") + rest
    return struct.pack("<H", crc(body)) + body


def _section(number: int, data: bytes, reserved: bytes) -> bytes:
    made = struct.pack("<HIBB", number, 16 + len(data), 13, 13) + reserved + data
    return struct.pack("<H", crc(made)) + made
