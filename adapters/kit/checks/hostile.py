"""Bytes that mean harm, and bytes that met with an accident: items or Unreadable come out, soon, and nothing else."""

import zlib
from collections.abc import Iterator
from functools import cache

from adapters.kit.chance import Chance
from adapters.kit.checks.decoding import unsound
from adapters.kit.checks.taken import taken
from adapters.kit.rule import Outcome, Subject

SECONDS_MAX = 10.0
GROWN_MAX = 512 * 1024 * 1024
DAMAGES = 200
ITEMS_WANTED, BYTES_WANTED = 100_000, 10_000_000
SECONDS_MAX_VOLUME = 60.0
BOMB_BYTES = 256 * 1024 * 1024
_GZIP = 31
"""zlib's wbits for the format of RFC 1952."""

_LOLS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
ENTITIES = {
    "entity expansion": b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lolwashere">' + _LOLS + b"]><r>&l9;</r>",
    "external entity": b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///proc/self/environ">]><r a="1">&x;</r>',
}
DEEP = {
    "deep JSON list": b"[" * 100_000,
    "closed deep JSON list": b"[" * 50_000 + b"]" * 50_000,
    "deep JSON object": b'{"a":' * 50_000,
    "deep XML": b"<a>" * 100_000,
}
ODD = {
    "nothing": b"",
    "only a byte order mark": b"\xef\xbb\xbf",
    "UTF-16": "Überraschung;1;2\n".encode("utf-16"),
    "zeros": b"\x00" * 10_000,
    "quotation marks": b'"' * 100_000,
    "open quotation marks": b'a,b\n"x,' * 3_000,
    "wide rows": (b"a," * 5_000 + b"\n") * 100,
    "endless number": b'{"value": ' + b"9" * 100_000 + b"}",
    "paths for names": b'{"device": "../../../../etc/passwd", "file": "C:\\\\..\\\\x", "hex": "%2e%2e%2f"}',
    "infinite number": b'[{"value": 1e999, "time": -1e999}]',
    "MSH and nothing": b"MSH|^~\\&|" + b"|" * 10_000,
}


def entities(subject: Subject) -> Iterator[str]:
    for name, payload in ENTITIES.items():
        outcome = subject.decode(payload)
        yield from _harm(outcome, name)
        if "lolwashere" * 2 in repr(outcome.items):
            yield f"{name}: an entity was expanded"


def depth(subject: Subject) -> Iterator[str]:
    for name, payload in DEEP.items():
        yield from _harm(subject.decode(payload), name)


def odd_bytes(subject: Subject) -> Iterator[str]:
    for name, payload in ODD.items():
        yield from _harm(subject.decode(payload), name)


def invalid_utf8(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        for at in range(1, len(fixture.payload), max(1, len(fixture.payload) // 20)):
            made = fixture.payload[:at] + b"\xff\xfe\xc3\x28" + fixture.payload[at:]
            yield from _harm(subject.decode(made, fixture.context), f"{fixture.name} with bytes that are no UTF-8")


def cut_off(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        for tenth in range(1, 10):
            made = fixture.payload[: len(fixture.payload) * tenth // 10]
            yield from _harm(subject.decode(made, fixture.context), f"{fixture.name} cut off after {tenth} tenths")


def damaged(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        if not fixture.payload:
            continue
        for seed in range(DAMAGES):
            chance, made = Chance(fixture.name, seed), bytearray(fixture.payload)
            for _ in range(1 + chance.below(4)):
                made[chance.below(len(made))] = chance.below(256)
            yield from _harm(subject.decode(bytes(made), fixture.context), f"{fixture.name} damaged (seed {seed})")


def gzip_bomb(subject: Subject) -> Iterator[str]:
    """The transport undoes compression within its limit; an adapter that does it by itself has to have one, too."""
    bomb = _bomb()
    outcome = subject.decode(bomb)
    yield from _harm(outcome, f"{len(bomb)} bytes of gzip that hold {BOMB_BYTES}")
    if outcome.grown > BOMB_BYTES // 2:
        yield "the bomb went off: memory grew with what is packed in it"


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, _GZIP)
    return b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(BOMB_BYTES // (1024 * 1024))) + packer.flush()


def volume(subject: Subject) -> Iterator[str]:
    """100,000 items or 10 MB of a fixture's own records, repeated, within a minute and half a gigabyte."""
    for fixture, apart in taken(subject):
        items = max(1, len(subject.outcome(fixture).items))
        times = max(1, min(ITEMS_WANTED // items, BYTES_WANTED // len(fixture.payload)))
        outcome = subject.decode(apart.join(apart.records * times), fixture.context)
        if outcome.crash or outcome.refusal is not None:
            yield f"{fixture.name} {times} times: {outcome.crash or 'refused'}"
        if outcome.seconds > SECONDS_MAX_VOLUME or outcome.grown > GROWN_MAX:
            yield f"{fixture.name} {times} times: took {outcome.seconds:.0f} s and {outcome.grown // 2**20} MiB"
        return


def _harm(outcome: Outcome, name: str) -> Iterator[str]:
    if outcome.crash:
        yield f"{name}: {outcome.crash} came out"
    if outcome.seconds > SECONDS_MAX:
        yield f"{name}: took {outcome.seconds:.0f} s"
    if outcome.grown > GROWN_MAX:
        yield f"{name}: took {outcome.grown // 2**20} MiB"
    yield from unsound(outcome, name)
