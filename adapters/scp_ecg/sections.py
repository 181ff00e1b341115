"""The sections of an SCP-ECG record, each with its checksum. EN 1064, 5.2 and 5.3.

CRC-CCITT (polynomial 0x1021, begun with 0xFFFF), little-endian numbers; section 0 says where the others are.
"""

import binascii
import struct
from collections.abc import Mapping

from adapters.contract import Unreadable

HEAD_BYTES, RECORD_HEAD_BYTES, POINTER_BYTES = 16, 6, 10
SECTIONS_MAX = 1024


def checksum(block: bytes) -> int:
    """CRC-CCITT as SCP-ECG begins it."""
    return binascii.crc_hqx(block, 0xFFFF)


def read_sections(payload: bytes) -> Mapping[int, bytes]:
    """The data of each section by its number. Raises Unreadable where the record or a section is damaged."""
    if len(payload) < RECORD_HEAD_BYTES + HEAD_BYTES or payload[16:22] != b"SCPECG":
        raise Unreadable("not-scp-ecg", "The payload does not begin as an SCP-ECG record does.", pointer="byte 0")
    crc, size = struct.unpack_from("<HI", payload)
    if size > len(payload):
        raise Unreadable("cut-off", "The record is shorter than it says; send it whole.", pointer=f"byte {len(payload)}")
    if size < RECORD_HEAD_BYTES + HEAD_BYTES or payload[size:].strip(b"\r\n\x00") or checksum(payload[2:size]) != crc:
        raise Unreadable("checksum-wrong", "The checksum of the record is wrong; send it again.", pointer="byte 0")
    pointers = _section(payload[:size], 0, RECORD_HEAD_BYTES, None)
    found: dict[int, bytes] = {}
    for place in range(0, min(len(pointers), SECTIONS_MAX * POINTER_BYTES) - POINTER_BYTES + 1, POINTER_BYTES):
        number, length, index = struct.unpack_from("<HII", pointers, place)
        if number and length > HEAD_BYTES and index:
            found[number] = _section(payload[:size], number, index - 1, length)
    return found


def write_record(sections: Mapping[int, bytes]) -> bytes:
    """A record of these sections."""
    place = RECORD_HEAD_BYTES + HEAD_BYTES + POINTER_BYTES * (len(sections) + 1)
    pointers, blocks = struct.pack("<HII", 0, place - RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + 1), []
    for number, data in sorted(sections.items()):
        block = _written(number, data, bytes(6))
        pointers += struct.pack("<HII", number, len(block), place + 1)
        blocks.append(block)
        place += len(block)
    body = _written(0, pointers, b"SCPECG") + b"".join(blocks)
    rest = struct.pack("<I", len(body) + RECORD_HEAD_BYTES) + body
    return struct.pack("<H", checksum(rest)) + rest


def _written(number: int, data: bytes, reserved: bytes) -> bytes:
    rest = struct.pack("<HIBB", number, len(data) + HEAD_BYTES, 20, 20) + reserved + data
    return struct.pack("<H", checksum(rest)) + rest


def _section(payload: bytes, number: int, place: int, length: int | None) -> bytes:
    """`place`: of its header, from 0. The section's own header says its number and length, too."""
    problem = Unreadable("section-not-readable", f"Section {number} is not where the record says, or is damaged.", pointer=f"byte {place}")
    if place + HEAD_BYTES > len(payload):
        raise problem
    crc, own, said = struct.unpack_from("<HHI", payload, place)
    whole = payload[place : place + said]
    if own != number or (length is not None and said != length) or not HEAD_BYTES <= len(whole) == said:
        raise problem
    if checksum(whole[2:]) != crc:
        raise problem
    return whole[HEAD_BYTES:]
