"""Damage that knows the format, so that it gets past the first check: one place of one payload at a time. Pure, all from one seed.

libFuzzer's own mutations of bytes come beside these (engine.py); here are those that it would hardly ever find.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

ODD = (
    "", " ", "-", "--", "0", "-0", "1", "-1", "00", "0.0", ".5", "5.", "1e9", "1E400", "-1e-400", "NaN", "inf",
    "999999999999999999999999999999", "0.0000000000000000000000000000001", "1,5", "1 000", "0x1F", "٣", "1_0", "null", "true", "LO", "HI",
    "High", "E", "é", "\x00", "\ud7ff", "\u202e", "x" * 300, "0000-00-00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "1899-12-31", "1970-01-01T00:00:00Z", "2024-02-30", "2024-02-29T24:00:00", "2016-12-31T23:59:60Z", "2025-10-26T02:30:00",
    "2025-03-30 02:30:00", "9999-12-31T23:59:59.999999999-14:00", "2024-05-06T07:08:09+24:00", "2024-05-06T07:08:09.1234567891",
    "24-05-06", "31/12/2024 23:59", "12-31-2024 11:59 PM", "20240506070809.1234+0200", "2024", "202405", "1700000000", "1700000000000",
    "1700000000000000000", "-62135596800", "253402300800", "18446744073709551616",
)  # fmt: skip
MAGIC = (b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\r", b"\n", b"\r\n", b"\x1a", b"\x1f\x8b", b"\x0b", b"\x1c\r")
Mutator = Callable[[Random, bytes, Sequence[bytes]], bytes]
"""(chance, payload, words of the format) -> another payload."""


def odd(chance: Random, words: Sequence[bytes]) -> bytes:
    """What a field might hold and nobody expects, or a word of the format where it does not belong."""
    return chance.choice(words) if words and chance.random() < 0.5 else chance.choice(ODD).encode("utf-8", "replace")


def pieces(chance: Random, payload: bytes, words: Sequence[bytes], mark: bytes) -> bytes:
    """Between two marks: another word, nothing, twice, exchanged, or one more."""
    parts = payload.split(mark)
    at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(6):
        case 0 | 1:
            parts[at] = odd(chance, words)
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts.insert(other, parts[at])
        case 4:
            del parts[at]
        case _:
            parts.insert(at, odd(chance, words))
    return mark.join(parts)


def by_marks(*marks: bytes) -> Mutator:
    return lambda chance, payload, words: pieces(chance, payload, words, chance.choice(marks))


def numbers(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """One number of a text becomes another one."""
    found = list(re.finditer(rb"-?[0-9][0-9.eE+-]*", payload))
    if not found:
        return payload
    one = chance.choice(found)
    digits = one[0]
    near = (
        (b"%d" % (int(digits) + chance.choice((-1, 1, 60, 3600, 86400, 2**31)))) if digits.isdigit() and len(digits) < 20 else digits[:-1]
    )
    new = chance.choice((near, digits + chance.choice((b"0", b".0", b"e5", b"9" * 20)), b"-" + digits, odd(chance, ())))
    return payload[: one.start()] + new + payload[one.end() :]


def encodings(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """The same text in another character set, or with marks that editors leave behind."""
    text = payload.decode("utf-8", "replace")
    match chance.randrange(4):
        case 0:
            return chance.choice(MAGIC) + payload
        case 1:
            return text.encode(chance.choice(("utf-16", "utf-16-be", "utf-8-sig")), "replace")
        case 2:
            return text.encode("cp1252", "replace")
        case _:
            return (
                payload.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n", b"\x00")))
                if b"\n" in payload
                else payload + chance.choice(MAGIC)
            )


MARKUP = (
    b'<!DOCTYPE a [<!ENTITY b "c">]>', b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b"&b;", b"&amp;", b"&#0;", b"&#x10FFFF;",
    b"<![CDATA[x]]>", b"<!-- -->", b"<?xml version='1.1'?>", b'<?xml version="1.0" encoding="utf-7"?>',
    b"<a>" * 40, b"</a>", b' xmlns:x="urn:x"', b"\x00",
)  # fmt: skip


def markup(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """Attributes, elements, entities."""
    attributes = list(re.finditer(rb'"[^"]*"', payload))
    if attributes and chance.random() < 0.6:
        one = chance.choice(attributes)
        return payload[: one.start() + 1] + odd(chance, words).replace(b'"', b"") + payload[one.end() - 1 :]
    at = chance.choice([0, *(one.start() for one in re.finditer(rb"<", payload))])
    if chance.random() < 0.5:
        return payload[:at] + chance.choice(MARKUP) + payload[at:]
    return pieces(chance, payload, words, b"<")


def fixed_width(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """Headers of EDF are fields of eight octets, filled up with blanks."""
    at = 8 * chance.randrange(max(1, min(len(payload), 2_048) // 8))
    return payload[:at] + odd(chance, words)[:8].ljust(8) + payload[at + 8 :]


TEXT: tuple[Mutator, ...] = (numbers, encodings)
