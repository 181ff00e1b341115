"""JSON, and files with checksums: taken apart, one place changed, put together again. Pure, all from one seed."""

import binascii
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from random import Random
from typing import Any

import orjson

from tests.fuzz.parsers.mutators import numbers, odd, pieces
from tests.support import fit

Node = dict[str, Any] | list[Any]
DEEP = 24
SCP_POINTERS_MAX = 32


def json_places(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """A member or an element of a JSON document, or of one of the documents of NDJSON."""
    try:
        tree = orjson.loads(payload)
    except orjson.JSONDecodeError:
        lines = payload.split(b"\n")
        at = chance.randrange(len(lines))
        if len(lines) == 1:
            return numbers(chance, payload, words)
        lines[at] = json_places(chance, lines[at], words) if lines[at] else odd(chance, words)
        return b"\n".join(lines)
    nodes = inner(tree)
    if not nodes:
        return odd(chance, words)
    changed(chance, chance.choice(nodes), nodes, words)
    try:
        return orjson.dumps(tree)
    except TypeError:  # a whole number of more than 64 bits, which JSON may have
        return json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace")


def inner(tree: Any) -> list[Node]:
    """Every object and array that has something in it."""
    found: list[Node] = []
    rest = [tree]
    while rest:
        one = rest.pop()
        if isinstance(one, dict | list) and one:
            found.append(one)
            rest += one.values() if isinstance(one, dict) else one
    return found


def changed(chance: Random, node: Node, nodes: Sequence[Node], words: Sequence[bytes]) -> None:
    """Change one place of a node."""
    places: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
    at = chance.choice(places)
    members: Any = node
    match chance.randrange(9):
        case 0 | 1 | 2:
            members[at] = leaf(chance, members[at], words)
        case 3:
            del members[at]
        case 4:
            members[at] = wrapped(chance, members[at])
        case 5:
            other = chance.choice(nodes)
            members[at] = other if other is not node and node not in inner(other) else None
        case 6 if isinstance(node, list):
            node.append(node[at])
        case 7 if isinstance(node, dict):
            node[odd(chance, words).decode("utf-8", "replace")] = node.pop(at)
        case _:
            members[at] = chance.choice((None, True, False, 0, -1, 1.5, 2**63 - 1, 1e300, "", [], {}, [[]], [None], {"": 0}))


def leaf(chance: Random, value: Any, words: Sequence[bytes]) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return chance.choice((value + 1, -value, value * 1_000 if abs(value) < 10**12 else 0, value / 7, 0, str(value)))
        case str() if len(value) > 3 and all(char in "0123456789abcdefABCDEF" for char in value):
            return octets(chance, value)
        case str() if value and chance.random() < 0.4:
            return numbers(chance, value.encode(), words).decode("utf-8", "replace")
        case _:
            return odd(chance, words).decode("utf-8", "replace")


def octets(chance: Random, text: str) -> str:
    """Hexadecimal octets, as telephones relay frames of Bluetooth: one bit, one octet, one less, one more."""
    at = chance.randrange(len(text))
    match chance.randrange(4):
        case 0:
            return text[:at] + chance.choice("0123456789ABCDEF") + text[at + 1 :]
        case 1:
            return text[: at - at % 2] + text[at - at % 2 + 2 :]
        case 2:
            return text[: at - at % 2] + chance.choice(("00", "FF", "7F", "80", "FE07", "FF07", "0008")) + text[at - at % 2 :]
        case _:
            return text[: at - at % 2] + chance.choice(("00", "FF", "7F", "80", "01")) + text[at - at % 2 + 2 :]


def wrapped(chance: Random, value: Any) -> Any:
    for _ in range(chance.choice((1, 1, 2, DEEP))):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def bits(chance: Random, payload: bytes) -> bytes:
    """One octet changed, taken away or put in."""
    at = chance.randrange(len(payload) + 1)
    new = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))])
    return payload[:at] + chance.choice((new + payload[at + 1 :], payload[at + 1 :], new + payload[at:]))


def fit_file(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """A FIT file whose length and checksum fit what it has become."""
    if len(payload) < 17:
        return bits(chance, payload)
    head, body = payload[: payload[0] % 32], payload[payload[0] % 32 : -2]
    body = bits(chance, body) if chance.random() < 0.8 else body + body[chance.randrange(len(body) + 1) :]
    made = head[:4] + struct.pack("<I", len(body)) + head[8:12]
    made += struct.pack("<H", fit.crc(made)) if len(head) == 14 else b""
    return made + body + struct.pack("<H", fit.crc(made + body))


def scp_file(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """An SCP-ECG record whose checksums fit what it has become."""
    made = bytearray(bits(chance, payload))
    if len(made) < 32:
        return bytes(made)
    for at in range(22, min(len(made) - 10, 22 + 10 * SCP_POINTERS_MAX), 10):
        _, length, index = struct.unpack_from("<HII", made, at)
        if index > 22 and length > 2 and index - 1 + length <= len(made):
            struct.pack_into("<H", made, index - 1, _scp_crc(made[index + 1 : index - 1 + length]))
    length = struct.unpack_from("<I", made, 10)[0]
    if 2 < length <= len(made) - 6:
        struct.pack_into("<H", made, 6, _scp_crc(made[8 : 6 + length]))
    struct.pack_into("<I", made, 2, len(made))
    struct.pack_into("<H", made, 0, _scp_crc(made[2:]))
    return bytes(made)


def _scp_crc(block: bytearray) -> int:
    """CRC-CCITT, not as `tests.support.scp` has it, which is slow: most of a run would be spent on it."""
    return binascii.crc_hqx(block, 0xFFFF)


def zipped(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """A ZIP of a header in text and signals: one of its files changed, or its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as found:
            files = [(one.filename, found.read(one)) for one in found.infolist() if one.file_size < 100_000]
    except Exception:  # noqa: BLE001 - no ZIP any more
        return bits(chance, payload)
    if not files:
        return bits(chance, payload)
    at = chance.randrange(len(files))
    name, content = files[at]
    if name.endswith(".hea"):
        content = chance.choice((numbers(chance, content, words), pieces(chance, content, words, chance.choice((b" ", b"\n", b"/", b"(")))))
    else:
        content = bits(chance, content)
    files[at] = (chance.choice(("../x", "", name * 2, "a/b.hea", "x.hea")) if chance.random() < 0.1 else name, content)
    return rezipped(files)


def rezipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in dict(files).items():
            archive.writestr(zipfile.ZipInfo(name or "x"), content)
    return made.getvalue()
