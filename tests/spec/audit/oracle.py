"""Verification written a second time, naively: everything in memory, one question after the other, no order of reading."""

from collections.abc import Sequence

from audit.chain import Head, digest
from audit.record import Record

Place = tuple[bytes, int]


def is_as_written(records: Sequence[Record], heads: Sequence[Head], current: Sequence[tuple[str, int, bytes]]) -> bool:
    """Nothing at all is wrong."""
    places = [(record.writer, record.sequence) for record in records]
    return (
        len(places) == len(set(places))
        and all(_hash(record) == record.hash for record in records)
        and all(_chain_is_linked(writer, records, heads) for writer in {writer for writer, _ in places})
        and all(_head_is_reached(signed, records) for head in heads for signed in (head, *head.follows))
        and _last_writes(records) == {row: (version, tag) for row, version, tag in current}
    )


def _hash(record: Record) -> bytes:
    return digest(record.draft, record.writer, record.sequence, record.previous)


def _chain_is_linked(writer: bytes, records: Sequence[Record], heads: Sequence[Head]) -> bool:
    own = {record.sequence: record for record in records if record.writer == writer}
    signed = any(head.writer == writer for head in heads)
    linked = all(own[number].previous == own[number - 1].hash for number in range(2, len(own) + 1) if number in own and number - 1 in own)
    return signed and linked and sorted(own) == list(range(1, len(own) + 1))


def _head_is_reached(head: Head, records: Sequence[Record]) -> bool:
    hashes = [record.hash for record in records if (record.writer, record.sequence) == (head.writer, head.sequence)]
    return head.sequence == 0 or hashes == [head.hash]


def _last_writes(records: Sequence[Record]) -> dict[str, tuple[int, bytes]]:
    last: dict[str, tuple[int, bytes]] = {}
    for record in records:
        for write in record.draft.writes:
            if write.version > last.get(write.row, (0, b""))[0]:
                last[write.row] = (write.version, write.tag)
    return last
